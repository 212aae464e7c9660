// SPDX-License-Identifier: Apache-2.0
#include "attest/collateral.hpp"

#include <functional>

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "attest/limits.hpp"
#include "attest/openssl_test_certificate.hpp"
#include "attest/test_platform.hpp"
#include "attest/time_text.hpp"
#include "base/strict_json.hpp"

namespace teetee::attest {
namespace {

using test::TestPlatform;
namespace json = boost::json;

constexpr UnixSeconds day_s = 24 * 3600;

ErrorCode code_of(const Collateral& collateral, UnixSeconds now = test::now) {
    const auto verified = verify_collateral(collateral, TestPlatform().roots(), now);
    EXPECT_EQ(ERR_peek_error(), 0u);
    return verified ? ErrorCode{} : verified.error().code;
}

TEST(collateral, encoding_round_trip) {
    const Collateral collateral = TestPlatform().collateral();
    EXPECT_EQ(parse_collateral(encode_collateral(collateral)).value(), collateral);
}

TEST(collateral, rejects_missing_unknown_and_repeated_keys_and_other_types) {
    const auto whole = json::parse(encode_collateral(TestPlatform().collateral())).as_object();
    const auto code = [](const json::object& object) {
        const auto parsed = parse_collateral(json::serialize(object));
        return parsed ? ErrorCode{} : parsed.error().code;
    };
    for (const auto& member : whole) {
        json::object changed = whole;
        changed.erase(member.key());
        EXPECT_EQ(code(changed), ErrorCode::collateral_malformed) << member.key();
        changed[member.key()] = 1;
        EXPECT_EQ(code(changed), ErrorCode::collateral_malformed) << member.key();
    }
    for (const char* key : {"root_ca_crl", "pck_crl", "tcb_info_signature"}) {
        json::object changed = whole;
        changed[key] = "zz";
        EXPECT_EQ(code(changed), ErrorCode::collateral_malformed) << key;
    }
    json::object extended = whole;
    extended["pck_certificate_chain"] = "";
    EXPECT_EQ(code(extended), ErrorCode{});
    extended["extra"] = "";
    EXPECT_EQ(code(extended), ErrorCode::collateral_malformed);
    for (const char* text : {"", "[]", "{", R"({"pck_crl":"","pck_crl":""})"}) {
        EXPECT_EQ(parse_collateral(text).error().code, ErrorCode::collateral_malformed) << text;
    }
    EXPECT_FALSE(parse_collateral(std::string(collateral_bytes_max + 1, ' ')));
}

TEST(collateral, takes_the_services_answers_as_they_are) {
    const std::string body = "{ \"a\" : [1, \"}\\\"\", {}] }";
    const std::string signature(128, 'a');
    const auto answer = [&](const std::string& middle) {
        return "{\"tcbInfo\":" + middle + ",\"signature\":\"" + signature + "\"}";
    };
    EXPECT_EQ(parse_pcs_document(answer(body), "tcbInfo").value().body, body);
    EXPECT_EQ(parse_pcs_document(answer("  " + body + "\n"), "tcbInfo").value().body, body);
    for (const std::string& text :
         {answer("[]"), answer("1"), answer(body) + "x", std::string("{}"), std::string("[]"),
          "{\"tcbInfo\":" + body + "}",
          "{\"tcb\\u0049nfo\":{},\"signature\":\"" + signature + "\"}",
          "{\"tcbInfo\":{},\"tcbInfo\":{},\"signature\":\"" + signature + "\"}",
          std::string(R"({"tcbInfo":{},"signature":"aa"})")}) {
        EXPECT_EQ(parse_pcs_document(text, "tcbInfo").error().code, ErrorCode::collateral_malformed)
            << text;
    }
}

TEST(strict_json, finds_the_raw_text_of_a_member) {
    const std::string text = R"( { "a" : "x\",}" , "b": [ {"c":[]}, 2 ] ,"c":-1.5e3,"d":{"a":0}})";
    EXPECT_EQ(raw_member(text, "a").value(), R"("x\",}")");
    EXPECT_EQ(raw_member(text, "b").value(), R"([ {"c":[]}, 2 ])");
    EXPECT_EQ(raw_member(text, "c").value(), "-1.5e3");
    EXPECT_EQ(raw_member(text, "d").value(), R"({"a":0})");
    EXPECT_EQ(raw_member(text, "e").error().code, ErrorCode::not_found);
    for (const char* none : {"", "{}", "[]", "1", " "}) EXPECT_FALSE(raw_member(none, "a"));
}

