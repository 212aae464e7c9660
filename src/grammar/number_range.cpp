// SPDX-License-Identifier: Apache-2.0
#include "grammar/number_range.hpp"

#include <algorithm>
#include <string>

namespace teetee::grammar {
namespace {

constexpr uint32_t further_digits_max = 10;

struct Magnitudes {
    uint64_t first = 0;
    uint64_t last = 0;
};

ExpressionId digit(Rules& rules, char first, char last) {
    return rules.characters({{static_cast<char32_t>(first), static_cast<char32_t>(last)}});
}

/// Digit strings of one length, from `first` to `last`; a point stands before the last `decimals`.
class DigitRange {
  public:
    DigitRange(Rules& rules, uint32_t decimals) : rules_(rules), decimals_(decimals) {}

    ExpressionId between(const std::string& first, const std::string& last) {
        if (first.empty()) return rules_.empty();
        std::vector<ExpressionId> ways;
        if (first[0] == last[0]) {
            return rules_.sequence(
                {lead(first.size(), first[0], first[0]), between(first.substr(1), last.substr(1))});
        }
        const size_t rest = first.size() - 1;
        const std::string zeros(rest, '0');
        const std::string nines(rest, '9');
        char low = first[0];
        char high = last[0];
        if (first.substr(1) != zeros) {
            ways.push_back(
                rules_.sequence({lead(first.size(), low, low), between(first.substr(1), nines)}));
            ++low;
        }
        if (last.substr(1) != nines) {
            ways.push_back(
                rules_.sequence({lead(first.size(), high, high), between(zeros, last.substr(1))}));
            --high;
        }
        if (low <= high)
            ways.push_back(rules_.sequence({lead(first.size(), low, high), any(rest)}));
        return rules_.choice(std::move(ways));
    }

  private:
    ExpressionId lead(size_t digits_left, char first, char last) {
        const ExpressionId one = digit(rules_, first, last);
        return digits_left == decimals_ ? rules_.sequence({rules_.text("."), one}) : one;
    }
    ExpressionId any(size_t digits_left) {
        std::vector<ExpressionId> parts;
        for (; digits_left > 0; --digits_left) parts.push_back(lead(digits_left, '0', '9'));
        return rules_.sequence(std::move(parts));
    }

    Rules& rules_;
    uint32_t decimals_;
};

std::string padded(uint64_t value, size_t width) {
    const std::string digits = std::to_string(value);
    return std::string(width - digits.size(), '0') + digits;
}

/// magnitude / 10^decimals for each of the range, without needless zeros in front.
ExpressionId fixed_point(Rules& rules, Magnitudes range, uint32_t decimals) {
    std::vector<ExpressionId> ways;
    uint64_t width_first = 0;
    uint64_t width_end = 10;
    for (size_t width = 1; width <= 19; ++width, width_end *= 10) {
        if (width <= decimals) continue;  // there is a digit before the point
        const uint64_t first = std::max(range.first, width_first);
        const uint64_t last = std::min(range.last, width_end - 1);
        if (first <= last) {
            ways.push_back(
                DigitRange(rules, decimals).between(padded(first, width), padded(last, width)));
        }
        width_first = width_end;
    }
    return rules.choice(std::move(ways));
}

ExpressionId magnitudes(Rules& rules, Magnitudes range, uint32_t decimals) {
    std::vector<ExpressionId> ways;
    if (range.first > range.last) return rules.never();
    uint64_t unit = 1;
    for (uint32_t fewer = 0; fewer <= decimals; ++fewer, unit *= 10) {
        const Magnitudes coarse{(range.first + unit - 1) / unit, range.last / unit};
        if (coarse.first <= coarse.last)
            ways.push_back(fixed_point(rules, coarse, decimals - fewer));
    }
    if (range.first < range.last) {
        const ExpressionId further = rules.repeat(digit(rules, '0', '9'), {1, further_digits_max});
        ways.push_back(rules.sequence({fixed_point(rules, {range.first, range.last - 1}, decimals),
                                       rules.text(decimals == 0 ? "." : ""), further}));
    }
    return rules.choice(std::move(ways));
}

/// The parts on both sides of 0.
Magnitudes below_zero(IntegerRange range) {
    return {static_cast<uint64_t>(std::max<int64_t>(0, -range.last)),
            static_cast<uint64_t>(-range.first)};
}
Magnitudes above_zero(IntegerRange range) {
    return {static_cast<uint64_t>(std::max<int64_t>(0, range.first)),
            static_cast<uint64_t>(range.last)};
}

}  // namespace

ExpressionId integers_within(Rules& rules, IntegerRange range) {
    std::vector<ExpressionId> ways;
    if (range.first > range.last) return rules.never();
    if (range.last >= 0) ways.push_back(fixed_point(rules, above_zero(range), 0));
    if (range.first < 0) {
        Magnitudes below = below_zero(range);
        below.first = std::max<uint64_t>(below.first, 1);
        ways.push_back(rules.sequence({rules.text("-"), fixed_point(rules, below, 0)}));
    }
    return rules.choice(std::move(ways));
}

ExpressionId decimals_within(Rules& rules, IntegerRange scaled, uint32_t decimals) {
    std::vector<ExpressionId> ways;
    if (scaled.first > scaled.last) return rules.never();
    if (scaled.last >= 0) ways.push_back(magnitudes(rules, above_zero(scaled), decimals));
    if (scaled.first < 0) {
        ways.push_back(
            rules.sequence({rules.text("-"), magnitudes(rules, below_zero(scaled), decimals)}));
    }
    return rules.choice(std::move(ways));
}

}  // namespace teetee::grammar
