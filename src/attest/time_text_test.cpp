// SPDX-License-Identifier: Apache-2.0
#include "attest/time_text.hpp"

#include <gtest/gtest.h>

#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

TEST(time_text, round_trip) {
    for (const UnixSeconds time : {UnixSeconds{0}, UnixSeconds{1768235241}, unix_seconds_max}) {
        EXPECT_EQ(parse_utc(format_utc(time)).value(), time);
    }
    EXPECT_EQ(format_utc(1768235241), "2026-01-12T16:27:21Z");
    EXPECT_EQ(describe_time(0), "0 (1970-01-01T00:00:00Z)");
    EXPECT_EQ(format_utc(-1), "-1");
    EXPECT_EQ(format_utc(unix_seconds_max + 1), "253402300800");
}

TEST(time_text, knows_leap_days) {
    EXPECT_EQ(parse_utc("2024-02-29T00:00:00Z").value(), 1709164800);
    EXPECT_FALSE(parse_utc("2023-02-29T00:00:00Z"));
}

TEST(time_text, rejects_other_forms) {
    for (const char* text :
         {"", "2026-01-12T16:27:21", "2026-01-12T16:27:21z", "2026-01-12 16:27:21Z",
          "2026-01-12T16:27:21.0Z", "2026-13-12T16:27:21Z", "2026-00-12T16:27:21Z",
          "2026-01-32T16:27:21Z", "2026-01-12T24:00:00Z", "2026-01-12T16:60:00Z",
          "2026-01-12T16:27:60Z", "1969-12-31T23:59:59Z", "2026-01-12T16:27:2aZ",
          "+026-01-12T16:27:21Z", "2026-01-12T16:27:21Z ", "20260112T162721Z"}) {
        EXPECT_EQ(parse_utc(text).error().code, ErrorCode::invalid_argument) << text;
    }
}

}  // namespace
}  // namespace teetee::attest