// It is asked only about whole objects; of others nothing beyond their end may be read.
TEST(strict_json, looks_for_a_member_no_further_than_the_text_goes) {
    const std::string text = R"( { "a" : "x\"" , "b": [ {"c":[]}, 2 ] ,"d":{"a":0}, "e":-1.5e3)";
    for (size_t size = 0; size < text.size(); ++size) {
        const Bytes cut(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(raw_member(as_text(cut), "z").error().code, ErrorCode::not_found) << size;
    }
}

TEST(collateral, is_verified_and_says_when_it_was_issued_and_runs_out) {
    const auto verified =
        verify_collateral(TestPlatform().collateral(), TestPlatform().roots(), test::now).value();
    EXPECT_EQ(verified.issued(), test::now - day_s);
    EXPECT_EQ(verified.expires(), test::now + 29 * day_s);
    EXPECT_TRUE(verify_in_date(verified, test::now));
    EXPECT_TRUE(verify_in_date(verified, verified.issued()));
    EXPECT_TRUE(verify_in_date(verified, verified.expires()));
    EXPECT_EQ(verify_in_date(verified, verified.issued() - 1).error().code,
              ErrorCode::collateral_expired);
    EXPECT_EQ(verify_in_date(verified, verified.expires() + 1).error().code,
              ErrorCode::collateral_expired);
}

TEST(collateral, expires_with_each_of_its_parts) {
    using Change = std::function<void(TestPlatform&, UnixSeconds from, UnixSeconds to)>;
    const std::pair<const char*, Change> parts[] = {
        {"root CRL",
         [](TestPlatform& p, UnixSeconds from, UnixSeconds to) {
             p.root_crl.this_update = from;
             p.root_crl.next_update = to;
         }},
        {"PCK CRL",
         [](TestPlatform& p, UnixSeconds from, UnixSeconds to) {
             p.pck_crl.this_update = from;
             p.pck_crl.next_update = to;
         }},
        {"TCB info",
         [](TestPlatform& p, UnixSeconds from, UnixSeconds to) {
             p.tcb_info["issueDate"] = format_utc(from);
             p.tcb_info["nextUpdate"] = format_utc(to);
         }},
        {"QE identity",
         [](TestPlatform& p, UnixSeconds from, UnixSeconds to) {
             p.qe_identity["issueDate"] = format_utc(from);
             p.qe_identity["nextUpdate"] = format_utc(to);
         }},
        {"PCK CRL issuer",
         [](TestPlatform& p, UnixSeconds from, UnixSeconds to) {
             p.platform_ca.not_before = from;
             p.platform_ca.not_after = to;
         }},
        {"TCB info signer",
         [](TestPlatform& p, UnixSeconds from, UnixSeconds to) {
             p.signer.not_before = from;
             p.signer.not_after = to;
         }},
    };
    for (const auto& [name, change] : parts) {
        SCOPED_TRACE(name);
        const auto code_between = [&change = change](UnixSeconds from, UnixSeconds to) {
            TestPlatform platform;
            change(platform, from, to);
            return code_of(platform.collateral());
        };
        EXPECT_EQ(code_between(test::now, test::now), ErrorCode{});
        EXPECT_EQ(code_between(test::now - 10, test::now - 1), ErrorCode::collateral_expired);
        EXPECT_EQ(code_between(test::now + 1, test::now + 10), ErrorCode::collateral_expired);
        TestPlatform late;
        change(late, test::now - 10, test::now - 1);
        const auto verified = verify_collateral(late.collateral(), late.roots(), test::now);
        EXPECT_TRUE(verified.error().detail.starts_with(name)) << verified.error().detail;
    }
}

