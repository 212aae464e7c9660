// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "chain/contract_state.hpp"
#include "chain/typed_data.hpp"
#include "crypto/merkle.hpp"

namespace teetee::client {

/// Where an entry says that a receipt is anchored (GET /v1/receipts/ID/anchor). Nothing of it is
/// believed: the receipt leads to the root, and the contract has the root or not.
struct ReceiptAnchor {
    chain::Deployment deployment{};
    /// receipt_digest of the receipt.
    Digest receipt{};
    uint64_t entry_node = 0;
    Digest receipts_root{};
    crypto::MerkleProof proof{};
};

/// Errors: invalid_json; not_ready while it is not settled, with what the entry says of it.
Result<ReceiptAnchor> parse_receipt_anchor(std::string_view body);

/// What the receipt itself says.
struct AnchoredReceipt {
    /// receipt_digest of it.
    Digest digest{};
    /// Receipt key of the entry that signed it.
    crypto::Address entry{};
    chain::Deployment deployment{};
    uint64_t pool = 0;
};

/// The contract's record. Error: receipt_rejected when the anchor is of another receipt, entry,
/// contract or pool, the proof does not lead to the root, or the contract does not have it.
Result<chain::AnchorRecord> check_anchor(const AnchoredReceipt& receipt,
                                         const ReceiptAnchor& anchor,
                                         const chain::ContractState& contract);

}  // namespace teetee::client
