// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/hugging_face.hpp"

namespace teetee::hub {

/// What users of other tools get where they name no file, too: small, and close to the original.
constexpr std::string_view preferred_quantisation = "Q4_K_M";

/// The models of a repository in GGUF: its .gguf files in order, without those that hold no
/// language model (mmproj-*, imatrix); of one that is in parts the first part.
struct GgufModel {
    HfFile file{};
    /// "-00001-of-00003" makes 3.
    size_t parts = 1;
    /// Of all its parts.
    uint64_t bytes = 0;
};
std::vector<GgufModel> list_gguf_models(const std::vector<HfFile>& files);

/// The file that was named; the one with the quantisation that was named; the only one; the one
/// with the preferred quantisation. Errors: not_found; file_ambiguous; unsupported for a model in
/// parts.
Result<HfFile> choose_gguf(const std::vector<HfFile>& files, const HfReference& reference);

}  // namespace teetee::hub
