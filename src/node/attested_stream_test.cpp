// SPDX-License-Identifier: Apache-2.0
// Answers over two nodes whose evidence is renewed, or refused, while they compute.

#include <optional>

#include "attest/limits.hpp"
#include "crypto/hash.hpp"
#include "net/test_support.hpp"
#include "node/test_network.hpp"

namespace teetee::node {
namespace {

using std::chrono::milliseconds;

/// Two ports that nobody listens on just now: each node must know the other's before it starts.
std::pair<uint16_t, uint16_t> free_ports(net::Loop& loop) {
    const auto listen = [&] {
        return net::Acceptor::listen(loop, {"127.0.0.1", 0}, [](std::unique_ptr<net::Stream>) {})
            .value();
    };
    const auto one = listen();
    const auto two = listen();
    return {one->port(), two->port()};
}

size_t count(const test::RecordingLog& log, std::string_view part) {
    size_t found = 0;
    for (size_t at = log.text.find(part); at != std::string::npos; at = log.text.find(part, at + 1))
        ++found;
    return found;
}

class attested_stream : public testing::Test {
  protected:
    attested_stream() {
        clock.set(attest::test::now);
        collateral.publish(attest::test::TestPlatform());
    }

    void start(UnixSeconds lifetime_s) {
        const auto ports = free_ports(loop);
        entry = start_node(0, {lifetime_s, ports.first, ports.second}, entry_log);
        tail = start_node(1, {lifetime_s, ports.second, ports.first}, tail_log);
        net::run_until(loop, [&] { return entry->status().ready; });
    }
    struct Place {
        UnixSeconds lifetime_s;
        uint16_t listen;
        uint16_t next;
    };
    std::unique_ptr<Node> start_node(uint32_t shard, const Place& place, Log& log) {
        NodeOptions options = network.options(shard);
        // So slow that much can happen to an answer; under a sanitizer every kernel is.
        options.shard.kernel = net::is_sanitized ? "auto" : "scalar";
        options.listen = {"127.0.0.1", place.listen};
        options.registry = {{.url = "tls://127.0.0.1:" + std::to_string(place.next)}};
        options.reroute_timeout = {};
        options.statement_lifetime_s = place.lifetime_s;
        options.recheck_interval = milliseconds(20);
        auto node = Node::start({loop, clock, rng, log, tee, &collateral}, options);
        EXPECT_TRUE(node) << node.error().message();
        return std::move(node).value();
    }
    void generate() {
        // On a busy machine probes are late, and for a while no route is ready.
        net::run_until(loop, [&] { return entry->status().ready; });
        Generation generation;
        generation.prompt = {1, 2, 3};
        generation.tokens_max = entry->context_length() - 3;
        generation.sampling.seed = 7;
        failed.reset();
        done = false;
        tokens.clear();
        GenerationEvents events;
        events.on_token = [this](const pipeline::ClientToken& token) {
            tokens.push_back(token.token);
        };
        events.on_done = [this](pipeline::FinishReason, pipeline::Usage) { done = true; };
        events.on_failed = [this](const Error& error, pipeline::Usage) { failed = error; };
        ASSERT_TRUE(entry->generate(std::move(generation), std::move(events)));
    }

