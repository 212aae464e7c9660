// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/cut_plan.hpp"

namespace teetee::cli {

/// {"hosts": [{"name", "memory" or "memory_bytes", "weight_bytes_per_s", "multiply_adds_per_s"},
/// ..]}; what else `teetee bench --json` prints may stand beside them. Errors: of reading the file
/// and its JSON; config_invalid naming host and member.
Result<std::vector<model::PlanHost>> read_hosts(const std::string& path);

/// "NAME=FILE": the file is what `teetee bench --json` printed on that host. Errors: as read_hosts.
Result<model::PlanHost> read_host(const std::string& named_file);

}  // namespace teetee::cli
