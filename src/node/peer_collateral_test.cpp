// SPDX-License-Identifier: Apache-2.0
#include <map>

#include <gtest/gtest.h>

#include "attest/dev_node.hpp"
#include "attest/dev_pki.hpp"
#include "node/identity.hpp"

namespace teetee::node {
namespace {

namespace test = attest::test;

class TestClock final : public Clock {
  public:
    Instant now() const override { return std::chrono::seconds(test::now); }
    UnixSeconds unix_now() const override { return test::now; }
};

class Source final : public attest::CollateralSource {
  public:
    std::shared_ptr<const attest::VerifiedCollateral> find(const attest::PlatformId&) override {
        return collateral;
    }
    void want(const attest::PlatformId& platform) override { ++wanted[platform]; }
    uint64_t version() const override { return 0; }

    std::shared_ptr<const attest::VerifiedCollateral> collateral;
    std::map<attest::PlatformId, int> wanted;
};

/// A peer whose evidence is right under a policy that demands collateral.
class peer_collateral : public testing::Test {
  protected:
    peer_collateral() { policy.require_collateral = true; }

    static std::shared_ptr<const attest::VerifiedCollateral> verified(
        const attest::Collateral& collateral) {
        return std::make_shared<const attest::VerifiedCollateral>(
            attest::verify_collateral(collateral, test::make_policy().roots, test::now).value());
    }
    Result<net::PeerInfo> judge(attest::CollateralSource* from) {
        const TestClock clock;
        SystemRng rng;
        attest::DevTee tee = test::make_tee();
        IdentityOptions options;
        options.layers = {.begin = 0, .end = 4};
        options.now = test::now;
        const Identity own = make_identity(options, tee, rng).value();
        PeerAuthenticator authenticator(own, policy, test::make_expectation(), clock, from);
        return authenticator.verify_certificate(test::make_node().certificate());
    }

    attest::Policy policy = test::make_policy();
    attest::DevPki pki = attest::DevPki::create(ByteArray<32>{1}).value();
    Source source;
};

TEST_F(peer_collateral, judges_a_peer) {
    source.collateral = verified(pki.collateral(test::now).value());
    const auto peer = judge(&source);
    ASSERT_TRUE(peer) << peer.error().message();
    EXPECT_TRUE(source.wanted.empty());
}

TEST_F(peer_collateral, is_asked_for_where_nothing_else_is_missing) {
    const auto refused = judge(&source);
    EXPECT_EQ(refused.error().code, ErrorCode::collateral_missing);
    EXPECT_NE(refused.error().detail.find("444556544545"), std::string::npos)
        << refused.error().detail;
    EXPECT_EQ(source.wanted.size(), 1u);
    EXPECT_EQ(judge(nullptr).error().code, ErrorCode::collateral_missing);
}

TEST_F(peer_collateral, is_not_asked_for_on_the_word_of_a_stranger) {
    policy.roots = attest::TrustedRoots::intel();
    EXPECT_EQ(judge(&source).error().code, ErrorCode::root_untrusted);
    EXPECT_TRUE(source.wanted.empty());
}

TEST_F(peer_collateral, refuses_a_peer_whose_certificate_is_revoked) {
    attest::Collateral collateral = pki.collateral(test::now).value();
    attest::CrlFields list = attest::DevPki::pck_crl_fields(test::now);
    list.revoked_serials = {pki.pck_fields(test::now).serial};
    collateral.pck_crl = attest::build_crl(list, pki.platform_ca_key()).value();
    source.collateral = verified(collateral);
    EXPECT_EQ(judge(&source).error().code, ErrorCode::certificate_revoked);
}

// What was good when it was verified, and has run out since.
TEST_F(peer_collateral, refuses_a_peer_by_collateral_that_has_run_out) {
    const UnixSeconds earlier = test::now - 40 * 24 * 3600;
    source.collateral = std::make_shared<const attest::VerifiedCollateral>(
        attest::verify_collateral(pki.collateral(earlier).value(), policy.roots, earlier).value());
    EXPECT_EQ(judge(&source).error().code, ErrorCode::collateral_expired);
}

TEST_F(peer_collateral, refuses_a_peer_whose_platform_is_outdated) {
    attest::Collateral collateral = pki.collateral(test::now).value();
    std::string body = collateral.tcb_info.body;
    body.replace(body.find("\"UpToDate\""), 10, "\"OutOfDate\"");
    collateral.tcb_info = pki.sign_document(body).value();
    source.collateral = verified(collateral);
    EXPECT_EQ(judge(&source).error().code, ErrorCode::tcb_status_rejected);
}

}  // namespace
}  // namespace teetee::node
