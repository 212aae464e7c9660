// SPDX-License-Identifier: Apache-2.0
#include "attest/policy.hpp"

#include <algorithm>

#include "attest/intel.hpp"
#include "attest/policy_registers.hpp"
#include "attest/time_text.hpp"

namespace teetee::attest {
namespace {

constexpr UnixSeconds day_s = 24 * 3600;

Error refused(ErrorCode code, std::string_view field, std::string_view have,
              std::string_view need) {
    return fail(code,
                std::string(field) + ": have " + std::string(have) + ", need " + std::string(need));
}

template <class List, class Value>
bool contains(const List& list, const Value& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

Result<void> check_measurement(const TdReport& report, const AcceptedMeasurement& entry) {
    for (const RegisterCheck& check : register_checks(entry, report)) {
        if (check.need && *check.need != check.have) {
            return refused(ErrorCode::measurement_rejected, check.name, to_hex(check.have),
                           to_hex(*check.need));
        }
    }
    return {};
}

// Of several entries the error names the first: which one the node was meant to be, nobody knows.
Result<void> check_measurements(const TdReport& report, const Policy& policy) {
    if (policy.measurements.empty()) {
        return refused(ErrorCode::measurement_rejected, "measurements", "a policy without any",
                       "at least one");
    }
    for (const AcceptedMeasurement& entry : policy.measurements) {
        if (check_measurement(report, entry)) return {};
    }
    Error error = check_measurement(report, policy.measurements.front()).error();
    if (policy.measurements.size() > 1) {
        error.detail += " or another of " + std::to_string(policy.measurements.size()) + " entries";
    }
    return error;
}

Result<void> check_service_td(const TdReport& report, const Policy& policy) {
    const auto reject = [](std::string_view field, std::string_view have, std::string_view need) {
        return refused(ErrorCode::attributes_rejected, field, have, need);
    };
    const Measurement service = report.since_15 ? report.since_15->mrservicetd : Measurement{};
    const bool bound = service != Measurement{};
    if (bound && !contains(policy.mrservicetds, service)) {
        return reject("mrservicetd", to_hex(service),
                      policy.mrservicetds.empty() ? "zero" : "zero or one of the policy's list");
    }
    if (!bound && (report.tdattributes & td_attribute_migratable) != 0) {
        return reject("tdattributes", "MIGRATABLE on", "off, or an accepted service TD bound");
    }
    return {};
}

Result<void> check_attributes(const TdReport& report, const Policy& policy) {
    const auto reject = [](std::string_view field, std::string_view have, std::string_view need) {
        return refused(ErrorCode::attributes_rejected, field, have, need);
    };
    if ((report.tdattributes & td_attribute_debug) != 0 && !policy.allow_debug) {
        return reject("tdattributes", "DEBUG on", "off");
    }
    if ((report.tdattributes & td_attributes_reserved_tud) != 0) {
        return reject("tdattributes", "reserved TUD bits on", "off");
    }
    if (policy.require_sept_ve_disable &&
        (report.tdattributes & td_attribute_sept_ve_disable) == 0) {
        return reject("tdattributes", "SEPT_VE_DISABLE off", "on");
    }
    // Intel's own TDX module has both zero.
    if (report.seamattributes != 0) return reject("seamattributes", "bits on", "zero");
    if (report.mrsignerseam != Measurement{}) {
        return reject("mrsignerseam", to_hex(report.mrsignerseam), "zero");
    }
    return check_service_td(report, policy);
}

// The same but for what is out of date.
TcbStatus without_outdated_part(TcbStatus status) {
    switch (status) {
        case TcbStatus::out_of_date:
        case TcbStatus::td_relaunch_advised:
            return TcbStatus::up_to_date;
        case TcbStatus::out_of_date_configuration_needed:
        case TcbStatus::td_relaunch_advised_configuration_needed:
            return TcbStatus::configuration_needed;
        default:
            return status;
    }
}

// The platform's own status counts beside the common one, in which a component that is out of date
// hides that software must be hardened.
bool is_in_grace(const TcbEvaluation& tcb, const Policy& policy, UnixSeconds now) {
    return tcb.status != TcbStatus::revoked && tcb.out_of_date_since &&
           now <= *tcb.out_of_date_since + UnixSeconds{policy.grace_days} * day_s &&
           contains(policy.accepted_statuses, without_outdated_part(tcb.status)) &&
           contains(policy.accepted_statuses, without_outdated_part(tcb.platform_status));
}

std::string list_statuses(const std::vector<TcbStatus>& statuses) {
    std::string text;
    for (const TcbStatus status : statuses) {
        text.append(text.empty() ? "" : " or ").append(to_string(status));
    }
    return text;
}

Result<void> check_status(const TcbEvaluation& tcb, const Policy& policy, UnixSeconds now) {
    const bool accepted =
        tcb.status != TcbStatus::revoked && contains(policy.accepted_statuses, tcb.status);
    if (accepted || is_in_grace(tcb, policy, now)) return {};
    std::string need = list_statuses(policy.accepted_statuses);
    if (tcb.out_of_date_since && policy.grace_days > 0) {
        need += ", or out of date for at most " + std::to_string(policy.grace_days) +
                " days (it is since " + format_utc(*tcb.out_of_date_since).substr(0, 10) + ")";
    }
    if (!tcb.shortfalls.empty()) need += "; " + describe(tcb.shortfalls);
    return refused(ErrorCode::tcb_status_rejected, "TCB status", to_string(tcb.status), need);
}

Result<void> check_tcb(const VerifiedQuote& quote, const Policy& policy, UnixSeconds now) {
    const TcbEvaluation& tcb = *quote.tcb;
    TT_CHECK(check_status(tcb, policy, now));
    for (const std::string& advisory : tcb.advisories) {
        if (policy.accepted_advisories && !contains(*policy.accepted_advisories, advisory)) {
            return refused(ErrorCode::advisory_rejected, "advisories", advisory,
                           "only those that the policy lists");
        }
    }
    if (tcb.evaluation_number < policy.tcb_evaluation_number_min) {
        return refused(ErrorCode::collateral_too_old, "tcbEvaluationDataNumber",
                       std::to_string(tcb.evaluation_number),
                       "at least " + std::to_string(policy.tcb_evaluation_number_min));
    }
    const UnixSeconds age_s = now - quote.collateral_issued;
    if (policy.collateral_age_s_max && age_s > *policy.collateral_age_s_max) {
        return refused(ErrorCode::collateral_too_old, "collateral",
                       "an age of " + std::to_string(age_s) + " s",
                       "at most " + std::to_string(*policy.collateral_age_s_max) + " s");
    }
    return {};
}

// A host can have a PCK key vouch for an enclave of its own; only Intel's quoting enclave keeps the
// attestation key to itself. With collateral the signed QE identity says what Intel's is.
Result<void> check_known_quoting_enclave(const SgxReport& report) {
    const auto reject = [](std::string_view field, std::string_view have, std::string_view need) {
        return refused(ErrorCode::qe_report_invalid, field, have, need);
    };
    if (report.mrsigner != tdqe_mrsigner) {
        return reject("QE mrsigner", to_hex(report.mrsigner), to_hex(tdqe_mrsigner));
    }
    if (report.isvprodid != tdqe_isvprodid) {
        return reject("QE isvprodid", std::to_string(report.isvprodid),
                      std::to_string(tdqe_isvprodid));
    }
    if ((report.attributes[0] & sgx_attribute_debug) != 0) {
        return reject("QE attributes", "DEBUG on", "off");
    }
    return {};
}

Result<void> check_platform(const VerifiedQuote& quote, const TdReport& report,
                            const Policy& policy) {
    const ByteArray<16>& ppid = quote.pck.platform.ppid;
    if (!policy.ppids.empty() && !contains(policy.ppids, ppid)) {
        return refused(ErrorCode::platform_rejected, "ppid", to_hex(ppid),
                       "one of the " + std::to_string(policy.ppids.size()) + " in the policy");
    }
    if (!policy.mrseams.empty() && !contains(policy.mrseams, report.mrseam)) {
        return refused(ErrorCode::tdx_module_rejected, "mrseam", to_hex(report.mrseam),
                       "one of the " + std::to_string(policy.mrseams.size()) + " in the policy");
    }
    return {};
}

Error missing_collateral(const VerifiedQuote& quote, std::string_view need) {
    return refused(ErrorCode::collateral_missing, "collateral",
                   "none for " + std::string(to_string(quote.tee())) + " platforms of FMSPC " +
                       to_hex(quote.pck.platform.fmspc) +
                       ", so that TCB status and revocation are unknown",
                   need);
}

template <class Judge>
Verdict verify_and_judge(const QuoteEvidence& evidence, const TrustedRoots& roots, UnixSeconds now,
                         Checks* checks, Judge judge) {
    auto quote = verify_quote(evidence, roots, now, checks);
    if (!quote) return {.quote = std::nullopt, .error = std::move(quote).error()};
    Verdict verdict{.quote = std::move(quote).value(), .error = std::nullopt};
    auto judged = judge(*verdict.quote);
    if (!judged) verdict.error = std::move(judged).error();
    return verdict;
}

}  // namespace

Result<void> check_policy(const VerifiedQuote& quote, const Policy& policy, UnixSeconds now,
                          Checks* checks) {
    if (quote.simulated && !policy.allow_simulated) {
        return refused(ErrorCode::simulated_rejected, "root", to_hex(quote.pck.root_fingerprint),
                       "Intel's " + to_hex(intel_root_fingerprint));
    }
    add_check(checks, "hardware", [&] {
        return std::string(quote.simulated ? "SIMULATED, as the policy allows" : "Intel's root");
    });
    const TdReport* report = quote.td_report();
    if (report == nullptr) {
        return refused(ErrorCode::attributes_rejected, "TEE", to_string(quote.tee()), "TDX");
    }
    if (quote.tcb) {
        TT_CHECK(check_tcb(quote, policy, now));
        add_check(checks, "TCB policy", [&] {
            return std::string(to_string(quote.tcb->status)) + " is accepted, with " +
                   std::to_string(quote.tcb->advisories.size()) + " advisories";
        });
    } else if (policy.require_collateral || !quote.simulated) {
        return missing_collateral(quote, "Intel's documents, from a service or a folder");
    } else {
        TT_CHECK(check_known_quoting_enclave(quote.qe_report));
        add_check(checks, "TCB policy", [] {
            return std::string("NOT CHECKED: the policy lets simulated quotes do without");
        });
    }
    TT_CHECK(check_platform(quote, *report, policy));
    TT_CHECK(check_attributes(*report, policy));
    add_check(checks, "platform and attributes",
              [&] { return std::string("identity, TDX module and TD attributes are accepted"); });
    TT_CHECK(check_measurements(*report, policy));
    add_check(checks, "measurements",
              [&] { return std::string("equal to an entry of the policy"); });
    return {};
}

Result<void> check_without_policy(const VerifiedQuote& quote) {
    if (!quote.tcb) return missing_collateral(quote, "Intel's documents, or a policy");
    if (quote.tcb->status == TcbStatus::revoked) {
        return refused(ErrorCode::tcb_status_rejected, "TCB status", "Revoked", "any other");
    }
    return {};
}

Verdict verify(const QuoteEvidence& evidence, const Policy& policy, UnixSeconds now,
               Checks* checks) {
    return verify_and_judge(evidence, policy.roots, now, checks, [&](const VerifiedQuote& quote) {
        return check_policy(quote, policy, now, checks);
    });
}

Verdict verify(const QuoteEvidence& evidence, const TrustedRoots& roots, UnixSeconds now,
               Checks* checks) {
    return verify_and_judge(evidence, roots, now, checks, check_without_policy);
}

}  // namespace teetee::attest
