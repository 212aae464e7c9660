// SPDX-License-Identifier: Apache-2.0
// Policy files; policy.cpp applies them.
#include <algorithm>

#include "attest/json_object.hpp"
#include "attest/limits.hpp"
#include "attest/policy_registers.hpp"
#include "base/strict_json.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

constexpr std::string_view intel_root_word = "intel";

constexpr std::array<std::string_view, 14> known_keys = {"roots",
                                                         "measurements",
                                                         "allow_simulated",
                                                         "allow_debug",
                                                         "require_sept_ve_disable",
                                                         "require_collateral",
                                                         "accepted_statuses",
                                                         "grace_days",
                                                         "accepted_advisories",
                                                         "collateral_age_s_max",
                                                         "tcb_evaluation_number_min",
                                                         "ppids",
                                                         "mrseams",
                                                         "mrservicetds"};

Result<void> ensure_keys_known(const json::object& object) {
    for (const auto& member : object) {
        const std::string_view key(member.key().data(), member.key().size());
        if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end()) {
            return fail(ErrorCode::policy_malformed,
                        "policy: have " + quote_foreign(key) + ", need a known key");
        }
    }
    return {};
}

Result<TrustedRoots> parse_roots(const JsonObject& object) {
    const JsonPlace place = object.place().at("roots");
    TT_TRY(const json::array* entries, object.array("roots", policy_roots_max));
    TrustedRoots roots;
    for (const json::value& entry : *entries) {
        TT_TRY(const std::string_view root, json_text(entry, place));
        if (root == intel_root_word) {
            roots.add_intel();
            continue;
        }
        const auto added = roots.add_pem(root);
        if (!added) return place.wrong(added.error().detail, "\"intel\" or one PEM");
    }
    return roots;
}

std::optional<Measurement>* register_of(AcceptedMeasurement& entry, std::string_view key) {
    if (key == "mrtd") return &entry.mrtd;
    if (key == "mrconfigid") return &entry.mrconfigid;
    const auto at = std::find(rtmr_keys.begin(), rtmr_keys.end(), key);
    if (at == rtmr_keys.end()) return nullptr;
    return &entry.rtmr[static_cast<size_t>(at - rtmr_keys.begin())];
}

Result<AcceptedMeasurement> parse_measurement(const json::value& value, const JsonPlace& place) {
    TT_TRY(const JsonObject object, JsonObject::of(value, place));
    if (value.get_object().empty()) return place.wrong("an empty entry", "a register");
    AcceptedMeasurement entry;
    for (const auto& member : value.get_object()) {
        const std::string_view key(member.key().data(), member.key().size());
        std::optional<Measurement>* slot = register_of(entry, key);
        if (slot == nullptr) return place.wrong(quote_foreign(key), "a known key");
        TT_TRY(*slot, object.hex<48>(key));
    }
    return entry;
}

Result<std::vector<AcceptedMeasurement>> parse_measurements(const JsonObject& object) {
    const JsonPlace place = object.place().at("measurements");
    TT_TRY(const json::array* entries, object.array("measurements", policy_measurements_max));
    std::vector<AcceptedMeasurement> out;
    for (const json::value& entry : *entries) {
        TT_TRY(auto measurement, parse_measurement(entry, place));
        out.push_back(std::move(measurement));
    }
    return out;
}

Result<std::vector<TcbStatus>> parse_statuses(const JsonObject& object) {
    const JsonPlace place = object.place().at("accepted_statuses");
    TT_TRY(const json::array* entries, object.array("accepted_statuses", every_tcb_status.size()));
    std::vector<TcbStatus> out;
    for (const json::value& entry : *entries) {
        TT_TRY(const std::string_view word, json_text(entry, place));
        const auto status = parse_tcb_status(word);
        if (!status || *status == TcbStatus::revoked) {
            return place.wrong(quote_foreign(word), "statuses of Intel's but Revoked");
        }
        out.push_back(*status);
    }
    return out;
}

// An empty list accepts no advisory at all.
Result<std::vector<std::string>> parse_advisories(const JsonObject& object) {
    const JsonPlace place = object.place().at("accepted_advisories");
    TT_TRY(const json::array* entries,
           object.array_or_empty("accepted_advisories", advisories_max));
    std::vector<std::string> out;
    for (const json::value& entry : *entries) {
        TT_TRY(const std::string_view text, json_text(entry, place));
        out.emplace_back(text);
    }
    return out;
}

template <size_t N>
Result<std::vector<ByteArray<N>>> parse_hex_list(const JsonObject& object, std::string_view key) {
    const JsonPlace place = object.place().at(key);
    TT_TRY(const json::array* entries, object.array(key, policy_list_entries_max));
    std::vector<ByteArray<N>> out;
    for (const json::value& entry : *entries) {
        TT_TRY(const std::string_view digits, json_text(entry, place));
        const auto bytes = array_from_hex<N>(digits);
        if (!bytes) return place.wrong(bytes.error().detail, JsonObject::hex_digits(N));
        out.push_back(*bytes);
    }
    return out;
}

