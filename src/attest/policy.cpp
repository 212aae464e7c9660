// SPDX-License-Identifier: Apache-2.0
#include "attest/policy.hpp"

#include <algorithm>

#include "attest/intel.hpp"
#include "attest/limits.hpp"
#include "attest/strict_json.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

constexpr std::string_view intel_root_word = "intel";
constexpr std::array<std::string_view, 4> rtmr_keys = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};

Error malformed(std::string_view field, std::string_view have, std::string_view need) {
    return fail(ErrorCode::policy_malformed,
                std::string(field) + ": have " + std::string(have) + ", need " + std::string(need));
}

Error refused(ErrorCode code, std::string_view field, std::string_view have,
              std::string_view need) {
    return fail(code,
                std::string(field) + ": have " + std::string(have) + ", need " + std::string(need));
}

Result<const json::array*> array_field(const json::value& value, std::string_view key,
                                       size_t count_max) {
    const json::array* array = value.if_array();
    if (array == nullptr) return malformed(key, "another type", "an array");
    if (array->empty() || array->size() > count_max) {
        return malformed(key, std::to_string(array->size()) + " entries",
                         "1 to " + std::to_string(count_max));
    }
    return array;
}

Result<bool> bool_field(const json::value& value, std::string_view key) {
    const bool* flag = value.if_bool();
    if (flag == nullptr) return malformed(key, "another type", "true or false");
    return *flag;
}

Result<TrustedRoots> roots_field(const json::value& value) {
    TT_TRY(const json::array* entries, array_field(value, "roots", policy_roots_max));
    TrustedRoots roots;
    for (const json::value& entry : *entries) {
        const json::string* text = entry.if_string();
        if (text == nullptr) return malformed("roots", "another type", "strings");
        const std::string_view root(text->data(), text->size());
        if (root == intel_root_word) {
            roots.add_intel();
            continue;
        }
        const auto added = roots.add_pem(root);
        if (!added) return malformed("roots", added.error().detail, "\"intel\" or one PEM");
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

Result<AcceptedMeasurement> measurement_entry(const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr) return malformed("measurements", "another type", "objects");
    if (object->empty()) return malformed("measurements", "an empty entry", "a register");
    AcceptedMeasurement entry;
    for (const auto& member : *object) {
        const std::string_view key(member.key().data(), member.key().size());
        std::optional<Measurement>* slot = register_of(entry, key);
        if (slot == nullptr) return malformed("measurements", quote_foreign(key), "a known key");
        const json::string* text = member.value().if_string();
        if (text == nullptr) return malformed(key, "another type", "96 hex digits");
        const auto bytes = array_from_hex<48>({text->data(), text->size()});
        if (!bytes) return malformed(key, bytes.error().detail, "96 hex digits");
        *slot = *bytes;
    }
    return entry;
}

struct RegisterCheck {
    std::string_view name;
    const std::optional<Measurement>& need;
    const Measurement& have;
};

std::array<RegisterCheck, 6> register_checks(const AcceptedMeasurement& entry,
                                             const TdReport& report) {
    return {{{"mrtd", entry.mrtd, report.mrtd},
             {rtmr_keys[0], entry.rtmr[0], report.rtmr[0]},
             {rtmr_keys[1], entry.rtmr[1], report.rtmr[1]},
             {rtmr_keys[2], entry.rtmr[2], report.rtmr[2]},
             {rtmr_keys[3], entry.rtmr[3], report.rtmr[3]},
             {"mrconfigid", entry.mrconfigid, report.mrconfigid}}};
}

Result<void> check_measurement(const TdReport& report, const AcceptedMeasurement& entry) {
    for (const RegisterCheck& check : register_checks(entry, report)) {
        if (check.need && *check.need != check.have) {
            return refused(ErrorCode::measurement_rejected, check.name, to_hex(check.have),
                           to_hex(*check.need));
        }
    }
    return {};
}

// Of several entries the error names the first: which one the node was meant to be, nobody knows.
Result<void> check_measurements(const TdReport& report, const Policy& policy) {
    if (policy.measurements.empty()) {
        return refused(ErrorCode::measurement_rejected, "measurements", "a policy without any",
                       "at least one");
    }
    for (const AcceptedMeasurement& entry : policy.measurements) {
        if (check_measurement(report, entry)) return {};
    }
    Error error = check_measurement(report, policy.measurements.front()).error();
    if (policy.measurements.size() > 1) {
        error.detail += " or another of " + std::to_string(policy.measurements.size()) + " entries";
    }
    return error;
}

Result<void> check_attributes(const TdReport& report, const Policy& policy) {
    const auto reject = [](std::string_view field, std::string_view have, std::string_view need) {
        return refused(ErrorCode::attributes_rejected, field, have, need);
    };
    if ((report.tdattributes & td_attribute_debug) != 0 && !policy.allow_debug) {
        return reject("tdattributes", "DEBUG on", "off");
    }
    if ((report.tdattributes & td_attributes_reserved_tud) != 0) {
        return reject("tdattributes", "reserved TUD bits on", "off");
    }
    if ((report.tdattributes & td_attribute_migratable) != 0) {
        return reject("tdattributes", "MIGRATABLE on", "off");
    }
    if (policy.require_sept_ve_disable &&
        (report.tdattributes & td_attribute_sept_ve_disable) == 0) {
        return reject("tdattributes", "SEPT_VE_DISABLE off", "on");
    }
    // Intel's own TDX module has both zero; a service TD could migrate this one elsewhere.
    if (report.seamattributes != 0) return reject("seamattributes", "bits on", "zero");
    if (report.mrsignerseam != Measurement{}) {
        return reject("mrsignerseam", to_hex(report.mrsignerseam), "zero");
    }
    if (report.since_15 && report.since_15->mrservicetd != Measurement{}) {
        return reject("mrservicetd", to_hex(report.since_15->mrservicetd), "zero");
    }
    return {};
}

}  // namespace

