// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>

#include "pipeline/effects.hpp"

namespace teetee::pipeline {

/// What nodes are to sign for an entry's owner.
struct SignOffOrder {
    /// Never ordered before.
    uint64_t id = 0;
    /// What each signs with its receipt key, if it finds it right.
    Digest digest{};
    /// What each is shown, by its node id; not empty, and at most Limits::sign_off_bytes_max.
    std::map<wire::NodeId, Bytes> bodies{};
};

/// Between the result of a node and its message, which has only an error's code.
wire::SignedOff message_of(uint64_t ask, const wire::NodeId& node, const SignOffResult& result);
Result<crypto::RecoverableSignature> result_of(const wire::SignedOff& message);

/// Gathers what nodes sign and hands it on as a SignOffOutcome: of each node the signature, which
/// is the node's and over what was ordered, or why there is none.
class SignOffCollector {
  public:
    static constexpr uint64_t timer_id = 3;

    struct Options {
        /// Orders under way: a settlement begins when the one before has ended, and what was sent
        /// for one that timed out may still be on its way.
        size_t pending_max = 2;
        /// Answers that do not come within this time do not come.
        Duration timeout = std::chrono::seconds(20);
    };

    SignOffCollector() = default;
    explicit SignOffCollector(Options options) : options_(options) {}

    bool is_full() const { return pending_.size() >= options_.pending_max; }

    /// Which way each node is asked: over that route. A number of 0 is none: the entry itself.
    /// Nodes of the order without a way cannot be reached.
    using Ways = std::map<wire::NodeId, wire::RouteId>;
    void begin(Instant now, const SignOffOrder& order, Ways ways, Effects& effects);
    /// Nobody is asked.
    static void refuse(const SignOffOrder& order, const Error& error, Effects& effects);
    /// Of that node, over that route. False if nobody waits for it.
    struct Answer {
        uint64_t id = 0;
        wire::NodeId node{};
        wire::RouteId route{};
        Result<crypto::RecoverableSignature> signature;
    };
    bool on_answer(Answer answer, Effects& effects);
    /// Ends what has waited too long; to be called at timer_id.
    void expire(Instant now, Effects& effects);
    bool waits_for(const wire::RouteId& route) const;
    /// The route is lost, and with it the answers on their way.
    void fail_route(const wire::RouteId& route, const Error& error, Effects& effects);

    size_t pending_count() const { return pending_.size(); }

  private:
    struct Pending {
        Digest digest{};
        /// Of nodes that have yet to answer.
        Ways ways{};
        SignOffOutcome outcome{};
        Instant deadline{};
    };
    using Pendings = std::map<uint64_t, Pending>;

    void set_timer(Effects& effects) const;
    void end_if_complete(Pendings::iterator pending, Effects& effects);

    Options options_{};
    Pendings pending_;
};

}  // namespace teetee::pipeline
