// SPDX-License-Identifier: Apache-2.0
#include "api/kept_answer.hpp"

#include <gtest/gtest.h>

namespace teetee::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HandClock final : public Clock {
  public:
    Instant now() const override { return instant; }
    UnixSeconds unix_now() const override { return 0; }

    Instant instant{};
};

class kept_answer : public testing::Test {
  protected:
    SharedText get() {
        return answer.get([this] {
            clock.instant += takes;
            return std::to_string(++made);
        });
    }

    HandClock clock;
    KeptAnswer answer{clock};
    Duration takes{};
    int made = 0;
};

TEST_F(kept_answer, is_made_once_a_second_and_there_once) {
    const SharedText first = get();
    clock.instant += milliseconds(999);
    EXPECT_EQ(get(), first);
    EXPECT_EQ(made, 1);
    clock.instant += milliseconds(1);
    EXPECT_EQ(*get(), "2");
    // Whoever is still being sent the one before has it whole.
    EXPECT_EQ(*first, "1");
}

TEST_F(kept_answer, what_takes_long_is_made_seldom) {
    takes = milliseconds(200);
    get();
    clock.instant += seconds(9);
    EXPECT_EQ(*get(), "1");
    clock.instant += seconds(1);
    EXPECT_EQ(*get(), "2");
}

}  // namespace
}  // namespace teetee::api
