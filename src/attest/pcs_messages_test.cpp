// SPDX-License-Identifier: Apache-2.0
#include "attest/pcs_messages.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "attest/limits.hpp"
#include "attest/pcs_fakes.hpp"
#include "attest/test_platform.hpp"

namespace teetee::attest {
namespace {

using test::TestPlatform;

PcsAnswers good_answers() {
    return test::pcs_answers(TestPlatform().collateral());
}

Error error_of(const std::function<void(PcsAnswers&)>& change) {
    PcsAnswers answers = good_answers();
    change(answers);
    const auto parsed = parse_pcs_answers(answers);
    EXPECT_FALSE(parsed);
    return parsed ? Error{} : parsed.error();
}

TEST(pcs, is_asked_at_the_documented_places) {
    PlatformId platform{TeeType::tdx, array_from_hex<6>("00806f050000").value(), PckCa::platform};
    EXPECT_EQ(pcs_tcb_info_target(platform, TcbUpdate::standard),
              "/tdx/certification/v4/tcb?fmspc=00806f050000&update=standard");
    EXPECT_EQ(pcs_qe_identity_target(TeeType::tdx, TcbUpdate::early),
              "/tdx/certification/v4/qe/identity?update=early");
    platform.tee = TeeType::sgx;
    EXPECT_EQ(pcs_tcb_info_target(platform, TcbUpdate::early),
              "/sgx/certification/v4/tcb?fmspc=00806f050000&update=early");
    EXPECT_EQ(pcs_qe_identity_target(TeeType::sgx, TcbUpdate::standard),
              "/sgx/certification/v4/qe/identity?update=standard");
    EXPECT_EQ(pcs_pck_crl_target(PckCa::platform),
              "/sgx/certification/v4/pckcrl?ca=platform&encoding=der");
    EXPECT_EQ(pcs_pck_crl_target(PckCa::processor),
              "/sgx/certification/v4/pckcrl?ca=processor&encoding=der");
}

TEST(pcs, answers_give_the_exact_collateral) {
    const Collateral need = TestPlatform().collateral();
    EXPECT_EQ(parse_pcs_answers(test::pcs_answers(need)).value(), need);
    EXPECT_NE(good_answers().tcb_info.headers.at("tcb-info-issuer-chain").find("%0A"),
              std::string::npos);
}

TEST(pcs, mirrors_may_write_lists_in_hex_and_the_older_header) {
    const Collateral need = TestPlatform().collateral();
    PcsAnswers answers = test::pcs_answers(need);
    answers.pck_crl.body = to_hex(need.pck_crl);
    answers.root_crl.body = to_hex(need.root_ca_crl) + "\r\n";
    auto header = answers.tcb_info.headers.extract("tcb-info-issuer-chain");
    header.key() = "sgx-tcb-info-issuer-chain";
    answers.tcb_info.headers.insert(std::move(header));
    EXPECT_EQ(parse_pcs_answers(answers).value(), need);
    answers.root_crl.body = std::string(as_text(need.root_ca_crl));
    EXPECT_EQ(parse_pcs_answers(answers).value(), need);
}

// Base64 has '+', and RFC 3986 gives it no other meaning.
TEST(pcs, a_plus_in_a_chain_stays_one) {
    PcsAnswers answers = good_answers();
    answers.pck_crl.headers["sgx-pck-crl-issuer-chain"] = "a+b%2Bc%2bd%0Ae";
    EXPECT_EQ(parse_pcs_answers(answers)->pck_crl_issuer_chain, "a+b+c+d\ne");
}

TEST(pcs, refuses_answers_without_a_chain_naming_the_header) {
    const std::pair<PcsAnswer PcsAnswers::*, const char*> parts[] = {
        {&PcsAnswers::tcb_info, "tcb-info-issuer-chain"},
        {&PcsAnswers::qe_identity, "sgx-enclave-identity-issuer-chain"},
        {&PcsAnswers::pck_crl, "sgx-pck-crl-issuer-chain"}};
    for (const auto& [part, name] : parts) {
        const auto with = [&, part = part, name = name](const char* value) {
            return error_of([&](PcsAnswers& answers) {
                (answers.*part).headers.erase(name);
                if (value != nullptr) (answers.*part).headers[name] = value;
            });
        };
        EXPECT_EQ(with(nullptr).code, ErrorCode::collateral_malformed);
        EXPECT_NE(with(nullptr).detail.find(name), std::string::npos) << with(nullptr).detail;
        for (const char* value : {"%", "%4", "%zz", "abc%", "%0x41", "%4%31"}) {
            EXPECT_EQ(with(value).code, ErrorCode::collateral_malformed) << value;
        }
        EXPECT_EQ(with(std::string(pcs_chain_bytes_max + 1, 'a').c_str()).code,
                  ErrorCode::collateral_malformed);
    }
}

TEST(pcs, refuses_bodies_of_another_form) {
    for (PcsAnswer PcsAnswers::*part : {&PcsAnswers::tcb_info, &PcsAnswers::qe_identity}) {
        for (const char* body : {"", "{}", "<html>busy</html>", R"({"tcbInfo":{}})"}) {
            EXPECT_EQ(error_of([&](PcsAnswers& a) { (a.*part).body = body; }).code,
                      ErrorCode::collateral_malformed)
                << body;
        }
    }
    for (PcsAnswer PcsAnswers::*part : {&PcsAnswers::pck_crl, &PcsAnswers::root_crl}) {
        for (const char* body : {"", "\n", "30821", "-----BEGIN X509 CRL-----", "3g"}) {
            EXPECT_EQ(error_of([&](PcsAnswers& a) { (a.*part).body = body; }).code,
                      ErrorCode::collateral_malformed)
                << body;
        }
    }
    const auto swapped = [](PcsAnswers& a) { std::swap(a.tcb_info.body, a.qe_identity.body); };
    EXPECT_EQ(error_of(swapped).code, ErrorCode::collateral_malformed);
}

}  // namespace
}  // namespace teetee::attest
