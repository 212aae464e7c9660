// SPDX-License-Identifier: Apache-2.0
#include "chain/sender.hpp"

#include <gtest/gtest.h>

#include "chain/abi_contract.hpp"
#include "crypto/hash.hpp"

namespace teetee::chain {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

constexpr uint64_t chain_id = 31337;

std::string hex_text(ByteView bytes) {
    return "0x" + to_hex(bytes);
}

std::string_view text_of(const json::value& value) {
    return {value.as_string().data(), value.as_string().size()};
}

/// A chain as an account's transactions see it: a pool of them, and blocks that take them.
class AccountChain {
  public:
    Result<RpcAnswer> answer(const RpcCall& call) {
        if (call.method == "eth_chainId") return quantity(chain_id);
        if (call.method == "eth_getBlockByNumber") return RpcAnswer(block(call.parameters[0]));
        if (call.method == "eth_getTransactionCount") return quantity(count(call.parameters[1]));
        if (call.method == "eth_feeHistory") return RpcAnswer(fee_history());
        if (call.method == "eth_estimateGas") return estimate();
        if (call.method == "eth_getTransactionReceipt" && hides_receipts) return RpcAnswer(nullptr);
        if (call.method == "eth_getTransactionReceipt")
            return RpcAnswer(receipt(array_from_hex<32>(text_of(call.parameters[0])).value()));
        if (call.method == "eth_sendRawTransaction")
            return send(from_hex(text_of(call.parameters[0])).value());
        return refusal("no such method");
    }

    /// The next block, with what of the pool can be in it.
    void mine(size_t count = 1) {
        for (size_t i = 0; i < count; ++i) {
            ++head;
            while (is_mining && pool.contains(blocks.size())) {
                const SignedTransaction& next = pool.at(blocks.size());
                if (next.transaction.max_fee_per_gas < base_fee) break;
                blocks.push_back({next, head});
                pool.erase(next.transaction.nonce);
            }
        }
    }

    /// Takes the last blocks away; what was in them is in no pool either.
    void reorganise(uint64_t count) {
        head -= count;
        ++salt;
        while (!blocks.empty() && blocks.back().block > head) blocks.pop_back();
    }

    /// Somebody else who has the key.
    void use_nonce(const crypto::SecpKey& key) {
        const Transaction other = {.chain_id = chain_id,
                                   .nonce = blocks.size(),
                                   .max_priority_fee_per_gas = 1,
                                   .max_fee_per_gas = base_fee,
                                   .gas_limit = 21000,
                                   .to = Address{0xee}};
        blocks.push_back({sign_transaction(other, key).value(), ++head});
    }

    struct Mined {
        SignedTransaction transaction;
        uint64_t block = 0;
    };

    uint64_t head = 100;
    uint8_t salt = 0;
    U256 base_fee = 1'000'000'000;
    bool is_mining = true;
    bool reverts = false;
    bool fails = false;
    bool hides_receipts = false;
    std::map<uint64_t, SignedTransaction> pool;
    /// By nonce.
    std::vector<Mined> blocks;
    size_t sent = 0;

  private:
    static Result<RpcAnswer> quantity(const U256& number) {
        return RpcAnswer(json::value(number.to_quantity()));
    }
    static Result<RpcAnswer> refusal(std::string message) {
        return RpcAnswer(RpcError{.code = -32000, .message = std::move(message)});
    }

    Digest hash_of(uint64_t number) const {
        return crypto::sha256(Bytes{salt, static_cast<uint8_t>(number)});
    }

    json::value block(const json::value& tag) const {
        const uint64_t number = tag == json::value("latest")
                                    ? head
                                    : U256::from_quantity(text_of(tag)).value().to_u64().value();
        if (number > head) return nullptr;
        return {{"number", U256(number).to_quantity()},
                {"hash", hex_text(hash_of(number))},
                {"parentHash", hex_text(hash_of(number - 1))},
                {"timestamp", "0x1"}};
    }