Result<void> parse_switches(const JsonObject& object, Policy& policy) {
    const auto read = [&](std::string_view key, bool& flag) -> Result<void> {
        if (!object.has(key)) return {};
        TT_TRY(flag, object.boolean(key));
        return {};
    };
    TT_CHECK(read("allow_simulated", policy.allow_simulated));
    TT_CHECK(read("allow_debug", policy.allow_debug));
    TT_CHECK(read("require_sept_ve_disable", policy.require_sept_ve_disable));
    TT_CHECK(read("require_collateral", policy.require_collateral));
    return {};
}

Result<void> parse_tcb_rules(const JsonObject& object, Policy& policy) {
    const auto number = [&](std::string_view key, uint64_t value_max) -> Result<uint32_t> {
        TT_TRY(const uint64_t value, object.number(key, value_max));
        return static_cast<uint32_t>(value);
    };
    if (object.has("accepted_statuses")) {
        TT_TRY(policy.accepted_statuses, parse_statuses(object));
    }
    if (object.has("accepted_advisories")) {
        TT_TRY(policy.accepted_advisories, parse_advisories(object));
    }
    if (object.has("grace_days")) {
        TT_TRY(policy.grace_days, number("grace_days", policy_grace_days_max));
    }
    if (object.has("collateral_age_s_max")) {
        TT_TRY(policy.collateral_age_s_max, number("collateral_age_s_max", UINT32_MAX));
    }
    if (object.has("tcb_evaluation_number_min")) {
        TT_TRY(policy.tcb_evaluation_number_min, number("tcb_evaluation_number_min", UINT32_MAX));
    }
    return {};
}

Result<void> parse_lists(const JsonObject& object, Policy& policy) {
    if (object.has("ppids")) {
        TT_TRY(policy.ppids, parse_hex_list<16>(object, "ppids"));
    }
    if (object.has("mrseams")) {
        TT_TRY(policy.mrseams, parse_hex_list<48>(object, "mrseams"));
    }
    if (object.has("mrservicetds")) {
        TT_TRY(policy.mrservicetds, parse_hex_list<48>(object, "mrservicetds"));
    }
    return {};
}

template <class List>
json::array hex_list(const List& list) {
    json::array out;
    for (const auto& bytes : list) out.emplace_back(to_hex(bytes));
    return out;
}

json::array encode_measurements(const Policy& policy) {
    json::array out;
    const TdReport no_report;
    for (const AcceptedMeasurement& entry : policy.measurements) {
        json::object registers;
        for (const RegisterCheck& check : register_checks(entry, no_report)) {
            if (check.need) registers.emplace(check.name, to_hex(*check.need));
        }
        out.push_back(std::move(registers));
    }
    return out;
}

json::array encode_roots(const Policy& policy) {
    json::array out;
    for (const TrustedRoots::Root& root : policy.roots.roots()) {
        out.emplace_back(root.pem.empty() ? intel_root_word : std::string_view(root.pem));
    }
    return out;
}

}  // namespace

Result<Policy> parse_policy(std::string_view text) {
    const auto parsed = parse_strict_json(
        text, {.bytes_max = policy_bytes_max, .depth_max = policy_json_depth_max});
    if (!parsed) return fail(ErrorCode::policy_malformed, parsed.error().detail);
    TT_TRY(const JsonObject object,
           JsonObject::of(*parsed, {"policy", ErrorCode::policy_malformed}));
    TT_CHECK(ensure_keys_known(parsed->get_object()));
    Policy policy;
    TT_TRY(policy.roots, parse_roots(object));
    TT_TRY(policy.measurements, parse_measurements(object));
    TT_CHECK(parse_switches(object, policy));
    TT_CHECK(parse_tcb_rules(object, policy));
    TT_CHECK(parse_lists(object, policy));
    return policy;
}

std::string encode_policy(const Policy& policy) {
    json::array statuses;
    for (const TcbStatus status : policy.accepted_statuses)
        statuses.emplace_back(to_string(status));
    json::object object = {
        {"roots", encode_roots(policy)},
        {"allow_simulated", policy.allow_simulated},
        {"allow_debug", policy.allow_debug},
        {"require_sept_ve_disable", policy.require_sept_ve_disable},
        {"require_collateral", policy.require_collateral},
        {"accepted_statuses", std::move(statuses)},
        {"grace_days", policy.grace_days},
        {"tcb_evaluation_number_min", policy.tcb_evaluation_number_min},
        {"measurements", encode_measurements(policy)},
    };
    if (policy.accepted_advisories) {
        object["accepted_advisories"] =
            json::array(policy.accepted_advisories->begin(), policy.accepted_advisories->end());
    }
    if (policy.collateral_age_s_max) object["collateral_age_s_max"] = *policy.collateral_age_s_max;
    // Empty means all, and that is said by leaving the key out.
    if (!policy.ppids.empty()) object["ppids"] = hex_list(policy.ppids);
    if (!policy.mrseams.empty()) object["mrseams"] = hex_list(policy.mrseams);
    if (!policy.mrservicetds.empty()) object["mrservicetds"] = hex_list(policy.mrservicetds);
    return json::serialize(object);
}

}  // namespace teetee::attest
