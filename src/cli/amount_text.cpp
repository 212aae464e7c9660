// SPDX-License-Identifier: Apache-2.0
#include "cli/amount_text.hpp"

#include <algorithm>
#include <ctime>

namespace teetee::cli {
namespace {

using chain::U256;

constexpr size_t eth_decimals = 18;

}  // namespace

std::string eth_text(const U256& wei) {
    std::string digits = wei.to_decimal();
    if (digits.size() <= eth_decimals) digits.insert(0, eth_decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - eth_decimals, 1, '.');
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
    return digits + " ETH";
}

std::string credits_text(const U256& credits, const U256& wei_per_credit) {
    const std::string count = credits.to_decimal() + (credits == U256(1) ? " credit" : " credits");
    const auto wei = credits.times(wei_per_credit);
    return wei ? count + " (" + eth_text(*wei) + ")" : count;
}

Result<U256> parse_credits(std::string_view text) {
    const auto credits = U256::from_decimal(text);
    if (credits && !credits->is_zero() && credits->bit_count() <= 128) return credits;
    return fail(ErrorCode::invalid_argument,
                "credits: have " + quote_foreign(text) + ", need a whole number above 0");
}

Result<U256> parse_eth(std::string_view text) {
    const Error wrong = fail(ErrorCode::invalid_argument,
                             "ETH: have " + quote_foreign(text) +
                                 ", need a number such as 0.01, with at most 18 decimals");
    const size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    std::string decimals(point == std::string_view::npos ? "" : text.substr(point + 1));
    const bool is_whole = point == std::string_view::npos;
    if (whole.empty() || decimals.size() > eth_decimals || (!is_whole && decimals.empty()))
        return wrong;
    decimals.resize(eth_decimals, '0');
    std::string digits = std::string(whole) + decimals;
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    // Of the form 0012 is no number that anybody means.
    if (whole.size() > 1 && whole.front() == '0') return wrong;
    auto wei = U256::from_decimal(digits);
    if (!wei) return wrong;
    return wei;
}

std::string time_text(uint64_t unix_seconds) {
    const auto time = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    char text[32];
    if (time < 0 || gmtime_r(&time, &parts) == nullptr ||
        std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
        return std::to_string(unix_seconds);
    }
    return text;
}

}  // namespace teetee::cli
