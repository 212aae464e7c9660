// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chain/address.hpp"
#include "chain/u256.hpp"

// What the contract (contracts/src) holds, as far as its events tell. Times are Unix seconds, as
// the contract has them; amounts are whole credits.
namespace teetee::chain {

/// Delays of contracts/src/Limits.sol, in seconds.
inline constexpr uint64_t price_delay_s = 3600;
inline constexpr uint64_t price_grace_s = 24 * 3600;
inline constexpr uint64_t policy_delay_s = 24 * 3600;
inline constexpr uint64_t settle_grace_s = 7 * 24 * 3600;
inline constexpr uint64_t query_grace_s = 24 * 3600;
inline constexpr uint64_t absence_delay_s = 24 * 3600;

/// What was announced, and what holds until it comes into force.
template <class T>
struct Timed {
    T before{};
    T next{};
    /// When `next` comes, or came, into force.
    uint64_t from = 0;

    const T& at(uint64_t time) const { return time >= from ? next : before; }
    bool operator==(const Timed&) const = default;
};

/// Credits per token.
struct Prices {
    uint64_t prompt = 0;
    uint64_t completion = 0;
    bool operator==(const Prices&) const = default;
};

struct PolicyReference {
    /// SHA-256 of the policy file.
    Digest hash{};
    std::string uri;
    bool operator==(const PolicyReference&) const = default;
};

struct Acceptance {
    uint64_t from = 0;
    bool revoked = false;
    bool operator==(const Acceptance&) const = default;
};

struct PoolRecord {
    Address creator{};
    /// Zero: nobody.
    Address next_creator{};
    Digest model_root{};
    std::string manifest_uri;
    /// Layers of each slot.
    std::vector<uint64_t> slot_layers;
    /// Of 10,000.
    uint64_t fee_bps = 0;
    Address verifier{};
    Timed<Prices> prices{};
    Timed<PolicyReference> policy{};
    std::map<Digest, Acceptance> measurements{};
    bool closed = false;

    bool accepts(const Digest& measurement, uint64_t time) const;
    /// The most that tokens may be settled at.
    Prices highest_prices(uint64_t time) const;
    bool operator==(const PoolRecord&) const = default;
};

struct NodeRecord {
    uint64_t pool = 0;
    uint64_t slot = 0;
    Address host{};
    Address receipt_key{};
    Digest statement_hash{};
    Digest evidence_hash{};
    Digest measurement{};
    uint64_t expiry = 0;
    std::string endpoint;
    bool left = false;
    bool operator==(const NodeRecord&) const = default;
};

struct AccountRecord {
    /// What it can spend.
    U256 balance{};
    /// What is on its way back to it, and from when on it is paid.
    U256 refund{};
    uint64_t refund_ready_at = 0;
    U256 earnings{};
    bool operator==(const AccountRecord&) const = default;
};

struct ClaimRecord {
    /// All that the entry has claimed so far, and what of it was there.
    U256 claimed{};
    U256 paid{};
    bool operator==(const ClaimRecord&) const = default;
};

struct VoucherRecord {
    Address payer{};
    uint64_t pool = 0;
    Address session_key{};
    U256 ceiling{};
    U256 remaining{};
    uint64_t expiry = 0;
    bool reclaimed = false;
    /// By the entries' receipt keys.
    std::map<Address, ClaimRecord> claims{};
    bool operator==(const VoucherRecord&) const = default;
};

/// Neither served nor reclaimed.
struct QueryRecord {
    uint64_t pool = 0;
    Address payer{};
    /// Receipt key of the entry that may claim it.
    Address entry{};
    /// SHA-256 of the request's body.
    Digest request_hash{};
    uint64_t max_prompt_tokens = 0;
    uint64_t max_completion_tokens = 0;
    U256 locked{};
    uint64_t deadline = 0;
    bool operator==(const QueryRecord&) const = default;
};

struct AnchorRecord {
    uint64_t pool = 0;
    uint64_t prompt_tokens = 0;
    uint64_t completion_tokens = 0;
    U256 paid{};
    uint64_t block = 0;
    bool operator==(const AnchorRecord&) const = default;
};

}  // namespace teetee::chain
