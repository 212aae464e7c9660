// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/world.hpp"
#include "chain/fee_policy.hpp"
#include "chain/transaction.hpp"

namespace teetee::chain {

/// A call of a contract, or a payment, that is to happen once.
struct SendIntent {
    /// Names it: the same key is the same intent, also after a restart.
    std::string key{};
    Address to{};
    U256 value{};
    Bytes data{};
    /// nullopt: what the endpoints estimate, and a fifth more.
    std::optional<uint64_t> gas_limit{};

    bool operator==(const SendIntent&) const = default;
};

/// A transaction that is in the chain.
struct Inclusion {
    Digest transaction_hash{};
    uint64_t block_number = 0;
    Digest block_hash{};
    uint64_t gas_used = 0;
    /// All that it took, in wei, but for the value.
    U256 cost{};
    bool operator==(const Inclusion&) const = default;
};

struct SendOutcome {
    std::string key;
    /// Errors: call_reverted (seen before it was sent: nothing was paid), transaction_failed
    /// (reverted in the chain, or its nonce went to a transaction of somebody else's), cancelled.
    Result<Inclusion> result;
};

/// An intent that was signed.
struct SentEntry {
    SendIntent intent;
    uint64_t nonce = 0;
    uint64_t gas_limit = 0;
    /// The same but for their fees, which rise. Never empty.
    std::vector<SignedTransaction> attempts{};
    /// Not saved: a restart sends again.
    std::optional<Instant> sent_at{};
    std::optional<uint64_t> included_in{};
    /// How often in a row its nonce was used and no receipt of it was there.
    unsigned lost_looks = 0;
};

/// What of a sender outlives its process.
struct SenderState {
    struct Finished {
        Digest intent_digest{};
        SendOutcome outcome;
    };
    /// By nonce.
    std::vector<SentEntry> in_flight{};
    /// The last ones, so that an intent that comes again is known.
    std::deque<Finished> finished{};
};

Digest digest_of(const SendIntent& intent);

/// Behind a version and the account: whose state it is.
Bytes encode_sender_state(const SenderState& state, const Address& account, uint64_t chain_id);
/// Errors: invalid_argument for bytes that are none, of another account or chain, or whose
/// transactions are not the intents'; unsupported for another version.
Result<SenderState> decode_sender_state(ByteView bytes, const Address& account, uint64_t chain_id);

}  // namespace teetee::chain
