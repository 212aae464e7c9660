// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include <gtest/gtest.h>

#include "billing/ledger.hpp"
#include "chain/contract_state.hpp"
#include "chain/money_view.hpp"
#include "chain/test_events.hpp"

// A pool of two slots with a voucher and a query, for tests.
namespace teetee::billing::test {

inline const chain::Deployment deployment = {84532, {0xc0}};

/// Forgets with the process.
class MemoryLedger final : public LedgerStore {
  public:
    struct Kept {
        Charge charge;
        ChargeState state = ChargeState::unsettled;
        /// That it is in, or was settled by.
        uint64_t settlement = 0;
    };
    enum class End { open, settled, dissolved };
    struct Whole {
        SettlementRecord record;
        std::vector<RequestId> charges;
        End end = End::open;
    };

    Result<std::vector<SpendAccount>> accounts() override {
        std::vector<SpendAccount> out;
        for (const auto& [id, account] : kept_accounts) out.push_back(account);
        return out;
    }
    Result<std::optional<SpendAccount>> account(const Digest& voucher) override {
        const auto found = kept_accounts.find(voucher);
        if (found == kept_accounts.end()) return std::optional<SpendAccount>();
        return std::optional(found->second);
    }
    Result<std::vector<uint64_t>> queries() override {
        std::vector<uint64_t> out;
        for (const Kept& kept : charges) {
            if (kept.charge.query != 0) out.push_back(kept.charge.query);
        }
        return out;
    }
    Result<void> keep(const Charge& charge, const SpendAccount* account, ByteView) override {
        if (is_full) return fail(ErrorCode::ledger_failed, "disk full");
        charges.push_back({charge});
        if (account != nullptr) kept_accounts[account->signed_spend.voucher] = *account;
        return {};
    }
    Result<std::vector<Charge>> unsettled(size_t count_max,
                                          const std::optional<RequestId>& after) override {
        ++looks;
        std::vector<Charge> out;
        bool is_after = !after;
        for (const Kept& kept : charges) {
            if (is_after && kept.state == ChargeState::unsettled && out.size() < count_max)
                out.push_back(kept.charge);
            is_after = is_after || kept.charge.request == *after;
        }
        return out;
    }
    Result<Bytes> receipt(const RequestId&) override { return Bytes{}; }
    Result<std::optional<ChargePlace>> place_of(const RequestId& request) override {
        const Kept* kept = find(request);
        if (kept == nullptr) return std::optional<ChargePlace>();
        return std::optional(ChargePlace{.state = kept->state, .charge = kept->charge});
    }
    Result<LedgerTotals> totals() override { return LedgerTotals{.charges = charges.size()}; }
    Result<uint64_t> begin_settlement(const SettlementRecord& record,
                                      std::span<const Charge> own) override {
        Whole whole{record, {}};
        whole.record.id = settlements.size() + 1;
        for (const Charge& charge : own) {
            if (find(charge.request)->state != ChargeState::unsettled)
                return fail(ErrorCode::ledger_failed, "a charge is not there to be settled");
            whole.charges.push_back(charge.request);
            *find(charge.request) = {charge, ChargeState::settling, whole.record.id};
        }
        settlements.push_back(whole);
        return whole.record.id;
    }
    Result<std::vector<SettlementRecord>> open_settlements() override { return all(End::open); }
    Result<std::vector<SettlementRecord>> dissolved_settlements() override {
        auto out = all(End::dissolved);
        std::erase_if(out, [&](const SettlementRecord& record) {
            return std::ranges::all_of(whole(record.id).charges, [&](const RequestId& request) {
                return find(request)->state == ChargeState::settled;
            });
        });
        return out;
    }
    Result<std::vector<SettlementRecord>> settled_settlements(UnixSeconds since) override {
        auto out = all(End::settled);
        std::erase_if(out, [&](const auto& record) { return record.begun_at < since; });
        return out;
    }
    Result<void> update_settlement(const SettlementRecord& record) override {
        whole(record.id).record = record;
        return {};
    }
    Result<std::vector<Charge>> charges_of(uint64_t id) override {
        std::vector<Charge> out;
        for (const RequestId& request : whole(id).charges) out.push_back(find(request)->charge);
        return out;
    }
    Result<void> end_settlement(uint64_t id) override {
        whole(id).end = End::settled;
        for (const RequestId& request : whole(id).charges)
            *find(request) = {find(request)->charge, ChargeState::settled, id};
        return {};
    }
    Result<void> dissolve_settlement(uint64_t id) override {
        whole(id).end = End::dissolved;
        move(id, ChargeState::settling, ChargeState::unsettled);
        return {};
    }
    Result<SettlementRecord> reopen_settlement(uint64_t id) override {
        whole(id).end = End::open;
        ++whole(id).record.attempt;
        move(id, ChargeState::settled, ChargeState::settling);
        return whole(id).record;
    }
    Result<void> give_up(const RequestId& request) override {
        find(request)->state = ChargeState::given_up;
        return {};
    }

