// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/request.hpp"
#include "chain/contract_state.hpp"

namespace teetee::chain {

/// A node whose work can be paid.
struct SettleableNode {
    uint64_t id = 0;
    uint64_t pool = 0;
    uint64_t slot = 0;
    /// Of its registration.
    uint64_t expiry = 0;
    bool is_revoked = false;
};

/// What decisions over money may count on: good news when it is settled, bad news (a revocation, a
/// voucher that ended, a node that left, a balance that fell) as soon as it is seen. `time` is Unix
/// seconds. Looks into two states that MUST outlive it, `latest` being what comes of `settled` by
/// more events.
class MoneyView {
  public:
    MoneyView(const ContractState& settled, const ContractState& latest, uint64_t settled_block = 0,
              uint64_t latest_block = 0, uint64_t restarts = 0)
        : settled_(&settled),
          latest_(&latest),
          settled_block_(settled_block),
          latest_block_(latest_block),
          restarts_(restarts) {}

    uint64_t settled_block() const { return settled_block_; }
    uint64_t latest_block() const { return latest_block_; }
    /// How often what was settled has turned out to be another chain's, in this process.
    uint64_t restarts() const { return restarts_; }

    /// Nullptr for a pool that takes no new nodes, vouchers or queries (or does not exist).
    const PoolRecord* open_pool(uint64_t pool) const;
    bool is_live(uint64_t node, uint64_t time) const;
    /// Until when the node with this receipt key may be given work, so that it can be paid: its
    /// registration's end. Error: not_ready where it is not registered in the pool for these
    /// layers, or has left, expired or been revoked.
    Result<uint64_t> live_until(uint64_t pool, const Address& receipt_key, LayerRange layers,
                                uint64_t time) const;
    /// The wallet has a live node in the pool, and so uses the model free of charge.
    bool is_host(uint64_t pool, const Address& wallet, uint64_t time) const;
    /// Who registered the node of this key; nullopt where there is none.
    std::optional<Address> host_of(const Address& receipt_key) const;
    /// Credits.
    U256 balance(const Address& account) const;
    U256 earnings(const Address& account) const;
    /// With the lesser remainder and the sooner expiry; nullopt for one that is not open.
    std::optional<VoucherRecord> voucher(const Digest& id, uint64_t time) const;
    /// Nullptr unless it is paid, and neither served nor reclaimed nor late.
    const QueryRecord* query(uint64_t id, uint64_t time) const;
    const AnchorRecord* anchor(uint64_t entry_node, const Digest& receipts_root) const;
    /// What an entry may ask for tokens.
    std::optional<Prices> prices(uint64_t pool, uint64_t time) const;

    // What a settlement can still have, some time after it ended (Limits.sol).

    /// Of a measurement that was revoked too: it is settled for an hour yet, and events do not tell
    /// the hour.
    std::optional<SettleableNode> settleable(const Address& receipt_key, uint64_t time) const;
    /// It can never be settled again: too much time has passed since the end of its registration.
    bool is_node_over(const Address& receipt_key, uint64_t time) const;
    std::optional<VoucherRecord> settleable_voucher(const Digest& id, uint64_t time) const;
    const QueryRecord* settleable_query(uint64_t id, uint64_t time) const;
    /// It was opened, whatever became of it; that is settled.
    bool has_voucher(const Digest& id) const { return settled_->voucher(id) != nullptr; }
    /// Likewise, settled or not.
    bool has_seen_voucher(const Digest& id) const { return latest_->voucher(id) != nullptr; }
    bool has_query(uint64_t id) const { return id <= settled_->query_count(); }
    /// All that the entry has claimed of a voucher so far; nullopt while it is not settled.
    std::optional<U256> claimed(const Digest& voucher, const Address& entry) const;
    /// What became of it, if anything, is settled.
    bool is_query_settled(uint64_t id) const {
        return (settled_->query(id) == nullptr) == (latest_->query(id) == nullptr);
    }
    /// 0 where there is no such pool.
    size_t slot_count(uint64_t pool) const;
    std::optional<Prices> highest_prices(uint64_t pool, uint64_t time) const;
    /// The last one that was announced, settled or not; those before are settled at until
    /// price_grace_s after it came into force.
    std::optional<Timed<Prices>> price_change(uint64_t pool) const;

  private:
    std::optional<VoucherRecord> voucher_until(const Digest& id, uint64_t time,
                                               uint64_t grace_s) const;
    const QueryRecord* query_until(uint64_t id, uint64_t time, uint64_t grace_s) const;

    const ContractState* settled_;
    const ContractState* latest_;
    uint64_t settled_block_;
    uint64_t latest_block_;
    uint64_t restarts_;
};

}  // namespace teetee::chain
