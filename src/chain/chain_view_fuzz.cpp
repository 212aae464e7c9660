// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "chain/chain_view.hpp"
#include "chain/journal.hpp"
#include "chain/test_chain.hpp"
#include "chain/test_events.hpp"

namespace {

using namespace teetee;
using namespace teetee::chain;

/// Takes the input apart; zeros when it has ended.
class Input {
  public:
    explicit Input(ByteView bytes) : bytes_(bytes) {}
    bool at_end() const { return at_ >= bytes_.size(); }
    uint8_t byte() { return at_end() ? 0 : bytes_[at_++]; }
    /// Small numbers meet each other; the top bit asks for a large one.
    uint64_t number() {
        const uint8_t first = byte();
        return first < 128 ? first % 8 : uint64_t{first} << (byte() % 57);
    }
    template <size_t N>
    ByteArray<N> few() {
        return {static_cast<uint8_t>(byte() % 4)};
    }
    std::string text() { return std::string(byte() % 4, 'a'); }

  private:
    ByteView bytes_;
    size_t at_ = 0;
};

using namespace tee_tee;

chain::Log pool_event(Input& in) {
    switch (in.byte() % 8) {
        case 0:
            return log_of(PoolCreatedEvent{.pool = in.number(),
                                           .creator = in.few<20>(),
                                           .model_root = in.few<32>(),
                                           .manifest_uri = in.text(),
                                           .slot_layers = {in.number() % 65536},
                                           .fee_bps = in.number() % 65536,
                                           .verifier = in.few<20>()});
        case 1:
            return log_of(PricesAnnouncedEvent{in.number(), in.number(), in.number(), in.number()});
        case 2:
            return log_of(PolicyAnnouncedEvent{in.number(), in.few<32>(), in.text(), in.number()});
        case 3:
            return log_of(MeasurementAcceptedEvent{in.number(), in.few<32>(), in.number()});
        case 4:
            return log_of(MeasurementRevokedEvent{in.number(), in.few<32>()});
        case 5:
            return log_of(CreatorOfferedEvent{in.number(), in.few<20>()});
        case 6:
            return log_of(CreatorChangedEvent{in.number(), in.few<20>()});
        default:
            return log_of(PoolClosedEvent{in.number()});
    }
}

chain::Log node_event(Input& in) {
    switch (in.byte() % 3) {
        case 0:
            return log_of(NodeRegisteredEvent{.pool = in.number(),
                                              .node = in.number(),
                                              .host = in.few<20>(),
                                              .slot = in.number() % 65536,
                                              .receipt_key = in.few<20>(),
                                              .measurement = in.few<32>(),
                                              .expiry = in.number(),
                                              .endpoint = in.text()});
        case 1:
            return log_of(NodeRenewedEvent{.pool = in.number(),
                                           .node = in.number(),
                                           .statement_hash = in.few<32>(),
                                           .expiry = in.number(),
                                           .endpoint = in.text()});
        default:
            return log_of(NodeLeftEvent{in.number(), in.number()});
    }
}

chain::Log money_event(Input& in) {
    switch (in.byte() % 13) {
        case 0:
        case 1:
            return log_of(CreditsBoughtEvent{in.few<20>(), in.few<20>(), in.number()});
        case 2:
            return log_of(RefundRequestedEvent{in.few<20>(), in.number(), in.number()});
        case 3:
            return log_of(RefundCancelledEvent{in.few<20>(), in.number()});
        case 4:
            return log_of(RefundPaidEvent{in.few<20>(), in.few<20>(), in.number()});
        case 5:
            return log_of(VoucherOpenedEvent{in.few<32>(), in.few<20>(), in.number(), in.few<20>(),
                                             in.number(), in.number()});
        case 6:
            return log_of(VoucherEndedEvent{in.few<32>(), in.number()});
        case 7:
            return log_of(VoucherReclaimedEvent{in.few<32>(), in.few<20>(), in.number()});
        case 8:
            return log_of(SpentEvent{in.few<32>(), in.few<20>(), in.number()});
        case 11:
            return log_of(SpentInVainEvent{in.few<32>(), in.few<20>(), in.number()});
        case 9: {
            auto paid = query_paid(in.number(), in.number());
            paid.payer = in.few<20>();
            return log_of(paid);
        }
        case 10:
            return log_of(QueryServedEvent{in.number(), in.few<20>(), in.number(), in.number()});
        default:
            return log_of(QueryReclaimedEvent{in.number(), in.few<20>(), in.number()});
    }
}

chain::Log earning_event(Input& in) {
    switch (in.byte() % 5) {
        case 0:
            return log_of(AnchoredEvent{in.number(), in.number(), in.few<32>(), in.number(),
                                        in.number(), in.number()});
        case 1:
            return log_of(EarnedEvent{in.number(), in.number(), in.few<20>(), in.number()});
        case 2:
            return log_of(FeeEarnedEvent{in.number(), in.few<20>(), in.number()});
        case 3:
            return log_of(EarningsWithdrawnEvent{in.few<20>(), in.few<20>(), in.number()});
        default:
            return log_of(SettlementAnnouncedEvent{in.few<32>(), in.few<20>()});
    }
}

chain::Log raw_event(Input& in) {
    chain::Log log;
    for (uint8_t topics = in.byte() % 5; topics > 0; --topics) log.topics.push_back(in.few<32>());
    for (uint8_t bytes = in.byte(); bytes > 0; --bytes) log.data.push_back(in.byte());
    return log;
}

chain::Log event_of(Input& in) {
    switch (in.byte() % 8) {
        case 0:
        case 1:
            return pool_event(in);
        case 2:
            return node_event(in);
        case 3:
        case 4:
        case 5:
            return money_event(in);
        case 6:
            return earning_event(in);
        default:
            return raw_event(in);
    }
}

/// What is kept by hand, as simply as can be: the blocks, whose events are applied from the first.
struct Model {
    std::vector<std::pair<BlockHeader, std::vector<chain::Log>>> blocks;

