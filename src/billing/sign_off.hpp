// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "attest/receipt.hpp"
#include "billing/settlement_plan.hpp"

// Before a settlement can go to the contract, every node that worked has to sign it with its
// receipt key (Settlement.sol). Its entry asks each for that, and shows it the records that the
// node itself has signed for the receipts which are settled.
namespace teetee::billing {

/// A SettleCall with as many claims and nodes as a settlement may have takes 57,764 bytes.
inline constexpr size_t sign_off_batch_bytes_max = 64u << 10;
/// Of an encoded ask: a record takes 197 bytes, and there are as many as charges in a settlement.
inline constexpr size_t sign_off_record_bytes = 197;
inline constexpr size_t sign_off_bytes_max =
    12 + sign_off_batch_bytes_max + settlement_charges_max * sign_off_record_bytes;

/// What the stage that is asked has signed for one request. Model root, shard root and layers are
/// those of its statement: they do not travel.
struct OwnRecord {
    attest::StageRecord record{};
    crypto::RecoverableSignature signature{};
    bool operator==(const OwnRecord&) const = default;
};

/// What one node is asked.
struct SignOffAsk {
    chain::tee_tee::Batch batch{};
    /// Which of batch.work is the node's own: it does not know its number on the chain.
    uint32_t work = 0;
    /// One of each request of the batch in which the node worked.
    std::vector<OwnRecord> records{};
};

/// u32 length and SettleCall of the batch; u32 work; u32 count of records, and of each: 16 bytes
/// request, u32 epoch, 32 bytes sampling, u32 begin, u32 end and 32 bytes digest of what went in
/// and of what went out, 65 bytes signature; integers little-endian. Errors: limit_exceeded,
/// abi_malformed.
Result<Bytes> encode_sign_off_ask(const SignOffAsk& ask);
/// Strict: encoding again gives the same bytes. Errors: limit_exceeded (also where it is cut
/// short), abi_malformed, settlement_rejected.
Result<SignOffAsk> decode_sign_off_ask(ByteView encoded);

/// The node's signature of settlement_digest, under the chain and contract of its statement, where
/// the settlement is of its pool and pays it for what it has computed. Its records say how many
/// positions that were. A request is billed that many tokens, or one more: the last token of an
/// answer that ends by its length was sampled and never computed (the tail's records end one behind
/// the input; a stop token is not billed). So of n records with p positions in all, the node's own
/// tokens MUST be p to p + n. Less would be less than its due; more would be at the cost of the
/// other nodes of its slot.
///
/// The node keeps nothing of it: whether a record was settled before, and whether one is missing,
/// is for the entry to say. Nor can it tell whether the place in batch.work is its own; the
/// contract takes its signature for no other. Errors: of decode_sign_off_ask; settlement_rejected,
/// with have and need.
Result<crypto::RecoverableSignature> sign_off(const crypto::SecpKey& receipt_key,
                                              const attest::Statement& statement, ByteView ask);

/// What the nodes of one settlement are asked, made of the receipts that it settles.
class SignOffAsks {
  public:
    /// Those of a SettlementPlan; signers are the receipt keys of batch.work, in its order.
    SignOffAsks(chain::tee_tee::Batch batch, std::span<const crypto::Address> signers);

    /// Each stage's record goes to the signer that its statement names. Errors: settlement_rejected
    /// where that is none of them, statement_malformed; nothing is added then.
    Result<void> add(const attest::Receipt& receipt);

    const chain::tee_tee::Batch& batch() const { return batch_; }
    /// By receipt key: an ask for each, or why there can be none (encode_sign_off_ask).
    std::map<crypto::Address, Result<Bytes>> encode() const;

  private:
    struct Part {
        uint32_t work = 0;
        std::vector<OwnRecord> records{};
    };

    chain::tee_tee::Batch batch_;
    std::map<crypto::Address, Part> parts_;
};

}  // namespace teetee::billing
