// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attest/quote.hpp"
#include "base/request.hpp"

namespace teetee::attest {

// What a TD measured into its four runtime registers, as a log that the host could have changed.
// A log proves something only once its registers are those of a verified quote. Format: dstack's
// cc-eventlog, a JSON list of {"imr": 0..3, "event_type", "digest": hex, "event", "event_payload":
// hex} and optionally {"version": 2, "preimage": hex}.

using Rtmrs = std::array<Measurement, 4>;

/// RTMR' = SHA384(RTMR || digest).
void extend_rtmr(Measurement& rtmr, const Measurement& digest);

/// Where a dstack app gets its keys: "kms", "local-sgx", "tpm", with the provider's own identity.
struct KeyProvider {
    std::string name;
    std::string id;
};

/// What the guest measured of the app before it started it. Each is absent where the log lacks it.
struct AppIdentity {
    std::optional<ByteArray<20>> app_id;
    /// SHA-256 of the exact bytes of app-compose.json.
    std::optional<Digest> compose_hash;
    std::optional<ByteArray<20>> instance_id;
    std::optional<Digest> os_image_hash;
    std::optional<KeyProvider> key_provider;
    /// "system-ready" was measured; whatever follows it the app may have measured itself.
    bool system_ready = false;
};

/// An event that the guest measured into RTMR3 while it ran.
struct RuntimeEvent {
    std::string name;
    Bytes payload;
    /// How its digest is computed, below.
    uint32_t version = 1;
};

/// Error: event_log_malformed, for a name that version 1 cannot tell from its payload.
Result<Measurement> runtime_event_digest(const RuntimeEvent& event);

struct ReplayedLog {
    Rtmrs rtmr{};
    AppIdentity app;
    /// Those of RTMR3, in order.
    std::vector<RuntimeEvent> runtime_events;
    size_t event_count = 0;
};

/// Replays a dstack event log. Digests of runtime events, which alone fill RTMR3, are computed from
/// name and payload, and one that the log gives must be equal:
/// version 1: SHA384(le32(event_type) || ":" || name || ":" || payload), the name without ':', or
/// where it ends would be open; version 2: SHA384(JCS {"name", "payload": hex, "type"}) (RFC 8785).
/// Boot events count by their digests: only code that the registers name knows what they mean.
/// Errors: event_log_malformed; event_log_mismatch (a digest or preimage that is not its event's);
/// each with the event's index, what it has and what it needs.
Result<ReplayedLog> replay_event_log(std::string_view json);

/// The log's registers are the quote's. Error: event_log_mismatch, with the register.
Result<void> check_rtmrs(const Rtmrs& replayed, const TdReport& report);

/// MRCONFIGID, where the host set it, is 0x01 || compose hash || zeros (dstack since 0.5.1); false
/// where it is zero and binds nothing. Errors: compose_hash_mismatch.
Result<bool> check_mrconfigid(const AppIdentity& app, const TdReport& report);

/// MRCONFIGID of an app whose app-compose.json has this hash.
Measurement mrconfigid_of(const Digest& compose_hash);

}  // namespace teetee::attest
