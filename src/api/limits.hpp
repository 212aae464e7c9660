// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace teetee::api {

inline constexpr size_t json_depth_max = 32;
inline constexpr size_t stop_strings_max = 16;
inline constexpr size_t stop_string_bytes_max = 256;
inline constexpr size_t messages_max = 1024;
inline constexpr size_t tools_max = 128;
inline constexpr size_t tool_name_bytes_max = 64;
/// Of one message of an assistant.
inline constexpr size_t tool_calls_max = 128;
/// Answers to one request: its prompts, each as often as "n" says.
inline constexpr size_t choices_max = 16;
/// Prompts to be embedded at once; as many are computed at a time as a request may have answers.
inline constexpr size_t embeddings_max = 2048;
/// Of all embeddings in a reply: as text they come to 25 MB.
inline constexpr size_t embedding_numbers_max = 2u << 20;
/// More than any context holds.
inline constexpr size_t token_ids_max = 1 << 18;
/// Of a text that is only tokenised, on the thread that serves everybody.
inline constexpr size_t tokenize_bytes_max = 256u << 10;
/// Of one answer that its client does not read: beyond it the request is cancelled.
inline constexpr size_t unread_answer_bytes_max = 1 << 20;
/// What a client may ask a fresh quote for.
inline constexpr size_t nonce_bytes_min = 16;
inline constexpr size_t nonce_bytes_max = 64;
inline constexpr uint32_t fresh_quotes_per_second_max = 16;
/// Of these, as many wait for the TEE at most.
inline constexpr uint32_t fresh_quotes_pending_max = 16;

/// Of a key that an entry makes for a payer.
inline constexpr int64_t key_lifetime_s_default = 30 * 86400;
inline constexpr int64_t key_lifetime_s_max = 90 * 86400;

/// Of a body that signs in.
inline constexpr size_t sign_in_bytes_max = 4u << 10;

/// Of one list of pools, which goes on behind its last one (a single pool may have more bytes), and
/// of the nodes of a pool, the rest of which is counted.
inline constexpr size_t pools_listed_max = 100;
inline constexpr size_t pool_list_bytes_max = 1u << 20;
inline constexpr size_t pool_nodes_listed_max = 512;
/// Of pools and of lists, what is kept until the next look.
inline constexpr size_t pool_texts_bytes_max = 16u << 20;
inline constexpr size_t pool_lists_kept_max = 16;

/// Of the nodes in /v1/network (pages take 4 MiB of it), and of the documents in /v1/collateral.
inline constexpr size_t network_nodes_bytes_max = 7u << 19;
inline constexpr size_t collateral_list_bytes_max = 16u << 20;

/// Of the page that an entry serves (PageFiles), all of it in memory.
inline constexpr size_t page_files_max = 1024;
inline constexpr size_t page_bytes_max = 32u << 20;
inline constexpr size_t page_depth_max = 4;
inline constexpr size_t page_name_bytes_max = 128;

/// Of a body with a signed voucher, and its signature: that of a key.
inline constexpr size_t voucher_bytes_max = 8u << 10;
inline constexpr size_t payer_signature_bytes = 65;

/// Of a request; a day is as good as none.
inline constexpr uint32_t timeout_max_s = 86400;

}  // namespace teetee::api
