// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>
#include <exception>

#include "cli/command.hpp"

int main(int argc, char** argv) {
    using namespace teetee::cli;
    // A reader that went away ends a write with an error, not the process.
    std::signal(SIGPIPE, SIG_IGN);
    CLI::App app{"TeeTee: one language model, run together by several owners inside TEEs"};
    app.set_version_flag("--version", TEETEE_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    Session session;
    app.add_flag("--json", session.json, "Print one JSON object on stdout; logs go to stderr");
    add_up(app, session);
    add_chat(app, session);
    add_node(app, session);
    add_run(app, session);
    add_shard(app, session);
    add_tokenize(app, session);
    add_logits(app, session);
    add_perplexity(app, session);
    add_bench(app, session);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const bool asked_for_help = error.get_exit_code() == 0;
        app.exit(error);
        return static_cast<int>(asked_for_help ? Exit::done : Exit::usage);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "teetee: unexpected failure: %s\n", error.what());
        return 70;
    }
    return static_cast<int>(session.exit);
}
