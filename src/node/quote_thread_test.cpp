// SPDX-License-Identifier: Apache-2.0
#include "node/quote_thread.hpp"

#include <atomic>
#include <future>
#include <optional>

#include <gtest/gtest.h>

#include "net/test_support.hpp"

namespace teetee::node {
namespace {

/// "Quotes" are the first byte of the report data. It waits until it is let go on.
class SlowTee final : public attest::EvidenceProvider {
  public:
    Result<Bytes> quote(const ByteArray<64>& report_data) override {
        asked_on = std::this_thread::get_id();
        let_go_on_.wait();
        if (report_data[0] == 0) return fail(ErrorCode::evidence_unavailable, "no quote here");
        return Bytes{report_data[0]};
    }
    Result<crypto::Secret<32>> sealing_key(std::string_view) override {
        return fail(ErrorCode::evidence_unavailable, "no key here");
    }
    bool simulated() const override { return true; }

    std::promise<void> go_on;
    std::atomic<std::thread::id> asked_on{};

  private:
    std::shared_future<void> let_go_on_ = go_on.get_future().share();
};

class quote_thread : public testing::Test {
  protected:
    QuoteThread::Done keep() {
        return [this](Result<Bytes> quote) {
            EXPECT_EQ(std::this_thread::get_id(), loop_thread);
            answers.push_back(std::move(quote));
        };
    }
    static constexpr QuoteThread::Use others = QuoteThread::Use::others;
    const std::thread::id loop_thread = std::this_thread::get_id();
    net::Loop loop;
    std::vector<Result<Bytes>> answers;
};

TEST_F(quote_thread, the_loop_goes_on_while_a_quote_is_made) {
    SlowTee tee;
    QuoteThread quotes(loop, tee);
    quotes.quote({7}, others, keep());
    int turns = 0;
    for (int i = 0; i < 10; ++i) loop.post([&] { ++turns; });
    net::run_until(loop, [&] { return turns == 10; });
    EXPECT_TRUE(answers.empty());
    tee.go_on.set_value();
    net::run_until(loop, [&] { return answers.size() == 1; });
    EXPECT_EQ(answers[0].value(), Bytes{7});
    EXPECT_NE(tee.asked_on.load(), loop_thread);
}

TEST_F(quote_thread, answers_come_in_order_with_their_errors) {
    SlowTee tee;
    tee.go_on.set_value();
    QuoteThread quotes(loop, tee);
    for (const Bytes& first : {Bytes{1}, Bytes{0}, Bytes{3}})
        quotes.quote({first[0]}, others, keep());
    net::run_until(loop, [&] { return answers.size() == 3; });
    EXPECT_EQ(answers[0].value(), Bytes{1});
    EXPECT_EQ(answers[1].error().code, ErrorCode::evidence_unavailable);
    EXPECT_EQ(answers[2].value(), Bytes{3});
}

TEST_F(quote_thread, refuses_more_than_may_wait) {
    SlowTee tee;
    QuoteThread quotes(loop, tee, {.waiting_max = 5});
    // One more than may wait may be in the making already.
    for (size_t i = 0; i < 7; ++i) quotes.quote({1}, others, keep());
    net::run_until(loop, [&] { return !answers.empty(); });
    EXPECT_EQ(answers[0].error().code, ErrorCode::overloaded);
    tee.go_on.set_value();
}

TEST_F(quote_thread, what_the_node_needs_itself_is_never_refused_and_goes_first) {
    SlowTee tee;
    QuoteThread quotes(loop, tee, {.waiting_max = 2});
    quotes.quote({1}, others, keep());
    while (tee.asked_on.load() == std::thread::id()) std::this_thread::yield();
    for (const Bytes& i : {Bytes{2}, Bytes{3}}) quotes.quote({i[0]}, others, keep());
    for (const Bytes& i : {Bytes{8}, Bytes{9}})
        quotes.quote({i[0]}, QuoteThread::Use::node, keep());
    tee.go_on.set_value();
    net::run_until(loop, [&] { return answers.size() == 5; });
    Bytes order;
    for (const auto& answer : answers) order.push_back(answer.value()[0]);
    EXPECT_EQ(order, (Bytes{1, 8, 9, 2, 3}));
}

TEST_F(quote_thread, the_tee_is_not_asked_for_what_has_waited_too_long) {
    SlowTee tee;
    QuoteThread quotes(loop, tee, {.wait_max = std::chrono::milliseconds(1)});
    quotes.quote({1}, QuoteThread::Use::node, keep());
    quotes.quote({2}, others, keep());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    tee.go_on.set_value();
    net::run_until(loop, [&] { return answers.size() == 2; });
    EXPECT_TRUE(answers[0]);
    EXPECT_EQ(answers[1].error().code, ErrorCode::overloaded);
}

TEST_F(quote_thread, what_is_still_to_come_does_not_come_after_its_end) {
    SlowTee tee;
    tee.go_on.set_value();
    std::optional<QuoteThread> quotes(std::in_place, loop, tee);
    for (int i = 0; i < 5; ++i) quotes->quote({1}, others, keep());
    quotes.reset();
    net::run_for(loop, std::chrono::milliseconds(20));
    EXPECT_TRUE(answers.empty());
}

}  // namespace
}  // namespace teetee::node
