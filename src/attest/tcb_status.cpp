// SPDX-License-Identifier: Apache-2.0
#include "attest/tcb_status.hpp"

namespace teetee::attest {

std::string_view to_string(TcbStatus status) {
    switch (status) {
        case TcbStatus::up_to_date:
            return "UpToDate";
        case TcbStatus::sw_hardening_needed:
            return "SWHardeningNeeded";
        case TcbStatus::configuration_needed:
            return "ConfigurationNeeded";
        case TcbStatus::configuration_and_sw_hardening_needed:
            return "ConfigurationAndSWHardeningNeeded";
        case TcbStatus::out_of_date:
            return "OutOfDate";
        case TcbStatus::out_of_date_configuration_needed:
            return "OutOfDateConfigurationNeeded";
        case TcbStatus::revoked:
            return "Revoked";
        case TcbStatus::td_relaunch_advised:
            return "TDRelaunchAdvised";
        case TcbStatus::td_relaunch_advised_configuration_needed:
            return "TDRelaunchAdvisedConfigurationNeeded";
    }
    return "unknown";
}

std::optional<TcbStatus> parse_tcb_status(std::string_view text) {
    for (const TcbStatus status : every_tcb_status) {
        if (text == to_string(status)) return status;
    }
    return std::nullopt;
}

bool is_out_of_date(TcbStatus status) {
    return status == TcbStatus::out_of_date ||
           status == TcbStatus::out_of_date_configuration_needed;
}

bool needs_configuration(TcbStatus status) {
    return status == TcbStatus::configuration_needed ||
           status == TcbStatus::configuration_and_sw_hardening_needed ||
           status == TcbStatus::out_of_date_configuration_needed ||
           status == TcbStatus::td_relaunch_advised_configuration_needed;
}

TcbStatus converge(TcbStatus platform, TcbStatus component) {
    if (component == TcbStatus::up_to_date) return platform;
    if (component == TcbStatus::revoked) return TcbStatus::revoked;
    switch (platform) {
        case TcbStatus::up_to_date:
        case TcbStatus::sw_hardening_needed:
            return TcbStatus::out_of_date;
        case TcbStatus::configuration_needed:
        case TcbStatus::configuration_and_sw_hardening_needed:
            return TcbStatus::out_of_date_configuration_needed;
        default:
            return platform;
    }
}

}  // namespace teetee::attest
