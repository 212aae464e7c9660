// SPDX-License-Identifier: Apache-2.0
#include "model/hyperparameters.hpp"

#include <cmath>

#include "model/limits.hpp"

namespace teetee::model {
namespace {

// The largest published dense models stay far below these; products of any two fit 64 bits.
constexpr uint32_t length_max = 1u << 17;
constexpr uint32_t head_count_max = 1024;
constexpr uint32_t head_dim_max = 256;
constexpr uint32_t context_length_max = 1u << 24;

struct Bounds {
    uint32_t least;
    uint32_t most;
};

class KeyReader {
  public:
    KeyReader(const Gguf& gguf, std::string architecture)
        : gguf_(gguf), architecture_(std::move(architecture)) {}

    Result<uint32_t> u32(std::string_view key, Bounds bounds,
                         std::optional<uint32_t> fallback = std::nullopt) const {
        const std::string name = architecture_ + "." + std::string(key);
        TT_TRY(const auto found, gguf_.u32(name));
        if (!found && !fallback)
            return fail(ErrorCode::hyperparameter_invalid, name + " is missing");
        const uint32_t value = found ? *found : *fallback;
        if (value < bounds.least || value > bounds.most) {
            return fail(ErrorCode::hyperparameter_invalid,
                        name + ": have " + std::to_string(value) + ", need " +
                            std::to_string(bounds.least) + " to " + std::to_string(bounds.most));
        }
        return value;
    }

    Result<float> positive_f32(std::string_view key, std::optional<float> fallback) const {
        const std::string name = architecture_ + "." + std::string(key);
        TT_TRY(const auto found, gguf_.f32(name));
        if (!found && !fallback)
            return fail(ErrorCode::hyperparameter_invalid, name + " is missing");
        const float value = found ? *found : *fallback;
        if (!std::isfinite(value) || value <= 0) {
            return fail(ErrorCode::hyperparameter_invalid, name + " must be a positive number");
        }
        return value;
    }

  private:
    const Gguf& gguf_;
    std::string architecture_;
};

/// Position scaling changes every result, so a kind we do not compute must not be ignored.
Result<void> ensure_plain_rope(const Gguf& gguf, const std::string& architecture) {
    TT_TRY(const auto type, gguf.string(architecture + ".rope.scaling.type"));
    if ((type && *type != "none") || gguf.find_tensor("rope_freqs.weight") != nullptr) {
        return fail(ErrorCode::architecture_unsupported,
                    "rope scaling is not supported yet; this model needs it");
    }
    return {};
}

}  // namespace

Result<Hyperparameters> hyperparameters_from(const Gguf& gguf) {
    TT_TRY(const auto architecture, gguf.string("general.architecture"));
    if (!architecture) {
        return fail(ErrorCode::architecture_unsupported, "general.architecture is missing");
    }
    if (*architecture != "llama") {
        return fail(ErrorCode::architecture_unsupported,
                    "have " + quote_foreign(*architecture) + ", need llama");
    }
    Hyperparameters h;
    h.architecture = *architecture;
    TT_TRY(const auto name, gguf.string("general.name"));
    h.name = name.value_or("");
    if (!is_utf8(h.name))
        return fail(ErrorCode::hyperparameter_invalid, "general.name is not UTF-8");
    const KeyReader reader(gguf, h.architecture);
    TT_TRY(h.context_length, reader.u32("context_length", {1, context_length_max}));
    TT_TRY(h.embedding_length, reader.u32("embedding_length", {1, length_max}));
    TT_TRY(h.layer_count, reader.u32("block_count", {1, layer_count_max}));
    TT_TRY(h.feed_forward_length, reader.u32("feed_forward_length", {1, length_max}));
    TT_TRY(h.head_count, reader.u32("attention.head_count", {1, head_count_max}));
    TT_TRY(h.kv_head_count,
           reader.u32("attention.head_count_kv", {1, head_count_max}, h.head_count));
    if (h.head_count % h.kv_head_count != 0) {
        return fail(ErrorCode::hyperparameter_invalid,
                    std::to_string(h.head_count) + " heads do not divide into " +
                        std::to_string(h.kv_head_count) + " KV heads");
    }
    const auto keys = gguf.find(h.architecture + ".attention.key_length");
    if (keys == nullptr && h.embedding_length % h.head_count != 0) {
        return fail(ErrorCode::hyperparameter_invalid,
                    "embedding length " + std::to_string(h.embedding_length) +
                        " does not divide into " + std::to_string(h.head_count) + " heads");
    }
    TT_TRY(h.head_dim, reader.u32("attention.key_length", {1, head_dim_max},
                                  h.embedding_length / h.head_count));
    TT_CHECK(reader.u32("attention.value_length", {h.head_dim, h.head_dim}, h.head_dim));
    TT_TRY(h.rope_dimensions, reader.u32("rope.dimension_count", {2, h.head_dim}, h.head_dim));
    if (h.rope_dimensions % 2 != 0) {
        return fail(ErrorCode::hyperparameter_invalid, "rope.dimension_count must be even");
    }
    TT_TRY(h.norm_epsilon, reader.positive_f32("attention.layer_norm_rms_epsilon", std::nullopt));
    TT_TRY(h.rope_base, reader.positive_f32("rope.freq_base", 10000.0F));
    // Angles are positions times powers of the base: below 1 they leave the range of sin_cos_f64.
    if (h.rope_base < 1.0F) {
        return fail(ErrorCode::hyperparameter_invalid, "rope.freq_base must be at least 1");
    }
    TT_CHECK(ensure_plain_rope(gguf, h.architecture));
    if (const GgufTensor* embedding = gguf.find_tensor("token_embd.weight")) {
        if (embedding->dimensions.size() != 2 || embedding->dimensions[1] > (1u << 24)) {
            return fail(ErrorCode::tensor_shape_wrong, "token_embd.weight is not a matrix");
        }
        h.vocabulary_size = static_cast<uint32_t>(embedding->dimensions[1]);
    }
    return h;
}

Result<void> ensure_fits(const Vocabulary& vocabulary, const Hyperparameters& hyperparameters) {
    if (vocabulary.tokens.size() <= hyperparameters.vocabulary_size) return {};
    return fail(ErrorCode::vocabulary_invalid,
                "have " + std::to_string(vocabulary.tokens.size()) + " tokens, the embedding has " +
                    std::to_string(hyperparameters.vocabulary_size) + " rows");
}

}  // namespace teetee::model
