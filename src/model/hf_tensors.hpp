// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/hf_config.hpp"

namespace teetee::model {

/// What becomes of a tensor on its way into a GGUF.
enum class HfTransform {
    none,
    permute_query,  // rows of a head from (i, i + n/2) to neighbours: GGUF's rotation for llama
    permute_key,
    transpose,  // GPT-2 stores (columns, rows)
    add_one     // Gemma's norms multiply by 1 + w
};

/// Where a tensor of a checkpoint goes.
struct HfPlace {
    std::string gguf_name;
    HfTransform transform = HfTransform::none;
    std::optional<uint32_t> expert{};  // of a stack of matrices
};

/// The place of a tensor by its name in the checkpoint; nullopt for one that is not needed (a
/// buffer that can be computed, an output matrix that is the embedding).
/// Error: architecture_unsupported for a name that is not known.
Result<std::optional<HfPlace>> place_of(const HfConfig& config, std::string_view name);

}  // namespace teetee::model
