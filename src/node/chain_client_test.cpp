// SPDX-License-Identifier: Apache-2.0
// Against real chains: anvil from npm. Skipped where it is not installed.
#include "node/chain_client.hpp"

#include <gtest/gtest.h>

#include "chain/typed_data.hpp"
#include "crypto/hash.hpp"
#include "net/test_folder.hpp"
#include "node/test_on_chain.hpp"

namespace teetee::node {
namespace {

using namespace chain;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Anvil;
using test::chain_id;
using test::wei_per_credit;

class chain_client : public test::OnChain {
  protected:
    /// The second purchase in the block before the last `blocks`.
    void buy_7_then_30(const Anvil& anvil, uint64_t blocks) {
        const Bytes buy = tee_tee::BuyCall{}.encode().value();
        anvil.send(contract, buy, 7 * wei_per_credit);
        anvil.call("anvil_mine", {"0x5"});
        anvil.send(contract, buy, 30 * wei_per_credit);
        anvil.call("anvil_mine", {U256(blocks).to_quantity()});
        run_until([&] { return balance() == U256(37); });
    }
};

TEST_F(chain_client, sends_transactions_and_sees_their_events) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    deploy(anvil);
    start({anvil.url()});
    submit("pool", create_pool());
    submit("buy", tee_tee::BuyCall{}, 100 * wei_per_credit);
    const auto now = static_cast<uint64_t>(clock.unix_now());
    submit("node", register_node(0, receipt_key(0), now + 3600));
    run_until([&] { return client->view().latest().node(1) != nullptr; });
    const ContractState& latest = client->view().latest();
    ASSERT_NE(latest.pool(1), nullptr);
    EXPECT_EQ(latest.pool(1)->creator, key.address());
    EXPECT_EQ(latest.pool(1)->prices.at(now), (Prices{2, 5}));
    EXPECT_TRUE(latest.is_live(1, now + 1));
    EXPECT_EQ(latest.node(1)->endpoint, "tls://127.0.0.1:7000");
    EXPECT_EQ(balance(), U256(100));
    // Not settled yet: two blocks must stand on top of it.
    EXPECT_EQ(client->money()->is_live(1, now + 1), false);
    anvil.call("anvil_mine", {"0x4"});
    run_until([&] { return client->money()->is_live(1, now + 1); });
    EXPECT_EQ(client->money()->balance(key.address()), U256(100));
    EXPECT_TRUE(client->money()->is_host(1, key.address(), now + 1));
}

TEST_F(chain_client, signs_what_the_contract_takes_for_signed) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    deploy(anvil);
    start({anvil.url()});
    const Deployment deployment = {chain_id, contract};
    const auto ask = [&](const auto& call) {
        std::optional<Bytes> data;
        client->ask(
            call_contract({.to = contract, .data = call.encode().value()}, BlockTag::latest()),
            [&](Result<RpcAnswer> answer) {
                auto result = take_result(std::move(answer).value());
                data = parse_rpc_data(result.value()).value();
            });
        run_until([&] { return data.has_value(); });
        return *data;
    };
    const tee_tee::Voucher voucher = {.payer = {1},
                                      .pool = 2,
                                      .session_key = {3},
                                      .ceiling = U256::power_of_two(100),
                                      .expiry = 5,
                                      .salt = {6}};
    EXPECT_EQ(tee_tee::VoucherDigestCall::decode_reply(ask(tee_tee::VoucherDigestCall{voucher}))
                  .value()
                  .value,
              voucher_digest(deployment, voucher));
    const tee_tee::Batch batch = {
        .pool = 1,
        .entry_node = 2,
        .prompt_tokens = 3,
        .completion_tokens = 4,
        .total = 5,
        .receipts_root = {6},
        .spends = {{.voucher = {7}, .amount = 8, .signed_ = 9}, {.voucher = {8}, .amount = 1}},
        .queries = {{.query = 10, .amount = 11}},
        .work = {{.node = 2, .tokens = 7}, {.node = 3, .tokens = 7}}};
    EXPECT_EQ(tee_tee::SettlementDigestCall::decode_reply(ask(tee_tee::SettlementDigestCall{batch}))
                  .value()
                  .value,
              settlement_digest(deployment, batch));
}

TEST_F(chain_client, tells_why_a_call_would_be_reverted) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    deploy(anvil);
    start({anvil.url()});
    ASSERT_TRUE(client->submit(
        {.key = "odd", .to = contract, .value = 1, .data = tee_tee::BuyCall{}.encode().value()}));
    run_until([&] { return !outcomes.empty(); });
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result.error().code, ErrorCode::call_reverted);
    EXPECT_EQ(outcomes[0].result.error().detail, "WrongPayment(1, 0)");
}

