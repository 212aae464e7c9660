// SPDX-License-Identifier: Apache-2.0
#include "net/http_date.hpp"

#include <array>
#include <chrono>

#include "base/ascii.hpp"

namespace teetee::net {

std::optional<UnixSeconds> parse_http_date(std::string_view text) {
    constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const bool has_form = text.size() == 29 && text.substr(3, 2) == ", " && text[7] == ' ' &&
                          text[11] == ' ' && text[16] == ' ' && text[19] == ':' &&
                          text[22] == ':' && text.ends_with(" GMT");
    if (!has_form) return std::nullopt;
    const auto month = std::ranges::find(months, text.substr(8, 3));
    const auto day = parse_decimal(text.substr(5, 2));
    const auto year = parse_decimal(text.substr(12, 4));
    const auto hour = parse_decimal(text.substr(17, 2));
    const auto minute = parse_decimal(text.substr(20, 2));
    const auto second = parse_decimal(text.substr(23, 2));
    if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date(
        std::chrono::year(static_cast<int>(*year)),
        std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
        std::chrono::day(static_cast<unsigned>(*day)));
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    const auto days = std::chrono::sys_days(date).time_since_epoch().count();
    return UnixSeconds{days} * 86400 + static_cast<UnixSeconds>(*hour * 3600 + *minute * 60) +
           static_cast<UnixSeconds>(*second);
}

}  // namespace teetee::net
