// SPDX-License-Identifier: Apache-2.0
#include "hub/retry.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace teetee::hub {
namespace {

using std::chrono::seconds;

class NoJitter final : public Rng {
  public:
    void fill(std::span<uint8_t> out) override { std::ranges::fill(out, uint8_t{0}); }
};

NoJitter rng;

TEST(retry, waits_twice_as_long_each_time_and_then_gives_up) {
    Retry retry({.tries_max = 4}, rng);
    const auto failure = failure_of_error(fail(ErrorCode::connection_closed, "x"));
    EXPECT_EQ(*retry.pause_after(failure), seconds(1));
    EXPECT_EQ(*retry.pause_after(failure), seconds(2));
    EXPECT_EQ(*retry.pause_after(failure), seconds(4));
    EXPECT_EQ(retry.pause_after(failure).error().code, ErrorCode::hub_unavailable);
    retry.restart();
    EXPECT_EQ(*retry.pause_after(failure), seconds(1));
}

TEST(retry, does_what_the_server_asks_within_reason) {
    Retry retry({.tries_max = 3, .wish_max = seconds(60)}, rng);
    const auto asking = [](const char* wish) {
        return failure_of_status(429, {{"retry-after", wish}}, 0);
    };
    EXPECT_EQ(*retry.pause_after(asking("7")), seconds(7));
    EXPECT_EQ(*retry.pause_after(asking("nonsense")), seconds(1));
    const auto too_long = retry.pause_after(asking("61"));
    EXPECT_EQ(too_long.error().code, ErrorCode::rate_limited);
    EXPECT_NE(too_long.error().detail.find("61 s"), std::string::npos);
    EXPECT_EQ(retry.pause_after(asking("7")).error().code, ErrorCode::rate_limited);
}

TEST(retry, is_only_for_what_may_pass) {
    Retry retry({}, rng);
    for (const int status : {400, 401, 403, 404, 410, 451, 501}) {
        const auto failure = failure_of_status(status, {}, 0);
        EXPECT_EQ(retry.pause_after(failure).error().code, ErrorCode::hub_refused) << status;
    }
    for (const int status : {408, 429, 500, 502, 503, 504})
        EXPECT_TRUE(failure_of_status(status, {}, 0).is_passing) << status;
    for (const auto code : {ErrorCode::tls_failed, ErrorCode::address_invalid, ErrorCode::cancelled,
                            ErrorCode::hub_refused})
        EXPECT_EQ(retry.pause_after(failure_of_error(fail(code, ""))).error().code, code);
}

}  // namespace
}  // namespace teetee::hub
