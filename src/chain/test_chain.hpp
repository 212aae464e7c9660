// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "chain/chain_view.hpp"
#include "crypto/hash.hpp"

// A chain in memory and endpoints that tell of it, truly or not. Tests and fuzzers include it, no
// product code.
namespace teetee::chain {

inline constexpr Address test_contract = {0xc0, 0xde};
inline constexpr uint64_t test_chain_id = 31337;

template <class Event>
Log log_of(const Event& event) {
    auto encoded = event.encode().value();
    Log log;
    log.contract = test_contract;
    log.topics = std::move(encoded.topics);
    log.data = std::move(encoded.data);
    return log;
}

/// Blocks with logs; copy it to have a fork.
class TestChain {
  public:
    /// `salt` makes blocks differ that are else alike.
    explicit TestChain(uint8_t salt = 0) : salt_(salt) { mine(); }

    /// Of the next block that is mined.
    template <class Event>
    TestChain& emit(const Event& event) {
        pending_.push_back(log_of(event));
        return *this;
    }

    TestChain& mine(size_t count = 1) {
        for (size_t i = 0; i < count; ++i) {
            BlockHeader header;
            header.number = blocks_.size();
            header.timestamp = 1000 + 2 * header.number;
            if (!blocks_.empty()) header.parent_hash = blocks_.back().header.hash;
            Bytes text(header.parent_hash.begin(), header.parent_hash.end());
            text.push_back(salt_);
            text.push_back(static_cast<uint8_t>(pending_.size()));
            header.hash = crypto::keccak256(text);
            for (size_t k = 0; k < pending_.size(); ++k) {
                pending_[k].block_number = header.number;
                pending_[k].block_hash = header.hash;
                pending_[k].index = k;
            }
            blocks_.push_back({header, std::exchange(pending_, {})});
        }
        return *this;
    }

    /// Takes the last blocks away; those that are mined from now on are others.
    TestChain& drop(size_t count) {
        blocks_.resize(blocks_.size() - count);
        ++salt_;
        return *this;
    }

    uint64_t head() const { return blocks_.size() - 1; }
    const BlockHeader& header(uint64_t number) const { return blocks_.at(number).header; }
    BlockRef ref(uint64_t number) const { return {number, header(number).hash}; }
    const std::vector<Log>& logs(uint64_t number) const { return blocks_.at(number).logs; }
    std::optional<uint64_t> find(const Digest& hash) const {
        for (const Block& block : blocks_)
            if (block.header.hash == hash) return block.header.number;
        return std::nullopt;
    }

    /// What a reader of all its events has.
    ContractState state() const { return state(head()); }
    ContractState state(uint64_t number) const {
        ContractState out;
        for (uint64_t n = 0; n <= number; ++n) {
            for (const Log& log : blocks_[n].logs) {
                TT_ASSERT(out.apply(decode_contract_event(log.event()).value(), n));
            }
        }
        return out;
    }

  private:
    struct Block {
        BlockHeader header;
        std::vector<Log> logs;
    };
    uint8_t salt_;
    std::vector<Block> blocks_;
    std::vector<Log> pending_;
};

/// An endpoint as it is configured for a test.
struct TestEndpoint {
    const TestChain* chain = nullptr;
    uint64_t chain_id = test_chain_id;
    /// Blocks that it has not seen yet.
    uint64_t lag = 0;
    /// What it calls final: so many blocks below its head.
    uint64_t finalized_lag = 4;
    /// Ranges of logs that it refuses.
    uint64_t range_max = UINT64_MAX;
    bool is_dead = false;
    /// Does not answer at all.
    bool is_silent = false;
    /// Leaves all logs out.
    bool hides_logs = false;
    size_t calls = 0;

    uint64_t head() const { return chain->head() - std::min(lag, chain->head()); }
    Result<RpcAnswer> answer(const RpcCall& call);

