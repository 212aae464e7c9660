// SPDX-License-Identifier: Apache-2.0
#include "chain/evidence.hpp"

#include "chain/abi_contract.hpp"
#include "chain/limits.hpp"

namespace teetee::chain {
namespace {

// QuoteEvidence.sol.
constexpr size_t verdict_bytes = 352;
constexpr size_t signature_bytes = 65;

Result<void> ensure_verdict(VerifierKind kind, ByteView verdict) {
    if (kind != VerifierKind::quote) {
        if (verdict.empty()) return {};
        return fail(ErrorCode::config_invalid,
                    "evidence: have a verdict on the platform, need none for the " +
                        std::string(to_string(kind)) + " verifier");
    }
    const size_t need = verdict.size() > verdict_bytes
                            ? verdict_bytes + 1 + signature_bytes * verdict[verdict_bytes]
                            : verdict_bytes + 1 + signature_bytes;
    if (verdict.size() == need) return {};
    return fail(ErrorCode::config_invalid, "evidence: have a verdict on the platform of " +
                                               std::to_string(verdict.size()) + " bytes, need " +
                                               std::to_string(need));
}

}  // namespace

std::string_view to_string(VerifierKind kind) {
    switch (kind) {
        case VerifierKind::dev:
            return "dev";
        case VerifierKind::quote:
            return "quote";
        case VerifierKind::automata:
            return "automata";
    }
    return "unknown";
}

Result<VerifierKind> parse_verifier_kind(std::string_view text) {
    for (const auto kind : {VerifierKind::dev, VerifierKind::quote, VerifierKind::automata})
        if (text == to_string(kind)) return kind;
    return fail(ErrorCode::config_invalid,
                "verifier: have " + quote_foreign(text) + ", need dev, quote or automata");
}

Result<Bytes> encode_evidence(VerifierKind kind, const EvidenceParts& parts) {
    TT_CHECK(ensure_verdict(kind, parts.platform_verdict));
    Bytes proof(parts.platform_verdict.begin(), parts.platform_verdict.end());
    proof.insert(proof.end(), parts.quote.begin(), parts.quote.end());
    const std::vector<AbiValue> values = {AbiValue::of(parts.statement), proof};
    TT_TRY(Bytes evidence, encode_abi(abi_types({"bytes", "bytes"}), values));
    if (evidence.size() > evidence_bytes_max) {
        return fail(ErrorCode::config_invalid, "evidence: have " + std::to_string(evidence.size()) +
                                                   " bytes, need at most " +
                                                   std::to_string(evidence_bytes_max));
    }
    return evidence;
}

}  // namespace teetee::chain
