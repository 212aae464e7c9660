// SPDX-License-Identifier: Apache-2.0
#include "attest/ccel.hpp"
#include "attest/limits.hpp"
#include "cli/attest_output.hpp"
#include "cli/evidence_file.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;

struct EventLogOptions {
    std::string quote;
    std::string log;
};

/// What is known so far.
struct Findings {
    std::optional<attest::ReplayedLog> log;
    /// Only once the log is known to be the quote's.
    attest::AppIdentity app;
    bool mrconfigid_bound = false;
};

/// A dstack log is a JSON list, the firmware's is binary and begins with a small number.
bool is_json(ByteView log) {
    const std::string_view text = as_text(log);
    const size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '[';
}

Result<void> check(ByteView quote_bytes, ByteView log, Findings& findings) {
    TT_TRY(findings.log,
           is_json(log) ? attest::replay_event_log(as_text(log)) : attest::replay_ccel(log));
    TT_TRY(const attest::Quote quote, attest::parse_quote(quote_bytes));
    const auto* report = std::get_if<attest::TdReport>(&quote.report);
    if (report == nullptr) {
        return fail(ErrorCode::quote_unsupported, "TEE type: have SGX, need TDX, which has logs");
    }
    TT_CHECK(attest::check_rtmrs(findings.log->rtmr, *report));
    if (!is_json(log)) return {};  // the firmware's log knows no app
    TT_TRY(findings.mrconfigid_bound, attest::check_mrconfigid(findings.log->app, *report));
    findings.app = findings.log->app;
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
    const attest::AppIdentity& app = findings.app;
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

Result<void> eventlog(const EventLogOptions& options, Session& session) {
    TT_TRY(const Bytes quote, read_evidence_file(options.quote, attest::quote_bytes_max));
    TT_TRY(const Bytes log, net::read_file(options.log, attest::event_log_bytes_max));
    Findings findings;
    const auto checked = check(quote, log, findings);
    print_description(session, describe(findings, checked), checked);
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
