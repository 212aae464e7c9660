// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attest/event_log.hpp"

namespace teetee::attest {

// What dstack runs, app-compose.json, and what of it a TD's registers show. The guest hashes the
// file's bytes as they are: two files that say the same are two apps.

/// What TeeTee says, or reads, in such a file; the rest of a foreign one is passed over.
struct AppCompose {
    std::string name;
    /// The text of the docker-compose file.
    std::string docker_compose_file;
    /// Variables that whoever deploys may set, encrypted to the TD; they are not measured, and no
    /// others reach the compose file.
    std::vector<std::string> allowed_envs;
    /// Instances measure no number of their own, so that RTMR3 is the same of all.
    bool no_instance_id = false;
    /// Keys come from the key service of the chain or cloud, not from the machine.
    bool kms_enabled = true;
    /// Of the one key provider that the app takes keys from; then MRCONFIGID is of another form,
    /// which names it as well.
    std::string key_provider_id{};
};

/// Keys sorted, no white space, names of variables sorted and once: the same app, the same bytes,
/// also after a tool that writes JSON so has read and written it.
std::string encode_app_compose(const AppCompose& app);

/// Errors: config_invalid, for what dstack would not start.
Result<AppCompose> parse_app_compose(std::string_view json);

using AppId = ByteArray<20>;

/// What an app-compose.json makes a TD show.
struct AppMeasurement {
    /// SHA-256 of the file.
    Digest compose_hash{};
    AppId app_id{};
    /// Since dstack 0.5.1; zero before.
    Measurement mrconfigid{};
    /// What is extended into RTMR3 for them.
    Measurement app_id_digest{};
    Measurement compose_hash_digest{};
};

/// Without an `app_id`, which a contract of the key service gives, it is the compose hash's first
/// 20 bytes.
AppMeasurement measure_app(ByteView app_compose, std::optional<AppId> app_id);

/// RTMR3 of this app in a TD that boots as the one of the log did: with the same OS image, key
/// provider and storage. `instance_id` empty: the app measures none. What apps measure themselves
/// after "system-ready" is not in it. Error: event_log_malformed, where the log lacks an event that
/// would be another's.
Result<Measurement> predict_rtmr3(const ReplayedLog& like, const AppMeasurement& app,
                                  ByteView instance_id);

}  // namespace teetee::attest
