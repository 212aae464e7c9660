// SPDX-License-Identifier: Apache-2.0
#include "model/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/assert.hpp"
#include "model/candidates.hpp"
#include "tensor/math.hpp"

namespace teetee::model {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

void count_up(TokenHistory::Counts& counts, TokenId token) {
    ++counts[token];
}

void count_down(TokenHistory::Counts& counts, TokenId token) {
    const auto found = counts.find(token);
    if (--found->second == 0) counts.erase(found);
}

void penalise(std::span<float> logits, const SamplingOptions& options,
              const TokenHistory& history) {
    if (options.repetition_penalty != 1.0F) {
        for (const auto& [token, count] : history.window()) {
            if (token >= logits.size()) continue;
            float& logit = logits[token];
            logit = logit > 0.0F ? logit / options.repetition_penalty
                                 : logit * options.repetition_penalty;
        }
    }
    if (options.frequency_penalty != 0.0F || options.presence_penalty != 0.0F) {
        for (const auto& [token, count] : history.answer()) {
            if (token >= logits.size()) continue;
            const float frequency = static_cast<float>(count) * options.frequency_penalty;
            logits[token] = (logits[token] - frequency) - options.presence_penalty;
        }
    }
}

void keep_allowed(std::span<float> logits, const TokenMask& allowed) {
    const std::span<const uint64_t> words = allowed.words();
    for (size_t begin = 0; begin < logits.size(); begin += 64) {
        const uint64_t word = begin / 64 < words.size() ? words[begin / 64] : 0;
        if (word == ~uint64_t{0}) continue;
        const size_t end = std::min(begin + 64, logits.size());
        for (size_t i = begin; i < end; ++i) {
            if ((word >> (i - begin) & 1) == 0) logits[i] = -infinity;
        }
    }
}

TokenId first_allowed(const TokenMask& allowed, size_t token_count) {
    for (TokenId id = 0; id < token_count; ++id) {
        if (allowed.contains(id)) return id;
    }
    TT_ASSERT(false);
    return 0;
}

}  // namespace

TokenId argmax(std::span<const float> logits) {
    TT_ASSERT(!logits.empty());
    const auto best = std::ranges::find(logits, largest_of(logits));
    // Not found: there are NaN only.
    return best == logits.end() ? 0 : static_cast<TokenId>(best - logits.begin());
}

void TokenHistory::push(TokenId token) {
    if (window_ > 0) {
        // The prompt may be shorter than the window: the ring grows only as far as it is used.
        if (ring_.size() < window_) {
            ring_.push_back(token);
        } else {
            TokenId& oldest = ring_[pushed_ % window_];
            count_down(in_window_, oldest);
            oldest = token;
        }
    }
    count_up(in_window_, token);
    if (pushed_ >= answer_begin_) count_up(in_answer_, token);
    ++pushed_;
}

std::span<const float> Sampler::adjust(std::span<const float> logits,
                                       const SamplingOptions& options, const Context& context) {
    if (options.logit_bias.empty() && !options.has_penalties() && context.allowed == nullptr)
        return logits;
    adjusted_.assign(logits.begin(), logits.end());
    for (const LogitBias& bias : options.logit_bias) {
        if (bias.token < adjusted_.size()) adjusted_[bias.token] += bias.bias;
    }
    if (options.has_penalties()) {
        TT_ASSERT(context.history != nullptr);
        penalise(adjusted_, options, *context.history);
    }
    if (context.allowed != nullptr) keep_allowed(adjusted_, *context.allowed);
    return adjusted_;
}

TokenId Sampler::sample(std::span<const float> logits, const SamplingOptions& options,
                        const Context& context) {
    const std::span<const float> values = adjust(logits, options, context);
    const auto is_allowed = [&](TokenId id) {
        return context.allowed == nullptr || context.allowed->contains(id);
    };
    if (options.temperature == 0.0F || options.top_k == 1) {
        const TokenId best = argmax(values);
        // All that is allowed may be -infinity.
        return is_allowed(best) ? best : first_allowed(*context.allowed, values.size());
    }
    const bool is_cut = options.top_k > 0 && options.top_k < values.size();
    if (!is_cut && options.typical_p == 1.0F) {
        if (const auto id = draw_from_all(values, options, context.position, buckets_)) return *id;
    }
    std::vector<TokenId> candidates;
    if (is_cut || options.typical_p == 1.0F) {
        candidates = top_candidates(values, is_cut ? options.top_k : values.size());
    } else {
        candidates.resize(values.size());
        std::iota(candidates.begin(), candidates.end(), 0u);
    }
    if (context.allowed != nullptr) {
        std::erase_if(candidates, [&](TokenId id) { return !is_allowed(id); });
        if (candidates.empty()) return first_allowed(*context.allowed, values.size());
    }
    return draw(values, std::move(candidates), options, context.position);
}

TokenId sample(std::span<const float> logits, const SamplingOptions& options, Position position) {
    return Sampler().sample(logits, options, {.position = position});
}

double log_sum_exp(std::span<const float> logits) {
    const double largest = logits[argmax(logits)];
    double sum = 0;
    for (const float v : logits) {
        const double gap = v - largest;
        if (gap > -700.0) sum += tensor::exp_f64(gap);
    }
    return sum > 0 ? largest + tensor::log_f64(sum) : largest;
}

TokenLogprobs logprobs_of(std::span<const float> logits, TokenId chosen, uint32_t top_count) {
    TT_ASSERT(chosen < logits.size());
    const tensor::ExpTable& exp = tensor::ExpTable::instance();
    const double largest = logits[argmax(logits)];
    double sum = 0;
    for (const float v : logits) {
        const double gap = v - largest;
        if (gap > -700.0) sum += exp(gap);
    }
    const double log_sum = sum > 0 ? tensor::log_f64(sum) : 0.0;
    const auto logprob = [&](TokenId id) {
        const auto value = static_cast<float>((logits[id] - largest) - log_sum);
        return value <= 0.0F ? value : -infinity;
    };
    TokenLogprobs out{.chosen = logprob(chosen)};
    if (top_count == 0) return out;
    for (const TokenId id : top_candidates(logits, top_count)) {
        out.top.push_back({id, logprob(id)});
    }
    return out;
}

}  // namespace teetee::model
