// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/contract_history.hpp"
#include "chain/money_view.hpp"
#include "chain/rpc_calls.hpp"
#include "chain/rpc_panel.hpp"

namespace teetee::chain {

struct ChainViewOptions {
    Address contract{};
    /// The contract was deployed in it, or later.
    uint64_t start_block = 0;
    /// Who is asked; its use_finalized makes nothing settle before the `finalized` block.
    RpcPanel::Options panel{};
    /// Blocks that must stand on top of one for it to be settled, whatever the tag says.
    uint64_t finality_depth = 0;
    Duration poll_interval = std::chrono::seconds(2);
    /// Blocks of settled history in one call of eth_getLogs; what is refused is halved.
    uint64_t range_blocks_max = 2000;
    /// Blocks that are not settled are asked for one by one, so many at a time.
    uint64_t window_blocks = 16;
    /// How long endpoints may have different blocks above the settled one: they do while a block
    /// travels.
    Duration disagreement_grace = std::chrono::seconds(10);
    /// No decision over money is made on a view that was not confirmed for so long.
    Duration stale_after = std::chrono::seconds(60);
};

/// Blocks became settled: what a journal keeps, and restore takes.
struct SettledBatch {
    /// The last block; logs are of those up to it, and behind the batch before.
    BlockRef end{};
    std::vector<Log> logs{};
};

struct ChainViewEffects {
    std::vector<RpcAsk> asks{};
    /// A wish for on_time(at or later); a later one stands for all before it.
    std::optional<Instant> wake_at{};
    /// The state, or what is said of it, is another than before.
    bool changed = false;
    /// All is read anew: the journal begins again. Comes before `settled`.
    bool restarted = false;
    std::vector<SettledBatch> settled{};
};

enum class ChainViewState {
    /// Has not come up to the chain's head since it began.
    catching_up,
    following,
    /// The endpoints have not come as far as this view has.
    behind,
    /// See ChainViewStatus::problem.
    failed,
};

struct ChainViewStatus {
    ChainViewState state = ChainViewState::catching_up;
    /// Errors: rpc_unavailable, rpc_disagreement, chain_mismatch, events_inconsistent and others of
    /// ContractState, chain_reorganised (deeper than was settled; it is read anew).
    std::optional<Error> problem{};
    std::optional<BlockRef> settled{};
    std::optional<BlockRef> latest{};
    /// Unix seconds of the latest block; 0 while it is settled history.
    uint64_t latest_timestamp = 0;
    /// The chain's, as a quorum of the endpoints has it.
    uint64_t head = 0;
    /// When the view was last up to it.
    std::optional<Instant> confirmed_at{};
    uint64_t reorganisations = 0;
    uint64_t restarts = 0;
    /// One endpoint is configured: whatever it says is believed.
    bool is_single_endpoint = false;
};

/// Follows the contract by its events. A block counts when a quorum of the endpoints has the same;
/// history up to the settled block is read in ranges, what is newer block by block, each with its
/// parent's hash, so that a reorganisation is seen and taken back. Pure: calls go out, answers come
/// in with the time.
class ChainView {
  public:
    explicit ChainView(const ChainViewOptions& options);

    /// A batch of an earlier run, in order, before start. Errors: of ContractHistory; then begin
    /// with a new view and an empty journal.
    Result<void> restore(const SettledBatch& batch);
    void start(Instant now, ChainViewEffects& effects);
    void on_answer(Instant now, uint64_t id, Result<RpcAnswer> answer, ChainViewEffects& effects);
    void on_time(Instant now, ChainViewEffects& effects);
    /// Something was just done on the chain: looks at once instead of at the next interval.
    void poll_soon(Instant now, ChainViewEffects& effects);

    /// For display; may be taken back.
    const ContractState& latest() const { return history_.latest(); }
    /// Errors: that of the status; not_ready before the first time that the view was up to the
    /// chain's head; rpc_unavailable when that was too long ago.
    Result<MoneyView> money(Instant now) const;
    ChainViewStatus status() const;
    const std::vector<EndpointStatus>& endpoints() const { return panel_.endpoints(); }

  private:
    enum class Step { idle, heads, check, unwind, range, headers, logs };

    void begin_poll(Instant now, ChainViewEffects& effects);
    void advance(Instant now, ChainViewEffects& effects);
    void finish_step(Instant now, ChainViewEffects& effects);
    void on_heads(Instant now, ChainViewEffects& effects);
    void on_checked(Instant now, ChainViewEffects& effects);
    void on_unwind_checked(Instant now, ChainViewEffects& effects);
    void on_range(Instant now, ChainViewEffects& effects);
    void on_headers(Instant now, ChainViewEffects& effects);
    void on_logs(Instant now, ChainViewEffects& effects);
    void ask_block(Instant now, uint64_t number, ChainViewEffects& effects);
    void ask_unwind(Instant now, ChainViewEffects& effects);
    void go_on(Instant now, ChainViewEffects& effects);
    void end_poll(Instant now, ChainViewEffects& effects);
    void fail_poll(Instant now, Error error, ChainViewEffects& effects);
    void restart(Instant now, Error why, ChainViewEffects& effects);
    void emit_settled(ChainViewEffects& effects);
    /// The verdicts of the step, or the first error.
    Result<std::vector<PanelValue>> verdicts() const;
    Result<void> ensure_logs(const std::vector<Log>& logs, uint64_t from, uint64_t to) const;
    uint64_t next_block() const;
    LogFilter filter(uint64_t from, uint64_t to) const;

    ChainViewOptions options_;
    RpcPanel panel_;
    ContractHistory history_;
    /// The first block whose hash was learned: tells a chain that begins anew from one that lags.
    std::optional<BlockRef> origin_;
    bool started_ = false;
    Step step_ = Step::idle;
    std::vector<uint64_t> questions_;
    Instant next_poll_at_{};
    /// Of this poll: the last block to come to, and the last one that may settle.
    uint64_t target_ = 0;
    std::optional<uint64_t> final_;
    BlockRef checked_;
    uint64_t range_end_ = 0;
    uint64_t span_;
    /// Ranges that were taken since one was refused.
    uint64_t taken_ranges_ = 0;
    uint64_t unwind_by_ = 1;
    std::vector<BlockHeader> window_;
    /// Since when the endpoints have had different blocks.
    std::optional<Instant> differing_since_;
    bool is_behind_ = false;
    /// Somebody asked for a poll while one was on its way.
    bool poll_again_ = false;
    /// What effects have told of.
    std::optional<BlockRef> settled_told_;
    ChainViewStatus status_;
};

}  // namespace teetee::chain
