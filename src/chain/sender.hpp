// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "chain/fee_policy.hpp"
#include "chain/rpc_panel.hpp"
#include "chain/sender_state.hpp"

namespace teetee::chain {

struct SenderOptions {
    /// Its chain_id is the transactions' too.
    RpcPanel::Options panel{};
    FeeOptions fees{};
    /// Blocks, its own included, that make a transaction's outcome count.
    uint64_t confirmations = 3;
    Duration poll_interval = std::chrono::seconds(2);
    /// A transaction that is in no block by then is sent again with higher fees.
    Duration bump_after = std::chrono::seconds(30);
    size_t in_flight_max = 4;
    size_t queue_max = 1024;
};

struct SenderEffects {
    /// MUST be kept durably before `asks` are carried out: what may be on its way is never
    /// forgotten. Where that fails, the asks MUST be dropped and on_save_failed be called.
    std::optional<Bytes> save{};
    std::vector<RpcAsk> asks{};
    std::optional<Instant> wake_at{};
    std::vector<SendOutcome> outcomes{};
};

/// Sends transactions of one account, each intent once: whatever fees are raised to and however
/// often it is sent, all attempts at an intent have the same nonce, so that at most one of them
/// counts. Pure: calls go out, answers come in with the time.
class Sender {
  public:
    /// `key` MUST outlive it.
    Sender(const SenderOptions& options, const crypto::SecpKey& key);

    /// What SenderEffects::save had last. Before start. Errors: invalid_argument, unsupported.
    Result<void> restore(ByteView saved);
    void start(Instant now, SenderEffects& effects);

    /// Errors: invalid_argument when the key is another intent's; overloaded. A key that is known
    /// changes nothing, and where its outcome is known, that is told again.
    Result<void> submit(Instant now, SendIntent intent, SenderEffects& effects);
    /// Of what was not signed yet; its outcome is `cancelled`. False where it is too late.
    bool cancel(std::string_view key, SenderEffects& effects);

    void on_answer(Instant now, uint64_t id, Result<RpcAnswer> answer, SenderEffects& effects);
    void on_time(Instant now, SenderEffects& effects);
    void on_save_failed(Instant now, SenderEffects& effects);

    /// Why nothing moves, if so: rpc_unavailable, chain_mismatch, fee_too_high, io_failed, ..
    const std::optional<Error>& problem() const { return problem_ ? problem_ : stuck_; }
    /// It is being looked after just now: what is a problem is known at the end of that.
    bool is_polling() const { return step_ != Step::idle; }
    /// An intent of this key waits, is signed, or has an outcome that is remembered.
    bool knows(std::string_view key) const;
    /// One whose key begins like this waits, or is signed and has no outcome yet.
    bool is_pending(std::string_view beginning) const;
    /// Signed and without an outcome.
    const std::vector<SentEntry>& in_flight() const { return state_.in_flight; }
    size_t queued() const { return queue_.size(); }
    Address account() const { return key_.address(); }
    const std::vector<EndpointStatus>& endpoints() const { return panel_.endpoints(); }

  private:
    enum class Step { idle, heads, look, prepare, send };
    struct Look {
        uint64_t nonce = 0;
        uint64_t pending = 0;
        uint64_t confirmed = 0;
        /// Of the attempts, in the order of entries and attempts.
        std::vector<uint64_t> receipts{};
    };

    void begin_poll(Instant now, SenderEffects& effects);
    void advance(Instant now, SenderEffects& effects);
    void finish_step(Instant now, SenderEffects& effects);
    void on_heads(Instant now, SenderEffects& effects);
    void on_look(Instant now, SenderEffects& effects);
    Result<void> take_nonces();
    Result<void> take_receipts(Instant now, SenderEffects& effects);
    Result<bool> judge_entry(SentEntry& entry, std::span<const uint64_t> receipts,
                             SenderEffects& effects);
    void finish_entry(const SentEntry& entry, SendOutcome outcome, SenderEffects& effects);
    void prepare(Instant now, SenderEffects& effects);
    void on_prepared(Instant now, SenderEffects& effects);
    Result<void> sign_next(Instant now, const Fees& fees, uint64_t gas_limit,
                           SenderEffects& effects);
    void raise_or_repeat(Instant now, const Fees* fees, SenderEffects& effects);
    Result<void> sign(Instant now, SentEntry& entry, const Fees& fees);
    void send(Instant now, const SentEntry& entry, SenderEffects& effects);
    void end_poll(Instant now, SenderEffects& effects);
    void fail_poll(Instant now, Error error, SenderEffects& effects);
    bool is_due(const SentEntry& entry, Instant now) const;
    uint64_t ask(Instant now, RpcPanel::Question question, SenderEffects& effects);
    uint64_t next_nonce() const;
    Result<U256> number(uint64_t question) const;

    SenderOptions options_;
    const crypto::SecpKey& key_;
    RpcPanel panel_;
    SenderState state_;
    std::deque<SendIntent> queue_;
    bool started_ = false;
    Step step_ = Step::idle;
    Instant next_poll_at_{};
    bool poll_again_ = false;
    std::vector<uint64_t> questions_;
    Look look_;
    uint64_t head_ = 0;
    uint64_t chain_nonce_ = 0;
    uint64_t confirmed_nonce_ = 0;
    /// The key of the intent that it is asked for.
    std::string prepared_;
    std::optional<uint64_t> fees_question_;
    std::optional<uint64_t> gas_question_;
    /// Of the last poll.
    std::optional<Error> problem_;
    /// Of what is to be sent, until it moves.
    std::optional<Error> stuck_;
};

}  // namespace teetee::chain
