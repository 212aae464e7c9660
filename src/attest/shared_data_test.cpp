// SPDX-License-Identifier: Apache-2.0
// Every real, mutated and synthetic case of the shared data folder: quote, collateral and time in,
// verdict, TCB status and advisories out.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "attest/intel.hpp"
#include "attest/policy.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

const std::string folder = std::string(TEETEE_SHARED_DATA) + "/attestation/";

std::string read_file(const std::string& name) {
    std::ifstream file(folder + name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Bytes read_bytes(const std::string& name) {
    const std::string text = read_file(name);
    return Bytes(text.begin(), text.end());
}

std::string text_of(const json::value& object, const char* key) {
    return std::string(object.at(key).as_string());
}

#define TT_REQUIRE_SHARED_DATA() \
    if (read_file("manifest.json").empty()) GTEST_SKIP() << "no shared data"

// What came of a quote with its collateral.
Verdict judge(ByteView quote, const std::string& collateral_json, const TrustedRoots& roots,
              UnixSeconds now) {
    const auto parsed = parse_collateral(collateral_json);
    if (!parsed) return {.quote = std::nullopt, .error = parsed.error()};
    const auto collateral = verify_collateral(*parsed, roots, now);
    if (!collateral) return {.quote = std::nullopt, .error = collateral.error()};
    return verify({.quote = quote, .collateral = &*collateral}, roots, now);
}

// The codes with which a fault of the index may be rejected: whichever of its consequences is met
// first. A fault not named here may have any.
const std::map<std::string, std::set<ErrorCode>> codes_of_faults = {
    {"QUOTE_SIG", {ErrorCode::quote_signature_invalid}},
    {"QE_REPORT_SIG", {ErrorCode::qe_report_invalid}},
    {"QE_REPORT_DATA", {ErrorCode::qe_report_invalid}},
    {"PCK_CHAIN_SHORT", {ErrorCode::certificate_chain_invalid, ErrorCode::certificate_malformed}},
    {"PCK_CHAIN_REVOKED", {ErrorCode::certificate_revoked}},
    {"TCB_INFO_CHAIN_REVOKED", {ErrorCode::certificate_revoked}},
    {"TCB_INFO_CHAIN_CN", {ErrorCode::certificate_chain_invalid}},
    {"TCB_INFO_CHAIN_ROOT", {ErrorCode::root_untrusted}},
    {"TCB_INFO_TYPE", {ErrorCode::collateral_mismatch, ErrorCode::collateral_malformed}},
    {"QE_IDENTITY_TYPE", {ErrorCode::collateral_mismatch}},
    {"FMSPC_MISMATCH", {ErrorCode::collateral_mismatch}},
    {"TCB_INFO_FORMAT", {ErrorCode::collateral_malformed}},
    {"PCK_CRL_SIG", {ErrorCode::collateral_signature_invalid}},
    {"ROOT_CRL_SIG", {ErrorCode::collateral_signature_invalid}},
    {"PCK_CRL_PARSE", {ErrorCode::collateral_malformed}},
    {"ROOT_CRL_EXPIRED", {ErrorCode::collateral_expired, ErrorCode::certificate_expired}},
    {"PCK_CRL_EXPIRED", {ErrorCode::collateral_expired}},
    {"QE_MRSIGNER", {ErrorCode::qe_identity_mismatch}},
    {"QE_ATTRIBUTES", {ErrorCode::qe_identity_mismatch}},
    {"QE_MISCSELECT", {ErrorCode::qe_identity_mismatch}},
    {"QE_TCB_NOT_SUPPORTED", {ErrorCode::tcb_level_missing}},
    {"TCB_NOT_SUPPORTED", {ErrorCode::tcb_level_missing}},
    {"TDX_MODULE_MISMATCH", {ErrorCode::tdx_module_mismatch}},
};

void expect_status(const json::value& expected, const Verdict& verdict) {
    ASSERT_TRUE(verdict.quote) << verdict.error->message();
    const TcbEvaluation& tcb = *verdict.quote->tcb;
    const std::string status = text_of(expected, "status");
    EXPECT_EQ(to_string(tcb.status), status);
    EXPECT_EQ(verdict.accepted(), status != "Revoked");
    std::vector<std::string> advisories;
    for (const auto& one : expected.at("advisory_ids").as_array()) {
        advisories.emplace_back(one.as_string());
    }
    EXPECT_EQ(tcb.advisories, advisories);
    const json::object& fields = expected.as_object();
    if (!fields.contains("platform_status")) return;
    EXPECT_EQ(to_string(tcb.platform_status), text_of(expected, "platform_status"));
    EXPECT_EQ(to_string(tcb.qe_status), text_of(expected, "qe_status"));
    if (fields.at("module_status").is_string() && tcb.module_status) {
        EXPECT_EQ(to_string(*tcb.module_status), text_of(expected, "module_status"));
    }
}

void expect_rejected(const json::value& expected, const Verdict& verdict) {
    EXPECT_FALSE(verdict.quote) << "no status is to be reported";
    ASSERT_FALSE(verdict.accepted());
    if (!expected.as_object().contains("code")) return;
    const std::string fault = text_of(expected, "code");
    const auto codes = codes_of_faults.find(fault);
    if (codes == codes_of_faults.end()) return;
    EXPECT_TRUE(codes->second.contains(verdict.error->code))
        << fault << " gave " << verdict.error->message();
}

// Says how many of the cases came out as expected; each that did not has failed its test.
class Count {
  public:
    explicit Count(const char* what) : what_(what) {}
    void check(const json::value& expected, const Verdict& verdict) {
        const bool failed_before = ::testing::Test::HasFailure();
        const bool accept = expected.as_object().contains("status");
        if (accept) {
            expect_status(expected, verdict);
        } else {
            expect_rejected(expected, verdict);
        }
        // What is left in OpenSSL's queue, TLS would take for its own failure.
        EXPECT_EQ(ERR_peek_error(), 0u);
        ++total_;
        accepted_ += accept ? 1 : 0;
        equal_ += ::testing::Test::HasFailure() && !failed_before ? 0 : 1;
    }
    ~Count() {
        std::cout << what_ << ": " << equal_ << " of " << total_ << " verdicts as expected, "
                  << accepted_ << " with a status, " << total_ - accepted_ << " rejected\n";
    }
    size_t total() const { return total_; }

  private:
    const char* what_;
    size_t total_ = 0;
    size_t accepted_ = 0;
    size_t equal_ = 0;
};

TEST(shared_data, agrees_on_every_real_set) {
    TT_REQUIRE_SHARED_DATA();
    const auto manifest = json::parse(read_file("manifest.json"));
    Count count("real sets");
    for (const auto& set : manifest.at("sets").as_array()) {
        SCOPED_TRACE(text_of(set, "id"));
        const auto verdict =
            judge(read_bytes(text_of(set, "quote")), read_file(text_of(set, "collateral")),
                  TrustedRoots::intel(), set.at("time").as_int64());
        count.check(set.at("expected"), verdict);
        EXPECT_FALSE(verdict.quote && verdict.quote->simulated);
    }
    EXPECT_GT(count.total(), 100u);
}

TEST(shared_data, agrees_on_every_mutated_real_set) {
    TT_REQUIRE_SHARED_DATA();
    const auto index = json::parse(read_file("negative/index.json"));
    const Bytes blob = read_bytes("negative/quotes.blob");
    Count count("mutated real sets");
    for (const auto& test : index.as_array()) {
        SCOPED_TRACE(text_of(test, "id") + " " + text_of(test, "kind") + " " +
                     text_of(test, "desc"));
        Bytes quote;
        if (const auto* offset = test.as_object().if_contains("offset")) {
            const auto part =
                ByteView(blob).subspan(static_cast<size_t>(offset->as_int64()),
                                       static_cast<size_t>(test.at("length").as_int64()));
            quote.assign(part.begin(), part.end());
        } else {
            quote = read_bytes(text_of(test, "quote"));
        }
        count.check(test.at("expected"), judge(quote, read_file(text_of(test, "collateral")),
                                               TrustedRoots::intel(), test.at("time").as_int64()));
    }
    EXPECT_GT(count.total(), 400u);
}

TEST(shared_data, agrees_on_every_set_of_the_test_pki) {
    TT_REQUIRE_SHARED_DATA();
    TrustedRoots roots;
    ASSERT_TRUE(roots.add_pem(read_file("roots/synthetic_test_root.pem")));
    Count count("sets of the test PKI");
    const auto index = json::parse(read_file("synthetic/index.json"));
    for (const auto& test : index.as_array()) {
        const std::string name = text_of(test, "name");
        SCOPED_TRACE(name);
        const Bytes quote = read_bytes("synthetic/" + name + ".quote.bin");
        const std::string collateral = read_file("synthetic/" + name + ".collateral.json");
        const UnixSeconds time = test.at("time").as_int64();
        const auto verdict = judge(quote, collateral, roots, time);
        // Intel's parser takes one of two keys in silence; here documents with two are malformed.
        if (name == "tcb_dupkey") {
            EXPECT_EQ(verdict.error->code, ErrorCode::collateral_malformed);
            continue;
        }
        count.check(test.at("expected"), verdict);
        EXPECT_FALSE(judge(quote, collateral, TrustedRoots::intel(), time).accepted());
    }
    EXPECT_GT(count.total(), 50u);
}

TEST(shared_data, reads_every_field_of_real_quotes) {
    TT_REQUIRE_SHARED_DATA();
    const auto manifest = json::parse(read_file("manifest.json"));
    size_t tdx_count = 0;
    size_t sgx_count = 0;
    std::map<std::string, json::value> quotes;
    for (const auto& entry : manifest.at("quotes").as_array()) {
        quotes[text_of(entry, "file")] = entry;
    }
    for (const auto& set : manifest.at("sets").as_array()) {
        SCOPED_TRACE(text_of(set, "id"));
        const auto& entry = quotes.at(text_of(set, "quote"));
        const auto verified = verify_quote(read_bytes(text_of(set, "quote")), TrustedRoots::intel(),
                                           set.at("time").as_int64());
        ASSERT_TRUE(verified) << verified.error().message();
        const PckPlatform& platform = verified->pck.platform;
        EXPECT_EQ(to_hex(platform.fmspc), text_of(entry, "fmspc"));
        EXPECT_EQ(to_hex(platform.ppid), text_of(entry, "ppid"));
        EXPECT_EQ(to_hex(platform.pceid), text_of(entry, "pceid"));
        EXPECT_EQ(to_hex(platform.cpusvn), text_of(entry, "pck_cpusvn"));
        EXPECT_EQ(platform.pcesvn, entry.at("pck_pcesvn").as_int64());
        if (text_of(entry, "tee") != "tdx") {
            const auto& sgx = std::get<SgxReport>(verified->report);
            EXPECT_EQ(to_hex(sgx.report_data), text_of(entry, "report_data"));
            ++sgx_count;
            continue;
        }
        ++tdx_count;
        const TdReport& report = *verified->td_report();
        EXPECT_EQ(to_hex(report.tee_tcb_svn), text_of(entry, "tee_tcb_svn"));
        EXPECT_EQ(to_hex(report.mrseam), text_of(entry, "mrseam"));
        EXPECT_EQ(to_hex(report.mrtd), text_of(entry, "mrtd"));
        EXPECT_EQ(to_hex(report.mrconfigid), text_of(entry, "mrconfigid"));
        EXPECT_EQ(to_hex(report.mrowner), text_of(entry, "mrowner"));
        EXPECT_EQ(to_hex(report.mrownerconfig), text_of(entry, "mrownerconfig"));
        EXPECT_EQ(to_hex(report.report_data), text_of(entry, "report_data"));
        for (size_t i = 0; i < 4; ++i) {
            EXPECT_EQ(to_hex(report.rtmr[i]), std::string(entry.at("rtmr").at(i).as_string()));
        }
    }
    EXPECT_GT(tdx_count, 100u);
    EXPECT_GT(sgx_count, 10u);
}

TEST(shared_data, every_real_quote_without_a_set_verifies_too) {
    TT_REQUIRE_SHARED_DATA();
    constexpr UnixSeconds in_every_chain = 1780000000;
    const auto manifest = json::parse(read_file("manifest.json"));
    size_t count = 0;
    for (const auto& entry : manifest.at("quotes").as_array()) {
        const auto verified =
            verify_quote(read_bytes(text_of(entry, "file")), TrustedRoots::intel(), in_every_chain);
        // One names its platform, but brings no certificate for it.
        if (entry.at("cert_data_type").as_int64() != 5) {
            EXPECT_EQ(verified.error().code, ErrorCode::quote_unsupported);
            continue;
        }
        EXPECT_TRUE(verified) << text_of(entry, "file") << ": " << verified.error().message();
        ++count;
    }
    std::cout << count << " quotes verified\n";
    EXPECT_GT(count, 30u);
}

TEST(shared_data, the_pinned_root_is_intels_certificate) {
    TT_REQUIRE_SHARED_DATA();
    const auto root = parse_certificate(read_bytes("roots/intel_sgx_root_ca.der")).value();
    EXPECT_EQ(crypto::sha256(root.der), intel_root_fingerprint);
    EXPECT_EQ(to_hex(root.public_key),
              "0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f5"
              "67918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394");
    TrustedRoots by_pem;
    ASSERT_TRUE(by_pem.add_pem(read_file("roots/intel_sgx_root_ca.pem")));
    EXPECT_TRUE(by_pem.contains(intel_root_fingerprint));
}

// Documents as Intel's service gives them: the signed bytes are inside.
TEST(shared_data, finds_the_signed_bytes_in_answers_of_the_service) {
    TT_REQUIRE_SHARED_DATA();
    const auto bundle = parse_collateral(read_file("collateral/3ae73a4dbb68.json")).value();
    const auto wrap = [](const SignedDocument& document, const std::string& key) {
        return "{\"" + key + "\" : " + document.body + " ,\n\"signature\":\"" +
               to_hex(document.signature) + "\"}";
    };
    EXPECT_EQ(parse_pcs_document(wrap(bundle.tcb_info, "tcbInfo"), "tcbInfo").value(),
              bundle.tcb_info);
    EXPECT_EQ(
        parse_pcs_document(wrap(bundle.qe_identity, "enclaveIdentity"), "enclaveIdentity").value(),
        bundle.qe_identity);
    auto whole = json::parse(encode_collateral(bundle)).as_object();
    whole["tcb_info"] = wrap(bundle.tcb_info, "tcbInfo");
    whole.erase("tcb_info_signature");
    EXPECT_EQ(parse_collateral(json::serialize(whole)).value(), bundle);
}

// Years of documents as the service gave them. Identities of enclaves that sign no quotes are
// signed too.
TEST(shared_data, reads_every_document_of_the_service) {
    TT_REQUIRE_SHARED_DATA();
    const auto signer =
        parse_certificate(read_bytes("roots/intel_sgx_tcb_signing_2025-05-06_c0575e76.der"))
            .value();
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder + "raw_collateral")) {
        const std::string name = entry.path().filename();
        SCOPED_TRACE(name);
        ++count;
        if (name.starts_with("crl_")) {
            EXPECT_TRUE(parse_crl(read_bytes("raw_collateral/" + name)));
            continue;
        }
        const bool tcb = name.starts_with("tcb_");
        const auto document = parse_pcs_document(read_file("raw_collateral/" + name),
                                                 tcb ? "tcbInfo" : "enclaveIdentity");
        ASSERT_TRUE(document) << document.error().message();
        EXPECT_TRUE(crypto::verify_p256(signer.public_key, {.message = as_bytes(document->body),
                                                            .signature = document->signature}));
        const bool quotes = !name.starts_with("qe_QAE") && !name.starts_with("qe_QVE");
        EXPECT_EQ(tcb ? parse_tcb_info(document->body).has_value()
                      : parse_qe_identity(document->body).has_value(),
                  quotes);
    }
    EXPECT_GT(count, 50u);
}

