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

/// A conversation that was saved, and what was typed in earlier ones.
inline constexpr size_t conversation_bytes_max = 16u << 20;
inline constexpr size_t conversation_depth_max = 4;
inline constexpr size_t conversation_messages_max = 10000;
inline constexpr size_t history_bytes_max = 16u << 20;
inline constexpr size_t history_lines_max = 1000;
/// What an entry says of its model.
inline constexpr size_t props_bytes_max = 1u << 20;
/// A configuration file. What a dotted key nests is bounded by the length of its line.
inline constexpr size_t config_file_bytes_max = 256u << 10;
inline constexpr size_t config_line_bytes_max = 1024;
inline constexpr size_t config_list_length_max = 1024;

}  // namespace teetee::cli
