// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "attest/statement.hpp"
#include "chain/evidence.hpp"
#include "cli/chain_option.hpp"
#include "cli/registration_check.hpp"

namespace teetee::cli {

/// A registration that was checked as far as it can be before it costs anything, with what the
/// pool's verifier takes.
struct CheckedRegistration {
    chain::RegistrationFile file;
    attest::Statement statement;
    Bytes evidence;
};

/// `named` is "dev", "quote" or "automata"; empty: the deployment's kind, if the verifier is the
/// deployment's. Errors: invalid_argument where it is not; of chain::parse_verifier_kind.
Result<chain::VerifierKind> verifier_kind(std::string_view named, const ChainTarget& target,
                                          const chain::Address& verifier);

/// Evidence for the pool's verifier, of the file's quote. Errors: of check_registration,
/// check_registration_quote, verifier_kind and chain::encode_evidence.
Result<CheckedRegistration> checked_registration(chain::RegistrationFile file,
                                                 const RegistrationNeeds& needs,
                                                 std::string_view kind_name,
                                                 const ChainTarget& target);

/// Calls of the contract. Errors: of encoding.
Result<Bytes> encode_registration_call(const CheckedRegistration& checked);
Result<Bytes> encode_renewal_call(const CheckedRegistration& checked, uint64_t node);

}  // namespace teetee::cli
