// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attest/collateral.hpp"

namespace teetee::attest {

/// One security version that keeps a platform from being up to date.
struct SvnShortfall {
    /// "pcesvn", "sgxtcbcomponents[2]", "tdxtcbcomponents[2]", "TDX module TDX_01 isvsvn", ..
    std::string component;
    uint16_t have = 0;
    uint16_t need = 0;
};

/// "pcesvn have 11, need 13; ..", empty for none.
std::string describe(const std::vector<SvnShortfall>& shortfalls);

/// What of a quote is judged by Intel's documents.
struct TcbSubject {
    const QuoteReport& report;
    const SgxReport& qe_report;
    const PckPlatform& platform;
};

/// Intel's judgement of a platform under one set of documents.
struct TcbEvaluation {
    /// All statuses below in one.
    TcbStatus status = TcbStatus::revoked;
    TcbStatus platform_status = TcbStatus::revoked;
    /// None for SGX and for TDX modules of version 0, which have no levels of their own.
    std::optional<TcbStatus> module_status;
    TcbStatus qe_status = TcbStatus::revoked;
    /// Of platform, module and quoting enclave together; sorted, each once.
    std::vector<std::string> advisories;
    /// The day of the platform's level.
    UnixSeconds tcb_date = 0;
    /// The lower one of TCB info and QE identity.
    uint32_t evaluation_number = 0;
    /// When something that is out of date began to be so: the day of the first level that counts as
    /// current. None if all is current, or if nothing of a component is.
    std::optional<UnixSeconds> out_of_date_since;
    /// What lacks for the nearest levels that are up to date; empty where all is.
    std::vector<SvnShortfall> shortfalls;
};

/// Steps 6 to 12 of Intel's verification ("Intel SGX and TDX DCAP Quote Verification", sections
/// 4.1.2.4.15 to 17, and the relaunch check of its library): documents of this TEE and platform,
/// QE identity, TDX module identity, levels, one status. Pure, and the same for documents that are
/// not in force yet: a forecast.
/// Errors: collateral_mismatch (another TEE, FMSPC or PCEID), qe_identity_mismatch,
/// tdx_module_mismatch, tcb_level_missing (below every level).
Result<TcbEvaluation> evaluate_tcb(const TcbSubject& subject, const TcbInfo& info,
                                   const QeIdentity& identity);

}  // namespace teetee::attest
