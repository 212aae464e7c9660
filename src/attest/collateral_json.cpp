// SPDX-License-Identifier: Apache-2.0
// The outer form of collateral; collateral.cpp verifies it.
#include <algorithm>
#include <array>

#include "attest/collateral.hpp"
#include "attest/json_object.hpp"
#include "attest/limits.hpp"
#include "base/strict_json.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 10> known_keys = {
    "pck_crl_issuer_chain",     "root_ca_crl",          "pck_crl",     "tcb_info",
    "tcb_info_issuer_chain",    "tcb_info_signature",   "qe_identity", "qe_identity_signature",
    "qe_identity_issuer_chain", "pck_certificate_chain"};

Result<json::value> parse_object(std::string_view text, size_t bytes_max) {
    auto value =
        parse_strict_json(text, {.bytes_max = bytes_max, .depth_max = collateral_json_depth_max});
    if (!value) return fail(ErrorCode::collateral_malformed, value.error().detail);
    return value;
}

Result<Bytes> crl_field(const JsonObject& object, std::string_view key) {
    TT_TRY(const std::string_view digits, object.text(key));
    auto bytes = from_hex(digits);
    if (!bytes) return object.place().at(key).wrong(bytes.error().detail, "hex of DER");
    return bytes;
}

struct DocumentKeys {
    std::string_view text;
    std::string_view signature;
    /// In the service's answer.
    std::string_view answer;
};

constexpr DocumentKeys tcb_info_keys = {"tcb_info", "tcb_info_signature", "tcbInfo"};
constexpr DocumentKeys qe_identity_keys = {"qe_identity", "qe_identity_signature",
                                           "enclaveIdentity"};

// A signature beside a whole answer would be a second one.
Result<SignedDocument> document_field(const JsonObject& object, const DocumentKeys& keys) {
    TT_TRY(const std::string_view text, object.text(keys.text));
    if (!object.has(keys.signature)) return parse_pcs_document(text, keys.answer);
    SignedDocument document;
    document.body = text;
    TT_TRY(document.signature, object.hex<64>(keys.signature));
    return document;
}

}  // namespace

Result<SignedDocument> parse_pcs_document(std::string_view text, std::string_view key) {
    TT_TRY(const json::value value, parse_object(text, collateral_document_bytes_max));
    TT_TRY(const JsonObject object,
           JsonObject::of(value, {"answer", ErrorCode::collateral_malformed}));
    TT_CHECK(object.object(key));
    SignedDocument document;
    TT_TRY(document.signature, object.hex<64>("signature"));
    const auto raw = raw_member(text, key);
    if (!raw) return object.place().at(key).wrong("a key with escapes", "a plain one");
    document.body = *raw;
    return document;
}

Result<Collateral> parse_collateral(std::string_view text) {
    TT_TRY(const json::value value, parse_object(text, collateral_bytes_max));
    TT_TRY(const JsonObject object,
           JsonObject::of(value, {"collateral", ErrorCode::collateral_malformed}));
    for (const auto& member : value.get_object()) {
        const std::string_view key(member.key().data(), member.key().size());
        if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end()) {
            return object.place().wrong(quote_foreign(key), "known keys");
        }
    }
    Collateral out;
    TT_TRY(out.pck_crl_issuer_chain, object.text("pck_crl_issuer_chain"));
    TT_TRY(out.root_ca_crl, crl_field(object, "root_ca_crl"));
    TT_TRY(out.pck_crl, crl_field(object, "pck_crl"));
    TT_TRY(out.tcb_info_issuer_chain, object.text("tcb_info_issuer_chain"));
    TT_TRY(out.tcb_info, document_field(object, tcb_info_keys));
    TT_TRY(out.qe_identity_issuer_chain, object.text("qe_identity_issuer_chain"));
    TT_TRY(out.qe_identity, document_field(object, qe_identity_keys));
    return out;
}

std::string encode_collateral(const Collateral& collateral) {
    const json::object object = {
        {"pck_crl_issuer_chain", collateral.pck_crl_issuer_chain},
        {"root_ca_crl", to_hex(collateral.root_ca_crl)},
        {"pck_crl", to_hex(collateral.pck_crl)},
        {"tcb_info_issuer_chain", collateral.tcb_info_issuer_chain},
        {"tcb_info", collateral.tcb_info.body},
        {"tcb_info_signature", to_hex(collateral.tcb_info.signature)},
        {"qe_identity_issuer_chain", collateral.qe_identity_issuer_chain},
        {"qe_identity", collateral.qe_identity.body},
        {"qe_identity_signature", to_hex(collateral.qe_identity.signature)},
    };
    return json::serialize(object);
}

}  // namespace teetee::attest