    Kept* find(const RequestId& request) {
        for (Kept& kept : charges) {
            if (kept.charge.request == request) return &kept;
        }
        return nullptr;
    }

    bool is_full = false;
    /// At what is unsettled.
    size_t looks = 0;
    std::vector<Kept> charges;
    std::map<Digest, SpendAccount> kept_accounts;
    std::vector<Whole> settlements;

  private:
    Whole& whole(uint64_t id) { return settlements.at(id - 1); }
    std::vector<SettlementRecord> all(End end) const {
        std::vector<SettlementRecord> out;
        for (const Whole& whole : settlements) {
            if (whole.end == end) out.push_back(whole.record);
        }
        return out;
    }
    void move(uint64_t id, ChargeState from, ChargeState to) {
        for (Kept& kept : charges) {
            if (kept.settlement == id && kept.state == from) kept.state = to;
        }
    }
};

class TestClock final : public Clock {
  public:
    Instant now() const override { return Instant{} + std::chrono::seconds(time); }
    UnixSeconds unix_now() const override { return static_cast<UnixSeconds>(time); }
    uint64_t time = chain::test_start;
};

inline crypto::SecpKey session_key(uint8_t seed = 5) {
    return crypto::SecpKey::from_bytes(Bytes(32, seed)).value();
}

/// Receipt key of node 1, the entry.
inline const crypto::Address entry = {0x4e, 1};
inline const crypto::Address tail = {0x4e, 2};

class Contract {
  public:
    struct Empty {};
    explicit Contract(Empty) {}
    explicit Contract(chain::Prices prices = {2, 5}) {
        apply(chain::pool_created());
        apply(chain::prices_announced(prices, 0));
        apply(chain::measurement_accepted());
        apply(chain::node_registered(1, 0));
        apply(chain::node_registered(2, 1));
    }

    template <class Event>
    void apply(const Event& event) {
        const auto applied = state.apply(event, ++block);
        EXPECT_TRUE(applied) << applied.error().message();
    }

    void open_voucher(uint64_t ceiling, const Digest& id = chain::test_voucher) {
        apply(chain::credits_bought(ceiling));
        auto opened = chain::voucher_opened(ceiling, id);
        opened.session_key = session_key().address();
        apply(opened);
    }

    /// From now on what comes is not settled, until the next call.
    void settle() {
        settled = state;
        settled_block = block;
    }
    chain::MoneyView view() const {
        return {settled ? *settled : state, state, settled ? settled_block : block, block,
                restarts};
    }

    chain::ContractState state;
    uint64_t block = 0;
    /// nullopt: all of it.
    std::optional<chain::ContractState> settled;
    uint64_t settled_block = 0;
    uint64_t restarts = 0;
};

inline SignedSpend spend(Credits amount, const Digest& voucher = chain::test_voucher,
                         uint8_t key = 5) {
    const Digest digest = chain::spend_digest(deployment, {voucher, entry, amount});
    return {voucher, amount, session_key(key).sign_recoverable(digest)};
}

}  // namespace teetee::billing::test
