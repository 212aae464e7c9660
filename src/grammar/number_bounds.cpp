// SPDX-License-Identifier: Apache-2.0
#include "grammar/number_bounds.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "grammar/number_range.hpp"
#include "grammar/schema_merge.hpp"

namespace teetee::grammar {
namespace {

namespace json = boost::json;

constexpr double bound_max = 1e15;
/// Behind the point. A bound with six of them at 10^9 is as far as doubles are exact.
constexpr uint32_t bound_decimals_max = 6;
/// How near numbers come to a bound that is not theirs.
constexpr uint32_t exclusive_decimals = 3;

struct Bound {
    const char* keyword;
    bool is_lower;
    bool is_exclusive;
};
constexpr std::array<Bound, 4> bounds = {{{"minimum", true, false},
                                          {"exclusiveMinimum", true, true},
                                          {"maximum", false, false},
                                          {"exclusiveMaximum", false, true}}};

/// The fewest digits behind the point that name `value` exactly; more than bound_decimals_max if
/// that many are not enough.
uint32_t decimals_of(double value) {
    double unit = 1;
    uint32_t decimals = 0;
    while (decimals <= bound_decimals_max && std::round(value * unit) / unit != value) {
        unit *= 10;
        ++decimals;
    }
    return decimals;
}

/// Integers x with x / 10^decimals between the bounds.
Result<IntegerRange> scaled_range(const json::object& flat, uint32_t decimals,
                                  const std::string& path) {
    const double unit = std::pow(10.0, decimals);
    const double widest = bound_max * std::min(unit, 1e3);
    IntegerRange out{static_cast<int64_t>(-widest), static_cast<int64_t>(widest)};
    for (const Bound& bound : bounds) {
        const auto* value = flat.if_contains(bound.keyword);
        if (value == nullptr) continue;
        const double scaled = value->to_number<double>() * unit;
        if (!(std::abs(scaled) <= widest))
            return schema_invalid(path, std::string("'") + bound.keyword + "' is too large");
        // A product may miss the whole number that it stands for by a rounding.
        const double nearest = std::round(scaled);
        const bool is_whole = decimals_of(value->to_number<double>()) <= decimals;
        const auto up = static_cast<int64_t>(is_whole ? nearest : std::ceil(scaled));
        const auto down = static_cast<int64_t>(is_whole ? nearest : std::floor(scaled));
        const int64_t beyond = bound.is_exclusive && is_whole ? 1 : 0;
        if (bound.is_lower) {
            out.first = std::max(out.first, up + beyond);
        } else {
            out.last = std::min(out.last, down - beyond);
        }
    }
    return out;
}

}  // namespace

bool has_bounds(const json::object& flat) {
    return std::ranges::any_of(bounds,
                               [&](const Bound& bound) { return flat.contains(bound.keyword); });
}

Result<ExpressionId> bounded_integers(Rules& rules, const json::object& flat,
                                      const std::string& path) {
    TT_TRY(const IntegerRange range, scaled_range(flat, 0, path));
    return integers_within(rules, range);
}

Result<ExpressionId> bounded_numbers(Rules& rules, const json::object& flat,
                                     const std::string& path) {
    uint32_t decimals = 0;
    for (const Bound& bound : bounds) {
        const auto* value = flat.if_contains(bound.keyword);
        if (value == nullptr) continue;
        const uint32_t own = decimals_of(value->to_number<double>());
        if (own > bound_decimals_max) {
            return schema_invalid(path, std::string("'") + bound.keyword +
                                            "' must have at most six digits behind the point");
        }
        decimals = std::max(decimals, bound.is_exclusive ? own + exclusive_decimals : own);
    }
    TT_TRY(const IntegerRange range, scaled_range(flat, decimals, path));
    return decimals_within(rules, range, decimals);
}

}  // namespace teetee::grammar
