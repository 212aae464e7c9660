// SPDX-License-Identifier: Apache-2.0
#include "node/settlement_signers.hpp"

#include "attest/receipt_json.hpp"

namespace teetee::node {
namespace {

Result<billing::SignOffAsks> asks_of(billing::LedgerStore& ledger,
                                     const billing::SignOrder& order) {
    billing::SignOffAsks asks(order.batch, order.signers);
    for (const billing::Charge& charge : order.charges) {
        TT_TRY(const Bytes text, ledger.receipt(charge.request));
        TT_TRY(const auto receipt, attest::parse_receipt(as_text(text)));
        TT_CHECK(asks.add(receipt));
    }
    return asks;
}

}  // namespace

void ask_nodes_to_sign(Node& entry, billing::LedgerStore& ledger, const billing::SignOrder& order,
                       const std::function<void(Money::Signatures)>& done) {
    const auto asks = asks_of(ledger, order);
    if (!asks) {
        Money::Signatures none;
        for (const crypto::Address& signer : order.signers) none.push_back({signer, asks.error()});
        return done(std::move(none));
    }
    entry.ask_to_sign(*asks, [done](const Node::SettlementSignatures& signatures) {
        Money::Signatures out;
        for (const auto& [signer, signature] : signatures) out.push_back({signer, signature});
        done(std::move(out));
    });
}

}  // namespace teetee::node
