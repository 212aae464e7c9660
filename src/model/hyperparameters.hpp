// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "model/gguf.hpp"
#include "model/vocabulary.hpp"

namespace teetee::model {

enum class NormKind { rms, layer };

/// Which elements of a head a rotation turns together: neighbours, (i, i + n/2), or none because
/// positions are learned.
enum class RopeKind { none, adjacent, halves };

/// The rotation of queries and keys by their position (docs/numerics.md).
struct RopeHyperparameters {
    enum class Scaling { none, linear, yarn, longrope };
    RopeKind kind = RopeKind::none;
    uint32_t dimensions = 0;  // even, at most head_dim; the rest of a head is not turned
    float base = 10000.0F;    // at least 1
    Scaling scaling = Scaling::none;
    float factor = 1.0F;                   // linear and yarn; at least 1
    uint32_t original_context_length = 0;  // yarn and longrope
    float beta_fast = 32.0F;               // yarn; above beta_slow
    float beta_slow = 1.0F;                // yarn
    float attention_factor = 1.0F;         // multiplies cos and sin
};

/// Mixture of experts; count is 0 in a dense model.
struct ExpertHyperparameters {
    uint32_t count = 0;
    uint32_t used_count = 0;  // 1 to count
    uint32_t feed_forward_length = 0;
    bool normalises_weights = true;  // over the experts used, not over all
};

/// What an architecture needs to know about its shapes; every field is inside the bounds of
/// hyperparameters.cpp, every division exact.
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
    uint32_t vocabulary_size = 0;  // rows of the embedding matrix; 0 in a shard without one
    NormKind norm = NormKind::rms;
    float norm_epsilon = 0.0F;
    RopeHyperparameters rope;
    float attention_scale = 0.0F;    // of scores
    float attention_softcap = 0.0F;  // of scores; 0: none
    float output_softcap = 0.0F;     // of logits; 0: none
    uint32_t window = 0;             // positions a windowed layer sees, its own included; 0: all
    float embedding_scale = 1.0F;
    ExpertHyperparameters experts;

    uint32_t query_length() const { return head_count * head_dim; }
    uint32_t kv_length() const { return kv_head_count * head_dim; }
};

/// Reads and validates the keys <architecture>.*. A key that is not known may ask for something
/// that is not computed, so it is refused. Errors: hyperparameter_invalid naming the key, what it
/// is and what is allowed; architecture_unsupported.
Result<Hyperparameters> hyperparameters_from(const Gguf& gguf);

/// Every token has a row in the embedding. Error: vocabulary_invalid.
Result<void> ensure_fits(const Vocabulary& vocabulary, const Hyperparameters& hyperparameters);

}  // namespace teetee::model
