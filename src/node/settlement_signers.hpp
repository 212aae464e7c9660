// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "node/money.hpp"
#include "node/node.hpp"

namespace teetee::node {

/// Has the nodes of orders sign them, shown what each has signed for the receipts of the ledger.
/// Receipts have up to a megabyte, so they are read one at a time, with the loop's other work in
/// between. Lives on the loop's thread.
class SettlementSigners {
  public:
    using Done = std::function<void(billing::SignReply)>;

    /// References MUST outlive it.
    SettlementSigners(net::Loop& loop, Node& entry, billing::LedgerStore& ledger)
        : loop_(loop), entry_(entry), ledger_(ledger) {}

    /// `done` is called once, later; not when another order comes before that, or this is gone.
    void ask(const billing::SignOrder& order, Done done);

  private:
    struct Reading {
        billing::SignOffAsks asks;
        std::vector<billing::Charge> charges;
        size_t next = 0;
        std::vector<RequestId> unreadable{};
        Done done;
    };
    void step();
    Result<void> read(const billing::Charge& charge);
    void finish();

    net::Loop& loop_;
    Node& entry_;
    billing::LedgerStore& ledger_;
    std::optional<Reading> reading_;
    net::Timer timer_;
};

}  // namespace teetee::node
