// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <span>

#include "chain/contract_state.hpp"
#include "chain/rpc_results.hpp"

namespace teetee::chain {

struct BlockRef {
    uint64_t number = 0;
    Digest hash{};
    bool operator==(const BlockRef&) const = default;
};

/// The contract's state as of the last settled block, and as of the last block that was seen; the
/// blocks between are kept, so that a reorganisation can take them back. Pure.
class ContractHistory {
  public:
    /// `logs` are the contract's up to `end`, in order, of blocks that are settled. Only while
    /// there is no block behind the settled one. Errors: of decode_contract_event and
    /// ContractState::apply; the history is then of no use.
    Result<void> append_settled(const BlockRef& end, std::span<const Log> logs);
    /// One block behind the last one. Errors: chain_reorganised when its parent is another; as
    /// above.
    Result<void> append(const BlockHeader& block, std::vector<Log> logs);
    /// Every block up to that number counts as settled. Error: as above.
    Result<void> settle(uint64_t number);
    /// Takes back every block behind that number, which MUST NOT be below the settled one.
    Result<void> unwind(uint64_t number);

    // nullopt before the first block.
    const std::optional<BlockRef>& settled_block() const { return settled_block_; }
    const std::optional<BlockRef>& latest_block() const { return latest_block_; }
    /// Of the latest block; 0 before the first.
    uint64_t latest_timestamp() const { return tail_.empty() ? 0 : tail_.back().timestamp; }
    /// The block of that number, from the settled one on.
    std::optional<BlockRef> block_at(uint64_t number) const;

    const ContractState& settled() const { return settled_; }
    const ContractState& latest() const { return latest_; }

    /// Logs that settled since the last call, for a journal.
    std::vector<Log> take_settled_logs();

  private:
    struct Block {
        BlockRef ref;
        uint64_t timestamp = 0;
        std::vector<Log> logs;
    };
    static Result<void> apply(ContractState& state, std::span<const Log> logs);

    ContractState settled_;
    ContractState latest_;
    std::optional<BlockRef> settled_block_;
    std::optional<BlockRef> latest_block_;
    std::deque<Block> tail_;
    std::vector<Log> settled_logs_;
};

}  // namespace teetee::chain
