// SPDX-License-Identifier: Apache-2.0
#include "net/loop.hpp"

#include <csignal>
#include <thread>

#include "net/test_support.hpp"

namespace teetee::net {
namespace {

using std::chrono::milliseconds;

TEST(loop, calls_timers_in_the_order_of_their_times) {
    Loop loop;
    std::string order;
    const Timer late = loop.call_after(milliseconds(20), [&] {
        order += "late";
        loop.stop();
    });
    const Timer early = loop.call_after(milliseconds(1), [&] { order += "early "; });
    const Timer past = loop.call_at(Instant(1), [&] { order += "past "; });
    EXPECT_TRUE(late.pending());
    loop.run();
    EXPECT_EQ(order, "past early late");
    EXPECT_FALSE(late.pending());
}

TEST(loop, cancelled_replaced_or_destroyed_timers_do_not_call) {
    Loop loop;
    int calls = 0;
    const auto count = [&] { ++calls; };
    Timer cancelled = loop.call_after(milliseconds(1), count);
    cancelled.cancel();
    Timer replaced = loop.call_after(milliseconds(1), count);
    replaced = loop.call_after(milliseconds(2), count);
    { const Timer destroyed = loop.call_after(milliseconds(1), count); }
    run_for(loop, milliseconds(30));
    EXPECT_EQ(calls, 1);
}

TEST(loop, a_timer_that_is_due_can_still_be_cancelled) {
    Loop loop;
    Timer second;
    const Timer first = loop.call_at(Instant(1), [&] { second.cancel(); });
    second = loop.call_at(Instant(2), [&] { ADD_FAILURE() << "was cancelled"; });
    run_for(loop, milliseconds(10));
}

TEST(loop, post_from_other_threads_runs_on_the_loop) {
    Loop loop;
    std::thread::id ran_on;
    std::thread other([&] {
        loop.post([&] { ran_on = std::this_thread::get_id(); });
        loop.post([&] { loop.stop(); });
    });
    loop.run();
    other.join();
    EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(loop, hands_signals_over_each_time) {
    Loop loop;
    std::vector<int> signals;
    loop.on_signal([&](int number) {
        signals.push_back(number);
        if (signals.size() == 2) return loop.stop();
        std::raise(SIGINT);
    });
    loop.post([] { std::raise(SIGTERM); });
    loop.run();
    EXPECT_EQ(signals, (std::vector<int>{SIGTERM, SIGINT}));
}

}  // namespace
}  // namespace teetee::net
