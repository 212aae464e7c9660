// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "attest/policy.hpp"

namespace teetee::attest {

/// What a TD shows of the OS image that it booted, before it runs any app: the firmware (MRTD), the
/// machine's size (RTMR0: CPUs, memory, devices), the kernel (RTMR1), its command line and root
/// file system (RTMR2).
struct ImageMeasurement {
    Measurement mrtd{};
    std::array<Measurement, 3> rtmr{};
};

/// One {"mrtd","rtmr0","rtmr1","rtmr2"} with 96 hex digits each, or a list of such, one for each
/// size of machine; other keys are passed over. That is the form of dstack's measuring tools and of
/// its tcb_info. Error: config_invalid.
Result<std::vector<ImageMeasurement>> parse_image_measurements(std::string_view json);

/// The build that runs an app, by its MRCONFIGID, on this image.
AcceptedMeasurement accepted_measurement(const ImageMeasurement& image,
                                         const Measurement& mrconfigid);

}  // namespace teetee::attest
