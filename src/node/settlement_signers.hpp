// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "node/money.hpp"
#include "node/node.hpp"

namespace teetee::node {

/// Has the nodes of an order sign it, shown what each has signed for the receipts in `ledger`,
/// which MUST outlive the call of `done`.
void ask_nodes_to_sign(Node& entry, billing::LedgerStore& ledger, const billing::SignOrder& order,
                       const std::function<void(Money::Signatures)>& done);

}  // namespace teetee::node
