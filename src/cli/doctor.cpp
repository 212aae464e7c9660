// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/doctor_setup.hpp"
#include "cli/tree_commands.hpp"

namespace teetee::cli {
namespace {

/// In this order, for later ones use what earlier ones found.
constexpr std::array<DoctorCheck, 18> checks = {{
    {"policy", check_policy_file},
    {"manifest", check_manifest},
    {"shard", check_shard},
    {"draft model", check_draft_model},
    {"API keys", check_api_keys},
    {"clock", check_clock},
    {"TEE", check_tee},
    {"collateral", check_collateral},
    {"evidence", check_evidence},
    {"ports", check_ports},
    {"entry", check_entry},
    {"peers", check_peers},
    {"chain", check_chain},
    {"disk", check_disk},
    {"ledger", check_ledger},
    {"memory", check_memory},
    {"descriptors", check_descriptors},
    {"processor", check_processor},
}};

struct DoctorOptions {
    NodeCommandOptions node;
    bool is_deep = false;
};

std::string text_of(const DoctorFindings& findings) {
    std::string out;
    for (const DoctorFinding& f : findings.all()) {
        out += fmt::format("{:<8} {:<12} {}\n", to_string(f.finding), f.check, f.cause);
        if (!f.fix.empty()) out += fmt::format("{:<21} fix: {}\n", "", f.fix);
    }
    const size_t problems = findings.count(Finding::problem);
    const size_t warnings = findings.count(Finding::warning);
    return out + fmt::format("{} problem{}, {} warning{}\n", problems, problems == 1 ? "" : "s",
                             warnings, warnings == 1 ? "" : "s");
}

boost::json::object json_of(const DoctorFindings& findings) {
    boost::json::array list;
    for (const DoctorFinding& f : findings.all()) {
        boost::json::object one = {{"check", f.check},
                                   {"finding", to_string(f.finding)},
                                   {"cause", f.cause},
                                   {"fix", nullptr}};
        if (!f.fix.empty()) one["fix"] = f.fix;
        list.push_back(std::move(one));
    }
    return {{"findings", std::move(list)},
            {"problems", findings.count(Finding::problem)},
            {"warnings", findings.count(Finding::warning)}};
}

Result<void> examine(const DoctorOptions& options, Session& session) {
    DoctorSetup setup{.options = options.node, .is_deep = options.is_deep};
    setup.options.collateral.complete(options.node.policy_path);
    DoctorFindings findings;
    for (const DoctorCheck& check : checks) {
        findings.begin(check.name);
        check.run(setup, findings);
    }
    if (session.json) {
        print_json(json_of(findings));
    } else {
        print_text(text_of(findings));
    }
    if (findings.count(Finding::problem) > 0) session.exit = Exit::not_so;
    return {};
}

}  // namespace

void report_missing(const DoctorSetup& setup, DoctorFindings& findings, std::string_view option) {
    DoctorFindings::Trouble trouble = {
        .cause = fmt::format("not given, and teetee node needs it: --{}", option),
        .fix = fmt::format("--{} FILE, or {} = \"FILE\" in [node] of the configuration", option,
                           option)};
    if (setup.is_bare()) {
        findings.warn(std::move(trouble));
    } else {
        findings.problem(std::move(trouble));
    }
}

void add_doctor(CLI::App& app, Session& session) {
    auto options = std::make_shared<DoctorOptions>();
    CLI::App* command =
        add_command(app, session, "doctor",
                    "Say what would keep a node from working here, and what to do about it; takes "
                    "what 'teetee node' takes",
                    options, examine);
    options->node.add_to(*command);
    for (CLI::Option* option : command->get_options()) option->required(false);
    command->add_flag("--deep", options->is_deep, "Hash every byte of the shard as well");
}

}  // namespace teetee::cli