    U256 count(const json::value& tag) const {
        uint64_t out = blocks.size();
        if (tag == json::value("pending")) {
            while (pool.contains(out)) ++out;
            return out;
        }
        const uint64_t number = U256::from_quantity(text_of(tag)).value().to_u64().value();
        return static_cast<uint64_t>(std::ranges::count_if(
            blocks, [&](const Mined& mined) { return mined.block <= number; }));
    }

    json::value fee_history() const {
        const std::string base = base_fee.to_quantity();
        return {{"oldestBlock", "0x1"},
                {"baseFeePerGas", {base, base, base}},
                {"reward", json::array{json::array{"0x5f5e100"}, json::array{"0x5f5e100"}}}};
    }

    Result<RpcAnswer> estimate() const {
        if (!reverts) return quantity(100'000);
        const std::vector<AbiValue> reason = {AbiValue::of(as_bytes("too early"))};
        RpcError error{.code = 3, .message = "execution reverted"};
        error.data =
            encode_call(abi_selector("Error(string)"), abi_types({"string"}), reason).value();
        error.is_revert = true;
        return RpcAnswer(error);
    }

    json::value receipt(const Digest& hash) const {
        for (const Mined& mined : blocks) {
            if (mined.transaction.hash != hash) continue;
            return {{"transactionHash", hex_text(hash)},
                    {"blockNumber", U256(mined.block).to_quantity()},
                    {"blockHash", hex_text(hash_of(mined.block))},
                    {"status", fails ? "0x0" : "0x1"},
                    {"gasUsed", "0x5208"},
                    {"effectiveGasPrice", "0xa"},
                    {"l1Fee", "0x7"},
                    {"logs", json::array()}};
        }
        return nullptr;
    }

    Result<RpcAnswer> send(const Bytes& raw) {
        ++sent;
        const SignedTransaction signed_one = decode_transaction(raw).value();
        const Transaction& transaction = signed_one.transaction;
        if (transaction.nonce < blocks.size()) return refusal("nonce too low");
        const auto found = pool.find(transaction.nonce);
        if (found != pool.end()) {
            const U256 before = found->second.transaction.max_fee_per_gas;
            if (found->second.hash == signed_one.hash) return refusal("already known");
            if (transaction.max_fee_per_gas.times(10).value() < before.times(11).value())
                return refusal("replacement transaction underpriced");
        }
        pool.insert_or_assign(transaction.nonce, signed_one);
        return RpcAnswer(json::value(hex_text(signed_one.hash)));
    }
};

class sender : public testing::Test {
  protected:
    void build(SenderOptions options = {}) {
        options.panel.chain_id = chain_id;
        options.panel.endpoint_count = dead.size();
        machine = std::make_unique<Sender>(options, key);
    }

    void start() {
        act([&](SenderEffects& effects) { machine->start(now, effects); });
    }

    ErrorCode submit(SendIntent intent) {
        ErrorCode out{};
        act([&](SenderEffects& effects) {
            const auto submitted = machine->submit(now, std::move(intent), effects);
            if (!submitted) out = submitted.error().code;
        });
        return out;
    }

    void poll(size_t count = 1) {
        for (size_t i = 0; i < count; ++i) {
            now += seconds(2);
            act([&](SenderEffects& effects) { machine->on_time(now, effects); });
        }
    }

    void act(const std::function<void(SenderEffects&)>& call) {
        SenderEffects effects;
        call(effects);
        while (true) {
            for (SendOutcome& outcome : effects.outcomes) outcomes.push_back(std::move(outcome));
            if (effects.save && save_fails) {
                SenderEffects after;
                machine->on_save_failed(now, after);
                return;
            }
            if (effects.save) saved = *effects.save;
            if (effects.asks.empty()) return;
            SenderEffects next;
            for (const RpcAsk& ask : effects.asks) {
                chain.reverts = chain.reverts || reverts_at == ask.endpoint;
                auto answer = dead[ask.endpoint]
                                  ? Result<RpcAnswer>(fail(ErrorCode::rpc_unavailable, "dead"))
                                  : chain.answer(ask.call);
                chain.reverts = chain.reverts && !reverts_at;
                machine->on_answer(now, ask.id, std::move(answer), next);
            }
            effects = std::move(next);
        }
    }

