// SPDX-License-Identifier: Apache-2.0
#include "attest/pck.hpp"

#include <gtest/gtest.h>

#include "attest/certificate_builder.hpp"
#include "attest/der.hpp"
#include "attest/dev_node.hpp"
#include "attest/limits.hpp"
#include "attest/openssl_test_certificate.hpp"

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

    static Bytes build(const CertificateFields& made, const crypto::P256Key& issuer_key) {
        return build_certificate(made, issuer_key, SignatureMode::random).value();
    }
    Result<VerifiedPck> verify(UnixSeconds now = test::now) const {
        return verify_leaf(build(leaf, ca_key), now);
    }
    Result<VerifiedPck> verify_leaf(const Bytes& leaf_der, UnixSeconds now = test::now) const {
        const std::string root_pem = pem_of_certificate(build(root, root_key));
        TrustedRoots roots;
        TT_CHECK(roots.add_pem(root_pem));
        const std::string pem =
            pem_of_certificate(leaf_der) + pem_of_certificate(build(ca, root_key)) + root_pem;
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

TEST(pck, rejects_a_leaf_that_may_not_sign) {
    const TestChain chain;
    test::OpensslCertificate leaf;
    leaf.subject = "leaf";
    leaf.issuer = "ca";
    leaf.key = chain.leaf_key.handle();
    leaf.issuer_key = chain.ca_key.handle();
    leaf.not_before = test::now - 10;
    leaf.not_after = test::now + 10;
    leaf.other_extensions = {{"1.2.840.113741.1.13.1", dev_sgx_extension()}};
    // Without the extension every use is allowed.
    EXPECT_TRUE(chain.verify_leaf(leaf.build()));
    leaf.known_extensions = {{NID_key_usage, "critical,keyAgreement"}};
    const auto refused = chain.verify_leaf(leaf.build());
    EXPECT_EQ(refused.error().code, ErrorCode::certificate_chain_invalid);
    EXPECT_EQ(refused.error().detail, "PCK chain: leaf may not sign");
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
    TestChain garbage;
    garbage.leaf.extensions[0].value = {0x05, 0x00};
    EXPECT_EQ(garbage.code(), ErrorCode::certificate_malformed);
}

// What was verified under one root says nothing under another.
TEST(pck, a_known_ca_is_known_under_its_root_only) {
    const TestChain chain;
    const auto parsed = [](const Bytes& der) { return parse_certificate(der).value(); };
    const Certificate root = parsed(chain.build(chain.root, chain.root_key));
    CertificateFields other_fields = chain.root;
    other_fields.spki_der = chain.leaf_key.spki_der();
    const Certificate other_root = parsed(chain.build(other_fields, chain.leaf_key));
    const Certificate ca = parsed(chain.build(chain.ca, chain.root_key));
    const Certificate leaf = parsed(chain.build(chain.leaf, chain.ca_key));
    TrustedRoots roots;
    ASSERT_TRUE(roots.add_pem(pem_of_certificate(root.der)));
    ASSERT_TRUE(roots.add_pem(pem_of_certificate(other_root.der)));
    const IssuerChain known{ca, root};
    EXPECT_TRUE(verify_pck_chain({leaf, ca, root}, roots, test::now, &known));
    const auto refused = verify_pck_chain({leaf, ca, other_root}, roots, test::now, &known);
    EXPECT_EQ(refused.error().code, ErrorCode::certificate_chain_invalid);
    EXPECT_TRUE(refused.error().detail.starts_with("'ca': signature does not verify"))
        << refused.error().detail;
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

// SEQUENCE {identifier, value}; the last arc of the identifier lies below `parent`.
Bytes entry(ByteView parent, uint8_t arc, const Bytes& value) {
    return der_encode(DerTag::sequence,
                      {der_encode(DerTag::object_identifier, {parent, ByteArray<1>{arc}}), value});
}

Bytes octets(size_t count) {
    return der_encode(DerTag::octet_string, {Bytes(count, 7)});
}

Bytes integer(uint8_t value) {
    return der_encode(DerTag::integer, {ByteArray<1>{value}});
}

Bytes join(const std::vector<Bytes>& parts) {
    Bytes out;
    for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
    return der_encode(DerTag::sequence, {out});
}

std::vector<Bytes> tcb_entries() {
    std::vector<Bytes> out;
    for (uint8_t arc = 1; arc <= 17; ++arc) out.push_back(entry(sgx_tcb_oid, arc, integer(arc)));
    out.push_back(entry(sgx_tcb_oid, 18, octets(16)));
    return out;
}

// What Intel writes for a multi-package platform; each entry stands at its number less one.
std::vector<Bytes> sgx_entries(const std::vector<Bytes>& tcb = tcb_entries()) {
    return {entry(sgx_extension_oid, 1, octets(16)), entry(sgx_extension_oid, 2, join(tcb)),
            entry(sgx_extension_oid, 3, octets(2)),  entry(sgx_extension_oid, 4, octets(6)),
            entry(sgx_extension_oid, 5, integer(0)), entry(sgx_extension_oid, 6, octets(16)),
            entry(sgx_extension_oid, 7, join({}))};
}

TEST(pck, reads_the_sgx_extension_of_a_multi_package_platform) {
    const PckPlatform platform = parse_sgx_extension(join(sgx_entries())).value();
    EXPECT_EQ(platform.tcb_components[15], 16);
    EXPECT_EQ(platform.pcesvn, 17);
    ASSERT_TRUE(platform.platform_instance_id);
    EXPECT_EQ(platform.platform_instance_id->front(), 7);
}

std::string refusal_of(const std::vector<Bytes>& entries) {
    const auto read = parse_sgx_extension(join(entries));
    if (read) return "accepted";
    EXPECT_EQ(read.error().code, ErrorCode::certificate_malformed);
    return read.error().detail;
}

struct EntryCase {
    size_t at;
    Bytes entry;
    const char* detail;
};

// An OCTET STRING with a byte behind it.
Bytes octets_and_more(size_t count) {
    Bytes out = octets(count);
    out.push_back(0);
    return out;
}

TEST(pck, rejects_entries_of_the_sgx_extension_in_another_form) {
    const auto own = [](uint8_t arc, const Bytes& value) {
        return entry(sgx_extension_oid, arc, value);
    };
    const ByteArray<9> foreign_oid{};
    const EntryCase cases[] = {
        {0, integer(1), "DER: have tag 2, need 48"},
        {0, join({integer(1)}), "DER: have tag 2, need 6"},
        {0, own(1, integer(1)), "DER: have tag 2, need 4"},
        {0, own(1, octets(15)), "OCTET STRING: have 15 bytes, need 16"},
        {0, own(1, octets_and_more(16)), "SGX extension: bytes behind entry 1"},
        {1, own(2, integer(1)), "DER: have tag 2, need 48"},
        {2, own(3, octets(3)), "OCTET STRING: have 3 bytes, need 2"},
        {3, own(4, octets(5)), "OCTET STRING: have 5 bytes, need 6"},
        {3, own(9, octets(6)), "SGX extension: no entry 4"},
        {4, own(5, Bytes()), "DER: have 0 bytes, need 2 for a header"},
        {5, own(6, octets(17)), "OCTET STRING: have 17 bytes, need 16"},
        {6, own(5, integer(0)), "SGX extension: entry 5 twice"},
        {6, own(64, octets(1)), "SGX extension: have entry 64, need below 64"},
        {6, own(0x81, octets(1)), "SGX extension: foreign identifier 2a864886f84d010d0181"},
        {6, entry(sgx_tcb_oid, 1, octets(1)),
         "SGX extension: foreign identifier 2a864886f84d010d010201"},
        {6, entry(foreign_oid, 1, octets(1)),
         "SGX extension: foreign identifier 00000000000000000001"},
    };
    for (const EntryCase& one : cases) {
        std::vector<Bytes> entries = sgx_entries();
        entries[one.at] = one.entry;
        EXPECT_EQ(refusal_of(entries), one.detail);
    }
}

TEST(pck, rejects_entries_of_the_tcb_in_another_form) {
    const auto own = [](uint8_t arc, const Bytes& value) { return entry(sgx_tcb_oid, arc, value); };
    const Bytes number_256 = der_encode(DerTag::integer, {ByteArray<2>{1, 0}});
    const EntryCase cases[] = {
        {0, integer(1), "DER: have tag 2, need 48"},
        {0, join({integer(1)}), "DER: have tag 2, need 6"},
        {0, entry(sgx_extension_oid, 1, integer(1)),
         "SGX extension: foreign identifier 2a864886f84d010d0101"},
        {1, own(0, integer(1)), "SGX extension: foreign TCB entry 0"},
        {1, own(1, integer(1)), "SGX extension: entry 1 twice"},
        {1, own(19, integer(1)), "SGX extension: foreign TCB entry 19"},
        {15, own(16, number_256), "DER: have number 256, need at most 255"},
        {16, own(17, octets(2)), "DER: have tag 4, need 2"},
        {17, own(18, octets(15)), "OCTET STRING: have 15 bytes, need 16"},
        {17, own(18, octets_and_more(16)), "SGX extension: bytes behind TCB entry 18"},
    };
    for (const EntryCase& one : cases) {
        std::vector<Bytes> tcb = tcb_entries();
        tcb[one.at] = one.entry;
        EXPECT_EQ(refusal_of(sgx_entries(tcb)), one.detail);
    }
    std::vector<Bytes> short_of_one = tcb_entries();
    short_of_one.pop_back();
    EXPECT_EQ(refusal_of(sgx_entries(short_of_one)), "SGX extension: no entry 18");
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
