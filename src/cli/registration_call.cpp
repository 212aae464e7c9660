// SPDX-License-Identifier: Apache-2.0
#include "cli/registration_call.hpp"

#include "crypto/hash.hpp"

namespace teetee::cli {

namespace calls = chain::tee_tee;

Result<chain::VerifierKind> verifier_kind(std::string_view named, const ChainTarget& target,
                                          const chain::Address& verifier) {
    if (!named.empty()) return chain::parse_verifier_kind(named);
    if (target.record && target.record->verifier == verifier) return target.record->kind;
    return fail(ErrorCode::invalid_argument,
                "the pool's verifier " + chain::to_checksum_text(verifier) +
                    " is not the --deployment's: need --verifier-kind dev, quote or automata");
}

Result<CheckedRegistration> checked_registration(chain::RegistrationFile file,
                                                 const RegistrationNeeds& needs,
                                                 std::string_view kind_name,
                                                 const ChainTarget& target) {
    TT_TRY(auto statement, check_registration(file, needs));
    TT_CHECK(check_registration_quote(file, needs));
    TT_TRY(const auto kind, verifier_kind(kind_name, target, needs.pool->verifier));
    TT_TRY(auto evidence,
           chain::encode_evidence(kind, {.statement = file.statement,
                                         .quote = file.quote,
                                         .platform_verdict = file.platform_verdict}));
    return CheckedRegistration{std::move(file), std::move(statement), std::move(evidence)};
}

Result<Bytes> encode_registration_call(const CheckedRegistration& checked) {
    const auto& signature = checked.file.signature;
    return calls::RegisterNodeCall{
        .registration = {.pool = checked.file.pool,
                         .slot = checked.file.slot,
                         .receipt_key = checked.statement.receipt_address,
                         .statement_hash = crypto::sha256(checked.file.statement),
                         .endpoint = checked.file.endpoint,
                         .evidence = checked.evidence,
                         .signature_ = Bytes(signature.begin(), signature.end())}}
        .encode();
}

Result<Bytes> encode_renewal_call(const CheckedRegistration& checked, uint64_t node) {
    const auto& signature = checked.file.signature;
    return calls::RenewNodeCall{
        .id = node,
        .renewal = {.statement_hash = crypto::sha256(checked.file.statement),
                    .endpoint = checked.file.endpoint,
                    .evidence = checked.evidence,
                    .signature_ = Bytes(signature.begin(), signature.end())}}
        .encode();
}

}  // namespace teetee::cli
