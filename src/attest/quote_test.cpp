// SPDX-License-Identifier: Apache-2.0
#include "attest/quote.hpp"

#include <gtest/gtest.h>

#include "attest/limits.hpp"
#include "attest/test_platform.hpp"

namespace teetee::attest {
namespace {

constexpr size_t signature_size_at = 632;
constexpr size_t signature_at = 636;
constexpr size_t certification_type_at = signature_at + 128;
constexpr size_t auth_size_at = signature_at + 582;

Bytes version_4_quote() {
    return test::make_tee().quote(ByteArray<64>{0x11}).value();
}

// The same signature part behind a version 5 header and the report that its descriptor names.
Bytes version_5_quote(uint16_t body_type, uint32_t body_size, size_t body_bytes) {
    const Bytes old = version_4_quote();
    const ByteView view(old);
    ByteWriter out;
    out.u16(5);
    out.bytes(view.subspan(2, 46));
    out.u16(body_type);
    out.u32(body_size);
    out.bytes(view.subspan(48, 584));
    out.bytes(Bytes(body_bytes - 584, 0x77));
    out.bytes(view.subspan(signature_size_at));
    return out.take();
}

const TdReport& td(const Quote& quote) {
    return std::get<TdReport>(quote.report);
}

ErrorCode code_of(const Bytes& quote) {
    return parse_quote(quote).error().code;
}

TEST(quote, reads_every_field_of_version_4) {
    const auto quote = parse_quote(version_4_quote()).value();
    EXPECT_EQ(quote.header.version, 4);
    EXPECT_EQ(quote.header.attestation_key_type, 2);
    EXPECT_EQ(quote.header.tee_type, TeeType::tdx);
    EXPECT_EQ(td(quote).mrtd, test::measurements().mrtd);
    EXPECT_EQ(td(quote).mrconfigid, test::measurements().mrconfigid);
    EXPECT_EQ(td(quote).rtmr, test::measurements().rtmr);
    EXPECT_EQ(td(quote).report_data[0], 0x11);
    EXPECT_EQ(td(quote).xfam, 0x0602e7u);
    EXPECT_FALSE(td(quote).since_15);
    EXPECT_EQ(quote.signed_bytes.size(), 632u);
    EXPECT_EQ(quote.signature.qe_report.isvprodid, 2);
    EXPECT_EQ(as_text(quote.signature.qe_auth_data), "TeeTee DEV QE SIMULATED");
    EXPECT_TRUE(as_text(quote.signature.pck_chain).starts_with("-----BEGIN CERTIFICATE-----"));
}

TEST(quote, reads_both_reports_of_version_5) {
    const auto report_10 = parse_quote(version_5_quote(2, 584, 584)).value();
    EXPECT_EQ(td(report_10).mrtd, test::measurements().mrtd);
    EXPECT_EQ(report_10.signed_bytes.size(), 638u);
    EXPECT_FALSE(td(report_10).since_15);

    const auto report_15 = parse_quote(version_5_quote(3, 648, 648)).value();
    EXPECT_EQ(td(report_15).rtmr, test::measurements().rtmr);
    EXPECT_EQ(report_15.signed_bytes.size(), 702u);
    ASSERT_TRUE(td(report_15).since_15);
    EXPECT_EQ(td(report_15).since_15->mrservicetd[47], 0x77);
}

TEST(quote, rejects_a_body_whose_type_and_size_disagree) {
    EXPECT_EQ(code_of(version_5_quote(2, 648, 648)), ErrorCode::quote_malformed);
    EXPECT_EQ(code_of(version_5_quote(3, 584, 584)), ErrorCode::quote_malformed);
    EXPECT_EQ(code_of(version_5_quote(1, 584, 584)), ErrorCode::quote_unsupported);
    EXPECT_EQ(code_of(version_5_quote(4, 648, 648)), ErrorCode::quote_unsupported);
    Bytes sgx = test::TestPlatform(5, TeeType::sgx).quote();
    sgx[50] ^= 1;
    EXPECT_EQ(parse_quote(sgx).error().detail, "body.size: have 385, need 384");
    sgx[48] = 2;
    EXPECT_EQ(parse_quote(sgx).error().detail, "body.type: have 2, need 1 of an SGX quote");
}

TEST(quote, reads_sgx_reports_of_every_version) {
    for (const uint16_t version : {uint16_t{3}, uint16_t{4}, uint16_t{5}}) {
        test::TestPlatform platform(version, TeeType::sgx);
        platform.report[128] = 0x42;
        platform.report[258] = 7;
        const auto quote = parse_quote(platform.quote()).value();
        EXPECT_EQ(quote.header.tee_type, TeeType::sgx);
        const auto& report = std::get<SgxReport>(quote.report);
        EXPECT_EQ(report.mrsigner[0], 0x42);
        EXPECT_EQ(report.isvsvn, 7);
        EXPECT_EQ(quote.signed_bytes.size(), version == 5 ? 438u : 432u);
        EXPECT_EQ(quote.signature.qe_report.isvprodid, 2);
    }
}

TEST(quote, rejects_other_versions_tees_and_keys) {
    const auto code_with = [](size_t offset, uint8_t value) {
        Bytes quote = version_4_quote();
        quote[offset] = value;
        return code_of(quote);
    };
    for (const int version : {0, 1, 2, 3, 6}) {
        EXPECT_EQ(code_with(0, static_cast<uint8_t>(version)), ErrorCode::quote_unsupported)
            << version;
    }
    EXPECT_EQ(code_with(1, 1), ErrorCode::quote_unsupported);
    EXPECT_EQ(code_with(2, 3), ErrorCode::quote_unsupported);
    EXPECT_EQ(code_with(4, 0x82), ErrorCode::quote_unsupported);
    EXPECT_EQ(code_with(7, 1), ErrorCode::quote_unsupported);
}

TEST(quote, rejects_sizes_that_do_not_fit_their_enclosure) {
    for (const size_t offset : {signature_size_at, certification_type_at + 2, auth_size_at}) {
        for (const int change : {-1, 1}) {
            Bytes quote = version_4_quote();
            quote[offset] = static_cast<uint8_t>(quote[offset] + change);
            EXPECT_FALSE(parse_quote(quote)) << offset;
        }
    }
    Bytes quote = version_4_quote();
    for (size_t i = 0; i < 4; ++i) quote[signature_size_at + i] = 0xff;
    EXPECT_EQ(code_of(quote), ErrorCode::quote_malformed);
}

// The enclosing sizes say how much is there; what they cut off is named.
TEST(quote, names_the_part_that_is_cut_off) {
    constexpr size_t envelope_bytes = 134;
    const struct {
        size_t signature_bytes;
        const char* component;
    } cases[] = {
        {127, "signature and attestation key: "},
        {128 + 5, "certification data: "},
        {envelope_bytes + 383, "QE report: "},
        {envelope_bytes + 384 + 63, "QE report signature: "},
        {envelope_bytes + 448 + 1, "QE auth data size: "},
        {envelope_bytes + 450 + 22, "QE auth data: "},
        {envelope_bytes + 450 + 23 + 5, "certification data: "},
    };
    const auto put_u32 = [](Bytes& out, size_t at, size_t value) {
        ByteWriter writer;
        writer.u32(static_cast<uint32_t>(value));
        std::copy(writer.view().begin(), writer.view().end(),
                  out.begin() + static_cast<std::ptrdiff_t>(at));
    };
    for (const auto& [signature_bytes, component] : cases) {
        Bytes quote = version_4_quote();
        put_u32(quote, signature_size_at, signature_bytes);
        put_u32(quote, certification_type_at + 2,
                std::max(signature_bytes, envelope_bytes) - envelope_bytes);
        const auto parsed = parse_quote(quote);
        EXPECT_EQ(parsed.error().code, ErrorCode::quote_malformed);
        EXPECT_TRUE(parsed.error().detail.starts_with(component)) << parsed.error().detail;
    }
    const Bytes whole = version_5_quote(3, 648, 648);
    const auto detail_of_first = [&](size_t byte_count) {
        return parse_quote(ByteView(whole).first(byte_count)).error().detail;
    };
    EXPECT_TRUE(detail_of_first(53).starts_with("body descriptor: "));
    EXPECT_TRUE(detail_of_first(701).starts_with("report: "));
    EXPECT_TRUE(detail_of_first(705).starts_with("signature size: "));
    EXPECT_TRUE(detail_of_first(706).starts_with("signature: "));
}

TEST(quote, rejects_other_certification_data) {
    Bytes quote = version_4_quote();
    quote[certification_type_at] = 5;
    EXPECT_EQ(code_of(quote), ErrorCode::quote_unsupported);
}

TEST(quote, rejects_more_than_its_limits) {
    Bytes quote = version_4_quote();
    quote.resize(quote_bytes_max);
    EXPECT_TRUE(parse_quote(quote));
    quote.push_back(0);
    EXPECT_EQ(code_of(quote), ErrorCode::quote_malformed);
    Bytes auth_data = version_4_quote();
    auth_data[auth_size_at + 1] = 0xff;
    EXPECT_EQ(parse_quote(auth_data).error().detail,
              "QE auth data size: have 65303, need at most 1024");
    test::TestPlatform large;
    large.pck.extensions.push_back({.oid = {0x2a, 0x03}, .value = Bytes(12000)});
    EXPECT_TRUE(parse_quote(large.quote()).error().detail.starts_with("PCK chain size: have "));
}

TEST(quote, knows_where_it_ends) {
    Bytes quote = version_4_quote();
    const size_t size_bytes = quote.size();
    EXPECT_EQ(parse_quote(quote).value().size_bytes, size_bytes);
    quote.resize(8000);
    EXPECT_EQ(parse_quote(quote).value().size_bytes, size_bytes);
}

TEST(quote, an_error_names_component_have_and_need) {
    const auto short_quote = parse_quote(Bytes(47));
    EXPECT_EQ(short_quote.error().detail, "header: at byte 0: have 47 bytes, need 48");
}

}  // namespace
}  // namespace teetee::attest
