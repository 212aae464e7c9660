// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attest/statement.hpp"
#include "chain/contract_records.hpp"
#include "chain/registration_file.hpp"

namespace teetee::cli {

/// What a registration is held against before it costs anything.
struct RegistrationNeeds {
    chain::Deployment deployment{};
    chain::Address wallet{};
    /// nullptr where the contract has none of the file's number.
    const chain::PoolRecord* pool = nullptr;
    /// A closed pool takes no new nodes; those that are there may renew.
    bool is_renewal = false;
    /// Unix seconds.
    uint64_t now = 0;
};

/// That the file is for this contract, wallet and pool, that its statement is what the slot needs,
/// and that the statement's receipt key has signed for it. Errors name what the file has and what
/// is needed: statement_mismatch; statement_malformed, statement_expired, signature_invalid.
Result<attest::Statement> check_registration(const chain::RegistrationFile& file,
                                             const RegistrationNeeds& needs);

/// That the quote is over the statement, and of code that the pool accepts. What else a quote must
/// be is for the pool's verifier. Errors: those of attest::parse_quote, report_data_mismatch,
/// measurement_rejected.
Result<void> check_registration_quote(const chain::RegistrationFile& file,
                                      const RegistrationNeeds& needs);

}  // namespace teetee::cli
