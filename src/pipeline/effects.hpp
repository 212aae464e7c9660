// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/world.hpp"
#include "pipeline/engine.hpp"
#include "pipeline/sequence_trace.hpp"
#include "wire/message.hpp"

namespace teetee::pipeline {

/// Over the link to that node. Messages of a link arrive in order or not at all; what is sent where
/// no link is up is lost.
struct Send {
    wire::NodeId to{};
    wire::Frame frame{};
};

/// A wish for on_timer(at or later, id). There is no cancelling: a timer that comes too late for
/// its purpose is ignored.
struct Timer {
    uint64_t id = 0;
    Instant at{};
};

/// A quote that the node's TEE is to make, away from the machine's thread; on_quoted says what came
/// of it.
struct QuoteJob {
    RequestId request{};
    ByteArray<64> report_data{};
};

struct QuoteResult {
    RequestId request{};
    /// Errors: evidence_unavailable; overloaded where the TEE has too many to make.
    Result<Bytes> quote;
};

/// What the node is to sign, if its owner finds it right (wire::SignOff), away from the machine's
/// thread; on_signed_off says what came of it.
struct SignOffJob {
    uint64_t id = 0;
    Bytes body{};
};

struct SignOffResult {
    uint64_t id = 0;
    Result<crypto::RecoverableSignature> signature;
};

/// The end of every Entry::ask_to_sign: each node's signature, or why there is none.
struct SignOffOutcome {
    uint64_t id = 0;
    std::map<wire::NodeId, Result<crypto::RecoverableSignature>> signatures{};
};

struct Usage {
    uint32_t prompt_tokens = 0;
    /// Of these, what retained pages held already.
    uint32_t cached_tokens = 0;
    /// Tokens delivered to the client; the stop token is not one of them.
    uint32_t completion_tokens = 0;
    bool operator==(const Usage&) const = default;
};

enum class FinishReason { stop, length };

/// Every index from 0 exactly once and in order.
struct ClientToken {
    RequestId request{};
    TokenId token = 0;
    uint32_t index = 0;
    /// Set if the sampling options ask for them.
    std::optional<TokenLogprobs> logprobs{};
    /// Of the prompt, with the first token, if the sampling options ask for it.
    std::vector<float> embedding{};
};

/// The last event of a request but ClientRecords and ClientQuotes, as is ClientFailed.
struct ClientDone {
    RequestId request{};
    FinishReason reason = FinishReason::stop;
    Usage usage;
};

struct ClientFailed {
    RequestId request{};
    Error error{};
    Usage usage;
};

/// Comes after the end of a request that was done, or that failed or was cancelled behind its first
/// token, where records are signed: what every stage says it has computed, in the order of the
/// layers.
struct ClientRecords {
    RequestId request{};
    /// The route that all of it was computed on.
    wire::RouteId route{};
    /// Set, and nothing else, if a record did not come or is not what it must be.
    std::optional<Error> failure{};
    /// Tokens that layer 0 took in.
    attest::Trace input{};
    std::vector<SignedRecord> stages{};
};

/// The end of every Entry::ask_for_quotes: each stage's quote, or why there is none.
struct ClientQuotes {
    RequestId request{};
    std::map<LayerRange, Result<Bytes>> stages{};
};

using ClientEvent =
    std::variant<ClientToken, ClientDone, ClientFailed, ClientRecords, ClientQuotes>;

struct LogLine {
    LogLevel level = LogLevel::info;
    std::string text{};
};

/// What a state machine wants done, in the order of each list; it never acts itself.
struct Effects {
    std::vector<Send> sends{};
    std::vector<ComputeJob> jobs{};
    std::vector<QuoteJob> quotes{};
    std::vector<SignOffJob> sign_offs{};
    /// For the draft model, to be done one after the other; of an entry that has one.
    std::vector<DraftJob> drafts{};
    std::vector<Timer> timers{};
    std::vector<ClientEvent> events{};
    /// For the entry's owner.
    std::vector<SignOffOutcome> outcomes{};
    std::vector<LogLine> log{};
    /// Nodes that others say they cannot reach.
    std::vector<wire::NodeId> suspects{};
};

}  // namespace teetee::pipeline
