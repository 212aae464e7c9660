// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace teetee::chain {

/// Nodes of the network pass on no longer transaction.
inline constexpr size_t transaction_bytes_max = 128u << 10;
/// EIP-3860.
inline constexpr size_t init_code_bytes_max = 48u << 10;

/// Of a type's text, and of parts within parts in it.
inline constexpr size_t abi_type_bytes_max = 1024;
inline constexpr size_t abi_depth_max = 16;
/// Values in one decoding, for offsets may show the same bytes again and again.
inline constexpr size_t abi_values_max = 64u << 10;
/// Bytes copied in one decoding, likewise.
inline constexpr size_t abi_bytes_max = 4u << 20;

inline constexpr size_t keystore_bytes_max = 16u << 10;
/// What a keystore file may ask of whoever opens it: scrypt with 512 MiB, four times what wallets
/// write.
inline constexpr uint64_t scrypt_memory_bytes_max = 512u << 20;
inline constexpr uint64_t scrypt_p_max = 16;
inline constexpr uint64_t pbkdf2_iterations_max = 10'000'000;

/// An answer of an RPC endpoint.
inline constexpr size_t rpc_answer_bytes_max = 8u << 20;
inline constexpr size_t rpc_depth_max = 16;
inline constexpr size_t rpc_logs_max = 10'000;
inline constexpr size_t rpc_data_bytes_max = 512u << 10;
inline constexpr size_t rpc_fee_blocks_max = 1024;

/// Transactions that one intent is tried with, each with higher fees; the last is repeated.
inline constexpr size_t sender_attempts_max = 16;
/// Intents with an outcome that a sender remembers.
inline constexpr size_t sender_finished_max = 1024;

/// A file that says where a contract is deployed.
inline constexpr size_t deployment_file_bytes_max = 64u << 10;
/// A file that registers a node; evidence is what contracts/src/Limits.sol allows.
inline constexpr size_t registration_file_bytes_max = 128u << 10;
inline constexpr size_t registration_statement_bytes_max = 2048;
inline constexpr size_t registration_endpoint_bytes_max = 256;
inline constexpr size_t evidence_bytes_max = 32u << 10;
inline constexpr size_t platform_verdict_bytes_max = 8u << 10;
inline constexpr size_t file_json_depth_max = 8;

}  // namespace teetee::chain