TEST(collateral, rejects_documents_with_any_bit_changed) {
    const Collateral good = TestPlatform().collateral();
    for (SignedDocument Collateral::*which : {&Collateral::tcb_info, &Collateral::qe_identity}) {
        for (size_t i = 0; i < (good.*which).body.size(); i += 31) {
            Collateral changed = good;
            (changed.*which).body[i] = static_cast<char>((changed.*which).body[i] ^ 1);
            EXPECT_EQ(code_of(changed), ErrorCode::collateral_signature_invalid) << i;
        }
        Collateral space = good;
        (space.*which).body += " ";
        EXPECT_EQ(code_of(space), ErrorCode::collateral_signature_invalid);
        Collateral changed = good;
        (changed.*which).signature[5] ^= 1;
        EXPECT_EQ(code_of(changed), ErrorCode::collateral_signature_invalid);
    }
    Collateral swapped = good;
    std::swap(swapped.tcb_info.signature, swapped.qe_identity.signature);
    EXPECT_EQ(code_of(swapped), ErrorCode::collateral_signature_invalid);
}

TEST(collateral, rejects_lists_with_any_byte_changed) {
    const Collateral good = TestPlatform().collateral();
    for (Bytes Collateral::*which : {&Collateral::root_ca_crl, &Collateral::pck_crl}) {
        for (size_t i = 0; i < (good.*which).size(); ++i) {
            Collateral changed = good;
            (changed.*which)[i] ^= 1;
            EXPECT_NE(code_of(changed), ErrorCode{}) << i;
        }
        Collateral longer = good;
        (longer.*which).push_back(0);
        EXPECT_EQ(code_of(longer), ErrorCode::collateral_malformed);
        Collateral none = good;
        (none.*which).clear();
        EXPECT_EQ(code_of(none), ErrorCode::collateral_malformed);
        Collateral large = good;
        (large.*which).resize(crl_bytes_max + 1);
        EXPECT_EQ(code_of(large), ErrorCode::collateral_malformed);
    }
    Collateral swapped = good;
    std::swap(swapped.root_ca_crl, swapped.pck_crl);
    EXPECT_EQ(code_of(swapped), ErrorCode::collateral_mismatch);
}

// A list that covers only some certificates says so in a critical extension.
TEST(collateral, rejects_lists_with_critical_extensions) {
    TestPlatform platform;
    platform.pck_crl.critical_extensions = {
        {.oid = from_hex("551d1c").value(), .value = from_hex("3000").value()}};
    EXPECT_EQ(code_of(platform.collateral()), ErrorCode::collateral_malformed);
}

TEST(collateral, rejects_a_list_signed_by_another_key_under_the_right_name) {
    const TestPlatform platform;
    Collateral forged = platform.collateral();
    forged.pck_crl = build_crl(platform.pck_crl, platform.pki.root_key()).value();
    EXPECT_EQ(code_of(forged), ErrorCode::collateral_signature_invalid);
    // The issuer of lists must be allowed to issue them.
    TestPlatform no_ca;
    no_ca.platform_ca.ca_path_length.reset();
    EXPECT_EQ(code_of(no_ca.collateral()), ErrorCode::collateral_signature_invalid);
}

