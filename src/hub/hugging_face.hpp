// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/file_digest.hpp"
#include "hub/reference.hpp"
#include "net/http_message.hpp"

// Hugging Face's hub as its clients see it (huggingface.co/docs/hub/api); pure.
namespace teetee::hub {

constexpr std::string_view hugging_face_url = "https://huggingface.co";

/// What the hub says of a repository at a revision. Texts are printable ASCII and short.
struct HfModel {
    /// The commit that the revision is now, 40 hex digits: files are asked for by it, so that all
    /// are of one state.
    std::string commit{};
    /// "apache-2.0"; "" where none is named.
    std::string licence{};
    /// Whoever fetches files must have accepted conditions on the model's page.
    bool gated = false;
};
/// The body of /api/models/OWNER/NAME/revision/REVISION. Errors: hub_malformed, limit_exceeded.
Result<HfModel> parse_hf_model(std::string_view json);

struct HfFile {
    std::string path{};
    uint64_t bytes = 0;
    FileDigest digest{};
    bool operator==(const HfFile&) const = default;
};
/// A page of /api/models/OWNER/NAME/tree/COMMIT. A path that leads out of the repository is an
/// error; files whose names are not printable ASCII are left out: nothing that is fetched has
/// such. Errors: hub_malformed, limit_exceeded.
Result<std::vector<HfFile>> parse_hf_files(std::string_view json);

// What to ask; `endpoint` has no slash at its end.
std::string hf_model_url(std::string_view endpoint, const HfReference& reference);
struct HfState {
    std::string_view endpoint;
    std::string_view repository;
    std::string_view commit;
};
std::string hf_files_url(const HfState& state);
std::string hf_file_url(const HfState& state, std::string_view path);

/// Why the hub does not give what was asked, and what can be done: 401, 403 and 404 by the error
/// code in X-Error-Code. Errors: access_denied, not_found, hub_refused.
struct HfRefusal {
    int status = 0;
    const net::HttpHeaders& headers;
    std::string_view endpoint;
    const HfReference& reference;
    bool token_was_sent = false;
};
Error explain_hf_refusal(const HfRefusal& refusal);

}  // namespace teetee::hub
