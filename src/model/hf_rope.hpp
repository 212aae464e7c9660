// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/hf_config.hpp"
#include "model/json_members.hpp"

namespace teetee::model {

struct HfRope {
    uint32_t dimensions = 0;
    uint32_t context_length = 0;
    float base_default = 10000.0F;
};

/// Reads rope_theta, rope_scaling (or rope_parameters, its newer form) and
/// original_max_position_embeddings. Types default, linear, llama3 (Llama 3.1), yarn (Peng et al.
/// 2023) and longrope (Ding et al. 2024; also called su) are known. Errors:
/// architecture_unsupported naming another type or member, hyperparameter_invalid.
Result<void> read_rope(JsonMembers& members, const HfRope& rope, HfConfig& config);

}  // namespace teetee::model
