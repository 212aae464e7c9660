// SPDX-License-Identifier: Apache-2.0
#include "attest/pcs_messages.hpp"

#include <initializer_list>

#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

Error malformed(std::string detail) {
    return fail(ErrorCode::collateral_malformed, std::move(detail));
}

std::string certification(TeeType tee) {
    return tee == TeeType::tdx ? "/tdx/certification/v4/" : "/sgx/certification/v4/";
}

std::string update_query(TcbUpdate update) {
    return update == TcbUpdate::early ? "update=early" : "update=standard";
}

Result<std::string> percent_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            out.push_back(text[at]);
            continue;
        }
        const auto byte = from_hex(text.substr(at + 1, 2));
        if (!byte || byte->size() != 1) return malformed("have '%' without two hex digits");
        out.push_back(static_cast<char>(byte->front()));
        at += 2;
    }
    return out;
}

// The chain in the first of the headers that is there.
Result<std::string> issuer_chain(const PcsAnswer& answer,
                                 std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        const auto found = answer.headers.find(name);
        if (found == answer.headers.end()) continue;
        if (found->second.size() > pcs_chain_bytes_max) {
            return malformed(std::string(name) + ": have " + std::to_string(found->second.size()) +
                             " bytes, need at most " + std::to_string(pcs_chain_bytes_max));
        }
        auto chain = percent_decoded(found->second);
        if (!chain) return in_context(name, std::move(chain).error());
        return chain;
    }
    return malformed("have no header " + std::string(*names.begin()) +
                     ", need the chain of the signer in it");
}

Result<Bytes> list_in(const PcsAnswer& answer) {
    std::string_view body = answer.body;
    // A list's DER begins with a SEQUENCE of more than 127 bytes, which is no hex digit.
    if (body.size() > 1 && (static_cast<uint8_t>(body[1]) & 0x80) != 0) {
        return Bytes(body.begin(), body.end());
    }
    while (body.ends_with('\n') || body.ends_with('\r')) body.remove_suffix(1);
    auto der = from_hex(body);
    if (!der || der->empty()) return malformed("have neither DER nor hex of it");
    return der;
}

template <class T>
Result<T> of(std::string_view answer, Result<T> result) {
    if (!result) return in_context(answer, std::move(result).error());
    return result;
}

}  // namespace

std::string pcs_tcb_info_target(const PlatformId& platform, TcbUpdate update) {
    return certification(platform.tee) + "tcb?fmspc=" + to_hex(platform.fmspc) + "&" +
           update_query(update);
}

std::string pcs_qe_identity_target(TeeType tee, TcbUpdate update) {
    return certification(tee) + "qe/identity?" + update_query(update);
}

std::string pcs_pck_crl_target(PckCa ca) {
    return certification(TeeType::sgx) + "pckcrl?ca=" + std::string(to_string(ca)) +
           "&encoding=der";
}

Result<Collateral> parse_pcs_answers(const PcsAnswers& answers) {
    Collateral out;
    TT_TRY(out.tcb_info_issuer_chain,
           of("TCB info", issuer_chain(answers.tcb_info,
                                       {"tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain"})));
    TT_TRY(out.tcb_info, of("TCB info", parse_pcs_document(answers.tcb_info.body, "tcbInfo")));
    TT_TRY(out.qe_identity_issuer_chain,
           of("QE identity",
              issuer_chain(answers.qe_identity, {"sgx-enclave-identity-issuer-chain"})));
    TT_TRY(out.qe_identity,
           of("QE identity", parse_pcs_document(answers.qe_identity.body, "enclaveIdentity")));
    TT_TRY(out.pck_crl_issuer_chain,
           of("PCK CRL", issuer_chain(answers.pck_crl, {"sgx-pck-crl-issuer-chain"})));
    TT_TRY(out.pck_crl, of("PCK CRL", list_in(answers.pck_crl)));
    TT_TRY(out.root_ca_crl, of("root CRL", list_in(answers.root_crl)));
    return out;
}

}  // namespace teetee::attest
