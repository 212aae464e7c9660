// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <variant>

#include "base/world.hpp"
#include "chain/json_rpc.hpp"
#include "chain/rpc_results.hpp"

namespace teetee::chain {

/// A call that is to be made; what comes of it goes to on_answer with that id, exactly once. Errors
/// of the transport are rpc_unavailable, rpc_malformed, or body_too_large.
struct RpcAsk {
    uint64_t id = 0;
    /// Its place in the configuration.
    size_t endpoint = 0;
    RpcCall call{};
};

enum class EndpointState {
    /// Not asked yet, or its chain is to be checked again.
    unknown,
    usable,
    /// Does not answer, or not as it should; is asked again after a while.
    failing,
    wrong_chain,
    /// Said something else than the others not long ago.
    disagreeing,
};

struct EndpointStatus {
    EndpointState state = EndpointState::unknown;
    std::optional<Error> problem{};
    /// Its latest block, as of the last poll.
    std::optional<BlockHeader> head{};
    std::optional<uint64_t> finalized{};
};

/// What endpoints are asked for; no such block, or no receipt yet, is monostate.
using PanelValue =
    std::variant<std::monostate, BlockHeader, std::vector<Log>, Receipt, U256, FeeHistory, Bytes>;

/// Several endpoints of one chain, none of which is believed alone: a value counts when a quorum of
/// them gave it. Pure: calls go out, answers come in with the time.
class RpcPanel {
  public:
    struct Options {
        size_t endpoint_count = 1;
        /// How many must agree; 0 is more than half.
        size_t quorum = 0;
        uint64_t chain_id = 0;
        /// Whether endpoints are asked for their finalized block.
        bool use_finalized = true;
        /// For the reasons of reverted calls; MUST outlive the panel.
        std::span<const AbiError> errors{};
        /// Who has not answered by then is counted out.
        Duration answer_wait = std::chrono::seconds(5);
        /// Between tries of an endpoint that fails, doubling.
        Duration retry_min = std::chrono::seconds(1);
        Duration retry_max = std::chrono::minutes(1);
        /// How often an endpoint's chain id is asked for, and how long a dissent is remembered.
        Duration chain_check_interval = std::chrono::minutes(5);
    };
    struct Question {
        enum class Kind { block, logs, receipt, quantity, fees, data };
        enum class Rule {
            /// What a quorum of the endpoints say alike.
            equal,
            /// The highest number that a quorum of them reach, when all have answered.
            highest,
            /// Whatever is said first: for what each may say differently, and nobody is harmed by.
            first,
        };
        Kind kind = Kind::block;
        Rule rule = Rule::equal;
        RpcCall call{};
        /// Only endpoints that have this block are asked.
        uint64_t needs_block = 0;
    };

    explicit RpcPanel(const Options& options);

    /// Asks every endpoint that is to be asked for its chain's id (if that is due) and its head.
    void begin_poll(Instant now, std::vector<RpcAsk>& asks);
    /// Everybody has answered, or there was time enough.
    bool poll_done(Instant now) const;
    /// The highest block that a quorum has; as finalized. nullopt without a quorum.
    std::optional<uint64_t> quorum_head() const;
    std::optional<uint64_t> quorum_finalized() const;
    /// Why there is no quorum. Errors: chain_mismatch, rpc_unavailable.
    Error no_quorum() const;

    /// Returns a number for verdict.
    uint64_t ask(Instant now, Question question, std::vector<RpcAsk>& asks);
    /// nullptr while it is open. Errors: rpc_disagreement; rpc_refused (a range of logs may be too
    /// long, or too few say that the call reverts) and call_reverted; rpc_unavailable.
    const Result<PanelValue>* verdict(uint64_t question) const;
    /// Nobody waits for verdicts on the questions so far any more.
    void forget_questions();
    /// The calls that are out will never be answered.
    void forget_calls();

    void on_answer(Instant now, uint64_t id, Result<RpcAnswer> answer, std::vector<RpcAsk>& asks);
    void on_time(Instant now);
    /// When on_time has something to do.
    std::optional<Instant> deadline() const;

    size_t quorum() const { return quorum_; }
    const std::vector<EndpointStatus>& endpoints() const { return statuses_; }

  private:
    enum class Step { done, chain_id, head, finalized };
    struct Endpoint {
        Step step = Step::done;
        Instant retry_at{};
        Duration backoff{};
        std::optional<Instant> checked_at{};
        std::optional<Instant> dissented_at{};
    };
    struct Asked {
        size_t endpoint = 0;
        /// 0: the poll.
        uint64_t question = 0;
    };
    struct Open {
        Question question;
        Instant deadline{};
        size_t waiting = 0;
        std::map<size_t, PanelValue> values{};
        std::optional<Error> refusal{};
        /// Endpoints that say that the call reverts.
        size_t reverts = 0;
        std::optional<Result<PanelValue>> verdict{};
        bool forgotten = false;
    };

    void put(size_t endpoint, uint64_t question, RpcCall call, std::vector<RpcAsk>& asks);
    void fail_endpoint(Instant now, size_t endpoint, Error error);
    void on_poll_answer(Instant now, size_t endpoint, Result<RpcAnswer> answer,
                        std::vector<RpcAsk>& asks);
    Result<void> take_poll_answer(Instant now, size_t endpoint, Result<RpcAnswer> answer,
                                  std::vector<RpcAsk>& asks);
    void on_value(Instant now, size_t endpoint, Open& open, Result<RpcAnswer> answer);
    void judge(Instant now, Open& open);
    std::optional<PanelValue> agreed(const Open& open) const;
    Error no_verdict(const Open& open) const;
    void note_dissent(Instant now, const Open& open);
    void forgive(Instant now, size_t index);
    void drop_forgotten();
    std::optional<uint64_t> quorum_of(std::vector<uint64_t> numbers) const;

    Options options_;
    size_t quorum_;
    std::vector<Endpoint> endpoints_;
    std::vector<EndpointStatus> statuses_;
    std::map<uint64_t, Asked> asked_;
    std::map<uint64_t, Open> questions_;
    Instant poll_deadline_{};
    uint64_t next_id_ = 1;
    uint64_t next_question_ = 1;
};

}  // namespace teetee::chain
