// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "billing/settler.hpp"
#include "billing/test_world.hpp"
#include "crypto/hash.hpp"

namespace teetee::billing::test {

using chain::tee_tee::Batch;

inline crypto::SecpKey node_key(uint8_t seed) {
    return crypto::SecpKey::from_bytes(Bytes(32, seed)).value();
}

/// A settler with a contract whose nodes have keys, and whose events the test makes.
class settler : public testing::Test {
  protected:
    settler() {
        contract.apply(chain::pool_created());
        contract.apply(chain::prices_announced({2, 5}, 0));
        contract.apply(chain::measurement_accepted());
        for (uint8_t node = 1; node <= 3; ++node) {
            auto registered = chain::node_registered(node, node == 1 ? 0 : 1);
            registered.receipt_key = node_key(node).address();
            contract.apply(registered);
        }
        contract.open_voucher(1000);
        options.entry = node_key(1).address();
        ledger.kept_accounts[chain::test_voucher] = {spend(1000), 0};
        restart();
    }

    /// The sender says that charge 1 is settled, and its block turns out to be another one.
    void send_twice() {
        charge(1, 30);
        tick();
        sign();
        outcome(submits[0]);
        contract.apply(chain::credits_bought(1));
        tick();
        ASSERT_EQ(submits.size(), 2u);
    }

    void restart() {
        one.emplace(options, ledger);
        SettlerEffects effects;
        ASSERT_TRUE(one->start(effects));
        take(std::move(effects));
    }

    static RequestId request_of(uint32_t number) {
        RequestId out;
        for (int i = 0; i < 4; ++i) out.bytes[i] = static_cast<uint8_t>(number >> (8 * i));
        return out;
    }

    void charge(uint32_t number, Credits amount, uint8_t tail_node = 2,
                const Digest& voucher = chain::test_voucher) {
        const Charge made = {.request = request_of(number),
                             .voucher = voucher,
                             .amount = amount,
                             .prompt_tokens = 10,
                             .completion_tokens = 20,
                             .receipt = crypto::sha256(request_of(number).bytes),
                             .nodes = {node_key(1).address(), node_key(tail_node).address()},
                             .charged_at = chain::test_start};
        SpendAccount account = ledger.kept_accounts[voucher];
        account.charged += amount;
        ASSERT_TRUE(ledger.keep(made, &account, {}));
    }

    void tick(uint64_t seconds = 61) {
        clock.time += seconds;
        SettlerEffects effects;
        const auto done = one->on_time(clock.now(), clock.time, view(), effects);
        ASSERT_TRUE(done) << done.error().message();
        take(std::move(effects));
    }

    /// All sign but those.
    void sign(const std::set<uint8_t>& but = {}) {
        ASSERT_TRUE(order);
        const Digest digest = chain::settlement_digest(deployment, order->batch);
        SignReply reply;
        for (uint8_t node = 1; node <= 3; ++node) {
            const crypto::Address signer = node_key(node).address();
            if (rejects.contains(node) && is_rejected(*order))
                reply.signatures.push_back(
                    {signer, fail(ErrorCode::settlement_rejected, "the node says so")});
            else if (!but.contains(node))
                reply.signatures.push_back({signer, node_key(node).sign_recoverable(digest)});
        }
        const uint64_t number = order->number;
        order.reset();
        SettlerEffects effects;
        ASSERT_TRUE(one->on_signed(clock.now(), clock.time, number, reply, effects));
        take(std::move(effects));
    }

    void take(SettlerEffects effects) {
        if (effects.order) order = effects.order;
        for (auto& intent : effects.submits) submits.push_back(std::move(intent));
    }

    Batch batch_of(const chain::SendIntent& intent) {
        return chain::tee_tee::SettleCall::decode(intent.data).value().batch;
    }

    bool is_rejected(const SignOrder& asked) const {
        return std::ranges::any_of(
            asked.charges, [&](const Charge& wanted) { return wanted.request == rejected; });
    }

    /// What the contract does.
    void mine(const chain::SendIntent& intent) {
        const Batch batch = batch_of(intent);
        for (const auto& claim : batch.spends) {
            contract.apply(chain::tee_tee::SpentEvent{
                .voucher = claim.voucher, .entry = options.entry, .paid = batch.total});
        }
        contract.apply(chain::tee_tee::AnchoredEvent{.pool = 1,
                                                     .entry_node = 1,
                                                     .receipts_root = batch.receipts_root,
                                                     .prompt_tokens = batch.prompt_tokens,
                                                     .completion_tokens = batch.completion_tokens,
                                                     .paid = batch.total});
    }

    void outcome(const chain::SendIntent& intent, std::optional<ErrorCode> error = {}) {
        chain::SendOutcome told = {intent.key, chain::Inclusion{.block_number = contract.block}};
        if (error) told.result = fail(*error, "no");
        one->on_outcome(clock.now(), told);
    }

    /// So long, whoever is asked signs but those.
    void pass(uint64_t seconds, const std::set<uint8_t>& absent) {
        for (const uint64_t end = clock.time + seconds; clock.time < end;) {
            tick(std::min<uint64_t>(60, end - clock.time));
            if (order) sign(absent);
        }
    }

    /// A charge of 30 with a node 2 that does not sign, announced.
    void announce() {
        options.absent_after = 3600;
        restart();
        charge(1, 30);
        pass(3500, {2});
        EXPECT_TRUE(submits.empty());
        pass(300, {2});
        ASSERT_EQ(submits.size(), 1u);
        ASSERT_TRUE(chain::tee_tee::AnnounceSettlementCall::decode(submits[0].data));
        outcome(submits[0]);
        ASSERT_EQ(ledger.settlements.size(), 1u);
        EXPECT_EQ(ledger.settlements[0].record.stage, SettlementStage::announced);
        EXPECT_EQ(state(1), ChargeState::settling);
    }

    ChargeState state(uint32_t number) { return ledger.find(request_of(number))->state; }
    chain::MoneyView view() const { return contract.view(); }

    Contract contract = Contract(Contract::Empty{});
    MemoryLedger ledger;
    TestClock clock;
    SettlerOptions options = {.deployment = deployment, .pool = 1};
    /// These nodes find every settlement wrong that has this charge.
    std::set<uint8_t> rejects;
    RequestId rejected{};
    std::optional<Settler> one;
    std::optional<SignOrder> order;
    std::vector<chain::SendIntent> submits;
};

}  // namespace teetee::billing::test