TEST(collateral, rejects_documents_by_others_than_their_signer) {
    const TestPlatform platform;
    const Collateral good = platform.collateral();
    // The platform CA is under the root too, and signs validly.
    Collateral by_ca = good;
    by_ca.tcb_info_issuer_chain = good.pck_crl_issuer_chain;
    EXPECT_EQ(code_of(by_ca), ErrorCode::certificate_chain_invalid);
    by_ca = good;
    by_ca.qe_identity_issuer_chain = good.pck_crl_issuer_chain;
    EXPECT_EQ(code_of(by_ca), ErrorCode::certificate_chain_invalid);
    TestPlatform named;
    named.signer.subject_name = "another";
    EXPECT_EQ(code_of(named.collateral()), ErrorCode::certificate_chain_invalid);
    TestPlatform ca;
    ca.signer.ca_path_length = 0;
    EXPECT_EQ(code_of(ca.collateral()), ErrorCode::certificate_chain_invalid);
    test::OpensslCertificate agreeing;
    agreeing.subject = platform.signer.subject_name;
    agreeing.issuer = platform.signer.issuer_name;
    agreeing.key = platform.pki.document_key().handle();
    agreeing.issuer_key = platform.pki.root_key().handle();
    agreeing.not_after = test::now + day_s;
    agreeing.known_extensions = {{NID_key_usage, "critical,keyAgreement"}};
    Collateral not_signing = good;
    not_signing.tcb_info_issuer_chain = pem_of_certificate(agreeing.build()) + platform.root_pem();
    const auto refused = verify_collateral(not_signing, platform.roots(), test::now);
    EXPECT_EQ(refused.error().code, ErrorCode::certificate_chain_invalid);
    EXPECT_NE(refused.error().detail.find("may not sign documents"), std::string::npos)
        << refused.error().detail;
}

TEST(collateral, rejects_chains_that_are_short_long_or_of_another_root) {
    const TestPlatform platform;
    const Collateral good = platform.collateral();
    const Collateral other = test::make_tee({}, 2).collateral(test::now).value();
    for (std::string Collateral::*chain :
         {&Collateral::pck_crl_issuer_chain, &Collateral::tcb_info_issuer_chain,
          &Collateral::qe_identity_issuer_chain}) {
        Collateral changed = good;
        changed.*chain = "";
        EXPECT_EQ(code_of(changed), ErrorCode::certificate_chain_invalid);
        changed.*chain = platform.root_pem();
        EXPECT_EQ(code_of(changed), ErrorCode::certificate_chain_invalid);
        changed.*chain = good.*chain + platform.root_pem();
        EXPECT_EQ(code_of(changed), ErrorCode::certificate_malformed);
        changed.*chain = "x";
        EXPECT_EQ(code_of(changed), ErrorCode::certificate_malformed);
        test::OpensslCertificate forged;
        forged.subject = platform.signer.subject_name;
        forged.issuer = platform.signer.issuer_name;
        forged.key = platform.pki.document_key().handle();
        forged.issuer_key = platform.pki.platform_ca_key().handle();
        changed.*chain = pem_of_certificate(forged.build()) + platform.root_pem();
        EXPECT_EQ(code_of(changed), ErrorCode::certificate_chain_invalid);
        changed.*chain = other.*chain;
        EXPECT_EQ(code_of(changed), ErrorCode::root_untrusted);
        // Both roots pinned: parts of two PKIs do not make one.
        TrustedRoots both = platform.roots();
        ASSERT_TRUE(both.add_pem(test::make_tee({}, 2).root_pem()));
        EXPECT_FALSE(verify_collateral(changed, both, test::now));
    }
    TrustedRoots both = platform.roots();
    ASSERT_TRUE(both.add_pem(test::make_tee({}, 2).root_pem()));
    Collateral mixed = good;
    mixed.tcb_info = other.tcb_info;
    mixed.tcb_info_issuer_chain = other.tcb_info_issuer_chain;
    EXPECT_EQ(verify_collateral(mixed, both, test::now).error().code,
              ErrorCode::collateral_mismatch);
    // A whole one of the other PKI does not speak for this platform.
    const auto foreign = verify_collateral(other, both, test::now).value();
    EXPECT_EQ(verify_quote({.quote = platform.quote(), .collateral = &foreign}, both, test::now)
                  .error()
                  .code,
              ErrorCode::collateral_mismatch);
}

