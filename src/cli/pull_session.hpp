// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/array.hpp>

#include "base/world.hpp"
#include "cli/command.hpp"
#include "hub/download.hpp"
#include "hub/reference.hpp"
#include "model/gguf.hpp"
#include "net/loop.hpp"

namespace teetee::cli {

struct PullOptions {
    std::string reference;
    std::string file;
    std::string out;
    std::string mirror;
    std::string ca_file;
    std::string token_file;
    std::string sha256;
    std::string type = "auto";
    size_t connections = 4;
    bool safetensors = false;
    bool keep_checkpoint = false;
    bool dry_run = false;
};

/// What a hub and its mirrors go by.
struct PullHub {
    /// Of the hub itself.
    std::string_view url;
    /// The variable that names a mirror, and the one with a token; "" for none.
    const char* mirror_variable;
    const char* token_variable;
};

/// Where things are asked for, and with what token.
struct PullEndpoint {
    std::string url{};
    std::string token{};
};

/// --mirror, else the variable, else the hub; without a slash at its end. A token of --token-file
/// goes wherever things are asked for, one of the variable only to the hub or to the mirror that
/// the variable names: who is named on the command line has not been trusted with it. Errors:
/// invalid_argument (no URL, or a token that would travel in the clear), those of reading.
Result<PullEndpoint> choose_endpoint(const PullOptions& options, const PullHub& hub);

/// One file to fetch.
struct PullFile {
    std::string url{};
    std::string path{};
    std::optional<hub::FileDigest> digest{};
    std::optional<uint64_t> bytes{};
    /// Of a repository.
    std::string commit{};
    hub::ExplainStatus explain{};
    /// It is a model: GGUF's index reader looks at it.
    bool is_gguf = false;
    /// Of a GGUF file: what its index must be, as soon as that is there, and all of it at the end.
    std::function<Result<void>(const model::Gguf& gguf)> check_index{};
    std::function<Result<void>(const model::Gguf& gguf)> check_data{};
};

/// What a server of no hub's means with a status that is no file.
Error explain_url_status(int status, const net::HttpHeaders& headers);

/// A pull under way: the web, what is shown of it, and Ctrl-C, which stops it so that the same
/// command goes on.
class PullSession {
  public:
    PullSession(const PullOptions& options, const PullEndpoint& endpoint);
    ~PullSession();
    PullSession(const PullSession&) = delete;
    PullSession& operator=(const PullSession&) = delete;

    const hub::Web& web() const { return web_; }
    std::stop_token stop() const { return stop_.get_token(); }

    /// The body of a 200. Errors: of Web::ask_patiently, and `explain`'s for any other status.
    Result<hub::WebAnswer> ask(const std::string& url, const std::string& accept,
                               const hub::ExplainStatus& explain) const;
    Result<hub::Downloaded> fetch(const PullFile& file) const;

    /// SHA-256 of a file that is there. Errors: of reading; cancelled.
    Result<hub::FileDigest> hash(const std::string& path) const;

    /// A line on stderr.
    static void say(const std::string& line);

  private:
    const PullOptions& options_;
    SystemClock clock_;
    SystemRng rng_;
    std::stop_source stop_;
    hub::Web web_;
    net::Loop signals_;
    std::jthread signal_thread_;
};

// One file each. What is to be printed: members of a JSON object, and lines.
struct PullReport {
    boost::json::object json{};
    std::string text{};
};
Result<PullReport> pull_hugging_face(const PullOptions& options, const hub::HfReference& reference);
Result<PullReport> pull_ollama(const PullOptions& options, const hub::OllamaReference& reference);
Result<PullReport> pull_url(const PullOptions& options, const hub::UrlReference& reference);

/// Where a model goes: --out, or a file of this name in --out where that is a folder, or its place
/// among the models that were pulled.
std::string choose_path(const PullOptions& options, const std::string& usual_place);
/// What stands beside a model, under its name without ".gguf": beside("a/b.gguf", ".txt").
std::string beside(const std::string& path, std::string_view ending);

/// What is noted beside a model whose hub has no digest of it, PATH without ".gguf" and with
/// ".source.json"; nullopt where nothing is noted of this source in this state.
struct SourceState {
    std::string source{};
    std::string state{};
};
std::optional<hub::FileDigest> find_digest(const std::string& path, const SourceState& wanted);
/// Error: io_failed.
Result<void> note_digest(const std::string& path, const SourceState& source,
                         const hub::FileDigest& digest);

/// Of a model in one file that is there now, with the command that comes next.
struct PulledModel {
    std::string path{};
    std::string source{};
    std::string licence{};
    std::string commit{};
    hub::Downloaded downloaded{};
};
PullReport report_model(const PulledModel& model);
std::string next_commands(const std::string& path);
/// Of --dry-run.
struct PlannedFile {
    std::string url{};
    std::string path{};
    std::optional<uint64_t> bytes{};
    std::optional<hub::FileDigest> digest{};
};
PullReport report_plan(const std::vector<PlannedFile>& files, const std::string& licence);

}  // namespace teetee::cli
