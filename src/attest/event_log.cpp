// SPDX-License-Identifier: Apache-2.0
#include "attest/event_log.hpp"

#include <algorithm>
#include <set>

#include "attest/limits.hpp"
#include "base/strict_json.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

constexpr uint32_t runtime_event_type = 0x08000001;
constexpr size_t runtime_rtmr = 3;

Error malformed(std::string_view component, std::string_view have, std::string_view need) {
    return fail(
        ErrorCode::event_log_malformed,
        std::string(component) + ": have " + std::string(have) + ", need " + std::string(need));
}

Error mismatch(std::string_view component, ByteView have, ByteView need) {
    return fail(ErrorCode::event_log_mismatch,
                std::string(component) + ": have " + to_hex(have) + ", need " + to_hex(need));
}

struct Event {
    size_t rtmr = 0;
    uint32_t type = 0;
    std::string_view name;
    Bytes payload;
    /// Empty where the log leaves it to the reader.
    Bytes digest;
    uint32_t version = 1;
    std::optional<Bytes> preimage;
};

Result<uint32_t> number_field(const json::value& value, std::string_view key, uint32_t value_max) {
    const int64_t* number = value.if_int64();
    if (number == nullptr || *number < 0 || *number > int64_t{value_max}) {
        return malformed(key, quote_foreign(json::serialize(value)),
                         "0 to " + std::to_string(value_max));
    }
    return static_cast<uint32_t>(*number);
}

Result<std::string_view> text_field(const json::value& value, std::string_view key,
                                    size_t bytes_max) {
    const json::string* text = value.if_string();
    if (text == nullptr) return malformed(key, "another type", "a string");
    if (text->size() > bytes_max) {
        return malformed(key, std::to_string(text->size()) + " bytes",
                         "at most " + std::to_string(bytes_max));
    }
    return std::string_view(text->data(), text->size());
}

Result<Bytes> hex_field(const json::value& value, std::string_view key, size_t bytes_max) {
    TT_TRY(const std::string_view text, text_field(value, key, 2 * bytes_max));
    auto bytes = from_hex(text);
    if (!bytes) return malformed(key, bytes.error().detail, "hex digits");
    return bytes;
}

Result<void> parse_member(Event& event, std::string_view key, const json::value& value) {
    if (key == "imr") {
        TT_TRY(event.rtmr, number_field(value, key, 3));
    } else if (key == "event_type") {
        TT_TRY(event.type, number_field(value, key, UINT32_MAX));
    } else if (key == "event") {
        TT_TRY(event.name, text_field(value, key, event_name_bytes_max));
    } else if (key == "event_payload") {
        TT_TRY(event.payload, hex_field(value, key, event_payload_bytes_max));
    } else if (key == "digest") {
        TT_TRY(event.digest, hex_field(value, key, sizeof(Measurement)));
    } else if (key == "version") {
        TT_TRY(event.version, number_field(value, key, 2));
    } else if (key == "preimage") {
        if (value.is_null()) return {};
        TT_TRY(event.preimage, hex_field(value, key, event_preimage_bytes_max));
    } else {
        return malformed("key", quote_foreign(key), "a known one");
    }
    return {};
}

Result<Event> parse_event(const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr) return malformed("entry", "another type", "an object");
    Event event;
    for (const auto& member : *object) {
        TT_CHECK(parse_member(event, {member.key().data(), member.key().size()}, member.value()));
    }
    for (const std::string_view key : {"imr", "event_type", "event", "event_payload"}) {
        if (!object->contains({key.data(), key.size()})) return malformed(key, "none", "one");
    }
    return event;
}

Result<Bytes> preimage_v1(const Event& event) {
    if (event.name.find(':') != std::string_view::npos) {
        return malformed("event", quote_foreign(event.name), "a name without ':'");
    }
    ByteWriter out;
    out.u32(event.type);
    out.u8(':');
    out.bytes(as_bytes(event.name));
    out.u8(':');
    out.bytes(event.payload);
    return out.take();
}

