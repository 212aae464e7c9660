// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <sys/resource.h>

#include "cli/chain_commands.hpp"
#include "cli/client_commands.hpp"
#include "cli/command.hpp"
#include "cli/configuration.hpp"
#include "cli/deploy_commands.hpp"
#include "cli/tree_commands.hpp"

namespace teetee::cli {
namespace {

constexpr const char* about =
    "TeeTee: one language model, run together by several owners inside TEEs";

void add_commands(CLI::App& app, Session& session) {
    app.description(about);
    app.set_version_flag("--version", TEETEE_VERSION);
    // Before the commands, which take it over.
    app.footer(
        "Options may also be set by variables (TEETEE_COMMAND_OPTION) and in a file: "
        "teetee config --help");
    app.require_subcommand(1);
    app.fallthrough();
    app.add_flag("--json", session.json, "Print one JSON object on stdout; logs go to stderr");
    session.log.add_to(app);
    // Read before the rest is parsed (configuration.hpp).
    app.add_option_function<std::string>(
           "--config", [](const std::string&) {},
           "TOML file with settings, or none; default: ~/.config/teetee/config.toml and "
           "/etc/teetee/config.toml, if there")
        ->envname("TEETEE_CONFIG");
    add_up(app, session);
    add_chat(app, session);
    add_serve_local(app, session);
    add_verify(app, session);
    add_audit(app, session);
    add_node(app, session);
    add_api_key(app, session);
    add_run(app, session);
    add_shard(app, session);
    add_plan(app, session);
    add_pull(app, session);
    add_import(app, session);
    add_tokenize(app, session);
    add_template(app, session);
    add_logits(app, session);
    add_perplexity(app, session);
    add_bench(app, session);
    add_load(app, session);
    add_attest(app, session);
    add_deploy(app, session);
    add_account(app, session);
    add_credits(app, session);
    add_voucher(app, session);
    add_pool(app, session);
    add_host(app, session);
    add_register(app, session);
    add_earnings(app, session);
    add_settle(app, session);
    add_sim(app, session);
    add_doctor(app, session);
    add_config(app, session, add_commands);
    add_man(app, session, add_commands);
    add_completion(app, session, add_commands);
}

}  // namespace
}  // namespace teetee::cli

int main(int argc, char** argv) {
    using namespace teetee::cli;
    // A reader that went away ends a write with an error, not the process.
    std::signal(SIGPIPE, SIG_IGN);
    // Connections of clients must not use up what links to other nodes need.
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = std::min<rlim_t>(files.rlim_max, 65536);
        setrlimit(RLIMIT_NOFILE, &files);
    }
    CLI::App app;
    Session session;
    add_commands(app, session);
    SettingsTrial trial(add_commands);
    trial.read_arguments(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
    if (auto configured = configure(app, trial); !configured) {
        session.json = trial.has_flag("json");
        report(session, configured.error());
        return static_cast<int>(session.exit);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const bool asked_for_help = error.get_exit_code() == 0;
        app.exit(error);
        return static_cast<int>(asked_for_help ? Exit::done : Exit::usage);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "teetee: unexpected failure: %s\n", error.what());
        return static_cast<int>(Exit::environment);
    }
    return static_cast<int>(session.exit);
}