    std::optional<ContractState> state(size_t count) const {
        ContractState out;
        for (size_t i = 0; i < count; ++i) {
            for (const chain::Log& log : blocks[i].second) {
                const auto event = decode_contract_event(log.event());
                if (!event || !out.apply(*event, log.block_number)) return std::nullopt;
            }
        }
        return out;
    }
};

BlockHeader next_header(const Model& model, uint8_t salt) {
    BlockHeader out{.number = model.blocks.size(), .timestamp = 1};
    if (!model.blocks.empty()) out.parent_hash = model.blocks.back().first.hash;
    Bytes text(out.parent_hash.begin(), out.parent_hash.end());
    text.push_back(salt);
    out.hash = crypto::sha256(text);
    return out;
}

void look(const ContractHistory& history) {
    const MoneyView money(history.settled(), history.latest());
    for (uint8_t i = 0; i < 4; ++i) {
        (void)money.is_live(i, i);
        (void)money.is_host(i, {i}, i);
        (void)money.prices(i, i);
        if (const auto* pool = money.open_pool(i)) (void)pool->highest_prices(UINT64_MAX - i);
        if (const auto voucher = money.voucher({i}, i)) {
            TT_ASSERT(voucher->remaining <= voucher->ceiling);
            U256 paid;
            for (const auto& [entry, claim] : voucher->claims) {
                TT_ASSERT(claim.paid <= claim.claimed);
                paid = paid.plus(claim.paid).value();
            }
            TT_ASSERT(paid <= voucher->ceiling);
        }
        TT_ASSERT(money.balance({i}) <= history.latest().account({i}).balance);
        TT_ASSERT(money.balance({i}) <= history.settled().account({i}).balance);
    }
}

}  // namespace

// A history that is appended to, settled and unwound in any way is that of its blocks.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input in({data, size});
    Model model;
    ContractHistory history;
    size_t settled = 0;
    while (!in.at_end() && model.blocks.size() < 256) {
        const uint8_t what = in.byte();
        if (what % 8 == 0 && model.blocks.size() > settled) {
            const size_t keep = settled + what / 8 % (model.blocks.size() - settled + 1);
            if (keep == 0) continue;
            model.blocks.resize(keep);
            TT_ASSERT(history.unwind(keep - 1));
        } else if (what % 8 == 1 && model.blocks.size() > settled) {
            settled += what / 8 % (model.blocks.size() - settled + 1);
            if (settled == 0) continue;
            TT_ASSERT(history.settle(settled - 1));
        } else {
            const BlockHeader header = next_header(model, what);
            std::vector<chain::Log> logs;
            for (uint8_t count = what / 8 % 4; count > 0; --count) {
                logs.push_back(event_of(in));
                logs.back().block_number = header.number;
                logs.back().block_hash = header.hash;
            }
            model.blocks.emplace_back(header, logs);
            const bool taken = history.append(header, logs).has_value();
            TT_ASSERT(taken == model.state(model.blocks.size()).has_value());
            if (!taken) return 0;
        }
        look(history);
    }
    TT_ASSERT(history.latest() == *model.state(model.blocks.size()));
    TT_ASSERT(history.settled() == *model.state(settled));
    (void)decode_journal({data, size}, {});
    return 0;
}
