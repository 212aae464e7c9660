// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/contract_events.hpp"
#include "chain/contract_records.hpp"

namespace teetee::chain {

/// The contract's state after some of its events. Pure; equal events make equal states.
class ContractState {
  public:
    /// The next event, in the chain's order. Errors: events_inconsistent when it cannot follow
    /// those before (a number was left out, more was spent than was there), amount_overflow; the
    /// state is then of no use.
    Result<void> apply(const ContractEvent& event, uint64_t block);

    // nullptr: there is none.
    const PoolRecord* pool(uint64_t id) const;
    const NodeRecord* node(uint64_t id) const;
    const NodeRecord* node_of_key(const Address& receipt_key) const;
    /// 0: none.
    uint64_t node_id_of_key(const Address& receipt_key) const;
    const VoucherRecord* voucher(const Digest& id) const;
    const QueryRecord* query(uint64_t id) const;
    uint64_t query_count() const { return query_count_; }
    const AnchorRecord* anchor(uint64_t entry_node, const Digest& receipts_root) const;
    /// Of an account that was never heard of, all is zero.
    AccountRecord account(const Address& address) const;

    const std::map<uint64_t, PoolRecord>& pools() const { return pools_; }
    const std::map<uint64_t, NodeRecord>& nodes() const { return nodes_; }
    const std::map<Address, AccountRecord>& accounts() const { return accounts_; }
    const std::map<Digest, VoucherRecord>& vouchers() const { return vouchers_; }
    const std::map<uint64_t, QueryRecord>& queries() const { return queries_; }

    /// Registered, and neither left, expired nor revoked.
    bool is_live(uint64_t node, uint64_t time) const;
    /// Nodes of the host in the pool, whatever has become of them.
    std::vector<uint64_t> nodes_of_host(uint64_t pool, const Address& host) const;

    bool operator==(const ContractState&) const = default;

  private:
    Result<void> on(const tee_tee::PoolCreatedEvent& event);
    Result<void> on(const tee_tee::PricesAnnouncedEvent& event);
    Result<void> on(const tee_tee::PolicyAnnouncedEvent& event);
    Result<void> on(const tee_tee::MeasurementAcceptedEvent& event);
    Result<void> on(const tee_tee::MeasurementRevokedEvent& event);
    Result<void> on(const tee_tee::CreatorOfferedEvent& event);
    Result<void> on(const tee_tee::CreatorChangedEvent& event);
    Result<void> on(const tee_tee::PoolClosedEvent& event);
    Result<void> on(const tee_tee::NodeRegisteredEvent& event);
    Result<void> on(const tee_tee::NodeRenewedEvent& event);
    Result<void> on(const tee_tee::NodeLeftEvent& event);
    Result<void> on(const tee_tee::CreditsBoughtEvent& event);
    Result<void> on(const tee_tee::RefundRequestedEvent& event);
    Result<void> on(const tee_tee::RefundCancelledEvent& event);
    Result<void> on(const tee_tee::RefundPaidEvent& event);
    Result<void> on(const tee_tee::VoucherOpenedEvent& event);
    Result<void> on(const tee_tee::VoucherEndedEvent& event);
    Result<void> on(const tee_tee::VoucherReclaimedEvent& event);
    Result<void> on(const tee_tee::SpentEvent& event);
    Result<void> on(const tee_tee::SpentInVainEvent& event);
    Result<void> on(const tee_tee::QueryPaidEvent& event);
    Result<void> on(const tee_tee::QueryServedEvent& event);
    Result<void> on(const tee_tee::QueryReclaimedEvent& event);
    Result<void> on(const tee_tee::AnchoredEvent& event);
    Result<void> on(const tee_tee::EarnedEvent& event);
    Result<void> on(const tee_tee::FeeEarnedEvent& event);
    Result<void> on(const tee_tee::EarningsWithdrawnEvent& event);
    Result<void> on(const tee_tee::SettlementAnnouncedEvent& event);

    Result<PoolRecord*> pool_at(uint64_t id);
    Result<NodeRecord*> node_at(uint64_t id);
    Result<VoucherRecord*> voucher_at(const Digest& id);
    Result<QueryRecord> take_query(uint64_t id);

    uint64_t block_ = 0;
    std::map<uint64_t, PoolRecord> pools_;
    std::map<uint64_t, NodeRecord> nodes_;
    std::map<Address, uint64_t> keys_;
    std::map<std::pair<uint64_t, Address>, std::vector<uint64_t>> hosts_;
    std::map<Address, AccountRecord> accounts_;
    std::map<Digest, VoucherRecord> vouchers_;
    uint64_t query_count_ = 0;
    std::map<uint64_t, QueryRecord> queries_;
    std::map<std::pair<uint64_t, Digest>, AnchorRecord> anchors_;
};

}  // namespace teetee::chain
