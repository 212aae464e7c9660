// SPDX-License-Identifier: Apache-2.0
// What a TD must show, said before one runs: docs/deploy.md.
#include <fmt/format.h>

#include "attest/limits.hpp"
#include "cli/attest_output.hpp"
#include "cli/deploy_commands.hpp"
#include "cli/evidence_file.hpp"
#include "cli/expected_measurement.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;

struct MeasureOptions {
    std::string app_compose;
    std::string image;
    std::string app_id;
    std::string log;
    std::string instance_id;
    std::string quote;
    std::string policy;
    std::string policy_out;
};

constexpr std::string_view no_instance = "none";

/// RTMR3, or why it cannot be known.
struct Rtmr3 {
    std::optional<attest::Measurement> value;
    std::string unknown;
};

template <size_t N>
Result<ByteArray<N>> hex_flag(const std::string& text, std::string_view flag) {
    auto bytes = array_from_hex<N>(text);
    if (!bytes)
        return fail(ErrorCode::invalid_argument, fmt::format("{}: {}", flag, bytes.error().detail));
    return bytes;
}

/// nullopt: nobody knows it yet.
Result<std::optional<Bytes>> instance_of(const MeasureOptions& options,
                                         const attest::AppCompose& app,
                                         const attest::AppMeasurement& measured,
                                         const attest::ReplayedLog& log) {
    if (options.instance_id == no_instance) return std::optional(Bytes());
    if (!options.instance_id.empty()) {
        TT_TRY(const auto id, hex_flag<20>(options.instance_id, "--instance-id"));
        return std::optional(Bytes(id.begin(), id.end()));
    }
    if (app.no_instance_id) return std::optional(Bytes());
    if (log.app.compose_hash != measured.compose_hash) return std::optional<Bytes>();
    if (!log.app.instance_id) return std::optional(Bytes());
    return std::optional(Bytes(log.app.instance_id->begin(), log.app.instance_id->end()));
}

Result<Rtmr3> foretell(const MeasureOptions& options, const attest::AppCompose& app,
                       const attest::AppMeasurement& measured,
                       const std::optional<attest::ReplayedLog>& log) {
    if (!log) {
        return Rtmr3{{},
                     "it also has the instance's id, the OS image's hash and the key provider, "
                     "which only a TD knows: --log FILE, of one that boots the same image"};
    }
    TT_TRY(const auto instance, instance_of(options, app, measured, *log));
    if (!instance) {
        return Rtmr3{{},
                     "each instance has an id of its own, which it makes at its first start: "
                     "--instance-id HEX, or \"no_instance_id\" in the app-compose"};
    }
    TT_TRY(const auto value, attest::predict_rtmr3(*log, measured, *instance));
    return Rtmr3{value, {}};
}

/// One image's registers are the report's.
Result<void> check_image(const ExpectedMeasurement& expected, const attest::TdReport& report) {
    if (expected.images.empty()) return {};
    for (const attest::ImageMeasurement& image : expected.images) {
        if (image.mrtd == report.mrtd &&
            std::equal(image.rtmr.begin(), image.rtmr.end(), report.rtmr.begin()))
            return {};
    }
    const attest::ImageMeasurement& first = expected.images.front();
    std::string have = first.mrtd == report.mrtd ? "" : " MRTD " + to_hex(report.mrtd);
    for (size_t i = 0; i < first.rtmr.size(); ++i) {
        if (first.rtmr[i] != report.rtmr[i])
            have += fmt::format(" RTMR{} {}", i, to_hex(report.rtmr[i]));
    }
    return fail(ErrorCode::measurement_rejected, "OS image or size of the machine: have" + have +
                                                     ", need what --image-measurements says");
}

/// Does a TD show what is expected? Its signatures are for 'attest verify'.
Result<void> check_quote(const MeasureOptions& options, const ExpectedMeasurement& expected,
                         const std::optional<attest::ReplayedLog>& log) {
    TT_TRY(const Bytes bytes, read_evidence_file(options.quote, attest::quote_bytes_max));
    TT_TRY(const attest::Quote quote, attest::parse_quote(bytes));
    const auto* report = std::get_if<attest::TdReport>(&quote.report);
    if (report == nullptr)
        return fail(ErrorCode::quote_unsupported, "TEE type: have SGX, need TDX");
    TT_CHECK(check_image(expected, *report));
    attest::AppIdentity app;
    app.compose_hash = expected.app.compose_hash;
    TT_TRY(const bool is_bound, attest::check_mrconfigid(app, *report));
    if (!is_bound && !log) {
        return fail(ErrorCode::compose_hash_mismatch,
                    "MRCONFIGID is zero (dstack of before 0.5.1) and binds nothing: need --log");
    }
    if (!log) return {};
    TT_CHECK(attest::check_rtmrs(log->rtmr, *report));
    if (log->app.compose_hash == expected.app.compose_hash) return {};
    return fail(ErrorCode::compose_hash_mismatch,
                "event log: have compose hash " +
                    (log->app.compose_hash ? to_hex(*log->app.compose_hash) : "none") + ", need " +
                    to_hex(expected.app.compose_hash));
}

