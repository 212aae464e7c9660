// SPDX-License-Identifier: Apache-2.0
#include "net/call_pool.hpp"

#include <atomic>
#include <latch>

#include <gtest/gtest.h>

namespace teetee::net {
namespace {

TEST(call_pool, has_as_many_calls_as_threads_and_refuses_more) {
    std::latch has_begun(3);
    std::latch may_end(1);
    std::atomic<int> ended = 0;
    {
        CallPool pool(3);
        for (int i = 0; i < 3; ++i) {
            EXPECT_TRUE(pool.try_call([&] {
                has_begun.count_down();
                may_end.wait();
                ++ended;
            }));
        }
        has_begun.wait();
        EXPECT_EQ(pool.busy_count(), 3u);
        EXPECT_FALSE(pool.try_call([&] { ++ended; }));
        may_end.count_down();
    }
    EXPECT_EQ(ended, 3) << "its end waits for the calls that run, and one that was refused is none";
}

TEST(call_pool, takes_calls_again_when_one_has_ended) {
    CallPool pool(1);
    std::atomic<int> made = 0;
    for (int i = 0; i < 100; ++i) {
        while (!pool.try_call([&] { ++made; })) {
        }
    }
    while (pool.busy_count() > 0) {
    }
    EXPECT_EQ(made, 100);
}

}  // namespace
}  // namespace teetee::net
