// SPDX-License-Identifier: Apache-2.0
#include "attest/time_text.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>

#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

constexpr std::string_view pattern = "dddd-dd-ddTdd:dd:ddZ";

bool matches_pattern(std::string_view text) {
    if (text.size() != pattern.size()) return false;
    for (size_t i = 0; i < text.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (pattern[i] == 'd' ? !digit : text[i] != pattern[i]) return false;
    }
    return true;
}

int number_at(std::string_view text, size_t offset, size_t digits) {
    int value = 0;
    std::from_chars(text.data() + offset, text.data() + offset + digits, value);
    return value;
}

}  // namespace

Result<UnixSeconds> parse_utc(std::string_view text) {
    const auto malformed = [&] {
        return fail(ErrorCode::invalid_argument,
                    "time: have " + quote_foreign(text) + ", need YYYY-MM-DDThh:mm:ssZ");
    };
    if (!matches_pattern(text)) return malformed();
    const std::chrono::year_month_day day{
        std::chrono::year(number_at(text, 0, 4)),
        std::chrono::month(static_cast<unsigned>(number_at(text, 5, 2))),
        std::chrono::day(static_cast<unsigned>(number_at(text, 8, 2)))};
    const int hour = number_at(text, 11, 2);
    const int minute = number_at(text, 14, 2);
    const int second = number_at(text, 17, 2);
    if (!day.ok() || int{day.year()} < 1970 || hour > 23 || minute > 59 || second > 59) {
        return malformed();
    }
    const UnixSeconds days = std::chrono::sys_days(day).time_since_epoch().count();
    return days * 24 * 3600 + hour * 3600 + minute * 60 + second;
}

std::string format_utc(UnixSeconds time) {
    if (time < 0 || time > unix_seconds_max) return std::to_string(time);
    const std::chrono::sys_seconds point{std::chrono::seconds(time)};
    const auto midnight = std::chrono::floor<std::chrono::days>(point);
    const std::chrono::year_month_day day(midnight);
    const std::chrono::hh_mm_ss clock(point - midnight);
    std::array<char, 32> text{};
    std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", int{day.year()},
        unsigned{day.month()}, unsigned{day.day()}, static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    return text.data();
}

std::string describe_time(UnixSeconds time) {
    return std::to_string(time) + " (" + format_utc(time) + ")";
}

}  // namespace teetee::attest
