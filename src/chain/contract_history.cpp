// SPDX-License-Identifier: Apache-2.0
#include "chain/contract_history.hpp"

#include <utility>

namespace teetee::chain {

Result<void> ContractHistory::apply(ContractState& state, std::span<const Log> logs) {
    for (const Log& log : logs) {
        const auto in_block = [&](const Error& error) {
            return in_context("block " + std::to_string(log.block_number), error);
        };
        const auto event = decode_contract_event(log.event());
        if (!event) return in_block(event.error());
        if (auto applied = state.apply(*event, log.block_number); !applied)
            return in_block(applied.error());
    }
    return {};
}

Result<void> ContractHistory::append_settled(const BlockRef& end, std::span<const Log> logs) {
    TT_ASSERT(tail_.empty());
    TT_CHECK(apply(settled_, logs));
    TT_CHECK(apply(latest_, logs));
    settled_logs_.insert(settled_logs_.end(), logs.begin(), logs.end());
    settled_block_ = end;
    latest_block_ = end;
    return {};
}

Result<void> ContractHistory::append(const BlockHeader& block, std::vector<Log> logs) {
    const bool follows = !latest_block_ || (block.number == latest_block_->number + 1 &&
                                            block.parent_hash == latest_block_->hash);
    if (!follows) {
        return fail(ErrorCode::chain_reorganised, "block " + std::to_string(block.number) +
                                                      " does not follow block " +
                                                      std::to_string(latest_block_->number));
    }
    TT_CHECK(apply(latest_, logs));
    latest_block_ = BlockRef{.number = block.number, .hash = block.hash};
    tail_.push_back({.ref = *latest_block_, .timestamp = block.timestamp, .logs = std::move(logs)});
    return {};
}

Result<void> ContractHistory::settle(uint64_t number) {
    while (!tail_.empty() && tail_.front().ref.number <= number) {
        Block& block = tail_.front();
        TT_CHECK(apply(settled_, block.logs));
        settled_block_ = block.ref;
        settled_logs_.insert(settled_logs_.end(), std::make_move_iterator(block.logs.begin()),
                             std::make_move_iterator(block.logs.end()));
        tail_.pop_front();
    }
    return {};
}

Result<void> ContractHistory::unwind(uint64_t number) {
    bool changed = false;
    while (!tail_.empty() && tail_.back().ref.number > number) {
        changed = changed || !tail_.back().logs.empty();
        tail_.pop_back();
    }
    latest_block_ = tail_.empty() ? settled_block_ : tail_.back().ref;
    if (!changed) return {};
    latest_ = settled_;
    for (const Block& block : tail_) TT_CHECK(apply(latest_, block.logs));
    return {};
}

std::optional<BlockRef> ContractHistory::block_at(uint64_t number) const {
    if (settled_block_ && settled_block_->number == number) return settled_block_;
    if (tail_.empty() || number < tail_.front().ref.number || number > tail_.back().ref.number)
        return std::nullopt;
    return tail_[number - tail_.front().ref.number].ref;
}

std::vector<Log> ContractHistory::take_settled_logs() {
    return std::exchange(settled_logs_, {});
}

}  // namespace teetee::chain
