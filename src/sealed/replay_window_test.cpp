// SPDX-License-Identifier: Apache-2.0
#include "sealed/replay_window.hpp"

#include <gtest/gtest.h>

namespace teetee::sealed {
namespace {

constexpr UnixSeconds noon = 1'764'158'400;
constexpr UnixSeconds off_max = request_time_off_s_max;

crypto::X25519PublicKey key_of(uint8_t number) {
    return {number};
}

ErrorCode refusal(ReplayWindow& window, uint8_t number, ReplayWindow::Arrival arrival) {
    const auto admitted = window.admit(key_of(number), arrival);
    return admitted ? ErrorCode::cancelled : admitted.error().code;
}

TEST(replay_window, lets_a_request_through_once) {
    ReplayWindow window;
    EXPECT_TRUE(window.admit(key_of(1), {.sent_at = noon, .now = noon}));
    EXPECT_EQ(refusal(window, 1, {.sent_at = noon, .now = noon}), ErrorCode::sealed_replayed);
    EXPECT_TRUE(window.admit(key_of(2), {.sent_at = noon, .now = noon}));
}

TEST(replay_window, refuses_another_time_and_tells_its_own) {
    ReplayWindow window;
    EXPECT_TRUE(window.admit(key_of(1), {.sent_at = noon - off_max, .now = noon}));
    EXPECT_TRUE(window.admit(key_of(2), {.sent_at = noon + off_max, .now = noon}));
    const auto early = window.admit(key_of(3), {.sent_at = noon - off_max - 1, .now = noon});
    EXPECT_EQ(early.error().code, ErrorCode::sealed_stale);
    EXPECT_NE(early.error().detail.find(std::to_string(noon)), std::string::npos);
    for (const UnixSeconds sent_at :
         {noon + off_max + 1, UnixSeconds{0}, std::numeric_limits<UnixSeconds>::max(),
          std::numeric_limits<UnixSeconds>::min()}) {
        EXPECT_EQ(refusal(window, 4, {.sent_at = sent_at, .now = noon}), ErrorCode::sealed_stale);
    }
    EXPECT_EQ(window.remembered_count(), 2u);
}

// At every second a request is either remembered or stale.
TEST(replay_window, never_lets_a_request_through_again) {
    for (const UnixSeconds skew : {-off_max, UnixSeconds{0}, off_max}) {
        ReplayWindow window;
        const UnixSeconds sent_at = noon + skew;
        ASSERT_TRUE(window.admit(key_of(1), {.sent_at = sent_at, .now = noon}));
        for (UnixSeconds now = noon; now < noon + 4 * off_max; ++now)
            EXPECT_NE(refusal(window, 1, {.sent_at = sent_at, .now = now}), ErrorCode::cancelled);
        EXPECT_EQ(window.remembered_count(), 0u) << "it is forgotten in the end";
        // Nor when the clock is put back.
        EXPECT_EQ(refusal(window, 1, {.sent_at = sent_at, .now = noon}), ErrorCode::sealed_stale);
    }
}

TEST(replay_window, refuses_what_it_cannot_remember) {
    ReplayWindow window(2);
    EXPECT_TRUE(window.admit(key_of(1), {.sent_at = noon, .now = noon}));
    EXPECT_TRUE(window.admit(key_of(2), {.sent_at = noon, .now = noon + 1}));
    EXPECT_EQ(refusal(window, 3, {.sent_at = noon, .now = noon + 1}), ErrorCode::overloaded);
    EXPECT_EQ(refusal(window, 1, {.sent_at = noon, .now = noon + 1}), ErrorCode::sealed_replayed);
    const UnixSeconds later = noon + 2 * off_max + 1;
    EXPECT_TRUE(window.admit(key_of(3), {.sent_at = later, .now = later}));
    EXPECT_EQ(window.remembered_count(), 2u);
}

}  // namespace
}  // namespace teetee::sealed
