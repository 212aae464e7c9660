// SPDX-License-Identifier: Apache-2.0
// Against real chains: anvil from npm. Skipped where it is not installed.
#include "node/voucher_opener.hpp"

#include <gtest/gtest.h>

#include "net/file.hpp"
#include "net/test_folder.hpp"
#include "node/test_on_chain.hpp"

namespace teetee::node {
namespace {

using namespace chain;
using billing::VoucherState;
using std::chrono::milliseconds;
using test::Anvil;

class voucher_opener : public test::OnChain {
  protected:
    voucher_opener() { folder = files.path(); }
    ~voucher_opener() override { end(); }

    /// A pool, and a payer with 50,000 credits that are settled.
    void begin(const Anvil& anvil) {
        deploy(anvil);
        start_all(anvil);
        submit("pool", create_pool());
        submit("credits", tee_tee::BuyForCall{.account = payer.address()},
               50'000 * test::wei_per_credit);
        anvil.call("anvil_mine", {"0x4"});
        run_until([&] {
            const auto view = client->money();
            return view && view->balance(payer.address()) == U256(50'000);
        });
        outcomes.clear();
    }
    void start_all(const Anvil& anvil) {
        end();
        start({anvil.url()});
        gas.emplace(GasWatch::World{clock, log}, GasWatch::Options{.interval = milliseconds(20)},
                    *client);
        opener.emplace(VoucherOpener::World{clock, log},
                       billing::VoucherOpeningOptions{
                           .deployment = client->deployment(), .pool = 1, .ceiling_min = 100},
                       *client, *gas);
        on_outcome = [this](const SendOutcome& outcome) { opener->on_outcome(outcome); };
        gas->look();
        run_until([&] { return client->money() && gas->terms() && gas->balance(); });
    }
    void end() {
        on_outcome = nullptr;
        opener.reset();
        gas.reset();
        client.reset();
    }

    billing::SignedVoucher ask(uint64_t ceiling = 10'000) const {
        billing::SignedVoucher out;
        out.voucher = {.payer = payer.address(),
                       .pool = 1,
                       .session_key = {5},
                       .ceiling = ceiling,
                       .expiry = expiry};
        const auto signature = payer.sign_recoverable(opener_id(out));
        out.signature.assign(signature.begin(), signature.end());
        return out;
    }
    Digest opener_id(const billing::SignedVoucher& asked) const {
        return voucher_digest(client->deployment(), asked.voucher);
    }
    Result<VoucherState> open(const billing::SignedVoucher& asked) {
        std::optional<Result<VoucherState>> out;
        opener->open(asked, [&](Result<VoucherState> state) { out = std::move(state); });
        run_until([&] { return out.has_value(); });
        return *out;
    }
    /// Blocks come until it is open, and the sender knows what became of its transaction.
    void run_until_open(const Anvil& anvil, const billing::SignedVoucher& asked) {
        run_until([&] {
            anvil.call("anvil_mine", {"0x1"});
            const auto view = client->money();
            return view && view->voucher(opener_id(asked), now()) &&
                   !client->sender()->is_pending("");
        });
        EXPECT_EQ(open(asked).value(), VoucherState::open);
    }
    uint64_t now() const { return static_cast<uint64_t>(clock.unix_now()); }
    uint64_t sent() const { return client->sender()->in_flight().size(); }

    net::TestFolder files;
    const crypto::SecpKey payer = crypto::SecpKey::from_bytes(Bytes(32, 9)).value();
    const uint64_t expiry = static_cast<uint64_t>(SystemClock().unix_now()) + 3600;
    std::optional<GasWatch> gas;
    std::optional<VoucherOpener> opener;
};

TEST_F(voucher_opener, opens_and_counts) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    begin(anvil);
    EXPECT_EQ(open(ask(60'000)).error().code, ErrorCode::payment_required);
    EXPECT_EQ(open(ask()).value(), VoucherState::opening);
    run_until_open(anvil, ask());
    EXPECT_EQ(outcomes.size(), 1u);
    const billing::VoucherOpeningCounts& counts = opener->counts();
    EXPECT_EQ(counts.opened, 1u);
    EXPECT_EQ(counts.refused, (std::map<ErrorCode, uint64_t>{{ErrorCode::payment_required, 1}}));
    EXPECT_TRUE(counts.failed.empty());
}

TEST_F(voucher_opener, the_contract_is_asked_with_no_more_gas_than_the_transaction_has) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    begin(anvil);
    const auto asked = ask();
    const auto taken_with = [&](uint64_t gas_limit) {
        std::optional<bool> out;
        client->ask_contract(
            tee_tee::OpenVoucherCall{.voucher = asked.voucher, .signature_ = asked.signature},
            [&](const auto& reply) { out = reply.has_value(); },
            ChainClient::Caller{.account = key.address(), .gas = gas_limit});
        run_until([&] { return out.has_value(); });
        return *out;
    };
    EXPECT_FALSE(taken_with(60'000));
    EXPECT_TRUE(taken_with(billing::voucher_gas_max));
}

TEST_F(voucher_opener, what_is_on_its_way_from_before_a_restart_is_not_sent_again) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    begin(anvil);
    anvil.call("evm_setAutomine", {false});
    ASSERT_EQ(open(ask()).value(), VoucherState::opening);
    run_until([&] { return sent() == 1; });
    start_all(anvil);
    EXPECT_EQ(open(ask()).value(), VoucherState::opening);
    EXPECT_EQ(sent(), 1u);
    EXPECT_EQ(client->sender()->queued(), 0u);
    anvil.call("evm_setAutomine", {true});
    run_until_open(anvil, ask());
    EXPECT_EQ(outcomes.size(), 1u);
}

TEST_F(voucher_opener, what_failed_before_a_restart_is_not_on_its_way) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    begin(anvil);
    anvil.call("evm_setAutomine", {false});
    ASSERT_EQ(open(ask()).value(), VoucherState::opening);
    run_until([&] { return sent() == 1; });
    const auto asked = ask();
    end();
    // It comes to nothing, which the sender has noted. The payer then signs anew, in another way.
    const std::string path = folder + "/sender.state";
    const Bytes saved = net::read_file(path, 1 << 20).value();
    auto state = decode_sender_state(saved, key.address(), test::chain_id).value();
    ASSERT_EQ(state.in_flight.size(), 1u);
    SentEntry entry = state.in_flight[0];
    anvil.call("anvil_dropTransaction", {"0x" + to_hex(entry.attempts.back().hash)});
    entry.intent.data.push_back(0);
    state.finished.push_back({digest_of(entry.intent),
                              {entry.intent.key, fail(ErrorCode::transaction_failed, "reverted")}});
    state.in_flight.clear();
    ASSERT_TRUE(net::write_file_atomic(
        path, encode_sender_state(state, key.address(), test::chain_id), {.mode = 0600}));
    anvil.call("evm_setAutomine", {true});
    start_all(anvil);
    EXPECT_EQ(open(asked).value(), VoucherState::opening);
    run_until_open(anvil, asked);
    EXPECT_EQ(opener->counts().opened, 1u);
}

}  // namespace
}  // namespace teetee::node
