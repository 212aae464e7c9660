// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attest/verify.hpp"

namespace teetee::attest {

/// One build that is accepted: every register that is named must be equal, the rest may be
/// anything. At least one is named.
struct AcceptedMeasurement {
    std::optional<Measurement> mrtd;
    std::array<std::optional<Measurement>, 4> rtmr;
    std::optional<Measurement> mrconfigid;

    bool operator==(const AcceptedMeasurement&) const = default;
};

/// What evidence is accepted.
struct Policy {
    TrustedRoots roots;
    /// Accept quotes that lead to another root than Intel's. Proves nothing about hardware.
    bool allow_simulated = false;
    /// Accept TDs whose memory the host can read.
    bool allow_debug = false;
    /// Without SEPT_VE_DISABLE the host can inject exceptions by unmapping pages.
    bool require_sept_ve_disable = true;
    /// Simulated quotes may do without collateral where this is off; others never.
    bool require_collateral = true;
    /// Not Revoked: that is never accepted.
    std::vector<TcbStatus> accepted_statuses = {TcbStatus::up_to_date};
    /// For so many days after the security update that it lacks was due, an outdated platform
    /// counts as if it were up to date.
    uint32_t grace_days = 0;
    /// If there is a list, security advisories beyond it are refused.
    std::optional<std::vector<std::string>> accepted_advisories;
    /// Of the part of the collateral that was issued first. None: until it expires.
    std::optional<uint32_t> collateral_age_s_max;
    /// The lowest tcbEvaluationDataNumber of TCB info and QE identity.
    uint32_t tcb_evaluation_number_min = 0;
    /// Hardware identities that are accepted; empty: all.
    std::vector<ByteArray<16>> ppids;
    /// TDX modules that are accepted; empty: all that Intel's TCB info accepts.
    std::vector<Measurement> mrseams;
    /// Service TDs that may be bound to a TD and, where it is migratable, carry it elsewhere;
    /// empty: none may.
    std::vector<Measurement> mrservicetds;
    std::vector<AcceptedMeasurement> measurements;
};

/// Strict JSON; docs/attestation.md lists the keys. "roots" and "measurements" must be there, the
/// rest has the defaults above.
/// Error: policy_malformed on an unknown or repeated key, a wrong type, an empty list or an empty
/// entry.
Result<Policy> parse_policy(std::string_view json);

/// The JSON that parse_policy takes back.
std::string encode_policy(const Policy& policy);

/// Whether a verified quote is acceptable; every refusal names field, have and need. Beside what
/// the policy says: a TD, reserved TUD bits, SEAMATTRIBUTES and MRSIGNERSEAM zero.
/// Errors: simulated_rejected, collateral_missing, qe_report_invalid, tcb_status_rejected,
/// advisory_rejected, collateral_too_old, platform_rejected, tdx_module_rejected,
/// attributes_rejected, measurement_rejected.
Result<void> check_policy(const VerifiedQuote& quote, const Policy& policy, UnixSeconds now,
                          Checks* checks = nullptr);

/// For those who look at evidence without trusting it: everything but Revoked is accepted, and what
/// has not been judged by collateral is not. Errors: collateral_missing, tcb_status_rejected.
Result<void> check_without_policy(const VerifiedQuote& quote);

/// What came of it all. With an error the quote is rejected; the quote is there as far as its
/// signatures and its TCB status could be verified.
struct Verdict {
    std::optional<VerifiedQuote> quote;
    std::optional<Error> error;

    bool accepted() const { return !error; }
};

/// The whole way from bytes to a verdict; a pure function. `policy.roots` are the pinned roots.
Verdict verify(const QuoteEvidence& evidence, const Policy& policy, UnixSeconds now,
               Checks* checks = nullptr);

/// The same as far as no policy is needed.
Verdict verify(const QuoteEvidence& evidence, const TrustedRoots& roots, UnixSeconds now,
               Checks* checks = nullptr);

}  // namespace teetee::attest