Result<Policy> parse_policy(std::string_view text) {
    auto parsed = parse_strict_json(
        text, {.bytes_max = policy_bytes_max, .depth_max = policy_json_depth_max});
    if (!parsed) return fail(ErrorCode::policy_malformed, parsed.error().detail);
    const json::object* object = parsed->if_object();
    if (object == nullptr) return malformed("policy", "another type", "an object");

    Policy policy;
    for (const auto& member : *object) {
        const std::string_view key(member.key().data(), member.key().size());
        const json::value& value = member.value();
        if (key == "roots") {
            TT_TRY(policy.roots, roots_field(value));
        } else if (key == "measurements") {
            TT_TRY(const json::array* entries, array_field(value, key, policy_measurements_max));
            for (const json::value& entry : *entries) {
                TT_TRY(auto accepted, measurement_entry(entry));
                policy.measurements.push_back(std::move(accepted));
            }
        } else if (key == "allow_simulated") {
            TT_TRY(policy.allow_simulated, bool_field(value, key));
        } else if (key == "allow_debug") {
            TT_TRY(policy.allow_debug, bool_field(value, key));
        } else if (key == "require_sept_ve_disable") {
            TT_TRY(policy.require_sept_ve_disable, bool_field(value, key));
        } else {
            return malformed("policy", quote_foreign(key), "a known key");
        }
    }
    if (policy.roots.roots().empty()) return malformed("roots", "none", "at least one");
    if (policy.measurements.empty()) return malformed("measurements", "none", "at least one");
    return policy;
}

std::string encode_policy(const Policy& policy) {
    json::array roots;
    for (const TrustedRoots::Root& root : policy.roots.roots()) {
        roots.emplace_back(root.pem.empty() ? intel_root_word : std::string_view(root.pem));
    }
    json::array measurements;
    const TdReport no_report;
    for (const AcceptedMeasurement& entry : policy.measurements) {
        json::object registers;
        for (const RegisterCheck& check : register_checks(entry, no_report)) {
            if (check.need) registers.emplace(check.name, to_hex(*check.need));
        }
        measurements.push_back(std::move(registers));
    }
    const json::object object = {
        {"roots", std::move(roots)},
        {"allow_simulated", policy.allow_simulated},
        {"allow_debug", policy.allow_debug},
        {"require_sept_ve_disable", policy.require_sept_ve_disable},
        {"measurements", std::move(measurements)},
    };
    return json::serialize(object);
}

Result<void> check_policy(const VerifiedQuote& quote, const Policy& policy) {
    if (quote.simulated && !policy.allow_simulated) {
        return refused(ErrorCode::simulated_rejected, "root", to_hex(quote.root_fingerprint),
                       "Intel's " + to_hex(intel_root_fingerprint));
    }
    TT_CHECK(check_attributes(quote.report, policy));
    return check_measurements(quote.report, policy);
}

}  // namespace teetee::attest
