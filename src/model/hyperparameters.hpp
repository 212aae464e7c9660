// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "model/gguf.hpp"
#include "model/vocabulary.hpp"

namespace teetee::model {

/// What an architecture needs to know about its shapes; every field is inside the bounds below,
/// every division exact.
struct Hyperparameters {
    std::string architecture;     // general.architecture
    std::string name;             // general.name, "" when absent
    uint32_t context_length = 0;  // positions
    uint32_t embedding_length = 0;
    uint32_t layer_count = 0;
    uint32_t feed_forward_length = 0;
    uint32_t head_count = 0;
    uint32_t kv_head_count = 0;  // divides head_count
    uint32_t head_dim = 0;
    uint32_t rope_dimensions = 0;  // even, at most head_dim
    uint32_t vocabulary_size = 0;  // rows of the embedding matrix; 0 in a shard without one
    float norm_epsilon = 0.0F;
    float rope_base = 10000.0F;

    uint32_t query_length() const { return head_count * head_dim; }
    uint32_t kv_length() const { return kv_head_count * head_dim; }
};

/// Reads and validates the keys <architecture>.*. Errors: hyperparameter_invalid naming the key,
/// what it is and what is allowed; architecture_unsupported.
Result<Hyperparameters> hyperparameters_from(const Gguf& gguf);

/// Every token has a row in the embedding. Error: vocabulary_invalid.
Result<void> ensure_fits(const Vocabulary& vocabulary, const Hyperparameters& hyperparameters);

}  // namespace teetee::model
