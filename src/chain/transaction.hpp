// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "chain/address.hpp"
#include "chain/u256.hpp"

namespace teetee::chain {

/// EIP-2718. Blob transactions (3) and delegations (4) are neither sent nor read here.
enum class TransactionType : uint8_t {
    /// Of before EIP-2718, with or without the chain's id in its signature (EIP-155).
    legacy = 0,
    /// EIP-2930.
    access_list = 1,
    /// EIP-1559.
    dynamic_fee = 2,
};

struct AccessListEntry {
    Address address{};
    std::vector<Digest> storage_keys{};
    bool operator==(const AccessListEntry&) const = default;
};

struct Transaction {
    TransactionType type = TransactionType::dynamic_fee;
    /// nullopt only in a legacy transaction, which is then good on every chain.
    std::optional<uint64_t> chain_id{};
    uint64_t nonce = 0;
    /// Wei per gas, for the block's builder; the types without it have max_fee_per_gas here too.
    U256 max_priority_fee_per_gas{};
    /// Wei per gas; in the types before dynamic_fee this is what is paid.
    U256 max_fee_per_gas{};
    uint64_t gas_limit = 0;
    /// nullopt deploys `data`.
    std::optional<Address> to{};
    U256 value{};
    Bytes data{};
    /// Empty in a legacy transaction.
    std::vector<AccessListEntry> access_list{};

    bool operator==(const Transaction&) const = default;
};

struct SignedTransaction {
    Transaction transaction;
    Address sender{};
    /// Names it on the chain: keccak256 of `raw`.
    Digest hash{};
    /// What eth_sendRawTransaction takes.
    Bytes raw;
};

/// Error: transaction_malformed for a type without chain_id, or a legacy one with an access list or
/// two fees.
Result<SignedTransaction> sign_transaction(const Transaction& transaction,
                                           const crypto::SecpKey& key);

/// The bytes whose hash is signed. `transaction` is one that sign_transaction takes.
Bytes signing_bytes(const Transaction& transaction);

/// Strict: one encoding, s in the lower half (EIP-2), nothing behind it. Errors:
/// transaction_malformed, signature_invalid, unsupported for types that are not known here.
Result<SignedTransaction> decode_transaction(ByteView raw);

/// Gas that is used before the first instruction runs (EIP-2028, 2930, 3860).
uint64_t intrinsic_gas(const Transaction& transaction);

/// What the sender must have at the most: gas_limit * max_fee_per_gas + value.
/// Error: amount_overflow.
Result<U256> cost_max(const Transaction& transaction);

/// Whether nodes of that chain may take it, as far as that can be told without the chain's state.
/// Error: transaction_malformed naming the field.
Result<void> ensure_sendable(const Transaction& transaction, uint64_t chain_id);

}  // namespace teetee::chain
