// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "grammar/rules.hpp"

namespace teetee::grammar {

/// Both ends belong to it; at most number_magnitude_max on either side of 0. Nothing if first is
/// above last.
struct IntegerRange {
    int64_t first = 0;
    int64_t last = 0;
};
inline constexpr int64_t number_magnitude_max = 1'000'000'000'000'000'000;

/// The integers of the range, without leading zeros.
ExpressionId integers_within(Rules& rules, IntegerRange range);

/// Numbers x with first <= x * 10^decimals <= last, with up to `decimals` digits behind the point
/// and, as far as that is sure to stay inside, more. decimals is at most 9.
ExpressionId decimals_within(Rules& rules, IntegerRange scaled, uint32_t decimals);

}  // namespace teetee::grammar
