// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/world.hpp"

namespace teetee::api {

/// This process, as the kernel sees it (proc(5)).
struct ProcessStatus {
    uint64_t resident_bytes = 0;
    uint64_t threads = 0;
    double cpu_s = 0;
    double started_at = 0;
    uint64_t open_files = 0;
    uint64_t files_max = 0;
};

/// nullopt where there is no /proc. `now`: the time of day.
std::optional<ProcessStatus> read_process_status(UnixSeconds now);

}  // namespace teetee::api
