// SPDX-License-Identifier: Apache-2.0
#include "attest/pck.hpp"

#include <gtest/gtest.h>

#include "attest/certificate_builder.hpp"
#include "attest/dev_node.hpp"
#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

std::string dev_chain() {
    const Bytes quote = test::make_tee().quote({}).value();
    const auto parsed = parse_quote(quote).value();
    return std::string(as_text(parsed.signature.pck_chain));
}

Bytes dev_sgx_extension() {
    const auto chain = parse_pck_chain(as_bytes(dev_chain())).value();
    const auto value = find_extension(chain.leaf, sgx_extension_oid).value().value();
    return Bytes(value.begin(), value.end());
}

// A chain of three that is right unless a test makes it wrong.
struct TestChain {
    crypto::P256Key root_key = crypto::P256Key::derive({1}).value();
    crypto::P256Key ca_key = crypto::P256Key::derive({2}).value();
    crypto::P256Key leaf_key = crypto::P256Key::derive({3}).value();
    CertificateFields root = fields("root", "root", root_key, 1);
    CertificateFields ca = fields("ca", "root", ca_key, 0);
    CertificateFields leaf = fields("leaf", "ca", leaf_key, std::nullopt);

    TestChain() {
        leaf.extensions = {
            {Bytes(sgx_extension_oid.begin(), sgx_extension_oid.end()), dev_sgx_extension()}};
    }

    static CertificateFields fields(const char* subject, const char* issuer,
                                    const crypto::P256Key& key,
                                    std::optional<uint8_t> ca_path_length) {
        return {.subject_name = subject,
                .issuer_name = issuer,
                .serial = {},
                .not_before = test::now - 10,
                .not_after = test::now + 10,
                .ca_path_length = ca_path_length,
                .spki_der = key.spki_der(),
                .extensions = {}};
    }

    Result<VerifiedPck> verify(UnixSeconds now = test::now) const {
        const auto build = [](const CertificateFields& made, const crypto::P256Key& issuer_key) {
            return pem_of_certificate(
                build_certificate(made, issuer_key, SignatureMode::random).value());
        };
        const std::string root_pem = build(root, root_key);
        TrustedRoots roots;
        TT_CHECK(roots.add_pem(root_pem));
        const std::string pem = build(leaf, ca_key) + build(ca, root_key) + root_pem;
        TT_TRY(const auto chain, parse_pck_chain(as_bytes(pem)));
        return verify_pck_chain(chain, roots, now);
    }
    ErrorCode code() const { return verify().error().code; }
};

TEST(pck, verifies_a_chain_and_reads_the_platform) {
    const auto verified = TestChain().verify().value();
    EXPECT_EQ(verified.key, TestChain().leaf_key.point());
    EXPECT_EQ(as_text(verified.platform.fmspc), "DEVTEE");
    EXPECT_EQ(verified.platform.pcesvn, 1);
    EXPECT_EQ(verified.platform.tcb_components[15], 1);
    EXPECT_EQ(verified.platform.cpusvn[0], 1);
    EXPECT_FALSE(verified.platform.platform_instance_id);
}

TEST(pck, rejects_a_root_that_is_not_pinned) {
    const auto chain = parse_pck_chain(as_bytes(dev_chain())).value();
    EXPECT_EQ(verify_pck_chain(chain, TrustedRoots(), test::now).error().code,
              ErrorCode::root_untrusted);
}

TEST(pck, rejects_a_broken_name_link) {
    TestChain chain;
    chain.leaf.issuer_name = "another";
    EXPECT_EQ(chain.code(), ErrorCode::certificate_chain_invalid);
}

TEST(pck, rejects_an_intermediate_that_is_no_ca) {
    TestChain chain;
    chain.ca.ca_path_length.reset();
    EXPECT_EQ(chain.code(), ErrorCode::certificate_chain_invalid);
}

TEST(pck, rejects_a_leaf_that_is_a_ca) {
    TestChain chain;
    chain.leaf.ca_path_length = 0;
    EXPECT_EQ(chain.code(), ErrorCode::certificate_chain_invalid);
}

TEST(pck, rejects_a_root_that_allows_no_ca_below_it) {
    TestChain chain;
    chain.root.ca_path_length = 0;
    EXPECT_EQ(chain.code(), ErrorCode::certificate_chain_invalid);
}

