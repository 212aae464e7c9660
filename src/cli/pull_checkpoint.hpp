// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/pull_session.hpp"
#include "hub/hugging_face.hpp"

namespace teetee::cli {

/// A repository of Hugging Face's hub at one commit.
struct HfRepository {
    std::string endpoint{};
    hub::HfReference reference{};
    hub::ExplainStatus explain{};
    hub::HfModel model{};
    std::vector<hub::HfFile> files{};

    std::string page() const { return endpoint + "/" + reference.repository; }
    std::string usual_folder() const { return "hf/" + reference.repository; }
    /// Without a path.
    PullFile file(const hub::HfFile& listed) const;
};

/// Fetches configuration, tokenizer and weights, and imports them into one GGUF file. What cannot
/// be imported is found out before the weights are fetched, as far as configuration and tokenizer
/// tell. Errors: unsupported (no such checkpoint), those of fetching and of import_checkpoint.
Result<PullReport> pull_checkpoint(const PullOptions& options, const PullSession& pulling,
                                   const HfRepository& repository);

}  // namespace teetee::cli
