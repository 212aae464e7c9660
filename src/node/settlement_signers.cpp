// SPDX-License-Identifier: Apache-2.0
#include "node/settlement_signers.hpp"

#include "attest/receipt_json.hpp"

namespace teetee::node {

void SettlementSigners::ask(const billing::SignOrder& order, Done done) {
    reading_.emplace(Reading{.asks = billing::SignOffAsks(order.batch, order.signers),
                             .charges = order.charges,
                             .done = std::move(done)});
    timer_ = loop_.call_after({}, [this] { step(); });
}

void SettlementSigners::step() {
    if (reading_->next == reading_->charges.size()) return finish();
    const billing::Charge& charge = reading_->charges[reading_->next++];
    if (auto taken = read(charge); !taken) reading_->unreadable.push_back(charge.request);
    timer_ = loop_.call_after({}, [this] { step(); });
}

Result<void> SettlementSigners::read(const billing::Charge& charge) {
    TT_TRY(const Bytes text, ledger_.receipt(charge.request));
    TT_TRY(const auto receipt, attest::parse_receipt(as_text(text)));
    return reading_->asks.add(receipt);
}

void SettlementSigners::finish() {
    Reading reading = std::move(*reading_);
    reading_.reset();
    if (!reading.unreadable.empty()) return reading.done({.unreadable = reading.unreadable});
    entry_.ask_to_sign(reading.asks, [done = std::move(reading.done)](
                                         const Node::SettlementSignatures& signatures) {
        billing::SignReply out;
        for (const auto& [signer, signature] : signatures)
            out.signatures.push_back({signer, signature});
        done(std::move(out));
    });
}

}  // namespace teetee::node
