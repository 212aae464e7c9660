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
    Result<std::vector<SpendAccount>> accounts() override {
        std::vector<SpendAccount> out;
        for (const auto& [id, account] : kept_accounts) out.push_back(account);
        return out;
    }
    Result<std::vector<uint64_t>> queries() override {
        std::vector<uint64_t> out;
        for (const Charge& charge : charges) {
            if (charge.query != 0) out.push_back(charge.query);
        }
        return out;
    }
    Result<void> keep(const Charge& charge, const SpendAccount* account, ByteView) override {
        if (is_full) return fail(ErrorCode::ledger_failed, "disk full");
        charges.push_back(charge);
        if (account != nullptr) kept_accounts[account->signed_spend.voucher] = *account;
        return {};
    }
    Result<std::vector<Charge>> unsettled(size_t) override { return charges; }
    Result<Bytes> receipt(const RequestId&) override { return Bytes{}; }

    bool is_full = false;
    std::vector<Charge> charges;
    std::map<Digest, SpendAccount> kept_accounts;
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

    chain::MoneyView view() const { return {state, state}; }

    chain::ContractState state;
    uint64_t block = 0;
};

inline SignedSpend spend(Credits amount, const Digest& voucher = chain::test_voucher,
                         uint8_t key = 5) {
    const Digest digest = chain::spend_digest(deployment, {voucher, entry, amount});
    return {voucher, amount, session_key(key).sign_recoverable(digest)};
}

}  // namespace teetee::billing::test
