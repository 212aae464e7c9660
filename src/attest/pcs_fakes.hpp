// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: collateral as Intel's service would answer it.

#include "attest/pcs_messages.hpp"

namespace teetee::attest::test {

/// As in a URL: everything but letters, digits and "-._~" is encoded.
inline std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') ||
                           std::string_view("-._~").find(c) != std::string_view::npos;
        const auto byte = static_cast<uint8_t>(c);
        if (plain) {
            out.push_back(c);
        } else {
            constexpr std::string_view digits = "0123456789ABCDEF";
            out.append({'%', digits[byte >> 4], digits[byte & 15]});
        }
    }
    return out;
}

inline std::string pcs_document(std::string_view key, const SignedDocument& document) {
    return "{\"" + std::string(key) + "\":" + document.body + ",\"signature\":\"" +
           to_hex(document.signature) + "\"}";
}

inline PcsAnswers pcs_answers(const Collateral& collateral) {
    PcsAnswers out;
    out.tcb_info.headers["tcb-info-issuer-chain"] =
        percent_encoded(collateral.tcb_info_issuer_chain);
    out.tcb_info.body = pcs_document("tcbInfo", collateral.tcb_info);
    out.qe_identity.headers["sgx-enclave-identity-issuer-chain"] =
        percent_encoded(collateral.qe_identity_issuer_chain);
    out.qe_identity.body = pcs_document("enclaveIdentity", collateral.qe_identity);
    out.pck_crl.headers["sgx-pck-crl-issuer-chain"] =
        percent_encoded(collateral.pck_crl_issuer_chain);
    out.pck_crl.body = as_text(collateral.pck_crl);
    // As a PCCS has it; Intel's own is DER.
    out.root_crl.body = to_hex(collateral.root_ca_crl);
    return out;
}

}  // namespace teetee::attest::test
