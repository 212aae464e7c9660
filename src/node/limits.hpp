// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace teetee::node {

// Of a registry file: as many entries as a directory remembers nodes, each of 400 bytes at most.
inline constexpr size_t registry_entries_max = 1024;
inline constexpr size_t registry_bytes_max = 512u << 10;
inline constexpr size_t registry_json_depth_max = 4;

/// A contract's settled events, and what a sender has on its way.
inline constexpr size_t chain_journal_bytes_max = 1u << 30;
inline constexpr size_t chain_sender_bytes_max = 64u << 20;

}  // namespace teetee::node
