// SPDX-License-Identifier: Apache-2.0
#include "pipeline/quote_collector.hpp"

#include <gtest/gtest.h>

#include "attest/quote.hpp"
#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

constexpr auto a_second = std::chrono::seconds(1);

ByteArray<64> report_data_of(const Bytes& quote) {
    return std::get<attest::TdReport>(attest::parse_quote(quote).value().report).report_data;
}

/// What came of stage `index`; nullopt: a quote that is the one ordered.
std::optional<ErrorCode> failure_of(World& world, uint64_t number, uint32_t index) {
    const Outcome& outcome = world.outcome(request_id(number));
    EXPECT_EQ(outcome.quotes.size(), 1u);
    const Result<Bytes>& made = outcome.quotes.at(0).stages.at(world.layers(index));
    if (!made) return made.error().code;
    EXPECT_EQ(report_data_of(*made), world.quote_order(number).report_data.at(world.layers(index)));
    return std::nullopt;
}

TEST(fresh_quotes, every_stage_makes_one_over_its_statement_and_the_receipts_hash) {
    for (const uint32_t stages : {1u, 2u, 5u}) {
        World world({.stage_count = stages});
        for (uint64_t number = 1; number <= 3; ++number)
            world.ask_for_quotes(world.quote_order(number));
        world.run_for(a_second);
        for (uint64_t number = 1; number <= 3; ++number) {
            for (uint32_t i = 0; i < stages; ++i)
                EXPECT_EQ(failure_of(world, number, i), std::nullopt);
        }
        EXPECT_EQ(world.entry().quoting_count(), 0u);
    }
}

TEST(fresh_quotes, a_stage_that_makes_none_says_why) {
    for (const uint32_t failing : {0u, 1u, 2u}) {
        World world({.stage_count = 3});
        world.tee = [&](uint32_t index, const QuoteJob& job) -> Result<Bytes> {
            if (index == failing) return fail(ErrorCode::evidence_unavailable, "no agent");
            return dev_quote(job.report_data);
        };
        world.ask_for_quotes(world.quote_order(1));
        world.run_for(a_second);
        for (uint32_t i = 0; i < 3; ++i) {
            EXPECT_EQ(failure_of(world, 1, i),
                      i == failing ? std::optional(ErrorCode::evidence_unavailable) : std::nullopt);
        }
    }
}

TEST(fresh_quotes, a_stage_that_dies_meanwhile_leaves_the_others_theirs) {
    // With five stages no link of the entry's own is lost: the probe tells it.
    for (const uint32_t stages : {3u, 5u}) {
        World world({.stage_count = stages});
        world.tee = [](uint32_t index, const QuoteJob& job) -> std::optional<Result<Bytes>> {
            if (index == 2) return std::nullopt;
            return dev_quote(job.report_data);
        };
        world.ask_for_quotes(world.quote_order(1));
        world.run_for(a_second);
        EXPECT_TRUE(world.outcome(request_id(1)).quotes.empty());
        world.kill(2);
        world.run_for(5 * a_second);
        for (uint32_t i = 0; i < stages; ++i) {
            EXPECT_EQ(failure_of(world, 1, i),
                      i == 2 ? std::optional(ErrorCode::route_unavailable) : std::nullopt);
        }
        // Nor is a stage asked that cannot be reached.
        world.ask_for_quotes(world.quote_order(2));
        EXPECT_EQ(failure_of(world, 2, 0), ErrorCode::route_unavailable);
    }
}

TEST(fresh_quotes, what_comes_after_the_deadline_is_ignored) {
    World world({.stage_count = 3});
    std::vector<QuoteJob> hanging;
    world.tee = [&](uint32_t index, const QuoteJob& job) -> std::optional<Result<Bytes>> {
        if (index != 1) return dev_quote(job.report_data);
        hanging.push_back(job);
        return std::nullopt;
    };
    world.ask_for_quotes(world.quote_order(1));
    world.run_for(5 * a_second);
    world.ask_for_quotes(world.quote_order(2));
    // A TEE that hangs holds nothing else up.
    ASSERT_TRUE(world.submit(example_request(3, 5, 5)));
    world.finish();
    EXPECT_EQ(world.outcome(request_id(3)).tokens.size(), 5u);
    const Duration timeout = QuoteCollector::Options{}.timeout;
    world.run_for(timeout - 5 * a_second);
    EXPECT_EQ(failure_of(world, 1, 1), ErrorCode::stage_timeout);
    EXPECT_EQ(failure_of(world, 1, 2), std::nullopt);
    EXPECT_TRUE(world.outcome(request_id(2)).quotes.empty());
    const uint64_t dropped = world.entry().counters().messages_dropped;
    ASSERT_EQ(hanging.size(), 2u);
    Effects effects;
    world.entry().on_frame(
        world.now(), node_id(1),
        {world.route(),
         message_of({request_id(1), dev_quote(hanging[0].report_data)}, world.layers(1))},
        effects);
    EXPECT_TRUE(effects.events.empty());
    EXPECT_EQ(world.entry().counters().messages_dropped, dropped + 1);
    // The second order has a deadline of its own.
    world.run_for(5 * a_second);
    EXPECT_EQ(failure_of(world, 2, 1), ErrorCode::stage_timeout);
    EXPECT_EQ(world.entry().quoting_count(), 0u);
}

