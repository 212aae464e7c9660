// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace teetee::attest {

/// Intel's judgement of a platform's trusted computing base. The first seven stand in its signed
/// documents; a verifier computes the last two when a TD started under an outdated TDX module that
/// has been updated beneath it since: starting the TD anew suffices.
enum class TcbStatus {
    up_to_date,
    sw_hardening_needed,
    configuration_needed,
    configuration_and_sw_hardening_needed,
    out_of_date,
    out_of_date_configuration_needed,
    revoked,
    td_relaunch_advised,
    td_relaunch_advised_configuration_needed,
};

inline constexpr std::array<TcbStatus, 9> every_tcb_status = {
    TcbStatus::up_to_date,
    TcbStatus::sw_hardening_needed,
    TcbStatus::configuration_needed,
    TcbStatus::configuration_and_sw_hardening_needed,
    TcbStatus::out_of_date,
    TcbStatus::out_of_date_configuration_needed,
    TcbStatus::revoked,
    TcbStatus::td_relaunch_advised,
    TcbStatus::td_relaunch_advised_configuration_needed,
};

/// As Intel writes it: "UpToDate", "OutOfDateConfigurationNeeded".
std::string_view to_string(TcbStatus status);

/// Exactly one of those words, or none.
std::optional<TcbStatus> parse_tcb_status(std::string_view text);

/// Out of date, whether or not the configuration is wrong too.
bool is_out_of_date(TcbStatus status);
/// Something is to be configured, whether or not it is out of date too.
bool needs_configuration(TcbStatus status);

/// The platform's status when a component of it (TDX module, quoting enclave) has its own:
/// section 4.1.2.4.17 of Intel's verification steps. A component that is neither up to date nor
/// revoked counts as out of date.
TcbStatus converge(TcbStatus platform, TcbStatus component);

}  // namespace teetee::attest
