// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace teetee::node {

// Of a registry file: as many entries as a directory remembers nodes, each of 400 bytes at most.
inline constexpr size_t registry_entries_max = 1024;
inline constexpr size_t registry_bytes_max = 512u << 10;
inline constexpr size_t registry_json_depth_max = 4;

}  // namespace teetee::node
