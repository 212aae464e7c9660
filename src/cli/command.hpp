// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "cli/log.hpp"
#include "cli/progress.hpp"

namespace teetee::cli {

/// The exit codes scripts rely on (docs/cli.md).
enum class Exit { done = 0, not_so = 1, usage = 2, environment = 3 };

/// What every command gets: the common flags, and where its exit code goes.
struct Session {
    bool json = false;
    LogOptions log{};
    Exit exit = Exit::done;
};

/// Which exit code an error means: a wrong call, a missing part of the environment, or an answer of
/// "no" about the thing asked about.
Exit exit_for(ErrorCode code);

/// Prints the error (with --json as {"error":{"code","detail"}} on stdout) and sets the exit code.
void report(Session& session, const Error& error);

/// Writes one JSON object and a newline to stdout.
void print_json(const boost::json::object& object);

/// Writes text to stdout as it is, and flushes. Where it cannot be written the process ends:
/// quietly if the reader has gone, else with exit code 3.
void print_text(std::string_view text);

/// A subcommand whose body returns a Result<void>; its error is reported as above.
template <class Options>
CLI::App* add_command(CLI::App& parent, Session& session, const std::string& name,
                      const std::string& summary, const std::shared_ptr<Options>& options,
                      Result<void> (*body)(const Options&, Session&)) {
    CLI::App* command = parent.add_subcommand(name, summary);
    command->callback([&session, options, body] {
        if (session.json) silence_progress();
        if (auto done = body(*options, session); !done) report(session, done.error());
    });
    return command;
}

// One file each.
void add_run(CLI::App& app, Session& session);
void add_logits(CLI::App& app, Session& session);
void add_perplexity(CLI::App& app, Session& session);
void add_tokenize(CLI::App& app, Session& session);
void add_template(CLI::App& app, Session& session);
void add_shard(CLI::App& app, Session& session);
void add_plan(CLI::App& app, Session& session);
void add_import(CLI::App& app, Session& session);
void add_pull(CLI::App& app, Session& session);
void add_bench(CLI::App& app, Session& session);
void add_node(CLI::App& app, Session& session);
void add_up(CLI::App& app, Session& session);
void add_chat(CLI::App& app, Session& session);
void add_api_key(CLI::App& app, Session& session);
void add_load(CLI::App& app, Session& session);
void add_verify(CLI::App& app, Session& session);
void add_audit(CLI::App& app, Session& session);
void add_attest(CLI::App& app, Session& session);
void add_sim(CLI::App& app, Session& session);
// Of 'attest'.
void add_attest_collateral(CLI::App& attest, Session& session);
void add_attest_eventlog(CLI::App& attest, Session& session);
void add_attest_sev_snp(CLI::App& attest, Session& session);

}  // namespace teetee::cli
