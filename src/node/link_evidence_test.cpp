// SPDX-License-Identifier: Apache-2.0
// Links between attested nodes, over real sockets and TLS: what is renewed, what is refused, and
// what ends a link that is up.

#include <optional>

#include "attest/limits.hpp"
#include "net/test_support.hpp"
#include "node/identity.hpp"
#include "node/test_network.hpp"

namespace teetee::node {
namespace {

using test::MovedClock;
using test::RecordingLog;
using test::TestCollateral;

constexpr UnixSeconds lifetime_s = 3600;

IdentityOptions identity_options() {
    IdentityOptions options;
    options.model_root.fill(0xe0);
    options.shard_root.fill(0xf0);
    options.layers = {0, 4};
    options.now = attest::test::now;
    options.lifetime_s = lifetime_s;
    return options;
}

attest::PeerExpectation expectation() {
    const IdentityOptions o = identity_options();
    attest::PeerExpectation out;
    out.model_root = o.model_root;
    out.shards = {{o.shard_root, o.layers}};
    return out;
}

/// A node as far as its links.
struct Side {
    Side(net::Loop& owner, const MovedClock& clock, TestCollateral& collateral,
         const attest::Policy& policy)
        : loop(owner),
          identity(make_identity(identity_options(), tee, rng).value()),
          authenticator(identity, policy, expectation(), clock, &collateral),
          tls(net::TlsContext::build_mutual(identity.tls).value()) {}

    net::LinkEnvironment environment() { return {loop, tls, authenticator, log}; }
    void adopt(std::shared_ptr<net::Link> fresh) {
        ++links_made;
        link = std::move(fresh);
        link->on_frame([this](Bytes frame) { frames.push_back(std::move(frame)); });
        link->on_closed([this](const Error& error) { closed = error; });
    }
    void listen() {
        listener = net::LinkListener::listen(environment(), {"127.0.0.1", 0}, [this](auto fresh) {
                       adopt(std::move(fresh));
                   }).value();
    }
    void dial(uint16_t port) {
        dialer = std::make_unique<net::LinkDialer>(
            environment(), net::Address{"127.0.0.1", port},
            net::LinkDialer::Callbacks{[this](auto fresh) { adopt(std::move(fresh)); },
                                       [this](const Error& error) { down = error; }});
    }
    /// The next statement of this node, from `time` on, with a quote over it.
    void renew_at(UnixSeconds time) {
        attest::Statement next = identity.statement;
        next.not_before = time;
        next.not_after = time + lifetime_s;
        const auto data = attest::report_data(attest::encode_statement(next), std::nullopt);
        ASSERT_TRUE(adopt_evidence(identity, next, tee.quote(data).value()));
    }
    const Bytes& certificate() const { return identity.tls.certificate_der; }

    net::Loop& loop;
    SystemRng rng;
    attest::DevTee tee = attest::test::make_tee();
    Identity identity;
    PeerAuthenticator authenticator;
    net::TlsContext tls;
    RecordingLog log;
    std::unique_ptr<net::LinkListener> listener;
    std::unique_ptr<net::LinkDialer> dialer;
    std::shared_ptr<net::Link> link;
    int links_made = 0;
    std::vector<Bytes> frames;
    std::optional<Error> closed;
    std::optional<Error> down;
};

class link_evidence : public testing::Test {
  protected:
    link_evidence() {
        clock.set(attest::test::now);
        collateral.publish(attest::test::TestPlatform());
    }
    ~link_evidence() override {
        for (Side* side : {&a, &b}) {
            side->dialer.reset();
            side->listener.reset();
            if (side->link != nullptr) side->link->close();
        }
    }
    void link_up() {
        b.listen();
        a.dial(b.listener->port());
        net::run_until(loop, [&] { return a.link != nullptr && b.link != nullptr; });
    }
    /// What `b` says of evidence that `a` sends in place of its own.
    ErrorCode code_after_renewing(const Bytes& certificate) {
        a.link->renew(certificate);
        a.link->send({9});
        net::run_until(loop, [&] { return b.closed || !b.frames.empty(); });
        return b.closed ? b.closed->code : ErrorCode{};
    }