TEST(collateral, rejects_whatever_a_revoked_certificate_has_signed) {
    const auto revoked_in_root_list = [](CertificateFields TestPlatform::*which) {
        TestPlatform platform;
        platform.root_crl.revoked_serials = {ByteArray<16>{1}, (platform.*which).serial,
                                             ByteArray<16>{2}};
        return platform.code();
    };
    EXPECT_EQ(revoked_in_root_list(&TestPlatform::signer), ErrorCode::certificate_revoked);
    EXPECT_EQ(revoked_in_root_list(&TestPlatform::platform_ca), ErrorCode::certificate_revoked);
    TestPlatform root;
    root.root_crl.revoked_serials = {root.pki.root_fields().serial};
    EXPECT_EQ(root.code(), ErrorCode::certificate_revoked);
    TestPlatform pck;
    pck.pck_crl.revoked_serials = {pck.pck.serial};
    EXPECT_EQ(pck.code(), ErrorCode::certificate_revoked);
    EXPECT_TRUE(pck.detail().starts_with("PCK: have serial ")) << pck.detail();
    TestPlatform others;
    others.pck_crl.revoked_serials = {ByteArray<16>{1}, ByteArray<16>{2}};
    EXPECT_EQ(others.status(), TcbStatus::up_to_date);
}

// The PCK list of another CA under the same root does not name this CA's certificates.
TEST(collateral, rejects_the_list_of_another_pck_ca) {
    const TestPlatform platform;
    TestPlatform other;
    other.platform_ca.subject_name = "TeeTee DEV PCK Processor CA SIMULATED";
    other.pck_crl.issuer_name = other.platform_ca.subject_name;
    const auto collateral = verify_collateral(other.collateral(), other.roots(), test::now).value();
    EXPECT_EQ(verify_quote({.quote = platform.quote(), .collateral = &collateral}, platform.roots(),
                           test::now)
                  .error()
                  .code,
              ErrorCode::collateral_mismatch);
}

// Neither does that of a CA that only bears its name.
TEST(collateral, rejects_the_list_of_a_pck_ca_with_another_key) {
    const auto key = crypto::P256Key::derive(ByteArray<32>{7}).value();
    TestPlatform other;
    other.platform_ca.spki_der = key.spki_der();
    Collateral collateral = other.collateral();
    collateral.pck_crl = build_crl(other.pck_crl, key).value();
    const auto verified = verify_collateral(collateral, other.roots(), test::now).value();
    const auto refused = verify_quote({.quote = TestPlatform().quote(), .collateral = &verified},
                                      other.roots(), test::now);
    EXPECT_EQ(refused.error().code, ErrorCode::collateral_mismatch);
    EXPECT_TRUE(refused.error().detail.starts_with("PCK CRL: ")) << refused.error().detail;
}

// A CA may have had two certificates for its key: the one in the quote counts for the quote.
TEST(collateral, rejects_a_quote_whose_own_ca_certificate_is_revoked) {
    TestPlatform quoted;
    quoted.platform_ca.serial = ByteArray<16>{0x55};
    TestPlatform platform;
    platform.root_crl.revoked_serials = {quoted.platform_ca.serial};
    const auto verified =
        verify_collateral(platform.collateral(), platform.roots(), test::now).value();
    const auto refused = verify_quote({.quote = quoted.quote(), .collateral = &verified},
                                      platform.roots(), test::now);
    EXPECT_EQ(refused.error().code, ErrorCode::certificate_revoked);
    EXPECT_TRUE(refused.error().detail.starts_with("PCK CA: have serial 55"))
        << refused.error().detail;
}

TEST(collateral, that_was_verified_earlier_is_not_used_beyond_its_time) {
    const TestPlatform platform;
    const auto collateral =
        verify_collateral(platform.collateral(), platform.roots(), test::now).value();
    const Bytes quote = platform.quote();
    const auto at = [&](UnixSeconds time) {
        return verify({.quote = quote, .collateral = &collateral}, platform.roots(), time);
    };
    EXPECT_TRUE(at(test::now).accepted());
    EXPECT_TRUE(at(collateral.expires()).accepted());
    EXPECT_EQ(at(collateral.expires() + 1).error->code, ErrorCode::collateral_expired);
}

}  // namespace
}  // namespace teetee::attest
