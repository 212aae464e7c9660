// SPDX-License-Identifier: Apache-2.0
#include "attest/app_compose.hpp"

#include <algorithm>
#include <set>

#include "attest/json_object.hpp"
#include "attest/limits.hpp"
#include "base/strict_json.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

constexpr std::string_view app_id_event = "app-id";
constexpr std::string_view compose_hash_event = "compose-hash";
constexpr std::string_view instance_id_event = "instance-id";
constexpr std::string_view ready_event = "system-ready";

Measurement digest_of(std::string_view name, ByteView payload) {
    const auto digest =
        runtime_event_digest({std::string(name), Bytes(payload.begin(), payload.end())});
    TT_ASSERT(digest);
    return *digest;
}

Result<bool> flag(const JsonObject& object, std::string_view key, bool fallback) {
    if (!object.has(key)) return fallback;
    return object.boolean(key);
}

Result<std::vector<std::string>> parse_envs(const JsonObject& object) {
    std::vector<std::string> out;
    if (!object.has("allowed_envs")) return out;
    const JsonPlace place = object.place().at("allowed_envs");
    TT_TRY(const json::array* entries, object.array_or_empty("allowed_envs", app_compose_envs_max));
    for (const json::value& entry : *entries) {
        TT_TRY(const std::string_view name, json_text(entry, place));
        if (name.empty() || name.size() > app_compose_env_bytes_max)
            return place.wrong(std::to_string(name.size()) + " bytes", "a variable's name");
        out.emplace_back(name);
    }
    return out;
}

}  // namespace

std::string encode_app_compose(const AppCompose& app) {
    const std::set<std::string> names(app.allowed_envs.begin(), app.allowed_envs.end());
    // In the order of their names, which Boost.JSON keeps.
    const json::object object = {{"allowed_envs", json::array(names.begin(), names.end())},
                                 {"docker_compose_file", app.docker_compose_file},
                                 {"gateway_enabled", true},
                                 {"key_provider_id", ""},
                                 {"kms_enabled", app.kms_enabled},
                                 {"local_key_provider_enabled", !app.kms_enabled},
                                 {"manifest_version", 2},
                                 {"name", app.name},
                                 {"no_instance_id", app.no_instance_id},
                                 {"public_logs", true},
                                 {"public_sysinfo", true},
                                 {"public_tcbinfo", true},
                                 {"runner", "docker-compose"},
                                 {"secure_time", true}};
    return json::serialize(object);
}

Result<AppCompose> parse_app_compose(std::string_view text) {
    const JsonPlace place{"app-compose", ErrorCode::config_invalid};
    const auto parsed = parse_strict_json(
        text, {.bytes_max = app_compose_bytes_max, .depth_max = app_compose_depth_max});
    if (!parsed) return fail(ErrorCode::config_invalid, "app-compose: " + parsed.error().detail);
    TT_TRY(const JsonObject object, JsonObject::of(*parsed, place));
    TT_TRY(const uint64_t version, object.number("manifest_version", UINT32_MAX));
    if (version == 0 || version > 3)
        return place.at("manifest_version").wrong(std::to_string(version), "1 to 3");
    TT_TRY(const std::string_view runner, object.text("runner"));
    if (runner != "docker-compose")
        return place.at("runner").wrong(quote_foreign(runner), "\"docker-compose\"");
    AppCompose app;
    TT_TRY(app.name, object.text("name"));
    TT_TRY(app.docker_compose_file, object.text("docker_compose_file"));
    TT_TRY(app.allowed_envs, parse_envs(object));
    TT_TRY(app.no_instance_id, flag(object, "no_instance_id", false));
    TT_TRY(app.kms_enabled, flag(object, "kms_enabled", false));
    if (object.has("key_provider_id")) {
        TT_TRY(const std::string_view id, object.text("key_provider_id"));
        app.key_provider_id = id;
    }
    return app;
}

AppMeasurement measure_app(ByteView app_compose, std::optional<AppId> app_id) {
    AppMeasurement out;
    out.compose_hash = crypto::sha256(app_compose);
    if (app_id) {
        out.app_id = *app_id;
    } else {
        std::copy_n(out.compose_hash.begin(), out.app_id.size(), out.app_id.begin());
    }
    out.mrconfigid = mrconfigid_of(out.compose_hash);
    out.app_id_digest = digest_of(app_id_event, out.app_id);
    out.compose_hash_digest = digest_of(compose_hash_event, out.compose_hash);
    return out;
}

Result<Measurement> predict_rtmr3(const ReplayedLog& like, const AppMeasurement& app,
                                  ByteView instance_id) {
    std::set<std::string_view> missing = {app_id_event, compose_hash_event, instance_id_event,
                                          ready_event};
    Measurement rtmr{};
    for (RuntimeEvent event : like.runtime_events) {
        missing.erase(std::string_view(event.name));
        if (event.name == app_id_event) event.payload.assign(app.app_id.begin(), app.app_id.end());
        if (event.name == compose_hash_event)
            event.payload.assign(app.compose_hash.begin(), app.compose_hash.end());
        if (event.name == instance_id_event)
            event.payload.assign(instance_id.begin(), instance_id.end());
        TT_TRY(const Measurement digest, runtime_event_digest(event));
        extend_rtmr(rtmr, digest);
        if (event.name == ready_event) break;
    }
    if (missing.empty()) return rtmr;
    return fail(ErrorCode::event_log_malformed,
                "event log: have no " + std::string(*missing.begin()) + " event, need one");
}

}  // namespace teetee::attest