// What Intel's library accepts and a policy must not.
TEST(shared_data, the_policy_refuses_unsafe_attributes) {
    TT_REQUIRE_SHARED_DATA();
    Policy policy;
    ASSERT_TRUE(policy.roots.add_pem(read_file("roots/synthetic_test_root.pem")));
    policy.allow_simulated = true;
    policy.require_collateral = false;
    for (const char* name : {"tdx4_debug", "tdx4_no_septve", "tdx4_reserved_attr", "tdx5_servicetd",
                             "tdx4_mrsignerseam", "tdx4_uptodate"}) {
        SCOPED_TRACE(name);
        constexpr UnixSeconds time = 1793534400;
        const Bytes quote = read_bytes(std::string("synthetic/") + name + ".quote.bin");
        const auto verified = verify_quote(quote, policy.roots, time).value();
        policy.measurements = {{.mrtd = verified.td_report()->mrtd, .rtmr = {}, .mrconfigid = {}}};
        const auto accepted = check_policy(verified, policy, time);
        if (std::string_view(name) == "tdx4_uptodate") {
            EXPECT_TRUE(accepted) << accepted.error().message();
        } else {
            EXPECT_EQ(accepted.error().code, ErrorCode::attributes_rejected);
        }
    }
}

// A certificate that dstack's guest agent made: the quote lies where ours does.
TEST(shared_data, dstack_certificates_are_chains_of_their_own) {
    TT_REQUIRE_SHARED_DATA();
    const auto certificates =
        parse_pem_certificates(as_bytes(read_file("dstack/nearai-app_cert.pem")), 8);
    ASSERT_TRUE(certificates) << certificates.error().message();
    constexpr ByteArray<10> quote_oid = {0x2b, 0x06, 0x01, 0x04, 0x01,
                                         0x83, 0xe7, 0x3d, 0x01, 0x01};
    size_t quote_count = 0;
    for (const Certificate& certificate : *certificates) {
        quote_count += find_extension(certificate, quote_oid).value() ? 1 : 0;
    }
    EXPECT_GT(quote_count, 0u);
}

}  // namespace
}  // namespace teetee::attest
