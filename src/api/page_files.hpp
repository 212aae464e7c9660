// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "net/http_message.hpp"

namespace teetee::api {

/// The web app as an entry serves it: a folder of static files (web/dist, `make web`), in memory
/// since the start. The page is one file, index.html, under "/" and under the paths of its own
/// views; what it loads is beside it. A file NAME.gz beside NAME is NAME compressed, for clients
/// that take gzip.
///
/// Nothing here is secret, and nothing of it is attested beyond that this process sends it: who
/// opens the page over plain HTTP trusts the way to it (docs/api.md, "The page"). From there on the
/// page verifies nodes itself.
class PageFiles {
  public:
    /// Links are refused, names of other characters than [A-Za-z0-9._-] or that begin with a dot,
    /// and files of types that are not known. Errors: of net::read_tree; config_invalid.
    static Result<PageFiles> load(const std::string& folder);
    /// The files by their paths ("index.html", "assets/app-0a1b2c3d.js"). Error: config_invalid.
    static Result<PageFiles> build(std::map<std::string, Bytes> files);

    /// Whether the page has something under this path, as it stands in a request: percent-encoding
    /// is not undone, as no name here needs any.
    bool has(std::string_view path) const;
    /// Of a client that would rather have a page than the API's JSON, as a browser that follows a
    /// link does: a path may be both's (/models).
    static bool is_preferred(const net::HttpHeaders& headers);
    /// To a GET or HEAD of a path that it has; 304 to one that has it already.
    net::HttpResponse answer(const net::HttpRequest& request) const;

    size_t file_count() const { return files_.size(); }
    /// In memory.
    size_t bytes() const;

  private:
    struct File {
        std::string content_type;
        /// There once, however many are sent it.
        std::shared_ptr<const std::string> content;
        std::string tag;
        /// Compressed; null: there is none.
        std::shared_ptr<const std::string> gzip;
        /// The name has a hash of the content in it, so that it never stands for another.
        bool is_immutable = false;
    };
    const File* find(std::string_view path) const;

    /// By path, with its slash.
    std::map<std::string, File, std::less<>> files_;
};

/// First segments of the paths that are views of the page; what stands behind one is the page's
/// too ("/models/7").
inline constexpr std::array<std::string_view, 8> page_views = {
    "chat", "models", "contribute", "dashboard", "explorer", "network", "settings", "about"};

}  // namespace teetee::api
