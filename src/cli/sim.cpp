// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <chrono>
#include <csignal>
#include <unistd.h>

#include <fmt/format.h>

#include "base/world.hpp"
#include "cli/command.hpp"
#include "net/file.hpp"
#include "sim/run.hpp"

namespace teetee::cli {
namespace {

struct SimOptions {
    std::string seeds = "1-200";
    std::string scenario;
};

struct Seeds {
    uint64_t first = 0;
    uint64_t last = 0;
};

Result<Seeds> parse_seeds(std::string_view text) {
    const auto number = [](std::string_view digits, uint64_t& out) {
        const auto [end, failed] =
            std::from_chars(digits.data(), digits.data() + digits.size(), out);
        return failed == std::errc() && end == digits.data() + digits.size();
    };
    const size_t dash = std::min(text.find('-'), text.size());
    Seeds out;
    const bool is_one = dash == text.size();
    const bool is_read = number(text.substr(0, dash), out.first) &&
                         number(is_one ? text : text.substr(dash + 1), out.last);
    if (!is_read || out.last < out.first || out.last - out.first >= 10'000'000) {
        return fail(ErrorCode::invalid_argument, "--seeds: have " + quote_foreign(text) +
                                                     ", need A-B with A up to B, 10000000 at most");
    }
    return out;
}

/// Without a file: a calm network.
Result<sim::Scenario> read_scenario(const std::string& path) {
    if (path.empty()) return sim::Scenario{};
    TT_TRY(const auto bytes, net::read_file(path, sim::scenario_bytes_max));
    return sim::parse_scenario(as_text(bytes));
}

struct Totals {
    uint64_t seeds = 0;
    uint64_t done = 0;
    uint64_t failed = 0;
    uint64_t resumed = 0;
    uint64_t receipts = 0;
    uint64_t without_receipt = 0;
    uint64_t fresh_quotes = 0;
    uint64_t wrong = 0;
    uint64_t found_out = 0;
    uint64_t peers_refused = 0;
    uint64_t resumes = 0;
    uint64_t replays = 0;
    uint64_t tokens = 0;
    uint64_t events = 0;
    std::map<std::string_view, uint64_t> faults{};
    crypto::Sha256 digests{};

    void add(const sim::Outcome& outcome) {
        ++seeds;
        done += outcome.answers.done;
        failed += outcome.answers.failed;
        resumed += outcome.resumed;
        receipts += outcome.answers.receipts;
        without_receipt += outcome.answers.without_receipt;
        fresh_quotes += outcome.answers.fresh_quotes;
        wrong += outcome.answers.wrong;
        found_out += outcome.answers.found_out;
        peers_refused += outcome.traffic.peers_refused;
        resumes += outcome.traffic.resumes;
        replays += outcome.traffic.replays;
        tokens += outcome.answers.tokens;
        events += outcome.traffic.events;
        for (const auto& [name, count] : outcome.faults) faults[name] += count;
        digests.update(outcome.digest);
    }
};

boost::json::object to_json(const Totals& totals, const std::string& digest) {
    boost::json::object faults;
    for (const auto& [name, count] : totals.faults) faults[name] = count;
    return {{"seeds", totals.seeds},
            {"requests_done", totals.done},
            {"requests_failed", totals.failed},
            {"answers_resumed", totals.resumed},
            {"receipts", totals.receipts},
            {"answers_without_receipt", totals.without_receipt},
            {"receipts_with_fresh_quotes", totals.fresh_quotes},
            {"answers_wrong", totals.wrong},
            {"liars_found_out", totals.found_out},
            {"peers_refused", totals.peers_refused},
            {"routes_resumed", totals.resumes},
            {"replays", totals.replays},
            {"tokens", totals.tokens},
            {"events", totals.events},
            {"faults", std::move(faults)},
            {"digest", digest}};
}

std::string replay_line(const SimOptions& options, uint64_t seed) {
    std::string out = fmt::format("teetee sim --seeds {}-{}", seed, seed);
    if (!options.scenario.empty()) out += " --scenario " + options.scenario;
    return out;
}

/// Of the seed that runs, ready for a handler of signals.
char crash_text[1024];

void on_crash(int number) {
    (void)!::write(STDERR_FILENO, crash_text, std::char_traits<char>::length(crash_text));
    std::signal(number, SIG_DFL);
    std::raise(number);
}

/// A failed assertion, or a fault of the processor, says which seed it was.
void name_in_crashes(const std::string& replay) {
    const size_t length = ("replay: " + replay + "\n").copy(crash_text, sizeof crash_text - 1);
    crash_text[length] = 0;
    for (const int number : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS, SIGILL})
        std::signal(number, on_crash);
}

void print_violation(const SimOptions& options, const Session& session, uint64_t seed,
                     const sim::Violation& broken) {
    const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(broken.time).count();
    const std::string replay = replay_line(options, seed);
    if (session.json) {
        print_json({{"seed", seed},
                    {"rule", broken.rule},
                    {"time_ms", time},
                    {"detail", broken.detail},
                    {"replay", replay}});
    } else {
        print_text(fmt::format("seed {} broke the rule \"{}\" at {} ms: {}\nreplay: {}\n", seed,
                               broken.rule, time, broken.detail, replay));
    }
}

Result<void> simulate(const SimOptions& options, Session& session) {
    TT_TRY(const Seeds seeds, parse_seeds(options.seeds));
    TT_TRY(const sim::Scenario scenario, read_scenario(options.scenario));
    constexpr uint64_t progress_interval = 100;
    Totals totals;
    for (uint64_t seed = seeds.first;; ++seed) {
        name_in_crashes(replay_line(options, seed));
        const sim::Outcome outcome = sim::run(scenario, seed);
        if (outcome.violation) {
            print_violation(options, session, seed, *outcome.violation);
            session.exit = Exit::not_so;
            return {};
        }
        totals.add(outcome);
        if (totals.seeds % progress_interval == 0 && !session.json)
            fmt::print(stderr, "{} seeds passed\n", totals.seeds);
        if (seed == seeds.last) break;
    }
    const std::string digest = to_hex(totals.digests.finish());
    if (session.json) {
        print_json(to_json(totals, digest));
    } else {
        print_text(fmt::format(
            "{} seeds passed: {} requests done, {} failed, {} tokens, {} "
            "events, digest {}\n",
            totals.seeds, totals.done, totals.failed, totals.tokens, totals.events, digest));
    }
    return {};
}

}  // namespace

void add_sim(CLI::App& app, Session& session) {
    auto options = std::make_shared<SimOptions>();
    CLI::App* command =
        add_command(app, session, "sim",
                    "Run simulated networks whose faults are chosen by seed; exit code 1 with the "
                    "seed where one breaks a rule",
                    options, simulate);
    command->add_option("--seeds", options->seeds, "Seeds A-B, or one")->capture_default_str();
    command->add_option("--scenario", options->scenario,
                        "Network, load and faults (docs/simulation.md); else a calm one");
}

}  // namespace teetee::cli