Result<std::optional<attest::ReplayedLog>> read_log(const std::string& path) {
    if (path.empty()) return std::optional<attest::ReplayedLog>();
    TT_TRY(const Bytes text, net::read_file(path, attest::event_log_bytes_max));
    auto log = attest::replay_event_log(as_text(text));
    if (!log) return in_context(path, std::move(log).error());
    return std::optional(std::move(*log));
}

Result<void> write_policy(const MeasureOptions& options, const ExpectedMeasurement& expected) {
    TT_TRY(const auto policy, policy_for(expected, options.policy));
    return net::write_file_atomic(options.policy_out,
                                  as_bytes(attest::encode_policy(policy) + "\n"));
}

std::string report_text(const ExpectedMeasurement& expected, const Rtmr3& rtmr3) {
    std::string text = expected.text();
    if (expected.images.empty())
        text += "MRTD, RTMR0 to RTMR2  those of the OS image: --image-measurements FILE\n";
    text += rtmr3.value ? "RTMR3         " + to_hex(*rtmr3.value) + ", when the app starts\n"
                        : "RTMR3         not known before: " + rtmr3.unknown + "\n";
    return text;
}

Result<void> measure(const MeasureOptions& options, Session& session) {
    TT_TRY(const Bytes text, net::read_file(options.app_compose, attest::app_compose_bytes_max));
    auto app = attest::parse_app_compose(as_text(text));
    if (!app) return in_context(options.app_compose, std::move(app).error());
    if (!app->key_provider_id.empty()) {
        return fail(ErrorCode::unsupported,
                    options.app_compose +
                        ": key_provider_id: have one, need \"\": MRCONFIGID then has a form that "
                        "this program does not foretell");
    }
    std::optional<attest::AppId> app_id;
    if (!options.app_id.empty()) {
        TT_TRY(app_id, hex_flag<20>(options.app_id, "--app-id"));
    }
    TT_TRY(const auto expected, ExpectedMeasurement::of(text, app_id, options.image));
    TT_TRY(const auto log, read_log(options.log));
    TT_TRY(const Rtmr3 rtmr3, foretell(options, *app, expected.app, log));
    const auto checked =
        options.quote.empty() ? Result<void>() : check_quote(options, expected, log);
    // A quote that shows something else makes one doubt what is expected: no policy comes of it.
    const bool writes_policy = !options.policy_out.empty() && checked;
    if (writes_policy) TT_CHECK(write_policy(options, expected));
    if (session.json) {
        json::object out;
        expected.put_into(out);
        out["rtmr3"] = rtmr3.value ? json::value(to_hex(*rtmr3.value)) : json::value();
        out["unknown"] = json::object();
        if (!rtmr3.value) out["unknown"].as_object()["rtmr3"] = rtmr3.unknown;
        out["policy"] = writes_policy ? json::value(options.policy_out) : json::value();
        out["verdict"] =
            options.quote.empty() ? json::value() : json::value(checked ? "accept" : "reject");
        out["error"] = nullptr;
        if (!checked)
            out["error"] = {{"code", to_string(checked.error().code)},
                            {"detail", checked.error().detail}};
        print_description(session, out, checked);
        return {};
    }
    print_text(report_text(expected, rtmr3));
    if (writes_policy) print_text("policy        " + options.policy_out + "\n");
    if (!options.quote.empty() && checked) print_text("the quote shows this\n");
    return checked;
}

}  // namespace

void add_attest_measure(CLI::App& attest, Session& session) {
    auto options = std::make_shared<MeasureOptions>();
    CLI::App* command =
        add_command(attest, session, "measure",
                    "What a dstack app must show: compose hash, registers, and a policy for them",
                    options, measure);
    command->add_option("--app-compose", options->app_compose, "The app-compose.json")->required();
    command->add_option("--image-measurements", options->image,
                        "JSON with mrtd, rtmr0, rtmr1 and rtmr2 of the OS image, as dstack's tools "
                        "print them, or a list of such, one for each size of machine");
    command->add_option("--app-id", options->app_id,
                        "Of an app whose id a contract of the key service gave; default: from the "
                        "compose hash");
    command->add_option("--log", options->log,
                        "Event log of a TD that boots the same image: RTMR3 follows from it");
    command->add_option("--instance-id", options->instance_id,
                        "Of the instance whose RTMR3 is meant, or none");
    command->add_option("--quote", options->quote,
                        "Does this quote show it? Whether it is true says 'attest verify'");
    command->add_option("--policy", options->policy,
                        "Policy whose other rules --policy-out takes over");
    command->add_option("--policy-out", options->policy_out,
                        "Policy file to write, which accepts this and nothing else");
}

}  // namespace teetee::cli
