// SPDX-License-Identifier: Apache-2.0
#include "chain/typed_data.hpp"

#include <algorithm>

#include "crypto/eip712.hpp"
#include "crypto/hash.hpp"

namespace teetee::chain {
namespace {

using crypto::Eip712Struct;

Digest signed_for(const Deployment& deployment, const Digest& struct_hash) {
    return crypto::eip712_digest({.name = "TeeTee",
                                  .version = "1",
                                  .chain_id = deployment.chain_id,
                                  .contract = deployment.contract},
                                 struct_hash);
}

template <class Items, class Hash>
std::vector<Digest> hashes(const Items& items, const Hash& hash) {
    std::vector<Digest> out;
    out.reserve(items.size());
    for (const auto& item : items) out.push_back(hash(item));
    return out;
}

Digest spent(const tee_tee::SpendClaim& claim) {
    return Eip712Struct("Spent(bytes32 voucher,uint128 amount)")
        .bytes32(claim.voucher)
        .bytes32(claim.amount.to_word())
        .hash();
}

Digest served(const tee_tee::QueryClaim& claim) {
    return Eip712Struct("Served(uint64 query,uint128 amount)")
        .integer(claim.query)
        .bytes32(claim.amount.to_word())
        .hash();
}

Digest worked(const tee_tee::Work& work) {
    return Eip712Struct("Worked(uint64 node,uint64 tokens)")
        .integer(work.node)
        .integer(work.tokens)
        .hash();
}

}  // namespace

Digest registration_digest(const Deployment& deployment, const RegistrationTerms& terms) {
    return signed_for(deployment, Eip712Struct("Registration(address host,uint64 pool,uint16 slot,"
                                               "bytes32 statementHash,string endpoint)")
                                      .address(terms.host)
                                      .integer(terms.pool)
                                      .integer(terms.slot)
                                      .bytes32(terms.statement_hash)
                                      .bytes32(crypto::keccak256(as_bytes(terms.endpoint)))
                                      .hash());
}

Digest voucher_digest(const Deployment& deployment, const tee_tee::Voucher& voucher) {
    return signed_for(deployment,
                      Eip712Struct("Voucher(address payer,uint64 pool,address sessionKey,"
                                   "uint128 ceiling,uint64 expiry,bytes32 salt)")
                          .address(voucher.payer)
                          .integer(voucher.pool)
                          .address(voucher.session_key)
                          .bytes32(voucher.ceiling.to_word())
                          .integer(voucher.expiry)
                          .bytes32(voucher.salt)
                          .hash());
}

Digest spend_digest(const Deployment& deployment, const Spend& spend) {
    return signed_for(deployment,
                      Eip712Struct("Spend(bytes32 voucher,address entry,uint128 amount)")
                          .bytes32(spend.voucher)
                          .address(spend.entry)
                          .bytes32(spend.amount.to_word())
                          .hash());
}

Digest request_digest(const Deployment& deployment, const RequestTerms& terms) {
    return signed_for(
        deployment,
        Eip712Struct("Request(bytes32 voucher,address entry,bytes32 bodyHash,uint64 time)")
            .bytes32(terms.voucher)
            .address(terms.entry)
            .bytes32(terms.body_hash)
            .integer(terms.time_ms)
            .hash());
}

Digest settlement_digest(const Deployment& deployment, const tee_tee::Batch& batch) {
    return signed_for(
        deployment,
        Eip712Struct("Settlement(uint64 pool,uint64 entryNode,uint64 promptTokens,"
                     "uint64 completionTokens,uint128 total,bytes32 receiptsRoot,Spent[] spends,"
                     "Served[] queries,Worked[] work)Served(uint64 query,uint128 amount)"
                     "Spent(bytes32 voucher,uint128 amount)Worked(uint64 node,uint64 tokens)")
            .integer(batch.pool)
            .integer(batch.entry_node)
            .integer(batch.prompt_tokens)
            .integer(batch.completion_tokens)
            .bytes32(batch.total.to_word())
            .bytes32(batch.receipts_root)
            .array(hashes(batch.spends, spent))
            .array(hashes(batch.queries, served))
            .array(hashes(batch.work, worked))
            .hash());
}

Digest personal_digest(std::string_view message) {
    const std::string text =
        "\x19"
        "Ethereum Signed Message:\n" +
        std::to_string(message.size()) + std::string(message);
    return crypto::keccak256(as_bytes(text));
}

CompactSignature to_compact(const crypto::RecoverableSignature& signature) {
    CompactSignature out;
    std::copy_n(signature.begin(), 32, out.r.begin());
    std::copy_n(signature.begin() + 32, 32, out.vs.begin());
    // s is in the lower half of the order, so its top bit is free.
    if (signature[64] == 28) out.vs[0] |= 0x80;
    return out;
}

crypto::RecoverableSignature from_compact(const CompactSignature& signature) {
    crypto::RecoverableSignature out;
    std::copy_n(signature.r.begin(), 32, out.begin());
    std::copy_n(signature.vs.begin(), 32, out.begin() + 32);
    out[64] = (out[32] & 0x80) != 0 ? 28 : 27;
    out[32] &= 0x7f;
    return out;
}

}  // namespace teetee::chain
