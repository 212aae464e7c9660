// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/request.hpp"

namespace teetee::model {

/// The largest logit, the lowest id among equals; NaN never wins. The specification of greedy.
TokenId argmax(std::span<const float> logits);

/// Picks the token that follows `position`. A pure function of its arguments: the random number is
/// a hash of (seed, position), so the same request gets the same tokens whatever the batch, the
/// route or a replay. Candidates are ordered by (logit descending, id ascending); top-k, then
/// softmax at the temperature, then the smallest prefix whose probability reaches top-p.
TokenId sample(std::span<const float> logits, const SamplingOptions& options, Position position);

/// log(sum(exp(logits))), in double.
double log_sum_exp(std::span<const float> logits);

}  // namespace teetee::model
