// SPDX-License-Identifier: Apache-2.0
// Charges become earnings on a real chain: anvil from npm. Skipped where it is not installed.
#include "node/money.hpp"

#include <gtest/gtest.h>

#include "net/file.hpp"
#include "net/test_folder.hpp"
#include "node/contract_registry.hpp"
#include "node/test_on_chain.hpp"

namespace teetee::node {
namespace {

using namespace chain;
using std::chrono::seconds;
using test::Anvil;

class money : public test::OnChain {
  protected:
    money() { folder = files.path(); }
    ~money() override {
        desk.reset();
        client.reset();
    }

    void begin(const Anvil& anvil) {
        deploy(anvil);
        start_all(anvil);
        submit("pool", create_pool());
        const auto expiry = static_cast<uint64_t>(clock.unix_now()) + 24 * 3600;
        for (uint8_t slot = 0; slot < 2; ++slot) {
            submit("node" + std::to_string(slot), register_node(slot, receipt_key(slot), expiry));
        }
        submit("buy", tee_tee::BuyCall{}, 100'000 * test::wei_per_credit);
        const tee_tee::Voucher terms = {.payer = key.address(),
                                        .pool = 1,
                                        .session_key = session.address(),
                                        .ceiling = 50'000,
                                        .expiry = expiry};
        voucher = voucher_digest(client->deployment(), terms);
        const auto signature = key.sign_recoverable(voucher);
        submit("voucher",
               tee_tee::OpenVoucherCall{.voucher = terms,
                                        .signature_ = Bytes(signature.begin(), signature.end())});
        settle_blocks(anvil);
        run_until([&] { return view_has_voucher(); });
    }

    /// The process of an entry, or another one after it.
    void start_all(const Anvil& anvil) {
        desk.reset();
        client.reset();
        start({anvil.url()});
        Money::Options options;
        options.pool = 1;
        options.entry = receipt_key(0).address();
        options.folder = folder;
        options.ledger_key = crypto::Secret<32>(ByteArray<32>{1});
        options.settler.interval = 0;
        options.settler.gas_percent = gas_percent;
        options.gas.interval = std::chrono::milliseconds(20);
        options.settler.absent_after = absent_after;
        options.settler.absence_min = std::chrono::milliseconds(10);
        options.settler.absence = std::chrono::milliseconds(500);
        options.settler.notice = 0;
        options.settler.notice_more = 1;
        options.settler.refused_pause = std::chrono::milliseconds(10);
        options.settler.aside = std::chrono::milliseconds(10);
        auto made =
            Money::start({loop, clock, rng, log}, std::move(options), *client,
                         [this](const auto& order, const auto& done) { sign(order, done); });
        ASSERT_TRUE(made) << made.error().message();
        desk = std::move(*made);
        on_change = [this] { desk->on_chain(); };
        on_outcome = [this](const SendOutcome& outcome) { desk->on_outcome(outcome); };
    }

    void sign(const billing::SignOrder& order,
              const std::function<void(billing::SignReply)>& done) {
        if (!nodes_sign) return;
        const Digest digest = settlement_digest(client->deployment(), order.batch);
        billing::SignReply out;
        for (uint8_t slot = 0; slot < 2; ++slot) {
            if (absent.contains(slot)) continue;
            out.signatures.push_back(
                {receipt_key(slot).address(), receipt_key(slot).sign_recoverable(digest)});
        }
        done(out);
    }

    /// An answer of 10 prompt tokens and `tokens` of its own: 20 + 5 x tokens credits.
    void answer(uint8_t number, uint32_t tokens) {
        signed_amount += 20 + 5ull * tokens;
        const Digest digest = spend_digest(
            client->deployment(), {voucher, receipt_key(0).address(), U256(signed_amount)});
        const chain::RequestTerms terms = {
            .voucher = voucher,
            .entry = receipt_key(0).address(),
            .time_ms = static_cast<uint64_t>(clock.unix_now()) * 1000 + number};
        const billing::VoucherPayment payment = {
            {voucher, signed_amount, session.sign_recoverable(digest)},
            billing::RequestProof{terms.time_ms, session.sign_recoverable(chain::request_digest(
                                                     client->deployment(), terms))}};
        const auto admitted = desk->till().admit(desk->view().value(), payment, {10, tokens, {}});
        ASSERT_TRUE(admitted) << admitted.error().message();
        auto bill = desk->till().bill_for(admitted->hold, {10, 0, tokens});
        ASSERT_TRUE(bill);
        bill->charge.request = {{number}};
        bill->charge.receipt = {number};
        bill->charge.nodes = {receipt_key(0).address(), receipt_key(1).address()};
        ASSERT_TRUE(desk->till().finish(admitted->hold, bill->charge, as_bytes("receipt")));
        charged += bill->charge.amount;
    }

    /// Its share is not signed for, and the entry does not wait for it long.
    void answer_with_absent_tail(const Anvil& anvil) {
        absent_after = 0;
        absent = {1};
        begin(anvil);
        answer(1, 7);
    }

    bool view_has_voucher() {
        const auto view = desk->view();
        return view && view->voucher(voucher, static_cast<uint64_t>(clock.unix_now()));
    }
    static void settle_blocks(const Anvil& anvil) { anvil.call("anvil_mine", {"0x4"}); }
    uint64_t earned() const {
        const auto& state = client->view().latest();
        return state.account(key.address()).earnings.to_u64().value();
    }
    billing::LedgerTotals totals() { return desk->ledger().totals().value(); }

    /// Blocks come, as they do, until all is settled.
    void run_until_settled(const Anvil& anvil) {
        run_until([&] {
            if (totals().settled == charged) return true;
            settle_blocks(anvil);
            return false;
        });
    }

    net::TestFolder files;
    SystemRng rng;
    crypto::SecpKey session = crypto::SecpKey::from_bytes(Bytes(32, 5)).value();
    Digest voucher{};
    bool nodes_sign = true;
    uint64_t gas_percent = 0;
    UnixSeconds absent_after = 24 * 3600;
    /// Slots whose nodes do not sign.
    std::set<uint8_t> absent;
    billing::Credits signed_amount = 0;
    billing::Credits charged = 0;
    std::unique_ptr<Money> desk;
};

TEST_F(money, charges_become_earnings) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    begin(anvil);
    for (uint8_t i = 1; i <= 5; ++i) answer(i, i);
    run_until_settled(anvil);
    // All roles are one account's here, the creator's included: nothing is lost by rounding.
    EXPECT_EQ(earned(), charged);
    EXPECT_EQ(totals().unsettled + totals().settling + totals().given_up, 0u);
    const auto place = desk->ledger().place_of({{3}}).value().value();
    EXPECT_EQ(place.state, billing::ChargeState::settled);
    EXPECT_NE(client->view().latest().anchor(place.entry_node, place.receipts_root), nullptr);
    const auto record = client->view().latest().voucher(voucher);
    EXPECT_EQ(record->remaining, U256(50'000 - charged));
}

TEST_F(money, what_was_on_its_way_goes_on_after_a_restart) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    begin(anvil);
    nodes_sign = false;
    answer(1, 3);
    start_all(anvil);
    nodes_sign = true;
    // Sent, and the process ends before it knows what came of it.
    anvil.call("evm_setAutomine", {false});
    run_until([&] { return totals().settling == charged; });
    start_all(anvil);
    anvil.call("evm_setAutomine", {true});
    anvil.call("anvil_mine", {"0x1"});
    run_until_settled(anvil);
    EXPECT_EQ(earned(), charged);
    answer(2, 4);
    run_until_settled(anvil);
    EXPECT_EQ(earned(), charged);
}

TEST_F(money, what_the_sender_tells_at_the_start_is_heard) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    begin(anvil);
    anvil.call("evm_setAutomine", {false});
    answer(1, 3);
    run_until([&] { return !client->sender()->in_flight().empty(); });
    // It comes to nothing, and the process ends when the sender has noted that and nobody else.
    desk.reset();
    client.reset();
    const std::string path = folder + "/sender.state";
    const Bytes saved = net::read_file(path, 1 << 20).value();
    auto state = decode_sender_state(saved, key.address(), test::chain_id).value();
    ASSERT_EQ(state.in_flight.size(), 1u);
    const SentEntry& entry = state.in_flight[0];
    anvil.call("anvil_dropTransaction", {"0x" + to_hex(entry.attempts.back().hash)});
    state.finished.push_back(
        {digest_of(entry.intent),
         {entry.intent.key, fail(ErrorCode::transaction_failed, "its nonce went elsewhere")}});
    state.in_flight.clear();
    ASSERT_TRUE(net::write_file_atomic(
        path, encode_sender_state(state, key.address(), test::chain_id), {.mode = 0600}));
    anvil.call("evm_setAutomine", {true});
    start_all(anvil);
    run_until_settled(anvil);
    EXPECT_EQ(earned(), charged);
}

TEST_F(money, a_settlement_whose_block_is_lost_is_made_again) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    begin(anvil);
    answer(1, 3);
    run_until([&] { return earned() == charged; });
    anvil.call("anvil_reorg", {2, boost::json::array()});
    run_until_settled(anvil);
    EXPECT_EQ(earned(), charged);
    // Everything that was there before the reorganisation is.
    EXPECT_EQ(client->view().latest().voucher(voucher)->remaining, U256(50'000 - charged));
}

TEST_F(money, is_settled_when_gas_is_a_small_part_of_it) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    gas_percent = 5;
    begin(anvil);
    // 400 gwei; a credit is worth 1000, and a settlement takes some 150,000 gas.
    anvil.call("anvil_setNextBlockBaseFeePerGas", {"0x5d21dba000"});
    anvil.call("anvil_mine", {"0x1"});
    answer(1, 5000);
    bool is_late = false;
    const net::Timer wait = loop.call_after(seconds(3), [&] { is_late = true; });
    run_until([&] { return is_late; });
    EXPECT_EQ(totals().unsettled, charged);
    anvil.call("anvil_setNextBlockBaseFeePerGas", {"0x1"});
    run_until_settled(anvil);
    EXPECT_EQ(earned(), charged);
}

TEST_F(money, a_day_after_it_is_announced_it_is_settled_without_the_absent) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    answer_with_absent_tail(anvil);
    const auto mine_until = [&](const std::function<bool()>& condition) {
        run_until([&] {
            if (condition()) return true;
            settle_blocks(anvil);
            return false;
        });
    };
    mine_until([&] { return totals().settling == charged; });
    EXPECT_EQ(desk->ledger().open_settlements()->at(0).stage, billing::SettlementStage::announced);
    // Tried too soon, which costs nothing, and kept.
    mine_until([&] {
        return desk->ledger().open_settlements()->at(0).stage ==
               billing::SettlementStage::after_notice;
    });
    start_all(anvil);
    EXPECT_EQ(earned(), 0u);
    anvil.call("evm_increaseTime", {24 * 3600});
    run_until_settled(anvil);
    EXPECT_EQ(earned(), charged);
    EXPECT_EQ(client->view().latest().voucher(voucher)->remaining, U256(50'000 - charged));
    absent.clear();
    answer(2, 3);
    run_until_settled(anvil);
    EXPECT_EQ(earned(), charged);
}

TEST_F(money, who_comes_back_signs_what_was_announced) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    answer_with_absent_tail(anvil);
    run_until([&] { return totals().settling == charged; });
    const Digest root = desk->ledger().open_settlements()->at(0).receipts_root;
    absent.clear();
    run_until_settled(anvil);
    EXPECT_EQ(earned(), charged);
    EXPECT_EQ(desk->ledger().place_of({{1}}).value()->receipts_root, root);
    EXPECT_EQ(desk->settler().settlements(), 1u);
}

TEST_F(money, the_contract_is_a_registry) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    begin(anvil);
    ContractRegistry registry(*client, clock, 1);
    const auto nodes = registry.nodes().value();
    ASSERT_EQ(nodes.size(), 2u);
    EXPECT_EQ(nodes[0].url, "tls://127.0.0.1:7000");
    EXPECT_EQ(nodes[1].layers, (LayerRange{2, 5}));
    EXPECT_EQ(nodes[1].node_id, receipt_key(1).address());
    EXPECT_TRUE(registry.admits(receipt_key(1).address(), {2, 5}));
    EXPECT_FALSE(registry.admits(receipt_key(1).address(), {0, 2}));
    EXPECT_FALSE(registry.admits(receipt_key(2).address(), {2, 5}));
    submit("leave", tee_tee::LeaveNodeCall{.id = 2});
    run_until([&] { return registry.nodes()->size() == 1; });
    EXPECT_EQ(registry.admits(receipt_key(1).address(), {2, 5}).error().code, ErrorCode::not_ready);
    EXPECT_EQ(ContractRegistry(*client, clock, 7).nodes().error().code, ErrorCode::not_ready);
}

}  // namespace
}  // namespace teetee::node
