// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attest/statement.hpp"
#include "attest/trace.hpp"
#include "crypto/eip712.hpp"
#include "crypto/secp256k1.hpp"

namespace teetee::attest {

/// What one stage says it has computed for one request: which layers of which weights, from which
/// rows to which rows.
struct StageRecord {
    RequestId request{};
    Epoch epoch = 0;
    Digest model_root{};
    Digest shard_root{};
    LayerRange layers{};
    /// Of the request's sampling options, the same on every stage.
    Digest sampling{};
    /// Rows that came in: activations; on the stage of layer 0 tokens.
    TraceDigest input{};
    /// Rows that went out: activations; from the tail the tokens it sampled, so that the span
    /// begins behind the prompt.
    TraceDigest output{};

    bool operator==(const StageRecord&) const = default;
};

/// EIP-712 domain of records and receipts: name "TeeTee", version "1", chain and contract of the
/// statement.
crypto::Eip712Domain receipt_domain(uint64_t chain_id, const crypto::Address& contract);

/// StageRecord(bytes16 request,uint32 epoch,bytes32 modelRoot,bytes32 shardRoot,uint32 layerBegin,
/// uint32 layerEnd,bytes32 sampling,uint32 inputBegin,uint32 inputEnd,bytes32 input,
/// uint32 outputBegin,uint32 outputEnd,bytes32 output), under receipt_domain.
Digest record_digest(const crypto::Eip712Domain& domain, const StageRecord& record);

/// Error: signature_invalid unless that address made the signature.
Result<void> verify_record(const crypto::Eip712Domain& domain, const StageRecord& record,
                           ByteView signature, const crypto::Address& address);

/// Signs for one node: fills in what its statement says and leaves the rest as it is.
class RecordSigner {
  public:
    /// `receipt_key`, the statement's, MUST outlive it.
    RecordSigner(const crypto::SecpKey& receipt_key, const Statement& statement)
        : key_(receipt_key), statement_(statement) {}

    /// The record with model root, shard root and layers of the node.
    StageRecord complete(StageRecord record) const;
    const Statement& statement() const { return statement_; }
    crypto::Eip712Domain domain() const {
        return receipt_domain(statement_.chain_id, statement_.contract);
    }
    crypto::RecoverableSignature sign(const StageRecord& record) const;

  private:
    const crypto::SecpKey& key_;
    Statement statement_;
};

}  // namespace teetee::attest