// Boost.JSON writes strings as RFC 8785 wants them: shortest escapes, lower-case \u00xx.
Bytes preimage_v2(const Event& event) {
    const std::string text = "{\"name\":" + json::serialize(json::string(event.name)) +
                             ",\"payload\":\"" + to_hex(event.payload) +
                             "\",\"type\":" + std::to_string(event.type) + "}";
    const ByteView bytes = as_bytes(text);
    return Bytes(bytes.begin(), bytes.end());
}

Result<Bytes> preimage_of(const Event& event) {
    if (event.version == 0 || event.version > 2)
        return malformed("version", std::to_string(event.version), "1 or 2");
    if (event.version == 1) return preimage_v1(event);
    return preimage_v2(event);
}

Result<Measurement> runtime_digest(const Event& event) {
    if (event.rtmr != runtime_rtmr) {
        return malformed("imr of a runtime event", std::to_string(event.rtmr), "3");
    }
    TT_TRY(const Bytes preimage, preimage_of(event));
    if (event.preimage && *event.preimage != preimage) {
        return mismatch("preimage", crypto::sha384(*event.preimage), crypto::sha384(preimage));
    }
    const Measurement digest = crypto::sha384(preimage);
    if (!event.digest.empty() &&
        !std::equal(digest.begin(), digest.end(), event.digest.begin(), event.digest.end())) {
        return mismatch("digest", event.digest, digest);
    }
    return digest;
}

// SHA-1 and SHA-256 digests are extended with zeros behind them.
Result<Measurement> boot_digest(const Event& event) {
    // An opaque digest could stand for a runtime event that the log wants to hide.
    if (event.rtmr == runtime_rtmr) {
        return malformed("event_type in RTMR3", std::to_string(event.type),
                         std::to_string(runtime_event_type));
    }
    const size_t bytes = event.digest.size();
    if (bytes != 20 && bytes != 32 && bytes != 48) {
        return malformed("digest", std::to_string(bytes) + " bytes", "20, 32 or 48");
    }
    Measurement digest{};
    std::copy(event.digest.begin(), event.digest.end(), digest.begin());
    return digest;
}

template <size_t N>
Result<std::optional<ByteArray<N>>> exact_payload(const Event& event) {
    if (event.payload.size() != N) {
        return malformed(std::string(event.name) + " payload",
                         std::to_string(event.payload.size()) + " bytes", std::to_string(N));
    }
    ByteArray<N> out;
    std::copy(event.payload.begin(), event.payload.end(), out.begin());
    return std::optional(out);
}

Result<KeyProvider> parse_key_provider(const Event& event) {
    const auto parsed = parse_strict_json(as_text(event.payload),
                                          {.bytes_max = event_payload_bytes_max, .depth_max = 4});
    const json::object* object = parsed ? parsed->if_object() : nullptr;
    const auto text = [object](const char* key) -> std::optional<std::string> {
        const json::value* value = object == nullptr ? nullptr : object->if_contains(key);
        if (value == nullptr || !value->is_string()) return std::nullopt;
        return std::string(value->get_string());
    };
    const auto name = text("name");
    const auto id = text("id");
    if (!name || !id) {
        return malformed("key-provider payload", "something else", "JSON with \"name\" and \"id\"");
    }
    return KeyProvider{*name, *id};
}

/// Collects what the guest measured of the app, until the app itself can measure.
class IdentityReader {
  public:
    explicit IdentityReader(AppIdentity& app) : app_(app) {}

