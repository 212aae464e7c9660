// SPDX-License-Identifier: Apache-2.0
#include "node/renewal.hpp"

#include <atomic>

#include "crypto/hash.hpp"
#include "net/test_support.hpp"
#include "node/test_network.hpp"

namespace teetee::node {
namespace {

using std::chrono::milliseconds;

/// The dev TEE, as long as it is in the mood.
class MoodyTee final : public attest::EvidenceProvider {
  public:
    Result<Bytes> quote(const ByteArray<64>& report_data) override {
        if (!willing) return fail(ErrorCode::evidence_unavailable, "guest agent: no quote today");
        return tee_.quote(report_data);
    }
    Result<crypto::Secret<32>> sealing_key(std::string_view purpose) override {
        return tee_.sealing_key(purpose);
    }
    bool simulated() const override { return true; }

    std::atomic<bool> willing = true;

  private:
    attest::DevTee tee_ = attest::test::make_tee();
};

class renewal : public testing::Test {
  protected:
    renewal() { clock.set(attest::test::now); }

    void start(UnixSeconds life_s = lifetime_s) {
        Renewal::Options options;
        options.watch_interval = milliseconds(20);
        options.lifetime_s = life_s;
        options.backoff_min = milliseconds(20);
        options.backoff_max = milliseconds(80);
        options.on_renewed = [this] { ++renewals; };
        options.on_ending = [this] { ++endings; };
        running = std::make_unique<Renewal>(Renewal::World{loop, clock, rng, log, quotes}, identity,
                                            std::move(options));
    }
    static IdentityOptions identity_options() {
        IdentityOptions options;
        options.layers = {0, 4};
        options.now = attest::test::now;
        options.lifetime_s = lifetime_s;
        return options;
    }

    static constexpr UnixSeconds lifetime_s = 2;
    net::Loop loop;
    test::MovedClock clock;
    SystemRng rng;
    test::RecordingLog log;
    MoodyTee tee;
    QuoteThread quotes{loop, tee};
    Identity identity = make_identity(identity_options(), tee, rng).value();
    std::unique_ptr<Renewal> running;
    int renewals = 0;
    int endings = 0;
};

TEST_F(renewal, makes_the_next_statement_of_the_same_keys_in_time) {
    const attest::Statement first = identity.statement;
    const Bytes first_bytes = identity.statement_bytes;
    start();
    net::run_until(loop, [&] { return renewals == 2; });
    EXPECT_EQ(endings, 0);
    EXPECT_GT(identity.statement.not_before, first.not_before);
    EXPECT_EQ(identity.statement.not_after, identity.statement.not_before + lifetime_s);
    EXPECT_TRUE(attest::verify_succession(first, identity.statement));
    EXPECT_TRUE(attest::verify_evidence(
        {identity.statement_bytes, identity.quote, std::nullopt},
        {.shards = {{identity.statement.shard_root, identity.statement.layers}}},
        attest::test::make_policy(), clock.unix_now()));
    EXPECT_NE(identity.statement_bytes, first_bytes);
    ASSERT_EQ(identity.formers.size(), 2u);
    EXPECT_EQ(identity.formers[0].statement_hash, crypto::sha256(first_bytes));
}

TEST_F(renewal, tries_again_when_there_is_no_quote) {
    tee.willing = false;
    start();
    net::run_until(loop, [&] { return log.has("next try in 0 s"); });
    EXPECT_TRUE(
        log.has("statement not renewed: evidence_unavailable: guest agent: no quote today; "
                "it ends in"))
        << log.text;
    EXPECT_EQ(renewals, 0);
    tee.willing = true;
    net::run_until(loop, [&] { return renewals == 1; });
}

TEST_F(renewal, says_when_the_statement_is_about_to_end) {
    tee.willing = false;
    start();
    net::run_until(loop, [&] { return endings == 1; });
    EXPECT_EQ(renewals, 0);
}

TEST_F(renewal, counts_from_the_current_statement) {
    start();
    net::run_until(loop, [&] { return renewals == 3; });
    // Three half lives: longer than the first statement.
    EXPECT_GE(identity.statement.not_before, attest::test::now + lifetime_s);
    EXPECT_EQ(endings, 0);
}

TEST_F(renewal, goes_by_a_clock_that_is_set_ahead) {
    IdentityOptions options = identity_options();
    options.lifetime_s = 24 * 3600;
    identity = make_identity(options, tee, rng).value();
    EXPECT_EQ(identity.statement.not_before, attest::test::now - 600);
    start(options.lifetime_s);
    net::run_for(loop, milliseconds(60));
    EXPECT_EQ(renewals, 0);
    clock.set(attest::test::now + 13 * 3600);
    net::run_until(loop, [&] { return renewals == 1; });
    EXPECT_EQ(endings, 0);
    EXPECT_EQ(identity.statement.not_before, attest::test::now + 13 * 3600 - 600);
}

TEST_F(renewal, a_clock_that_was_set_back_makes_no_older_statement) {
    start();
    clock.set(attest::test::now - 1000);
    net::run_until(loop, [&] { return renewals == 1; });
    EXPECT_GE(identity.statement.not_before, attest::test::now);
}

}  // namespace
}  // namespace teetee::node
