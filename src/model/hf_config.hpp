// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "model/gguf_writer.hpp"

namespace teetee::model {

/// Which naming of tensors a checkpoint has: what Transformers calls a model type.
enum class HfFamily { llama, mixtral, qwen2, qwen3, qwen3_moe, gemma2, phi3, gpt2 };

using HfKeyValue = std::variant<uint32_t, float, bool, std::string>;

/// A config.json of Hugging Face Transformers, as a GGUF needs it.
struct HfConfig {
    HfFamily family{};
    std::string architecture;  // general.architecture
    std::string name;          // general.name
    uint32_t layer_count = 0;
    uint32_t head_count = 0;
    uint32_t kv_head_count = 0;
    uint32_t expert_count = 0;
    bool ties_output = false;                              // the output matrix is the embedding
    std::string torch_dtype;                               // "" when absent
    std::vector<std::pair<std::string, HfKeyValue>> keys;  // without "<architecture>."

    // Divisors of rotary frequencies, one for each pair; empty for none.
    std::vector<float> rope_divisors;
    std::vector<float> rope_divisors_long;
    std::vector<float> rope_divisors_short;
};

/// Errors: architecture_unsupported naming a model type, or a member that asks for something that
/// is not computed; hyperparameter_invalid; invalid_json; limit_exceeded.
Result<HfConfig> parse_hf_config(std::string_view json);

/// Appends general.architecture, general.name and the architecture's keys.
void write_hyperparameters(const HfConfig& config, GgufWriter& writer);

}  // namespace teetee::model
