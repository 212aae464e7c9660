// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace teetee::cli {

/// Commands that were begun, or named, of one account; a registration is the largest.
inline constexpr size_t pending_commands_max = 1024;
inline constexpr size_t pending_data_bytes_max = 64u << 10;
inline constexpr size_t pending_file_bytes_max = 64u << 20;
/// Of --once.
inline constexpr size_t once_name_bytes_max = 64;

/// What 'up' writes down of its chain, and what its commands print.
inline constexpr size_t dev_chain_file_bytes_max = 4u << 10;
inline constexpr size_t dev_chain_file_depth_max = 4;

}  // namespace teetee::cli