  private:
    boost::json::value block(const boost::json::value& tag) const;
    Result<RpcAnswer> logs(const boost::json::object& filter) const;
};

inline std::string hex_text(ByteView bytes) {
    return "0x" + to_hex(bytes);
}

inline uint64_t number_in(const boost::json::value& value) {
    const boost::json::string& text = value.as_string();
    return U256::from_quantity({text.data(), text.size()}).value().to_u64().value();
}

inline boost::json::value to_json(const BlockHeader& header) {
    return {{"number", U256(header.number).to_quantity()},
            {"hash", hex_text(header.hash)},
            {"parentHash", hex_text(header.parent_hash)},
            {"timestamp", U256(header.timestamp).to_quantity()},
            {"baseFeePerGas", "0x3b9aca00"}};
}

inline boost::json::value to_json(const Log& log) {
    boost::json::array topics;
    for (const Digest& topic : log.topics) topics.emplace_back(hex_text(topic));
    return {{"address", hex_text(log.contract)},
            {"topics", topics},
            {"data", hex_text(log.data)},
            {"blockNumber", U256(log.block_number).to_quantity()},
            {"blockHash", hex_text(log.block_hash)},
            {"transactionHash", hex_text(log.transaction_hash)},
            {"logIndex", U256(log.index).to_quantity()}};
}

inline boost::json::value TestEndpoint::block(const boost::json::value& tag) const {
    uint64_t number = head();
    if (tag == boost::json::value("finalized")) {
        number -= std::min(number, finalized_lag);
    } else if (tag != boost::json::value("latest")) {
        number = number_in(tag);
    }
    if (number > head()) return nullptr;
    return to_json(chain->header(number));
}

inline Result<RpcAnswer> TestEndpoint::logs(const boost::json::object& filter) const {
    boost::json::array out;
    uint64_t from = 0;
    uint64_t to = 0;
    if (const auto* hash = filter.if_contains("blockHash")) {
        const boost::json::string& text = hash->as_string();
        const auto number = chain->find(array_from_hex<32>({text.data(), text.size()}).value());
        if (!number || *number > head())
            return RpcAnswer(RpcError{.code = -32000, .message = "unknown block"});
        from = to = *number;
    } else {
        from = number_in(filter.at("fromBlock"));
        to = number_in(filter.at("toBlock"));
    }
    if (to - from + 1 > range_max)
        return RpcAnswer(RpcError{.code = -32005, .message = "range too large"});
    for (uint64_t number = from; number <= std::min(to, head()) && !hides_logs; ++number)
        for (const Log& log : chain->logs(number)) out.push_back(to_json(log));
    return RpcAnswer(boost::json::value(std::move(out)));
}

inline Result<RpcAnswer> TestEndpoint::answer(const RpcCall& call) {
    ++calls;
    if (is_dead) return fail(ErrorCode::rpc_unavailable, "dead");
    if (call.method == "eth_chainId")
        return RpcAnswer(boost::json::value(U256(chain_id).to_quantity()));
    if (call.method == "eth_getBlockByNumber") return RpcAnswer(block(call.parameters[0]));
    if (call.method == "eth_getLogs") return logs(call.parameters[0].as_object());
    return RpcAnswer(RpcError{.code = -32601, .message = "no such method"});
}

/// A ChainView among endpoints, in virtual time.
class TestWorld {
  public:
    TestWorld(std::vector<TestEndpoint> made, ChainViewOptions options)
        : endpoints(std::move(made)), view(fitted(std::move(options), endpoints.size())) {}

    static ChainViewOptions fitted(ChainViewOptions options, size_t endpoint_count) {
        options.contract = test_contract;
        options.panel.endpoint_count = endpoint_count;
        options.panel.chain_id = test_chain_id;
        return options;
    }

    void start() {
        ChainViewEffects effects;
        view.start(now, effects);
        carry_out(std::move(effects));
    }

    /// One poll, or several.
    void poll(size_t count = 1) {
        for (size_t i = 0; i < count; ++i) {
            now += std::chrono::seconds(2);
            wake();
        }
    }

    /// Until that much time has passed.
    void pass(Duration time) {
        for (const Instant end = now + time; now < end;) poll();
    }

    std::vector<TestEndpoint> endpoints;
    ChainView view;
    Instant now = std::chrono::hours(1);
    std::vector<SettledBatch> journal{};
    size_t restarts = 0;
    /// Sees every call before it is answered.
    std::function<void(const RpcAsk&)> on_ask{};

  private:
    void wake() {
        ChainViewEffects effects;
        view.on_time(now, effects);
        carry_out(std::move(effects));
    }

    void carry_out(ChainViewEffects effects) {
        for (size_t rounds = 0;; ++rounds) {
            TT_ASSERT(rounds < 100'000);
            TT_ASSERT(effects.wake_at || rounds > 0);
            note(effects);
            if (effects.asks.empty() && !wait_for_silent(effects)) return;
            ChainViewEffects next;
            for (RpcAsk& ask : effects.asks) {
                if (on_ask) on_ask(ask);
                TestEndpoint& endpoint = endpoints[ask.endpoint];
                if (endpoint.is_silent) {
                    silent_ = true;
                    continue;
                }
                view.on_answer(now, ask.id, endpoint.answer(ask.call), next);
            }
            effects = std::move(next);
        }
    }

    void note(ChainViewEffects& effects) {
        if (effects.restarted) {
            ++restarts;
            journal.clear();
        }
        for (SettledBatch& batch : effects.settled) journal.push_back(std::move(batch));
    }

    // Somebody was asked who does not answer: only time helps.
    bool wait_for_silent(ChainViewEffects& effects) {
        if (!std::exchange(silent_, false)) return false;
        now += std::chrono::seconds(5);
        effects = {};
        view.on_time(now, effects);
        return true;
    }

    bool silent_ = false;
};

}  // namespace teetee::chain
