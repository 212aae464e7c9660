// SPDX-License-Identifier: Apache-2.0
#include "client/receipt_anchor.hpp"

#include "base/strict_json.hpp"
#include "billing/settlement_plan.hpp"
#include "chain/json_fields.hpp"
#include "client/json_numbers.hpp"
#include "client/limits.hpp"

namespace teetee::client {
namespace {

Result<crypto::MerkleProof> read_proof(const chain::JsonFields& fields) {
    crypto::MerkleProof out;
    TT_TRY(out.index, fields.number("index", UINT64_MAX));
    TT_TRY(out.count, fields.number("count", UINT64_MAX));
    TT_TRY(const auto* siblings, fields.array("siblings", merkle_siblings_max));
    for (const auto& item : *siblings) {
        const auto* text = item.if_string();
        const auto digest = text != nullptr && text->starts_with("0x")
                                ? array_from_hex<32>(std::string_view(*text).substr(2))
                                : Result<Digest>(fail(ErrorCode::invalid_json, ""));
        if (!digest) return fields.wrong("siblings", "something else", "0x and 64 hex digits each");
        out.siblings.push_back(*digest);
    }
    return out;
}

Error rejected(std::string detail) {
    return fail(ErrorCode::receipt_rejected, std::move(detail));
}

}  // namespace

Result<ReceiptAnchor> parse_receipt_anchor(std::string_view body) {
    TT_TRY(const auto value, parse_strict_json(body, {payment_answer_bytes_max, 8}));
    TT_TRY(const auto fields, chain::JsonFields::of(value, "anchor", ErrorCode::invalid_json));
    TT_TRY(const auto state, fields.text("state"));
    if (state != "settled") {
        return fail(ErrorCode::not_ready,
                    "the entry says that the receipt is " + quote_foreign(state) + ", not settled");
    }
    ReceiptAnchor out;
    TT_TRY(out.deployment.chain_id, big_number(fields, "chain_id"));
    TT_TRY(out.deployment.contract, address_at(fields, "contract"));
    TT_TRY(out.receipt, fields.array_data<32>("receipt"));
    TT_TRY(out.entry_node, big_number(fields, "entry_node"));
    TT_TRY(out.receipts_root, fields.array_data<32>("receipts_root"));
    TT_TRY(const auto proof, fields.object("proof"));
    TT_TRY(out.proof, read_proof(proof));
    return out;
}

Result<chain::AnchorRecord> check_anchor(const AnchoredReceipt& receipt,
                                         const ReceiptAnchor& anchor,
                                         const chain::ContractState& contract) {
    if (anchor.deployment != receipt.deployment)
        return rejected("the anchor is in another contract than the network's");
    if (anchor.receipt != receipt.digest) return rejected("the anchor is another receipt's");
    TT_TRY(const Digest root,
           crypto::merkle_proof_root(billing::receipt_leaf(receipt.digest), anchor.proof));
    if (root != anchor.receipts_root)
        return rejected("the proof does not lead from the receipt to the root");
    const chain::NodeRecord* node = contract.node(anchor.entry_node);
    if (node == nullptr || node->receipt_key != receipt.entry)
        return rejected("node " + std::to_string(anchor.entry_node) +
                        " is not the entry that signed the receipt");
    const chain::AnchorRecord* record = contract.anchor(anchor.entry_node, anchor.receipts_root);
    if (record == nullptr)
        return rejected("the contract has no settlement with root 0x" +
                        to_hex(anchor.receipts_root));
    if (record->pool != receipt.pool)
        return rejected("the settlement is of pool " + std::to_string(record->pool) +
                        ", the network's is " + std::to_string(receipt.pool));
    return *record;
}

}  // namespace teetee::client
