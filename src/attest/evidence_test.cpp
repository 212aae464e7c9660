// SPDX-License-Identifier: Apache-2.0
// Evidence of nodes on platforms with collateral.
#include <gtest/gtest.h>

#include "attest/peer.hpp"
#include "attest/test_platform.hpp"

namespace teetee::attest {
namespace {

using test::TestPlatform;

// A node whose quote comes from this platform.
struct NodeOnPlatform {
    TestPlatform platform;
    test::DevNode node = test::make_node();
    Policy policy = test::make_policy();

    explicit NodeOnPlatform(TestPlatform on) : platform(std::move(on)) {
        policy.require_collateral = true;
        policy.measurements = {{.mrtd = Measurement{}, .rtmr = {}, .mrconfigid = {}}};
        // The last field of both reports.
        const ByteArray<64> data = report_data(node.encoded(), std::nullopt);
        std::copy(data.begin(), data.end(), platform.report.end() - 64);
    }
    Result<VerifiedPeer> verify() const {
        const auto collateral =
            verify_collateral(platform.collateral(), platform.roots(), test::now).value();
        const Bytes statement = node.encoded();
        const Bytes quote = platform.quote();
        return verify_evidence({.statement = statement, .quote = quote, .nonce = std::nullopt},
                               test::make_expectation(), policy, test::now, &collateral);
    }
};

TEST(evidence, is_judged_by_the_collateral_of_its_platform) {
    NodeOnPlatform good{TestPlatform()};
    const auto peer = good.verify();
    ASSERT_TRUE(peer) << peer.error().message();
    EXPECT_EQ(peer->quote.tcb->status, TcbStatus::up_to_date);
    good.platform.level(0)["tcbStatus"] = "OutOfDate";
    EXPECT_EQ(good.verify().error().code, ErrorCode::tcb_status_rejected);
    good.platform.pck_crl.revoked_serials = {good.platform.pck.serial};
    EXPECT_EQ(good.verify().error().code, ErrorCode::certificate_revoked);
}

TEST(evidence, in_a_certificate_needs_a_statement_that_can_be_read) {
    const auto node = test::make_node();
    const CertificateFields fields =
        test::certificate_fields(node, {.statement = Bytes(10), .quote = node.quote()});
    const Bytes der = build_certificate(fields, node.tls_key, SignatureMode::random).value();
    const auto refused = verify_peer(der, test::make_expectation(), test::make_policy(), test::now);
    EXPECT_EQ(refused.error().code, ErrorCode::statement_malformed);
}

TEST(evidence, of_an_enclave_is_refused) {
    const auto refused = NodeOnPlatform(TestPlatform(3, TeeType::sgx)).verify();
    EXPECT_EQ(refused.error().code, ErrorCode::quote_unsupported);
    EXPECT_EQ(refused.error().detail, "TEE: have SGX, need TDX");
}

}  // namespace
}  // namespace teetee::attest
