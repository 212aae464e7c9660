// SPDX-License-Identifier: Apache-2.0
#include "attest/stage_record.hpp"

namespace teetee::attest {

crypto::Eip712Domain receipt_domain(uint64_t chain_id, const crypto::Address& contract) {
    return {.name = "TeeTee", .version = "1", .chain_id = chain_id, .contract = contract};
}

Digest record_digest(const crypto::Eip712Domain& domain, const StageRecord& record) {
    crypto::Eip712Struct fields(
        "StageRecord(bytes16 request,uint32 epoch,bytes32 modelRoot,bytes32 shardRoot,"
        "uint32 layerBegin,uint32 layerEnd,bytes32 sampling,uint32 inputBegin,uint32 inputEnd,"
        "bytes32 input,uint32 outputBegin,uint32 outputEnd,bytes32 output)");
    fields.bytes_n(record.request.bytes)
        .integer(record.epoch)
        .bytes32(record.model_root)
        .bytes32(record.shard_root)
        .integer(record.layers.begin)
        .integer(record.layers.end)
        .bytes32(record.sampling);
    for (const TraceDigest& trace : {record.input, record.output})
        fields.integer(trace.begin).integer(trace.end).bytes32(trace.digest);
    return crypto::eip712_digest(domain, fields.hash());
}

Result<void> verify_record(const crypto::Eip712Domain& domain, const StageRecord& record,
                           ByteView signature, const crypto::Address& address) {
    TT_TRY(const auto signer, crypto::recover_address(record_digest(domain, record), signature));
    if (signer == address) return {};
    return fail(ErrorCode::signature_invalid,
                "stage record: have signer 0x" + to_hex(signer) + ", need 0x" + to_hex(address));
}

StageRecord RecordSigner::complete(StageRecord record) const {
    record.model_root = statement_.model_root;
    record.shard_root = statement_.shard_root;
    record.layers = statement_.layers;
    return record;
}

crypto::RecoverableSignature RecordSigner::sign(const StageRecord& record) const {
    return key_.sign_recoverable(record_digest(domain(), record));
}

}  // namespace teetee::attest