    net::Loop loop;
    MovedClock clock;
    TestCollateral collateral;
    const attest::Policy policy = test::policy_with_collateral();
    Side a{loop, clock, collateral, policy};
    Side b{loop, clock, collateral, policy};
};

TEST_F(link_evidence, is_renewed_while_frames_pass) {
    link_up();
    for (uint8_t i = 1; i <= 3; ++i) {
        clock.set(attest::test::now + i * lifetime_s / 2);
        a.renew_at(clock.unix_now());
        b.renew_at(clock.unix_now());
        a.link->renew(a.certificate());
        b.link->renew(b.certificate());
        a.link->send({i});
        b.link->send({i});
        net::run_until(loop, [&] { return a.frames.size() == i && b.frames.size() == i; });
        EXPECT_EQ(a.link->peer().certificate_der, b.certificate());
        EXPECT_EQ(b.link->peer().certificate_der, a.certificate());
        a.link->recheck();
        b.link->recheck();
    }
    // Without the renewals both would have been out of date for half an hour.
    net::run_for(loop, std::chrono::milliseconds(20));
    EXPECT_FALSE(a.link->closed());
    EXPECT_FALSE(b.link->closed());
    EXPECT_EQ(a.links_made + b.links_made, 2);
}

TEST_F(link_evidence, of_other_keys_is_refused) {
    link_up();
    // Good evidence of a good node, but not of the one that this session was bound to.
    const Side other(loop, clock, collateral, policy);
    EXPECT_EQ(code_after_renewing(other.certificate()), ErrorCode::statement_mismatch);
    EXPECT_NE(b.closed->detail.find("renewed evidence: receipt_address"), std::string::npos);
}

TEST_F(link_evidence, of_another_tls_key_is_refused) {
    link_up();
    a.identity.tls_key = crypto::P256Key::generate().value();
    a.identity.statement.tls_spki = a.identity.tls_key.spki_der();
    a.renew_at(attest::test::now + 1);
    EXPECT_EQ(code_after_renewing(a.certificate()), ErrorCode::statement_mismatch);
    EXPECT_NE(b.closed->detail.find("tls_spki"), std::string::npos);
}

TEST_F(link_evidence, that_is_older_is_refused) {
    const Bytes older = a.certificate();
    a.renew_at(attest::test::now + 60);
    ASSERT_TRUE(a.tls.show(a.identity.tls));
    link_up();
    EXPECT_EQ(code_after_renewing(older), ErrorCode::statement_mismatch);
    EXPECT_NE(b.closed->detail.find("not_before"), std::string::npos);
}

TEST_F(link_evidence, that_is_forged_is_refused) {
    link_up();
    a.renew_at(attest::test::now + 1);
    Bytes forged = a.certificate();
    forged[forged.size() / 2] ^= 1;
    EXPECT_NE(code_after_renewing(forged), ErrorCode{});
}

TEST_F(link_evidence, with_the_quote_of_an_earlier_statement_is_refused) {
    link_up();
    attest::Statement next = a.identity.statement;
    next.not_after += 1;
    ASSERT_TRUE(adopt_evidence(a.identity, next, Bytes(a.identity.quote)));
    EXPECT_EQ(code_after_renewing(a.certificate()), ErrorCode::report_data_mismatch);
}

TEST_F(link_evidence, that_is_not_renewed_ends_the_link_when_it_expires) {
    link_up();
    const UnixSeconds ends = a.identity.statement.not_after + attest::clock_skew_s_max;
    clock.set(ends);
    b.link->recheck();
    net::run_for(loop, std::chrono::milliseconds(10));
    EXPECT_FALSE(b.link->closed()) << "the last second";
    clock.set(ends + 2);
    b.link->recheck();
    net::run_until(loop, [&] { return a.closed && b.closed; });
    EXPECT_EQ(b.closed->code, ErrorCode::certificate_expired);
    EXPECT_TRUE(b.log.has("down: certificate_expired: certificate: have time"));
    net::run_until(loop, [&] { return b.log.has("refused: certificate_expired"); });
    EXPECT_EQ(b.links_made, 1);
}

TEST_F(link_evidence, of_a_platform_that_is_found_outdated_ends_the_link) {
    link_up();
    attest::test::TestPlatform outdated;
    outdated.level(0)["tcbStatus"] = "OutOfDate";
    collateral.publish(outdated);
    b.link->recheck();
    net::run_until(loop, [&] { return a.closed && b.closed; });
    EXPECT_EQ(b.closed->code, ErrorCode::tcb_status_rejected);
    EXPECT_TRUE(b.log.has("down: tcb_status_rejected: TCB status: have OutOfDate, need UpToDate"))
        << b.log.text;
    // Nor is there another: each side refuses the other's platform now.
    net::run_until(loop, [&] { return a.down && a.down->code == ErrorCode::tcb_status_rejected; });
    EXPECT_EQ(a.links_made, 1);
    // Until Intel says otherwise.
    collateral.publish(attest::test::TestPlatform());
    net::run_until(loop, [&] { return a.links_made == 2 && b.links_made == 2; });
}

TEST_F(link_evidence, of_a_platform_that_is_revoked_ends_the_link) {
    link_up();
    attest::test::TestPlatform revoked;
    revoked.pck_crl.revoked_serials = {revoked.pck.serial};
    collateral.publish(revoked);
    b.link->recheck();
    net::run_until(loop, [&] { return b.closed.has_value(); });
    EXPECT_EQ(b.closed->code, ErrorCode::certificate_revoked);
}

TEST_F(link_evidence, without_collateral_any_more_ends_the_link) {
    link_up();
    collateral.withdraw();
    b.link->recheck();
    net::run_until(loop, [&] { return b.closed.has_value(); });
    EXPECT_EQ(b.closed->code, ErrorCode::collateral_missing);
}

TEST_F(link_evidence, judged_by_collateral_that_has_expired_ends_the_link) {
    link_up();
    const UnixSeconds expires = collateral.find({})->expires();
    ASSERT_GT(expires, attest::test::now + 2 * lifetime_s);
    clock.set(expires + 1);
    a.renew_at(expires - 10);
    EXPECT_EQ(code_after_renewing(a.certificate()), ErrorCode::collateral_expired);
}

// The relay has the TLS key and the evidence of `a`, but not the key that only its TEE holds.
TEST_F(link_evidence, shown_by_a_relay_with_a_stolen_tls_key_is_refused) {
    b.listen();
    Side relay(loop, clock, collateral, policy);
    ASSERT_TRUE(relay.tls.show(a.identity.tls));
    relay.dial(b.listener->port());
    net::run_until(loop, [&] { return b.log.has("refused: channel_unbound"); });
    EXPECT_EQ(b.links_made, 0);
    relay.dialer.reset();
    if (relay.link) relay.link->close();
}

}  // namespace
}  // namespace teetee::node