TEST_F(chain_client, tells_that_transactions_are_held_up) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    deploy(anvil);
    start({anvil.url()});
    // 600 gwei: more than it offers for anything.
    anvil.call("anvil_setNextBlockBaseFeePerGas", {"0x8bb2c97000"});
    anvil.call("anvil_mine", {"0x1"});
    ASSERT_TRUE(client->submit({.key = "dear",
                                .to = contract,
                                .data = tee_tee::BuyCall{}.encode().value(),
                                .gas_limit = 100'000}));
    run_until([&] { return client->sender_trouble().has_value(); });
    EXPECT_EQ(client->sender_trouble()->code, ErrorCode::fee_too_high);
    EXPECT_TRUE(log.has("chain: transactions are held up: ")) << log.text;
    EXPECT_FALSE(log.has("no longer held up"));
    anvil.call("anvil_setNextBlockBaseFeePerGas", {"0x1"});
    anvil.call("anvil_mine", {"0x1"});
    run_until([&] { return !outcomes.empty() && !client->sender_trouble(); });
    EXPECT_TRUE(log.has("chain: transactions are no longer held up")) << log.text;
}

TEST_F(chain_client, a_transaction_that_no_block_takes_is_held_up) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    deploy(anvil);
    bump_after = milliseconds(50);
    start({anvil.url()});
    anvil.call("evm_setAutomine", {false});
    ASSERT_TRUE(client->submit({.key = "buy",
                                .to = contract,
                                .value = wei_per_credit,
                                .data = tee_tee::BuyCall{}.encode().value()}));
    run_until([&] { return client->sender_trouble().has_value(); });
    EXPECT_EQ(client->sender_trouble()->code, ErrorCode::timed_out);
    EXPECT_TRUE(log.has("is in no block, though it was sent")) << log.text;
    anvil.call("evm_setAutomine", {true});
    anvil.call("anvil_mine", {"0x1"});
    run_until([&] { return !outcomes.empty() && !client->sender_trouble(); });
    EXPECT_TRUE(outcomes[0].result);
}

TEST_F(chain_client, follows_a_reorganisation) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    deploy(anvil);
    start({anvil.url()});
    buy_7_then_30(anvil, 1);
    // anvil calls no more than the head's two predecessors final; the reorganisation goes to them.
    anvil.call("anvil_reorg", {2, boost::json::array()});
    anvil.call("anvil_mine", {"0x2"});
    run_until([&] { return balance() == U256(7); });
    EXPECT_EQ(client->view().status().reorganisations, 1u);
    EXPECT_EQ(client->view().status().restarts, 0u);
    EXPECT_EQ(problem(), ErrorCode{});
}

TEST_F(chain_client, begins_anew_after_a_reorganisation_of_settled_blocks) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    deploy(anvil);
    start({anvil.url()});
    buy_7_then_30(anvil, 2);
    anvil.call("anvil_reorg", {3, boost::json::array()});
    anvil.call("anvil_mine", {"0x1"});
    run_until([&] { return balance() == U256(7) && client->money(); });
    EXPECT_EQ(client->view().status().restarts, 1u);
}

TEST_F(chain_client, goes_on_when_the_endpoint_comes_back_and_sees_that_it_forgot) {
    TT_REQUIRE_ANVIL();
    Anvil anvil;
    deploy(anvil);
    start({anvil.url()});
    const Bytes buy = tee_tee::BuyCall{}.encode().value();
    anvil.send(contract, buy, 7 * wei_per_credit);
    anvil.call("anvil_mine", {"0x8"});
    run_until([&] { return balance() == U256(7) && client->money(); });
    anvil.kill();
    run_until([&] { return problem() == ErrorCode::rpc_unavailable; });
    EXPECT_FALSE(client->money());
    anvil.start();
    const Address before = contract;
    deploy(anvil);
    EXPECT_EQ(contract, before);
    anvil.send(contract, buy, 9 * wei_per_credit);
    anvil.call("anvil_mine", {"0x10"});
    run_until([&] { return balance() == U256(9) && client->money(); });
    EXPECT_EQ(client->view().status().restarts, 1u);
}

TEST_F(chain_client, two_endpoints_must_be_of_one_chain) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    const Anvil other(31337);
    deploy(anvil);
    start({anvil.url(), other.url()});
    run_until([&] { return problem() == ErrorCode::chain_mismatch; });
    EXPECT_EQ(client->money().error().code, ErrorCode::chain_mismatch);
    EXPECT_EQ(client->view().endpoints()[0].state, EndpointState::usable);
    EXPECT_EQ(client->view().endpoints()[1].state, EndpointState::wrong_chain);
    ASSERT_TRUE(client->submit({.key = "a", .to = contract}));
    run_until([&] { return client->sender()->problem().has_value(); });
    EXPECT_EQ(client->sender()->problem()->code, ErrorCode::chain_mismatch);
}

TEST_F(chain_client, goes_on_from_its_files) {
    TT_REQUIRE_ANVIL();
    const Anvil anvil;
    deploy(anvil);
    const net::TestFolder files;
    folder = files.path();
    start({anvil.url()});
    submit("buy", tee_tee::BuyCall{}, 5 * wei_per_credit);
    anvil.call("anvil_mine", {"0x8"});
    run_until(
        [&] { return client->money() && client->money()->balance(key.address()) == U256(5); });
    EXPECT_GT(std::filesystem::file_size(folder + "/chain.journal"), 100u);
    start({anvil.url()});
    // Known before anything is asked.
    EXPECT_EQ(balance(), U256(5));
    submit("buy", tee_tee::BuyCall{}, 5 * wei_per_credit);
    run_until([&] { return client->money().has_value(); });
    EXPECT_EQ(balance(), U256(5));
    EXPECT_EQ(client->view().status().restarts, 0u);
    client.reset();
}

TEST_F(chain_client, needs_endpoints_and_a_chain) {
    auto options = options_for({});
    const auto made =
        ChainClient::start({.loop = loop, .clock = clock, .log = log}, options, nullptr, {});
    EXPECT_EQ(made.error().code, ErrorCode::config_invalid);
    options = options_for({"http://127.0.0.1:1"});
    options.view.panel.quorum = 2;
    EXPECT_FALSE(
        ChainClient::start({.loop = loop, .clock = clock, .log = log}, options, nullptr, {}));
}

}  // namespace
}  // namespace teetee::node
