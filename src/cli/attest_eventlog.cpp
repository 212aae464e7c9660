// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "attest/ccel.hpp"
#include "attest/limits.hpp"
#include "cli/command.hpp"
#include "cli/evidence_file.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;

struct EventLogOptions {
    std::string quote;
    std::string log;
};

/// What is known so far; the app's identity only once the log is known to be the quote's.
struct Findings {
    std::optional<attest::ReplayedLog> log;
    bool registers_match = false;
    bool mrconfigid_bound = false;
};

/// A dstack log is a JSON list, the firmware's is binary and begins with a small number.
Result<attest::ReplayedLog> replay(ByteView log) {
    const std::string_view text = as_text(log);
    const size_t first = text.find_first_not_of(" \t\r\n");
    const bool is_list = first != std::string_view::npos && text[first] == '[';
    return is_list ? attest::replay_event_log(text) : attest::replay_ccel(log);
}

Result<void> check(ByteView quote_bytes, ByteView log, Findings& findings) {
    TT_TRY(findings.log, replay(log));
    TT_TRY(const attest::Quote quote, attest::parse_quote(quote_bytes));
    TT_CHECK(attest::check_rtmrs(findings.log->rtmr, quote.report));
    // The firmware's log knows no app.
    if (findings.log->app.system_ready || findings.log->app.compose_hash) {
        TT_TRY(findings.mrconfigid_bound,
               attest::check_mrconfigid(findings.log->app, quote.report));
    }
    findings.registers_match = true;
    return {};
}

template <size_t N>
json::value hex_or_null(const std::optional<ByteArray<N>>& bytes) {
    if (!bytes) return nullptr;
    return json::value(to_hex(*bytes));
}

json::object describe(const Findings& findings, const Result<void>& checked) {
    json::object out = {{"verdict", checked ? "accept" : "reject"}};
    json::array rtmr;
    if (findings.log) {
        for (const auto& value : findings.log->rtmr) rtmr.emplace_back(to_hex(value));
        out["events"] = findings.log->event_count;
    }
    out["rtmr"] = std::move(rtmr);
    const attest::AppIdentity app =
        findings.registers_match ? findings.log->app : attest::AppIdentity{};
    out["app_id"] = hex_or_null(app.app_id);
    out["compose_hash"] = hex_or_null(app.compose_hash);
    out["instance_id"] = hex_or_null(app.instance_id);
    out["os_image_hash"] = hex_or_null(app.os_image_hash);
    out["key_provider"] = nullptr;
    if (app.key_provider) {
        out["key_provider"] = {{"name", app.key_provider->name}, {"id", app.key_provider->id}};
    }
    out["mrconfigid_bound"] = findings.mrconfigid_bound;
    out["error"] = nullptr;
    if (!checked) {
        out["error"] = {{"code", to_string(checked.error().code)},
                        {"detail", checked.error().detail}};
    }
    return out;
}

void print_lines(const json::object& description) {
    std::string text;
    for (const auto& [key, value] : description) {
        const std::string name(key.data(), key.size());
        if (value.is_null() || name == "error") continue;
        if (name == "rtmr") {
            for (size_t i = 0; i < value.get_array().size(); ++i) {
                text += "RTMR" + std::to_string(i) + ": " +
                        std::string(value.get_array()[i].get_string()) + "\n";
            }
            continue;
        }
        text += name + ": " +
                (value.is_string() ? std::string(value.get_string()) : json::serialize(value)) +
                "\n";
    }
    print_text(text);
}

Result<void> eventlog(const EventLogOptions& options, Session& session) {
    TT_TRY(const Bytes quote, read_evidence_file(options.quote, attest::quote_bytes_max));
    TT_TRY(const Bytes log, net::read_file(options.log, attest::event_log_bytes_max));
    Findings findings;
    const auto checked = check(quote, log, findings);
    const json::object description = describe(findings, checked);
    if (session.json) {
        print_json(description);
    } else {
        print_lines(description);
    }
    if (!checked) {
        session.exit = Exit::not_so;
        std::fprintf(stderr, "teetee: %s\n", checked.error().message().c_str());
    }
    return {};
}

}  // namespace

void add_attest_eventlog(CLI::App& attest, Session& session) {
    auto options = std::make_shared<EventLogOptions>();
    CLI::App* command = add_command(
        attest, session, "eventlog",
        "Replay an event log and compare it with a quote, whose signatures 'attest verify' checks",
        options, eventlog);
    command->add_option("--quote", options->quote, "TDX quote, binary or hex")->required();
    command
        ->add_option("--log", options->log,
                     "Event log: dstack's JSON list, or the firmware's binary CCEL")
        ->required();
}

}  // namespace teetee::cli
