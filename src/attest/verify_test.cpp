// SPDX-License-Identifier: Apache-2.0
#include "attest/verify.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "attest/dev_node.hpp"

namespace teetee::attest {
namespace {

Bytes dev_quote() {
    ByteArray<64> data;
    data.fill(0x5a);
    return test::make_tee().quote(data).value();
}

TrustedRoots dev_roots() {
    return test::make_policy().roots;
}

TEST(verify, accepts_a_dev_quote_under_its_root_and_calls_it_simulated) {
    const auto verified = verify_quote(dev_quote(), dev_roots(), test::now).value();
    EXPECT_TRUE(verified.simulated);
    EXPECT_EQ(verified.td_report()->mrtd, test::measurements().mrtd);
    EXPECT_EQ(verified.td_report()->rtmr, test::measurements().rtmr);
    EXPECT_EQ(verified.td_report()->mrconfigid, test::measurements().mrconfigid);
    EXPECT_EQ(verified.td_report()->tdattributes, td_attribute_sept_ve_disable);
    EXPECT_EQ(verified.td_report()->report_data[0], 0x5a);
    EXPECT_EQ(as_text(verified.pck.platform.fmspc), "DEVTEE");
}

TEST(verify, rejects_a_dev_quote_under_the_intel_root) {
    const auto verified = verify_quote(dev_quote(), TrustedRoots::intel(), test::now);
    EXPECT_EQ(verified.error().code, ErrorCode::root_untrusted);
}

TEST(verify, rejects_a_dev_quote_of_another_seed) {
    const auto other = test::make_policy(2).roots;
    EXPECT_EQ(verify_quote(dev_quote(), other, test::now).error().code, ErrorCode::root_untrusted);
}

TEST(verify, rejects_a_certificate_out_of_date) {
    for (const UnixSeconds time : {test::now - 2 * 24 * 3600, test::now + 366 * 24 * 3600}) {
        EXPECT_EQ(verify_quote(dev_quote(), dev_roots(), time).error().code,
                  ErrorCode::certificate_expired);
    }
}

TEST(verify, drops_trailing_bytes) {
    Bytes quote = dev_quote();
    quote.resize(quote.size() + 100, 0xaa);
    EXPECT_TRUE(verify_quote(quote, dev_roots(), test::now));
}

TEST(verify, rejects_every_truncation) {
    const Bytes quote = dev_quote();
    const TrustedRoots roots = dev_roots();
    for (size_t size = 0; size < quote.size(); ++size) {
        EXPECT_FALSE(verify_quote(ByteView(quote).first(size), roots, test::now)) << size;
    }
}

// One bit of every byte, in the long PEM text of every seventh. Nothing binds the line ends of the
// PEM text: one that becomes another kind of white space leaves the certificates as they were.
TEST(verify, rejects_a_flipped_bit_anywhere) {
    const Bytes quote = dev_quote();
    const TrustedRoots roots = dev_roots();
    const size_t pem_start = as_text(quote).find("-----BEGIN");
    ASSERT_NE(pem_start, std::string_view::npos);
    for (size_t i = 0; i < quote.size(); i += i < pem_start ? 1 : 7) {
        Bytes changed = quote;
        changed[i] = static_cast<uint8_t>(changed[i] ^ (1u << (i % 8)));
        const auto verified = verify_quote(changed, roots, test::now);
        const bool same_certificates = i >= pem_start && quote[i] == '\n';
        EXPECT_TRUE(!verified || same_certificates) << "byte " << i;
        // What is left in OpenSSL's queue, TLS would take for its own failure.
        ASSERT_EQ(ERR_peek_error(), 0u) << "byte " << i;
    }
}

TEST(verify, names_what_is_wrong) {
    const auto code_after_flip = [](size_t offset) {
        Bytes quote = dev_quote();
        quote[offset] = static_cast<uint8_t>(quote[offset] ^ 1);
        return verify_quote(quote, dev_roots(), test::now).error().code;
    };
    constexpr size_t signature_at = 636;
    EXPECT_EQ(code_after_flip(0), ErrorCode::quote_unsupported);                   // version
    EXPECT_EQ(code_after_flip(2), ErrorCode::quote_unsupported);                   // key type
    EXPECT_EQ(code_after_flip(4), ErrorCode::quote_unsupported);                   // TEE type
    EXPECT_EQ(code_after_flip(12), ErrorCode::quote_unsupported);                  // vendor
    EXPECT_EQ(code_after_flip(184), ErrorCode::quote_signature_invalid);           // MRTD
    EXPECT_EQ(code_after_flip(signature_at), ErrorCode::quote_signature_invalid);  // signature
    EXPECT_EQ(code_after_flip(signature_at + 64), ErrorCode::qe_report_invalid);   // key
    EXPECT_EQ(code_after_flip(signature_at + 134), ErrorCode::qe_report_invalid);  // QE report
    EXPECT_EQ(code_after_flip(signature_at + 518), ErrorCode::qe_report_invalid);  // its signature
    EXPECT_EQ(code_after_flip(signature_at + 584), ErrorCode::qe_report_invalid);  // auth data
}

}  // namespace
}  // namespace teetee::attest