TEST(pck, rejects_a_signature_of_another_key) {
    TestChain chain;
    chain.ca.spki_der = chain.leaf_key.spki_der();
    EXPECT_EQ(chain.code(), ErrorCode::certificate_chain_invalid);
}

TEST(pck, rejects_each_certificate_out_of_date) {
    for (CertificateFields TestChain::*which :
         {&TestChain::root, &TestChain::ca, &TestChain::leaf}) {
        TestChain expired;
        (expired.*which).not_after = test::now - 1;
        EXPECT_EQ(expired.code(), ErrorCode::certificate_expired);
        TestChain early;
        (early.*which).not_before = test::now + 1;
        EXPECT_EQ(early.code(), ErrorCode::certificate_expired);
    }
}

TEST(pck, is_valid_in_its_first_and_last_second) {
    EXPECT_TRUE(TestChain().verify(test::now - 10));
    EXPECT_TRUE(TestChain().verify(test::now + 10));
    EXPECT_FALSE(TestChain().verify(test::now - 11));
    EXPECT_FALSE(TestChain().verify(test::now + 11));
}

TEST(pck, rejects_a_leaf_without_the_sgx_extension_or_with_two) {
    TestChain none;
    none.leaf.extensions.clear();
    EXPECT_EQ(none.code(), ErrorCode::certificate_malformed);
    TestChain two;
    two.leaf.extensions.push_back(two.leaf.extensions[0]);
    EXPECT_EQ(two.code(), ErrorCode::certificate_malformed);
}

TEST(pck, rejects_a_time_that_x509_cannot_write) {
    TestChain chain;
    chain.leaf.not_after = unix_seconds_max + 1;
    EXPECT_EQ(build_certificate(chain.leaf, chain.ca_key, SignatureMode::random).error().code,
              ErrorCode::invalid_argument);
    chain.leaf.not_after = unix_seconds_max;
    EXPECT_TRUE(chain.verify());
}

TEST(pck, needs_three_certificates_and_nothing_around_them) {
    const std::string pem = dev_chain();
    const auto parse = [](const std::string& text) { return parse_pck_chain(as_bytes(text)); };
    EXPECT_TRUE(parse(pem));
    EXPECT_TRUE(parse(pem + std::string(2, '\0')));
    EXPECT_TRUE(parse("\r\n" + pem + "\n \n"));
    EXPECT_FALSE(parse(pem + pem));
    EXPECT_FALSE(parse("x" + pem));
    EXPECT_FALSE(parse(pem + "x"));
    EXPECT_FALSE(parse(pem + '\0' + "x"));
    EXPECT_FALSE(parse(pem.substr(0, pem.size() - 10)));
    EXPECT_FALSE(parse(pem.substr(pem.find("-----BEGIN", 1))));
    EXPECT_FALSE(parse(""));
}

TEST(pck, reads_no_sgx_extension_with_a_changed_structure) {
    const Bytes good = dev_sgx_extension();
    ASSERT_TRUE(parse_sgx_extension(good));
    for (size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(parse_sgx_extension(ByteView(good).first(size))) << size;
    }
    Bytes longer = good;
    longer.push_back(0);
    EXPECT_FALSE(parse_sgx_extension(longer));
    // Turn FMSPC (4) into a second PCEID (3) of six bytes, then into an unknown entry.
    const auto fmspc = as_text(good).find("DEVTEE");
    ASSERT_NE(fmspc, std::string_view::npos);
    Bytes changed = good;
    changed[fmspc - 3] = 3;
    EXPECT_FALSE(parse_sgx_extension(changed));
    changed[fmspc - 3] = 9;
    EXPECT_FALSE(parse_sgx_extension(changed));
}

TEST(pck, trusted_roots_take_one_certificate_each) {
    TrustedRoots roots;
    EXPECT_EQ(roots.add_pem("").error().code, ErrorCode::certificate_malformed);
    EXPECT_EQ(roots.add_pem(dev_chain()).error().code, ErrorCode::certificate_malformed);
    EXPECT_TRUE(roots.add_pem(test::make_tee().root_pem()));
    EXPECT_TRUE(TrustedRoots::intel().contains(intel_root_fingerprint));
    EXPECT_FALSE(roots.contains(intel_root_fingerprint));
}

}  // namespace
}  // namespace teetee::attest
