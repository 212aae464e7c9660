// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "attest/limits.hpp"
#include "attest/sev_snp.hpp"
#include "cli/attest_output.hpp"
#include "cli/evidence_file.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;

struct SevSnpOptions {
    std::string report;
    std::string certificate;
    std::string issuers;
    UnixSeconds time = 0;
    bool has_time = false;
    std::vector<std::string> measurements;
    bool allow_debug = false;
    bool allow_migration = false;
};

/// Without measurements whatever is measured is accepted: the caller compares what is printed.
Result<attest::SnpPolicy> policy_of(const SevSnpOptions& options,
                                    const attest::VerifiedSnpReport& verified) {
    attest::SnpPolicy policy;
    policy.allow_debug = options.allow_debug;
    policy.allow_migration = options.allow_migration;
    for (const std::string& hex : options.measurements) {
        const auto measurement = array_from_hex<48>(hex);
        if (!measurement) {
            return fail(ErrorCode::invalid_argument,
                        "--measurement: " + measurement.error().detail);
        }
        policy.measurements.push_back(*measurement);
    }
    if (policy.measurements.empty()) policy.measurements = {verified.report.measurement};
    // What runs at other levels is shown, and not judged here.
    policy.vmpl_max = verified.report.vmpl;
    return policy;
}

Result<void> check(const SevSnpOptions& options, std::optional<attest::VerifiedSnpReport>& found) {
    TT_TRY(const Bytes report, read_evidence_file(options.report, attest::snp_report_bytes));
    TT_TRY(const Bytes leaf, net::read_file(options.certificate, attest::certificate_bytes_max));
    TT_TRY(const Bytes issuers, net::read_file(options.issuers, attest::certificate_bytes_max));
    const UnixSeconds now = options.has_time ? options.time : SystemClock().unix_now();
    TT_TRY(found, attest::verify_snp_report(
                      {.report = report, .chain = {.leaf = leaf, .issuers = issuers}},
                      attest::amd_pins(), now));
    TT_TRY(const attest::SnpPolicy policy, policy_of(options, *found));
    return attest::check_snp_policy(*found, policy);
}

json::object describe(const std::optional<attest::VerifiedSnpReport>& verified,
                      const Result<void>& checked) {
    json::object out = {{"verdict", checked ? "accept" : "reject"}};
    if (verified) {
        const attest::SnpReport& report = verified->report;
        out["product"] = attest::to_string(verified->signer.product);
        out["signed_by"] = attest::to_string(verified->signer.kind);
        out["measurement"] = to_hex(report.measurement);
        out["report_data"] = to_hex(report.report_data);
        out["host_data"] = to_hex(report.host_data);
        out["chip_id"] = to_hex(report.chip_id);
        out["vmpl"] = report.vmpl;
        out["debug"] = (report.policy & attest::snp_policy_debug) != 0;
        out["migratable"] = (report.policy & attest::snp_policy_migrate_ma) != 0;
        out["reported_tcb"] =
            attest::describe_tcb(verified->reported_tcb, verified->signer.product);
    }
    out["error"] = nullptr;
    if (!checked) {
        out["error"] = {{"code", to_string(checked.error().code)},
                        {"detail", checked.error().detail}};
    }
    return out;
}

Result<void> sev_snp(const SevSnpOptions& options, Session& session) {
    std::optional<attest::VerifiedSnpReport> verified;
    const auto checked = check(options, verified);
    // A file that cannot be read, or a wrong flag, says nothing about the report.
    if (!checked && exit_for(checked.error().code) != Exit::not_so) return checked;
    print_description(session, describe(verified, checked), checked);
    return {};
}

}  // namespace

void add_attest_sev_snp(CLI::App& attest, Session& session) {
    auto options = std::make_shared<SevSnpOptions>();
    CLI::App* command =
        add_command(attest, session, "sev-snp",
                    "Verify an AMD SEV-SNP report up to AMD's root keys", options, sev_snp);
    command->add_option("--report", options->report, "Report of 1184 bytes, binary or hex")
        ->required();
    command->add_option("--cert", options->certificate, "VCEK or VLEK certificate, DER")
        ->required();
    command
        ->add_option("--chain", options->issuers,
                     "ASK (or ASVK) and ARK certificates, PEM, as AMD's cert_chain serves them")
        ->required();
    command
        ->add_option_function<UnixSeconds>(
            "--time",
            [options = options.get()](const UnixSeconds& time) {
                options->time = time;
                options->has_time = true;
            },
            "When, in seconds since 1970 UTC")
        ->default_str("now");
    command->add_option(
        "--measurement", options->measurements,
        "Accepted launch measurement, 96 hex digits; may be repeated; default: any");
    command->add_flag("--allow-debug", options->allow_debug,
                      "Accept a guest whose memory its host can read");
    command->add_flag("--allow-migration", options->allow_migration,
                      "Accept a guest that a migration agent can carry away");
}

}  // namespace teetee::cli