    Result<void> on_event(const Event& event) {
        if (app_.system_ready) return {};
        if (event.name == "app-id") {
            TT_TRY(app_.app_id, exact_payload<20>(event));
        } else if (event.name == "compose-hash") {
            TT_TRY(app_.compose_hash, exact_payload<32>(event));
        } else if (event.name == "instance-id") {
            // Empty for an app without one.
            if (!event.payload.empty()) {
                TT_TRY(app_.instance_id, exact_payload<20>(event));
            }
        } else if (event.name == "os-image-hash") {
            TT_TRY(app_.os_image_hash, exact_payload<32>(event));
        } else if (event.name == "key-provider") {
            TT_TRY(app_.key_provider, parse_key_provider(event));
        } else {
            app_.system_ready = event.name == "system-ready";
            return {};
        }
        if (!seen_.insert(event.name).second) return malformed(event.name, "two", "one");
        return {};
    }

  private:
    AppIdentity& app_;
    std::set<std::string_view> seen_;
};

}  // namespace

void extend_rtmr(Measurement& rtmr, const Measurement& digest) {
    ByteArray<96> both;
    std::copy(rtmr.begin(), rtmr.end(), both.begin());
    std::copy(digest.begin(), digest.end(), both.begin() + 48);
    rtmr = crypto::sha384(both);
}

Result<Measurement> runtime_event_digest(const RuntimeEvent& event) {
    TT_TRY(const Bytes preimage, preimage_of({.rtmr = runtime_rtmr,
                                              .type = runtime_event_type,
                                              .name = event.name,
                                              .payload = event.payload,
                                              .digest = {},
                                              .version = event.version,
                                              .preimage = {}}));
    return crypto::sha384(preimage);
}

Result<ReplayedLog> replay_event_log(std::string_view text) {
    auto parsed = parse_strict_json(text, {.bytes_max = event_log_bytes_max, .depth_max = 4});
    if (!parsed) return fail(ErrorCode::event_log_malformed, parsed.error().detail);
    const json::array* entries = parsed->if_array();
    if (entries == nullptr) return malformed("event log", "another type", "a list of events");
    if (entries->empty() || entries->size() > event_log_events_max) {
        return malformed("event log", std::to_string(entries->size()) + " events",
                         "1 to " + std::to_string(event_log_events_max));
    }
    ReplayedLog log;
    IdentityReader identity(log.app);
    const auto on_entry = [&](const json::value& entry) -> Result<void> {
        TT_TRY(const Event event, parse_event(entry));
        const bool runtime = event.type == runtime_event_type;
        TT_TRY(const Measurement digest, runtime ? runtime_digest(event) : boot_digest(event));
        extend_rtmr(log.rtmr[event.rtmr], digest);
        if (!runtime) return {};
        log.runtime_events.push_back({std::string(event.name), event.payload, event.version});
        return identity.on_event(event);
    };
    for (const json::value& entry : *entries) {
        if (auto taken = on_entry(entry); !taken) {
            return in_context("event " + std::to_string(log.event_count), std::move(taken).error());
        }
        ++log.event_count;
    }
    return log;
}

Result<void> check_rtmrs(const Rtmrs& replayed, const TdReport& report) {
    for (size_t i = 0; i < replayed.size(); ++i) {
        if (replayed[i] != report.rtmr[i]) {
            return mismatch("RTMR" + std::to_string(i) + " of the log", replayed[i],
                            report.rtmr[i]);
        }
    }
    return {};
}

Measurement mrconfigid_of(const Digest& compose_hash) {
    Measurement out{};
    out[0] = 1;
    std::copy(compose_hash.begin(), compose_hash.end(), out.begin() + 1);
    return out;
}

Result<bool> check_mrconfigid(const AppIdentity& app, const TdReport& report) {
    const Measurement& have = report.mrconfigid;
    if (have == Measurement{}) return false;
    if (app.compose_hash && have == mrconfigid_of(*app.compose_hash)) return true;
    return fail(ErrorCode::compose_hash_mismatch,
                "MRCONFIGID: have " + to_hex(have) + ", need " +
                    (app.compose_hash ? to_hex(mrconfigid_of(*app.compose_hash))
                                      : "zero, for a log without a compose hash"));
}

}  // namespace teetee::attest