/// Three stages that are asked. Stage 2 is silent, and the entry gets this in its place.
struct Answered {
    World world{{.stage_count = 3}};

    explicit Answered(const std::function<wire::Quote(World&)>& answer) {
        world.tee = [](uint32_t index, const QuoteJob& job) -> std::optional<Result<Bytes>> {
            if (index == 2) return std::nullopt;
            return dev_quote(job.report_data);
        };
        world.ask_for_quotes(world.quote_order(1));
        world.run_for(a_second);
        world.inject(0, Direction::previous, answer(world));
    }
};

wire::Quote answer_over(World& world, const ByteArray<64>& report_data) {
    return message_of({request_id(1), dev_quote(report_data)}, world.layers(2));
}

TEST(fresh_quotes, a_quote_of_another_stage_or_receipt_is_none) {
    const std::function<wire::Quote(World&)> answers[] = {
        [](World& w) { return answer_over(w, w.quote_order(1).report_data.at(w.layers(1))); },
        [](World& w) { return answer_over(w, w.quote_order(2).report_data.at(w.layers(2))); },
        [](World& w) {
            wire::Quote cut = answer_over(w, w.quote_order(1).report_data.at(w.layers(2)));
            cut.quote.pop_back();
            return cut;
        },
    };
    for (const auto& answer : answers) {
        Answered asked(answer);
        EXPECT_EQ(failure_of(asked.world, 1, 2), ErrorCode::evidence_unavailable);
        EXPECT_EQ(failure_of(asked.world, 1, 1), std::nullopt);
    }
    Answered honest(
        [](World& w) { return answer_over(w, w.quote_order(1).report_data.at(w.layers(2))); });
    EXPECT_EQ(failure_of(honest.world, 1, 2), std::nullopt);
}

TEST(fresh_quotes, an_answer_that_nobody_waits_for_is_dropped) {
    const std::function<void(World&, wire::Quote&)> changes[] = {
        [](World&, wire::Quote& quote) { quote.request = request_id(2); },
        [](World&, wire::Quote& quote) {
            quote.layers = {6, 9};
        },
        // Has answered already.
        [](World& world, wire::Quote& quote) { quote.layers = world.layers(1); },
    };
    for (const auto& change : changes) {
        Answered asked([&](World& w) {
            wire::Quote quote = answer_over(w, w.quote_order(1).report_data.at(w.layers(2)));
            change(w, quote);
            return quote;
        });
        EXPECT_TRUE(asked.world.outcome(request_id(1)).quotes.empty());
        EXPECT_EQ(asked.world.entry().counters().messages_dropped, 1u);
        EXPECT_EQ(asked.world.entry().quoting_count(), 1u);
    }
}

TEST(fresh_quotes, of_too_many_receipts_at_once_are_refused) {
    World world({.stage_count = 2});
    world.tee = [](uint32_t, const QuoteJob&) { return std::nullopt; };
    const size_t pending_max = QuoteCollector::Options{}.pending_max;
    size_t orders = 0;
    world.tap = [&](uint32_t from, const wire::Message& message) {
        orders += from == 0 && std::holds_alternative<wire::Attest>(message) ? 1 : 0;
    };
    for (uint64_t number = 1; number <= pending_max + 1; ++number)
        world.ask_for_quotes(world.quote_order(number));
    EXPECT_EQ(failure_of(world, pending_max + 1, 0), ErrorCode::overloaded);
    EXPECT_EQ(failure_of(world, pending_max + 1, 1), ErrorCode::overloaded);
    EXPECT_EQ(orders, pending_max);
    EXPECT_EQ(world.entry().quoting_count(), pending_max);
    world.run_for(QuoteCollector::Options{}.timeout);
    EXPECT_EQ(world.entry().quoting_count(), 0u);
}

}  // namespace
}  // namespace teetee::pipeline::testing
