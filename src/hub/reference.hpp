// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace teetee::hub {

/// A repository of Hugging Face's hub.
struct HfReference {
    /// "OWNER/NAME".
    std::string repository{};
    /// A path in the repository; "" where none was named.
    std::string file{};
    /// "Q4_K_M" of "hf:OWNER/NAME:Q4_K_M"; "" where none was named.
    std::string quantisation{};
    /// A branch, a tag or a commit.
    std::string revision = "main";
    bool operator==(const HfReference&) const = default;
};

/// An image of Ollama's registry.
struct OllamaReference {
    /// "NAMESPACE/NAME"; the namespace is "library" where none was named.
    std::string repository{};
    std::string tag = "latest";
    bool operator==(const OllamaReference&) const = default;
};

struct UrlReference {
    std::string url{};
    std::string host{};
    /// The last part of its path where that can name a file, else "".
    std::string file_name{};
    bool operator==(const UrlReference&) const = default;
};

using Reference = std::variant<HfReference, OllamaReference, UrlReference>;

/// What users write: hf:OWNER/NAME[/FILE][@REVISION], hf:OWNER/NAME:QUANTISATION[@REVISION],
/// ollama:[NAMESPACE/]NAME[:TAG], or an http or https URL. Error: invalid_argument, which says
/// what is understood.
Result<Reference> parse_reference(std::string_view text);

/// A path that can lie nowhere but in the folder that it is put into: printable ASCII without
/// backslashes, relative, no part empty, "." or "..", every part and the whole bounded.
bool is_safe_path(std::string_view path);

/// A path as a URL has it; slashes stay.
std::string encode_url_path(std::string_view path);

}  // namespace teetee::hub