    SendIntent intent(std::string name, uint8_t data = 1) const {
        return {.key = std::move(name), .to = {0xc0}, .value = 5, .data = {data}};
    }

    ErrorCode problem() const {
        return machine->problem() ? machine->problem()->code : ErrorCode{};
    }

    crypto::SecpKey key = crypto::SecpKey::from_bytes(Bytes(32, 7)).value();
    AccountChain chain;
    std::vector<bool> dead = {false};
    /// An endpoint that says of everything that it would be reverted.
    std::optional<size_t> reverts_at;
    std::unique_ptr<Sender> machine;
    Instant now = std::chrono::hours(1);
    Bytes saved;
    bool save_fails = false;

    std::vector<SendOutcome> outcomes;
};

TEST_F(sender, sends_and_tells_when_it_is_deep_enough) {
    build();
    start();
    EXPECT_EQ(submit(intent("a")), ErrorCode{});
    ASSERT_EQ(chain.pool.size(), 1u);
    const Transaction& sent = chain.pool.at(0).transaction;
    EXPECT_EQ(sent.to, Address{0xc0});
    EXPECT_EQ(sent.value, U256(5));
    EXPECT_EQ(sent.gas_limit, 120'000u);
    EXPECT_EQ(sent.max_priority_fee_per_gas, U256(100'000'000));
    EXPECT_EQ(sent.max_fee_per_gas, U256(2'100'000'000));
    chain.mine(2);
    poll();
    EXPECT_TRUE(outcomes.empty());
    EXPECT_EQ(machine->in_flight()[0].included_in, 101u);
    chain.mine();
    poll();
    ASSERT_EQ(outcomes.size(), 1u);
    ASSERT_TRUE(outcomes[0].result) << outcomes[0].result.error().message();
    EXPECT_EQ(outcomes[0].result->block_number, 101u);
    EXPECT_EQ(outcomes[0].result->cost, U256(21000 * 10 + 7));
    EXPECT_TRUE(machine->in_flight().empty());
}

TEST_F(sender, the_same_key_is_the_same_intent) {
    build();
    start();
    EXPECT_EQ(submit(intent("a")), ErrorCode{});
    EXPECT_EQ(submit(intent("a")), ErrorCode{});
    EXPECT_EQ(submit(intent("a", 2)), ErrorCode::invalid_argument);
    EXPECT_EQ(chain.pool.size(), 1u);
    chain.mine(3);
    poll();
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(submit(intent("a")), ErrorCode{});
    EXPECT_EQ(outcomes.size(), 2u);
    EXPECT_EQ(submit(intent("a", 2)), ErrorCode::invalid_argument);
    chain.mine(3);
    poll(5);
    EXPECT_EQ(chain.blocks.size(), 1u);
}

TEST_F(sender, tells_what_it_knows_of_a_key) {
    build({.in_flight_max = 1});
    start();
    for (const char* name : {"open a 1", "open b 1"}) {
        submit(intent(name));
        EXPECT_TRUE(machine->knows(name) && machine->is_pending(name)) << name;
    }
    EXPECT_TRUE(machine->is_pending("open a ") && !machine->is_pending("open c "));
    EXPECT_FALSE(machine->knows("open a "));
    chain.mine(3);
    poll();
    // With an outcome it is known, and no longer on its way.
    EXPECT_TRUE(machine->knows("open a 1") && !machine->is_pending("open a "));
    EXPECT_TRUE(machine->is_pending("open b "));
}

TEST_F(sender, nonces_follow_each_other_and_those_of_others) {
    build({.in_flight_max = 2});
    chain.use_nonce(key);
    start();
    for (const char* name : {"a", "b", "c"}) submit(intent(name));
    EXPECT_TRUE(chain.pool.contains(1));
    EXPECT_TRUE(chain.pool.contains(2));
    EXPECT_EQ(chain.pool.size(), 2u);
    EXPECT_EQ(machine->queued(), 1u);
    chain.mine(3);
    poll();
    EXPECT_EQ(outcomes.size(), 2u);
    EXPECT_TRUE(chain.pool.contains(3));
    chain.mine(3);
    poll();
    EXPECT_EQ(outcomes.size(), 3u);
}

TEST_F(sender, what_is_reverted_beforehand_is_not_sent) {
    build();
    start();
    chain.reverts = true;
    submit(intent("a"));
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result.error().code, ErrorCode::call_reverted);
    EXPECT_NE(outcomes[0].result.error().detail.find("too early"), std::string::npos);
    EXPECT_EQ(chain.sent, 0u);
    chain.reverts = false;
    submit(intent("b"));
    EXPECT_TRUE(chain.pool.contains(0));
}

TEST_F(sender, what_is_reverted_in_the_chain_has_failed) {
    build();
    start();
    submit(intent("a"));
    chain.fails = true;
    chain.mine(3);
    poll();
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result.error().code, ErrorCode::transaction_failed);
}

TEST_F(sender, a_transaction_that_is_not_taken_is_sent_again_with_higher_fees) {
    build({.bump_after = seconds(10)});
    start();
    submit(intent("a"));
    const Transaction first = chain.pool.at(0).transaction;
    chain.base_fee = 2'200'000'000;
    chain.mine(3);
    poll(6);
    Transaction second = chain.pool.at(0).transaction;
    EXPECT_GE(second.max_fee_per_gas, chain.base_fee);
    // The same but for the fees.
    second.max_fee_per_gas = first.max_fee_per_gas;
    second.max_priority_fee_per_gas = first.max_priority_fee_per_gas;
    EXPECT_EQ(second, first);
    EXPECT_EQ(machine->in_flight()[0].attempts.size(), 2u);
    chain.mine(3);
    poll();
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_TRUE(outcomes[0].result);
}

TEST_F(sender, an_earlier_attempt_that_is_taken_after_all_counts) {
    build({.bump_after = seconds(10)});
    start();
    submit(intent("a"));
    const SignedTransaction first = chain.pool.at(0);
    chain.is_mining = false;
    poll(6);
    ASSERT_NE(chain.pool.at(0).hash, first.hash);
    chain.pool.insert_or_assign(0, first);
    chain.is_mining = true;
    chain.mine(3);
    poll();
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result->transaction_hash, first.hash);
}

TEST_F(sender, fees_have_a_ceiling) {
    build({.fees = {.ceiling = 3'000'000'000}, .bump_after = seconds(10)});
    chain.base_fee = 5'000'000'000;
    start();
    submit(intent("a"));
    EXPECT_EQ(problem(), ErrorCode::fee_too_high);
    EXPECT_EQ(chain.sent, 0u);
    EXPECT_EQ(machine->queued(), 1u);
    chain.base_fee = 2'500'000'000;
    poll();
    EXPECT_EQ(problem(), ErrorCode{});
    EXPECT_EQ(chain.pool.at(0).transaction.max_fee_per_gas, U256(3'000'000'000));
    // Nothing is left to raise; it is sent again as it is.
    chain.base_fee = 5'000'000'000;
    poll(7);
    EXPECT_EQ(problem(), ErrorCode::fee_too_high);
    EXPECT_EQ(machine->in_flight()[0].attempts.size(), 1u);
    EXPECT_GE(chain.sent, 2u);
}

TEST_F(sender, what_was_not_signed_can_be_cancelled) {
    build({.fees = {.ceiling = 1}});
    start();
    submit(intent("a"));
    act([&](SenderEffects& effects) {
        EXPECT_TRUE(machine->cancel("a", effects));
        EXPECT_FALSE(machine->cancel("b", effects));
    });
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result.error().code, ErrorCode::cancelled);
    poll(3);
    EXPECT_EQ(chain.sent, 0u);
}

TEST_F(sender, what_was_signed_is_sent_after_a_restart) {
    build();
    start();
    // The asks of the sending, and nothing else, are lost.
    SenderEffects effects;
    (void)machine->submit(now, intent("a"), effects);
    while (!effects.save) {
        SenderEffects next;
        for (const RpcAsk& ask : effects.asks)
            machine->on_answer(now, ask.id, chain.answer(ask.call), next);
        effects = std::move(next);
    }
    EXPECT_EQ(chain.sent, 0u);
    build();
    ASSERT_TRUE(machine->restore(*effects.save));
    start();
    ASSERT_EQ(chain.sent, 1u);
    EXPECT_EQ(submit(intent("a")), ErrorCode{});
    chain.mine(3);
    poll(3);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_TRUE(outcomes[0].result);
    EXPECT_EQ(chain.blocks.size(), 1u);
    // And what is done is known after another one.
    build();
    ASSERT_TRUE(machine->restore(saved));
    start();
    EXPECT_EQ(submit(intent("a")), ErrorCode{});
    EXPECT_EQ(outcomes.size(), 2u);
    EXPECT_EQ(submit(intent("a", 2)), ErrorCode::invalid_argument);
}

TEST_F(sender, nothing_is_sent_that_was_not_saved) {
    build();
    start();
    save_fails = true;
    submit(intent("a"));
    EXPECT_EQ(chain.sent, 0u);
    EXPECT_EQ(problem(), ErrorCode::io_failed);
    save_fails = false;
    poll(2);
    EXPECT_EQ(chain.sent, 1u);
    EXPECT_EQ(chain.pool.size(), 1u);
}

TEST_F(sender, what_was_dropped_or_reorganised_away_is_sent_again) {
    build({.bump_after = seconds(10)});
    start();
    submit(intent("a"));
    chain.mine(2);
    poll();
    EXPECT_TRUE(machine->in_flight()[0].included_in);
    const Digest hash = chain.blocks[0].transaction.hash;
    chain.reorganise(2);
    EXPECT_TRUE(chain.pool.empty());
    poll();
    ASSERT_TRUE(chain.pool.contains(0));
    EXPECT_EQ(chain.pool.at(0).hash, hash);
    chain.pool.clear();
    poll(6);
    ASSERT_TRUE(chain.pool.contains(0));
    chain.mine(3);
    poll();
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_TRUE(outcomes[0].result);
}

TEST_F(sender, a_nonce_that_somebody_else_used_fails_the_intent_and_is_not_tried_with_another) {
    build();
    start();
    submit(intent("a"));
    chain.pool.clear();
    chain.use_nonce(key);
    poll(2);
    EXPECT_TRUE(outcomes.empty());
    chain.mine(2);
    poll(2);
    EXPECT_TRUE(outcomes.empty()) << "an endpoint may know the nonce before the receipt";
    poll();
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result.error().code, ErrorCode::transaction_failed);
    poll(3);
    EXPECT_EQ(chain.sent, 1u);
}

TEST_F(sender, a_receipt_that_comes_after_its_nonce_is_waited_for) {
    build();
    start();
    submit(intent("a"));
    chain.hides_receipts = true;
    chain.mine(3);
    poll(2);
    EXPECT_TRUE(outcomes.empty());
    chain.hides_receipts = false;
    poll();
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_TRUE(outcomes[0].result);
}

TEST_F(sender, one_endpoint_alone_reverts_nothing) {
    dead = {false, false, true};
    reverts_at = 0;
    build();
    start();
    submit(intent("a"));
    poll(3);
    EXPECT_TRUE(outcomes.empty());
    EXPECT_EQ(problem(), ErrorCode::rpc_refused);
    dead[2] = false;
    poll(40);
    EXPECT_EQ(chain.pool.size(), 1u);
    reverts_at.reset();
    chain.reverts = true;
    submit(intent("b"));
    poll(2);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result.error().code, ErrorCode::call_reverted);
}

TEST_F(sender, one_endpoint_of_three_may_be_dead) {
    dead = {true, false, false};
    build();
    start();
    submit(intent("a"));
    chain.mine(3);
    poll();
    EXPECT_EQ(outcomes.size(), 1u);
    dead = {true, true, false};
    submit(intent("b"));
    poll();
    EXPECT_EQ(problem(), ErrorCode::rpc_unavailable);
}

TEST_F(sender, a_state_of_another_account_or_chain_is_refused) {
    build();
    start();
    submit(intent("a"));
    const auto other = crypto::SecpKey::from_bytes(Bytes(32, 8)).value();
    const auto error = [](const auto& result) {
        return result ? ErrorCode{} : result.error().code;
    };
    EXPECT_EQ(error(decode_sender_state(saved, key.address(), chain_id)), ErrorCode{});
    EXPECT_EQ(error(decode_sender_state(saved, other.address(), chain_id)),
              ErrorCode::invalid_argument);
    EXPECT_EQ(error(decode_sender_state(saved, key.address(), 1)), ErrorCode::invalid_argument);
    for (size_t bytes = 0; bytes < saved.size(); ++bytes)
        EXPECT_FALSE(decode_sender_state(ByteView(saved).first(bytes), key.address(), chain_id));
    Bytes newer = saved;
    newer[0] = 2;
    EXPECT_EQ(error(decode_sender_state(newer, key.address(), chain_id)), ErrorCode::unsupported);
    // The intent's data changed, the transaction not.
    Bytes changed = saved;
    changed[4 + 20 + 8 + 4 + 4 + 1 + 20 + 31] ^= 1;
    EXPECT_EQ(error(decode_sender_state(changed, key.address(), chain_id)),
              ErrorCode::invalid_argument);
}

TEST(fee_policy, offers_twice_the_base_fee_and_the_median_tip) {
    FeeHistory history{.base_fees = {100, 110, 120}, .rewards = {{5}, {9}, {7}}};
    FeeOptions options{.ceiling = 1000, .tip_min = 1, .tip_max = 8};
    EXPECT_EQ(suggest_fees(history, options).value(), (Fees{247, 7}));
    EXPECT_EQ(price_of_gas(history, options).value(), U256(127));
    EXPECT_EQ(price_of_gas({}, options).error().code, ErrorCode::rpc_malformed);
    options.tip_max = 6;
    EXPECT_EQ(suggest_fees(history, options).value(), (Fees{246, 6}));
    options.ceiling = 200;
    EXPECT_EQ(suggest_fees(history, options).value(), (Fees{200, 6}));
    options.ceiling = 125;
    EXPECT_EQ(suggest_fees(history, options).error().code, ErrorCode::fee_too_high);
    EXPECT_EQ(suggest_fees({}, options).error().code, ErrorCode::rpc_malformed);
}

TEST(fee_policy, raises_both_fees_by_an_eighth_at_least) {
    const FeeOptions options{.ceiling = 1000};
    EXPECT_EQ(raise_fees({80, 8}, {10, 1}, options).value(), (Fees{91, 10}));
    EXPECT_EQ(raise_fees({80, 8}, {500, 50}, options).value(), (Fees{500, 50}));
    EXPECT_EQ(raise_fees({900, 8}, {10, 1}, options).error().code, ErrorCode::fee_too_high);
}

}  // namespace
}  // namespace teetee::chain