    const test::TestNetwork network{2, test::policy_with_collateral()};
    net::Loop loop;
    test::MovedClock clock;
    SystemRng rng;
    test::RecordingLog entry_log;
    test::RecordingLog tail_log;
    attest::DevTee tee = attest::test::make_tee();
    test::TestCollateral collateral;
    std::unique_ptr<Node> entry;
    std::unique_ptr<Node> tail;
    std::vector<TokenId> tokens;
    std::optional<Error> failed;
    bool done = false;
};

TEST_F(attested_stream, a_tcb_that_is_downgraded_meanwhile_ends_it_with_an_error) {
    start(3600);
    generate();
    net::run_until(loop, [&] { return tokens.size() >= 3; });
    attest::test::TestPlatform outdated;
    outdated.level(0)["tcbStatus"] = "OutOfDate";
    collateral.publish(outdated);
    net::run_until(loop, [&] { return failed || done; });
    ASSERT_TRUE(failed) << "the answer went on over an outdated platform";
    EXPECT_EQ(failed->code, ErrorCode::stage_failed);
    EXPECT_LT(tokens.size() + 3, entry->context_length());
    // Whichever node looked first says why.
    const auto is_told = [](const test::RecordingLog& log) {
        return log.has("tcb_status_rejected: TCB status: have OutOfDate, need UpToDate");
    };
    net::run_until(loop, [&] { return is_told(entry_log) || is_told(tail_log); });
    EXPECT_FALSE(entry->status().ready);
    // And none begins.
    Generation generation;
    generation.prompt = {1};
    generation.tokens_max = 1;
    EXPECT_FALSE(entry->generate(std::move(generation), {}));
    net::run_until(loop, [&] {
        return entry_log.has("refused: tcb_status_rejected") ||
               tail_log.has("refused: tcb_status_rejected");
    });
}

TEST_F(attested_stream, renewals_of_both_nodes_pass_unnoticed) {
    constexpr UnixSeconds lifetime_s = 3600;
    start(lifetime_s);
    const Bytes first(entry->statement_bytes().begin(), entry->statement_bytes().end());
    const Bytes first_of_tail(tail->statement_bytes().begin(), tail->statement_bytes().end());
    std::vector<TokenId> reference;
    // In each answer both nodes renew their evidence.
    for (size_t answers = 1; answers <= 2; ++answers) {
        generate();
        net::run_until(loop, [&] { return tokens.size() >= 3; });
        clock.set(attest::test::now + static_cast<UnixSeconds>(answers) * lifetime_s * 2 / 3);
        net::run_until(loop, [&] {
            return count(entry_log, "statement renewed") == answers &&
                   count(tail_log, "statement renewed") == answers;
        });
        EXPECT_FALSE(done) << "the answer was over before";
        net::run_until(loop, [&] { return failed || done; });
        ASSERT_FALSE(failed) << failed->message() << "\n" << entry_log.text << tail_log.text;
        if (reference.empty()) reference = tokens;
        ASSERT_EQ(tokens, reference);
    }
    for (const test::RecordingLog* log : {&entry_log, &tail_log})
        EXPECT_EQ(count(*log, "linked: "), 1u) << log->text;
    // Clients are shown what is current, of the other node as well.
    net::run_until(loop, [&] {
        const auto route = entry->status().routes.at(0);
        return route[0].statement != first && route[1].statement != first_of_tail;
    });
    EXPECT_TRUE(entry->has_statement(crypto::sha256(entry->statement_bytes())));
    EXPECT_FALSE(entry->has_statement(crypto::sha256(first))) << "out of date for long";
}

// Each node has shown the other what it renewed: nobody accepts the first statements any more.
TEST_F(attested_stream, goes_on_past_the_end_of_what_the_links_were_made_with) {
    constexpr UnixSeconds lifetime_s = 3600;
    start(lifetime_s);
    const UnixSeconds first_ends =
        std::max(entry->statement().not_after, tail->statement().not_after);
    clock.set(attest::test::now + lifetime_s * 2 / 3);
    net::run_until(loop, [&] {
        return std::min(entry->statement().not_after, tail->statement().not_after) > first_ends;
    });
    clock.set(first_ends + attest::clock_skew_s_max + 1);
    net::run_for(loop, milliseconds(200));
    generate();
    net::run_until(loop, [&] { return failed || done; });
    EXPECT_FALSE(failed) << failed->message();
    for (const test::RecordingLog* log : {&entry_log, &tail_log}) {
        EXPECT_EQ(count(*log, "linked: "), 1u) << log->text;
        EXPECT_FALSE(log->has(" down: certificate_expired")) << log->text;
    }
}

}  // namespace
}  // namespace teetee::node
