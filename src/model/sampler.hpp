// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/request.hpp"

namespace teetee::model {

/// The largest logit, the lowest id among equals; NaN never wins. The specification of greedy.
TokenId argmax(std::span<const float> logits);

/// log(sum(exp(logits))), in double.
double log_sum_exp(std::span<const float> logits);

/// A set of tokens: one bit each.
class TokenMask {
  public:
    explicit TokenMask(size_t token_count) : words_((token_count + 63) / 64) {}

    /// As many bits as the mask has; more are cut off, fewer stand for absent tokens.
    void assign(std::span<const uint64_t> words) {
        for (size_t i = 0; i < words_.size(); ++i) words_[i] = i < words.size() ? words[i] : 0;
    }

    void add(TokenId id) { words_[id / 64] |= uint64_t{1} << (id % 64); }
    bool contains(TokenId id) const {
        return id / 64 < words_.size() && (words_[id / 64] >> (id % 64) & 1) != 0;
    }
    std::span<const uint64_t> words() const { return words_; }
    bool operator==(const TokenMask&) const = default;

  private:
    std::vector<uint64_t> words_;
};

/// What the penalties need of a sequence: how often each token occurs in the last
/// repetition_window tokens, and in the answer. A function of the tokens alone.
class TokenHistory {
  public:
    TokenHistory(const SamplingOptions& options, Position answer_begin)
        : window_(options.repetition_window), answer_begin_(answer_begin) {}

    /// The sequence's next token; those of the prompt first.
    void push(TokenId token);

    using Counts = std::unordered_map<TokenId, uint32_t>;
    const Counts& window() const { return in_window_; }
    const Counts& answer() const { return in_answer_; }

  private:
    uint32_t window_;
    Position answer_begin_;
    uint64_t pushed_ = 0;
    std::vector<TokenId> ring_;  // the last window_ tokens, unless that is all of them
    Counts in_window_;
    Counts in_answer_;
};

/// Picks tokens. A pure function of logits, options, position, history and mask: the random number
/// is a hash of (seed, position), so the same request gets the same tokens whatever the batch, the
/// route or a replay. docs/numerics.md, "Sampling", is the specification. The object only keeps
/// memory from one call to the next; it is for one thread.
class Sampler {
  public:
    struct Context {
        /// Of the row that the logits belong to: the token picked is the next one.
        Position position = 0;
        /// Needed for options with penalties.
        const TokenHistory* history = nullptr;
        /// Tokens that may be picked; all if null. MUST hold one inside the vocabulary.
        const TokenMask* allowed = nullptr;
    };

    TokenId sample(std::span<const float> logits, const SamplingOptions& options,
                   const Context& context);

  private:
    std::span<const float> adjust(std::span<const float> logits, const SamplingOptions& options,
                                  const Context& context);

    std::vector<float> adjusted_;
    std::vector<uint8_t> buckets_;
};

/// For options without penalties.
TokenId sample(std::span<const float> logits, const SamplingOptions& options, Position position);

/// Of the chosen token and the likeliest top_count ones; from the model's own logits.
TokenLogprobs logprobs_of(std::span<const float> logits, TokenId chosen, uint32_t top_count);

}  // namespace teetee::model
