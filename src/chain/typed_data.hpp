// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "chain/bindings/tee_tee.hpp"
#include "crypto/secp256k1.hpp"

// What is signed for the contract: EIP-712 types of contracts/src/TypedData.sol under the domain
// "TeeTee", "1", chain id and contract.
namespace teetee::chain {

/// Which contract on which chain.
struct Deployment {
    uint64_t chain_id = 0;
    Address contract{};
    bool operator==(const Deployment&) const = default;
};

/// What a node's receipt key signs, so that `host` may register it.
struct RegistrationTerms {
    Address host{};
    uint64_t pool = 0;
    uint64_t slot = 0;
    /// SHA-256 of the node's statement.
    Digest statement_hash{};
    std::string endpoint{};
};
Digest registration_digest(const Deployment& deployment, const RegistrationTerms& terms);

/// What a payer signs; a voucher's id.
Digest voucher_digest(const Deployment& deployment, const tee_tee::Voucher& voucher);

/// What a voucher's session key signs: how much, in credits and in all so far, the entry with this
/// receipt key may claim.
struct Spend {
    Digest voucher{};
    Address entry{};
    U256 amount{};
};
Digest spend_digest(const Deployment& deployment, const Spend& spend);

/// What a voucher's session key signs so that an entry serves a request; the contract never sees
/// it.
struct RequestTerms {
    Digest voucher{};
    crypto::Address entry{};
    /// SHA-256.
    Digest body_hash{};
    /// When it is signed, Unix milliseconds.
    uint64_t time_ms = 0;
};
Digest request_digest(const Deployment& deployment, const RequestTerms& terms);

/// What the nodes of a settlement sign: all of the batch but its signatures and what the session
/// keys signed.
Digest settlement_digest(const Deployment& deployment, const tee_tee::Batch& batch);

/// What personal_sign signs of a text (EIP-191, version 0x45).
Digest personal_digest(std::string_view message);

/// The compact form of ERC-2098 (r, and s with the parity in its top bit), as the contract takes
/// signatures of session and receipt keys.
struct CompactSignature {
    Digest r{};
    Digest vs{};
    bool operator==(const CompactSignature&) const = default;
};
CompactSignature to_compact(const crypto::RecoverableSignature& signature);
crypto::RecoverableSignature from_compact(const CompactSignature& signature);

}  // namespace teetee::chain
