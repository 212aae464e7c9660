// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "base/request.hpp"

/// The steps of sampling after temperature, as docs/numerics.md has them. Candidates are ids
/// ordered by (logit descending, id ascending); a logit that is NaN counts as -infinity.
namespace teetee::model {

struct ByLogit {
    std::span<const float> logits;

    float value(TokenId id) const {
        return std::isnan(logits[id]) ? -std::numeric_limits<float>::infinity() : logits[id];
    }
    bool operator()(TokenId a, TokenId b) const {
        return value(a) > value(b) || (value(a) == value(b) && a < b);
    }
};

/// -infinity where there is no number.
float largest_of(std::span<const float> logits);

/// The first `count` of all candidates, ordered.
std::vector<TokenId> top_candidates(std::span<const float> logits, size_t count);

/// Uniform in [0, 1) with 53 bits, a hash of its arguments.
double uniform_of(uint64_t seed, Position position);

/// Typical cut, top-p, min-p and the draw, over `candidates` (in any order if typical_p is below
/// 1). The specification.
TokenId draw(std::span<const float> logits, std::vector<TokenId> candidates,
             const SamplingOptions& options, Position position);

/// What draw() over all candidates gives, found without ordering them: weights are approximated
/// within known bounds, and where the bounds leave a choice the answer is nullopt. Only for options
/// without typical_p. `buckets` is memory to work in.
std::optional<TokenId> draw_from_all(std::span<const float> logits, const SamplingOptions& options,
                                     Position position, std::vector<uint8_t>& buckets);

}  // namespace teetee::model
