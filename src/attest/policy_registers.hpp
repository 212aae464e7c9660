// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to the policy: the registers of a TD that an entry may name.

#include "attest/policy.hpp"

namespace teetee::attest {

inline constexpr std::array<std::string_view, 4> rtmr_keys = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};

struct RegisterCheck {
    std::string_view name;
    const std::optional<Measurement>& need;
    const Measurement& have;
};

inline std::array<RegisterCheck, 6> register_checks(const AcceptedMeasurement& entry,
                                                    const TdReport& report) {
    return {{{"mrtd", entry.mrtd, report.mrtd},
             {rtmr_keys[0], entry.rtmr[0], report.rtmr[0]},
             {rtmr_keys[1], entry.rtmr[1], report.rtmr[1]},
             {rtmr_keys[2], entry.rtmr[2], report.rtmr[2]},
             {rtmr_keys[3], entry.rtmr[3], report.rtmr[3]},
             {"mrconfigid", entry.mrconfigid, report.mrconfigid}}};
}

}  // namespace teetee::attest
