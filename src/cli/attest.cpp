// SPDX-License-Identifier: Apache-2.0
#include "attest/limits.hpp"
#include "cli/attest_report.hpp"
#include "cli/deploy_commands.hpp"
#include "cli/evidence_file.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

// Larger files are no quotes; the verifier has limits of its own.
constexpr size_t quote_file_bytes_max = 1 << 20;

struct VerifyOptions {
    std::string quote;
    std::string collateral;
    std::string early_collateral;
    std::string policy;
    std::string root;
    UnixSeconds time = -1;
};

// What the flags name.
struct Inputs {
    Bytes quote;
    std::optional<Bytes> collateral;
    std::optional<Bytes> early_collateral;
    std::optional<attest::Policy> policy;
    attest::TrustedRoots roots;
    UnixSeconds now = 0;
};

Result<std::optional<Bytes>> read_optional(const std::string& path, size_t bytes_max) {
    if (path.empty()) return std::optional<Bytes>();
    TT_TRY(auto bytes, net::read_file(path, bytes_max));
    return std::optional<Bytes>(std::move(bytes));
}

Result<Inputs> read_inputs(const VerifyOptions& options) {
    Inputs inputs;
    inputs.now = options.time >= 0 ? options.time : SystemClock().unix_now();
    TT_TRY(inputs.quote, net::read_file(options.quote, quote_file_bytes_max));
    TT_TRY(inputs.collateral, read_optional(options.collateral, attest::collateral_bytes_max));
    TT_TRY(inputs.early_collateral,
           read_optional(options.early_collateral, attest::collateral_bytes_max));
    TT_TRY(const auto policy, read_optional(options.policy, attest::policy_bytes_max));
    if (policy) {
        auto parsed = attest::parse_policy(as_text(*policy));
        // The caller's file, not the evidence, is what is wrong.
        if (!parsed)
            return fail(ErrorCode::config_invalid,
                        options.policy + ": " + parsed.error().message());
        inputs.policy = std::move(parsed).value();
    }
    inputs.roots = inputs.policy ? inputs.policy->roots : attest::TrustedRoots::intel();
    if (!options.root.empty()) {
        TT_TRY(inputs.roots, read_root_file(options.root));
        if (inputs.policy) inputs.policy->roots = inputs.roots;
    }
    return inputs;
}

Judgement judge(const Inputs& inputs, const std::optional<Bytes>& collateral_json) {
    Judgement out;
    attest::QuoteEvidence evidence{.quote = inputs.quote, .collateral = nullptr};
    std::optional<attest::VerifiedCollateral> collateral;
    if (collateral_json) {
        const auto parsed = attest::parse_collateral(as_text(*collateral_json));
        auto verified = parsed ? attest::verify_collateral(*parsed, inputs.roots, inputs.now)
                               : Result<attest::VerifiedCollateral>(parsed.error());
        if (!verified) {
            out.verdict.error = std::move(verified).error();
            return out;
        }
        collateral = std::move(verified).value();
        evidence.collateral = &*collateral;
        out.collateral_expires = collateral->expires();
        out.checks.push_back({"collateral", "every part is signed under a pinned root"});
    }
    out.verdict = inputs.policy ? attest::verify(evidence, *inputs.policy, inputs.now, &out.checks)
                                : attest::verify(evidence, inputs.roots, inputs.now, &out.checks);
    return out;
}

Result<AttestReport> judge_all(const VerifyOptions& options) {
    TT_TRY(const Inputs inputs, read_inputs(options));
    AttestReport report{
        .now = inputs.now, .judgement = judge(inputs, inputs.collateral), .forecast = std::nullopt};
    if (inputs.early_collateral) report.forecast = judge(inputs, inputs.early_collateral);
    return report;
}

Result<void> print_report(const VerifyOptions& options, Session& session,
                          std::string (*render)(const AttestReport&)) {
    TT_TRY(const AttestReport report, judge_all(options));
    if (session.json) {
        print_json(report_json(report));
    } else {
        print_text(render(report));
    }
    if (!report.judgement.verdict.accepted()) session.exit = Exit::not_so;
    return {};
}

Result<void> verify(const VerifyOptions& options, Session& session) {
    return print_report(options, session, report_text);
}

Result<void> explain(const VerifyOptions& options, Session& session) {
    return print_report(options, session, explanation);
}

void add_evidence_options(CLI::App& command, VerifyOptions& options) {
    command.add_option("--quote", options.quote, "The quote, binary")->required();
    command.add_option("--collateral", options.collateral,
                       "Intel's documents for its platform (QuoteCollateralV3 JSON)");
    command
        .add_option("--time", options.time, "Judge as of this Unix time in seconds; default: now")
        ->check(CLI::NonNegativeNumber);
    command.add_option("--policy", options.policy,
                       "What is accepted; default: every status but Revoked");
    command.add_option("--root", options.root,
                       "Trust this PEM root in place of Intel's and the policy's");
    command.add_option("--early-collateral", options.early_collateral,
                       "Documents of the early TCB evaluation, for a forecast");
}

}  // namespace

void add_attest(CLI::App& app, Session& session) {
    CLI::App* group = app.add_subcommand("attest", "Verify evidence of a TEE");
    group->require_subcommand(1);
    auto verify_options = std::make_shared<VerifyOptions>();
    add_evidence_options(
        *add_command(*group, session, "verify", "Verdict on a quote", verify_options, verify),
        *verify_options);
    auto explain_options = std::make_shared<VerifyOptions>();
    add_evidence_options(
        *add_command(*group, session, "explain", "Every check of a quote in plain words",
                     explain_options, explain),
        *explain_options);
    add_attest_collateral(*group, session);
    add_attest_eventlog(*group, session);
    add_attest_measure(*group, session);
    add_attest_sev_snp(*group, session);
}

}  // namespace teetee::cli
