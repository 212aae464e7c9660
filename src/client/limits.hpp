// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace teetee::client {

/// Of one event of a stream.
inline constexpr size_t event_bytes_max = 1 << 20;
inline constexpr size_t event_depth_max = 32;
/// Of one answer; more than any context holds.
inline constexpr size_t answer_tokens_max = 1 << 20;
/// Of /v1/entries, and of the entries in it that are remembered.
inline constexpr size_t entry_list_bytes_max = 1 << 20;
inline constexpr size_t entries_max = 64;
inline constexpr size_t payment_session_bytes_max = 4096;
/// Of a proof; more than a tree of any number of leaves has.
inline constexpr size_t merkle_siblings_max = 64;
/// Of what an entry says of payments, and of a message to sign.
inline constexpr size_t payment_answer_bytes_max = 1 << 16;

}  // namespace teetee::client
