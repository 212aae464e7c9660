// SPDX-License-Identifier: Apache-2.0
#include "attest/collateral_source.hpp"

#include <fstream>
#include <iterator>
#include <map>

#include <gtest/gtest.h>

#include "attest/dev_receipt.hpp"
#include "attest/test_platform.hpp"

namespace teetee::attest {
namespace {

using test::TestPlatform;
namespace json = boost::json;

constexpr std::string_view processor_ca = "TeeTee DEV PCK Processor CA SIMULATED";

// Collateral for one platform, and what was asked about.
class OneSource final : public CollateralSource {
  public:
    std::shared_ptr<const VerifiedCollateral> find(const PlatformId& platform) override {
        ++asked[platform];
        return platform == known ? collateral : nullptr;
    }
    void want(const PlatformId& platform) override { ++wanted[platform]; }
    uint64_t version() const override { return 0; }

    PlatformId known;
    std::shared_ptr<const VerifiedCollateral> collateral;
    std::map<PlatformId, int> asked;
    std::map<PlatformId, int> wanted;
};

TEST(platform, of_a_quote_is_its_tee_fmspc_and_ca) {
    const PlatformId id = platform_of(TestPlatform().quote()).value();
    EXPECT_EQ(id.tee, TeeType::tdx);
    EXPECT_EQ(as_text(id.fmspc), "DEVTEE");
    EXPECT_EQ(id.ca, PckCa::platform);
    EXPECT_EQ(to_string(id), "tdx-444556544545-platform");
    EXPECT_EQ(platform_of(TestPlatform(5).quote()).value(), id);

    TestPlatform sgx(3, TeeType::sgx);
    sgx.platform_ca.subject_name = processor_ca;
    sgx.pck.issuer_name = processor_ca;
    EXPECT_EQ(to_string(platform_of(sgx.quote()).value()), "sgx-444556544545-processor");
}

TEST(platform, of_what_is_no_quote_of_a_known_ca_is_none) {
    EXPECT_EQ(platform_of(ByteView()).error().code, ErrorCode::quote_malformed);
    const Bytes quote = TestPlatform().quote();
    for (size_t bytes = 0; bytes < quote.size(); bytes += 97) {
        EXPECT_FALSE(platform_of(ByteView(quote).first(bytes))) << bytes;
    }
    TestPlatform other_ca;
    other_ca.platform_ca.subject_name = "TeeTee DEV Root CA SIMULATED";
    EXPECT_EQ(platform_of(other_ca.quote()).error().code, ErrorCode::certificate_chain_invalid);
    TestPlatform plain;
    plain.pck.extensions.clear();
    EXPECT_EQ(platform_of(plain.quote()).error().code, ErrorCode::certificate_malformed);
}

TEST(platform, of_collateral_is_that_of_the_quotes_it_judges) {
    const TestPlatform platform;
    const auto verified =
        verify_collateral(platform.collateral(), platform.roots(), test::now).value();
    EXPECT_EQ(platform_of(verified).value(), platform_of(platform.quote()).value());

    TestPlatform processor;
    processor.platform_ca.subject_name = processor_ca;
    processor.pck_crl.issuer_name = processor_ca;
    const auto other =
        verify_collateral(processor.collateral(), processor.roots(), test::now).value();
    EXPECT_EQ(platform_of(other).value().ca, PckCa::processor);

    TestPlatform mixed;
    mixed.qe_identity["id"] = "QE";
    const auto of_two = verify_collateral(mixed.collateral(), mixed.roots(), test::now).value();
    EXPECT_EQ(platform_of(of_two).error().code, ErrorCode::collateral_mismatch);
}

TEST(collateral_source, is_asked_about_the_platform_of_the_quote) {
    const TestPlatform platform;
    const Bytes quote = platform.quote();
    OneSource source;
    source.known = platform_of(quote).value();
    source.collateral = std::make_shared<const VerifiedCollateral>(
        verify_collateral(platform.collateral(), platform.roots(), test::now).value());
    EXPECT_EQ(find_collateral(&source, quote), source.collateral);
    EXPECT_EQ(source.asked[source.known], 1);
    EXPECT_EQ(find_collateral(nullptr, quote), nullptr);
    EXPECT_EQ(find_collateral(&source, ByteView(quote).first(100)), nullptr);
    EXPECT_EQ(source.asked.size(), 1u);
}

TEST(collateral_source, gets_only_what_nothing_else_is_wrong_with) {
    OneSource source;
    const Bytes quote = TestPlatform().quote();
    want_missing(&source, quote, fail(ErrorCode::measurement_rejected, ""));
    want_missing(&source, quote, fail(ErrorCode::quote_signature_invalid, ""));
    want_missing(nullptr, quote, fail(ErrorCode::collateral_missing, ""));
    want_missing(&source, {}, fail(ErrorCode::collateral_missing, ""));
    EXPECT_TRUE(source.wanted.empty());
    want_missing(&source, quote, fail(ErrorCode::collateral_missing, ""));
    EXPECT_EQ(source.wanted.size(), 1u);
    EXPECT_EQ(source.wanted[platform_of(quote).value()], 1);
}

// A policy that demands collateral finds it for each stage; a receipt is judged as of its time.
TEST(collateral_source, judges_the_stages_of_a_receipt) {
    auto dev = test::make_receipt();
    dev.add_fresh_quotes();
    Policy policy = test::make_policy();
    policy.require_collateral = true;
    OneSource source;
    ReceiptExpectation expectation = dev.expectation();
    const auto code = [&] {
        const ReceiptReport report = check_receipt(dev.receipt, expectation, policy);
        const auto failed = std::ranges::count_if(
            report.checks, [](const ReceiptCheck& check) { return check.error.has_value(); });
        // The fresh quotes are judged as the others are.
        EXPECT_TRUE(failed == 0 || failed == 2 * test::DevReceipt::stage_count) << failed;
        return report.is_accepted() ? ErrorCode{} : report.error()->code;
    };
    EXPECT_EQ(code(), ErrorCode::collateral_missing);
    expectation.collateral = &source;
    EXPECT_EQ(code(), ErrorCode::collateral_missing);
    const auto serve = [&](const TestPlatform& platform, UnixSeconds time) {
        source.known = platform_of(dev.receipt.stages[0].quote).value();
        source.collateral = std::make_shared<const VerifiedCollateral>(
            verify_collateral(platform.collateral(), policy.roots, time).value());
    };
    serve(TestPlatform(), test::now);
    EXPECT_EQ(code(), ErrorCode{});
    TestPlatform revoked;
    revoked.pck_crl.revoked_serials = {revoked.pck.serial};
    serve(revoked, test::now);
    EXPECT_EQ(code(), ErrorCode::certificate_revoked);
    TestPlatform later;
    later.pck_crl.this_update = test::now + 1;
    serve(later, test::now + 1);
    EXPECT_EQ(code(), ErrorCode::collateral_expired);
}

// Real quotes of both CAs: what they say they are is what Intel's documents for them are of.
TEST(collateral_source, shared_platforms_of_real_quotes) {
    const std::string folder = TEETEE_SHARED_DATA "/attestation/";
    std::ifstream in(folder + "manifest.json");
    if (!in) GTEST_SKIP() << folder << " is absent";
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto read = [&](const json::value& name) {
        std::ifstream file(folder + std::string(name.as_string()), std::ios::binary);
        return std::string((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
    };
    std::map<PckCa, int> counts;
    const json::value manifest = json::parse(text);
    for (const json::value& one : manifest.at("sets").as_array()) {
        const auto* fmspc = one.at("expected").as_object().if_contains("fmspc");
        if (fmspc == nullptr) continue;  // no quote that verifies
        const std::string quote = read(one.at("quote"));
        const auto collateral =
            verify_collateral(parse_collateral(read(one.at("collateral"))).value(),
                              TrustedRoots::intel(), one.at("time").as_int64());
        ASSERT_TRUE(collateral) << collateral.error().message();
        const auto platform = platform_of(as_bytes(quote));
        ASSERT_TRUE(platform) << platform.error().message();
        EXPECT_EQ(*platform, platform_of(*collateral).value()) << one.at("id");
        EXPECT_EQ(to_hex(platform->fmspc), std::string(fmspc->as_string()));
        ++counts[platform->ca];
    }
    EXPECT_GT(counts[PckCa::platform], 0);
    EXPECT_GT(counts[PckCa::processor], 0);
}

}  // namespace
}  // namespace teetee::attest
