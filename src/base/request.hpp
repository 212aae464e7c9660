// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/activations.hpp"
#include "base/bytes.hpp"

namespace teetee {

using Digest = ByteArray<32>;

/// Index into a model's vocabulary.
using TokenId = uint32_t;

/// Place of a token in its sequence, from 0. Position belongs to the request, never to a
/// connection.
using Position = uint32_t;

/// Version of a request's route; raised when a stage is replaced.
using Epoch = uint32_t;

/// Chosen at random by the entry; names a request on every stage of its route.
struct RequestId {
    ByteArray<16> bytes{};
    auto operator<=>(const RequestId&) const = default;
};

/// Names a page of keys and values that outlives its sequence, and with it all pages before that
/// one. Given by the entry and never used twice; 0 is none.
using PrefixId = uint64_t;

/// Where a sequence begins: behind retained pages, or (by default) at its first position.
struct PrefixStart {
    PrefixId prefix = 0;
    /// Positions in its pages; 0 exactly if there is no prefix.
    Position positions = 0;
    auto operator<=>(const PrefixStart&) const = default;
};

/// Pages [page_begin, page_end) of a sequence that are to be retained: under the ids first,
/// first + 1 and so on. `parent` is the retained page before them.
struct PrefixSpan {
    PrefixId parent = 0;
    PrefixId first = 0;
    uint32_t page_begin = 0;
    uint32_t page_end = 0;
    uint32_t page_count() const { return page_end - page_begin; }
    auto operator<=>(const PrefixSpan&) const = default;
};

/// Random bytes of one request, known to its stages and its client alone. Every hash of what passed
/// between stages is made with it: without it nobody can try prompts until their hashes fit.
using TraceSalt = ByteArray<32>;

/// The layers [begin, end) of a model.
struct LayerRange {
    uint32_t begin = 0;
    uint32_t end = 0;
    uint32_t count() const { return end - begin; }
    auto operator<=>(const LayerRange&) const = default;
};

/// Added to the logit of one token.
struct LogitBias {
    TokenId token = 0;
    float bias = 0.0F;
    auto operator<=>(const LogitBias&) const = default;
};

/// What the text of an answer must be; `source` is a grammar in GBNF, or a JSON schema.
enum class ConstraintKind : uint8_t { none = 0, gbnf = 1, json_schema = 2, json_object = 3 };
struct Constraint {
    ConstraintKind kind = ConstraintKind::none;
    std::string source{};
    auto operator<=>(const Constraint&) const = default;
};

/// How the tail makes one vector of a prompt's last hidden states, behind the output norm: their
/// mean, or the last one.
enum class Pooling : uint8_t { none = 0, mean = 1, last = 2 };
inline constexpr Pooling pooling_max = Pooling::last;

inline constexpr size_t logit_bias_count_max = 1024;
inline constexpr size_t constraint_bytes_max = 64u << 10;
inline constexpr uint32_t top_logprobs_max = 20;

/// How the tail picks a token from the logits (docs/numerics.md, "Sampling"). temperature 0 is
/// greedy; the other defaults are "off".
struct SamplingOptions {
    float temperature = 0.0F;
    uint32_t top_k = 0;
    float top_p = 1.0F;
    uint64_t seed = 0;
    float min_p = 0.0F;
    float typical_p = 1.0F;
    /// Over the last repetition_window tokens of prompt and answer; 0 is all of them.
    float repetition_penalty = 1.0F;
    uint32_t repetition_window = 0;
    /// Over the answer.
    float presence_penalty = 0.0F;
    float frequency_penalty = 0.0F;
    /// Tokens ascending, each once.
    std::vector<LogitBias> logit_bias{};
    /// Report the log-probability of each token, and those of the top_logprobs likeliest.
    bool logprobs = false;
    uint32_t top_logprobs = 0;
    Constraint constraint{};
    /// So many of the prompt's last tokens are the answer's first ones, which another entry has
    /// given: penalties and constraint count them as answer.
    uint32_t answer_given = 0;
    /// How rows travel between the shards: the logits depend on it, as they do on nothing else
    /// here.
    ActivationFormat activations = ActivationFormat::f32;
    /// The first token comes with the prompt's embedding, which has length 1.
    Pooling pooling = Pooling::none;
    auto operator<=>(const SamplingOptions&) const = default;

    /// Where the answer begins behind a prompt that is no shorter than answer_given.
    Position answer_begin(Position prompt_positions) const {
        return prompt_positions - answer_given;
    }

    bool has_penalties() const {
        return repetition_penalty != 1.0F || presence_penalty != 0.0F || frequency_penalty != 0.0F;
    }
    /// The choice depends on earlier tokens themselves, or the embedding on their rows, so every
    /// row has to come to the tail with its token.
    bool needs_tokens() const {
        return has_penalties() || constraint.kind != ConstraintKind::none ||
               pooling != Pooling::none;
    }
};

/// Error: invalid_argument naming field, have and need. What passes has no NaN.
Result<void> validate(const SamplingOptions& options);

/// Natural logarithms of softmax probabilities of the model's own logits: before bias, penalties,
/// constraint and temperature. 0 at most, -infinity at least.
struct TokenLogprob {
    TokenId token = 0;
    float logprob = 0.0F;
    auto operator<=>(const TokenLogprob&) const = default;
};
struct TokenLogprobs {
    float chosen = 0.0F;
    /// The likeliest first, equals by id.
    std::vector<TokenLogprob> top{};
    auto operator<=>(const TokenLogprobs&) const = default;
};

}  // namespace teetee
