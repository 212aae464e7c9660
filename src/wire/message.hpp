// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/request.hpp"

/// What the nodes of a route say to each other: entry -> stage 1 -> ... -> tail -> entry. Every
/// message goes to the next node, except Lost, which goes back.
namespace teetee::wire {

/// Address of a node's receipt key.
using NodeId = ByteArray<20>;

/// A way through all layers that an entry has chosen. Its nodes never change: an entry that wants
/// others makes another route, under a number that it has not used before.
struct RouteId {
    NodeId entry{};
    uint64_t number = 0;
    auto operator<=>(const RouteId&) const = default;
};

/// What a stage is to do about the first rows of a request that goes on over another route.
enum class Resume : uint8_t {
    /// They come to it as to any new sequence.
    compute,
    /// It has computed them on the earlier route, and takes no notice of them.
    keep,
    /// The same, and the next stage has not: it sends on what it has noted of its output.
    replay,
};

/// Announces a sequence to every stage; travels ahead of its first Forward.
struct Open {
    RequestId request{};
    Epoch epoch = 0;
    SamplingOptions sampling{};
    /// KV positions to set aside: the prompt and all that may be generated.
    Position positions_max = 0;
    /// Positions before this one are the prompt's.
    Position prompt_positions = 0;
    /// The first Forward begins behind these retained pages. A stage that does not have them fails
    /// the sequence with prefix_unknown.
    PrefixStart start{};
    /// For the hashes of what the stages compute.
    TraceSalt salt{};
    /// Rows before this one have been through an earlier route; 0: none have. A stage that does not
    /// have what it is to keep fails the sequence with sequence_unknown.
    Position resumed_positions = 0;
    /// What the stages do about those, the one that the message is for first; empty if there are
    /// none.
    std::vector<Resume> resumes{};
    bool operator==(const Open&) const = default;
};

struct ForwardRow {
    RequestId request{};
    Epoch epoch = 0;
    Position position = 0;
    /// The tail is to sample from this row.
    bool wants_token = false;
    /// The token at this position; only if the sampling options need tokens. Whatever is replayed,
    /// the tail's history is that of the rows it computes.
    std::optional<TokenId> token{};
    bool operator==(const ForwardRow&) const = default;
};

/// A batch between two stages. It may have no rows (all were dropped on the way): it still goes
/// round, because its Tokens tell the entry that the batch is through.
struct Forward {
    uint64_t batch_id = 0;
    std::vector<ForwardRow> rows{};
    /// Values of a row.
    uint32_t width = 0;
    /// rows x width values, encoded.
    Bytes activations{};
    /// That of all its rows' sequences.
    ActivationFormat format = ActivationFormat::f32;
    bool operator==(const Forward&) const = default;

    size_t row_bytes() const { return teetee::row_bytes(format, width); }
};

/// Stands for a Forward as far as the stages keep the rows of a resumed request; who is to replay
/// them makes it one. All rows are of one request.
struct Replay {
    uint64_t batch_id = 0;
    std::vector<ForwardRow> rows{};
    bool operator==(const Replay&) const = default;
};

struct TokenRow {
    RequestId request{};
    Epoch epoch = 0;
    /// Of the row that the token was sampled from.
    Position position = 0;
    TokenId token = 0;
    /// Only if the sampling options ask for them.
    std::optional<TokenLogprobs> logprobs{};
    /// Behind the prompt, if the sampling options ask for it.
    std::vector<float> embedding{};
    bool operator==(const TokenRow&) const = default;
};

/// The end of a batch, from the tail straight to the entry: a token for each row that wanted one.
struct Tokens {
    uint64_t batch_id = 0;
    std::vector<TokenRow> rows{};
    bool operator==(const Tokens&) const = default;
};

/// The sequences are over, whatever their epoch: every stage frees their KV.
struct Close {
    std::vector<RequestId> requests{};
    bool operator==(const Close&) const = default;
};

/// Full pages of a sequence, which has computed them, are to outlive it under ids. A stage that
/// cannot retain them says nothing: it will not know the prefix when it is asked for.
struct Retain {
    RequestId request{};
    Epoch epoch = 0;
    PrefixSpan span{};
    bool operator==(const Retain&) const = default;
};

/// Retained pages are not needed any more: the named ones, or all that were retained before this
/// message. An id is not used again.
struct Evict {
    bool all = false;
    std::vector<PrefixId> prefixes{};
    bool operator==(const Evict&) const = default;
};

/// A stage gave a sequence up; travels on to the entry.
struct Failed {
    RequestId request{};
    Epoch epoch = 0;
    ErrorCode code = ErrorCode::internal;
    /// First layer of the stage that failed.
    uint32_t layer_begin = 0;
    bool operator==(const Failed&) const = default;
};

/// Each stage is to sign what it has computed of a sequence, in a Record of its own; comes before
/// the Close. Whoever has computed less says nothing.
struct Sign {
    RequestId request{};
    Epoch epoch = 0;
    /// Rows before this one count.
    Position position_end = 0;
    bool operator==(const Sign&) const = default;
};

/// What a stage has computed, on its way to the entry: an attest::StageRecord, whose model root and
/// shard root the entry knows from the stage's statement.
struct Record {
    RequestId request{};
    Epoch epoch = 0;
    LayerRange layers{};
    Digest sampling{};
    Position input_begin = 0;
    Position input_end = 0;
    Digest input{};
    /// Leaves of the rows (from the tail: of the tokens) that went out, from output_begin on.
    Position output_begin = 0;
    std::vector<Digest> output{};
    /// r || s || v of the stage's receipt key.
    ByteArray<65> signature{};
    bool operator==(const Record&) const = default;
};

/// Each stage is to have its TEE make a quote over its statement and this nonce, the hash of the
/// request's receipt, and to send it in a Quote of its own.
struct Attest {
    RequestId request{};
    Digest nonce{};
    /// SHA-256 of the statements in the receipt, for a stage that has renewed its own since.
    std::vector<Digest> statements{};
    bool operator==(const Attest&) const = default;
};

/// A stage's answer to Attest, on its way to the entry: a quote, or why there is none.
struct Quote {
    RequestId request{};
    LayerRange layers{};
    std::optional<ErrorCode> failure{};
    /// Empty exactly if there is a failure.
    Bytes quote{};
    bool operator==(const Quote&) const = default;
};

/// One node is to sign what the entry settles on the chain; those before it pass the ask on. Each
/// node has an ask of its own, so that no frame is long and tokens of answers pass between them.
struct SignOff {
    /// The entry's number for it.
    uint64_t ask = 0;
    NodeId node{};
    /// For the node's owner: the settlement, and what the node has signed before. Not empty.
    Bytes body{};
    bool operator==(const SignOff&) const = default;
};

/// A node's answer to SignOff, on its way to the entry: a signature, or why there is none.
struct SignedOff {
    uint64_t ask = 0;
    NodeId node{};
    std::optional<ErrorCode> failure{};
    /// r || s || v of the node's receipt key; zero if there is a failure.
    ByteArray<65> signature{};
    bool operator==(const SignedOff&) const = default;
};

/// Hop::formats of a node that takes all there are.
inline constexpr uint32_t all_formats = (2u << static_cast<uint32_t>(activation_format_max)) - 1;

struct Hop {
    NodeId node_id{};
    LayerRange layers{};
    /// Of the KV cache, for sequences of this route: what others retain and nobody uses is free.
    uint32_t sequences_free = 0;
    uint64_t positions_free = 0;
    /// All there is. A request that needs more fits nowhere; one that needs less can wait.
    uint32_t sequences_max = 0;
    uint64_t positions_max = 0;
    /// A bit for each ActivationFormat that it takes.
    uint32_t formats = 0;
    /// Empty unless evidence is wanted.
    Bytes statement{};
    Bytes quote{};
    bool operator==(const Hop&) const = default;
};

/// Goes round once and collects a hop per stage, the entry's first. Back at the entry it proves
/// that the route is whole, and says what the stages have free and who they are. The first one that
/// comes to a stage makes the route known there.
struct Probe {
    uint64_t id = 0;
    bool want_evidence = false;
    /// All nodes of the route, the entry first.
    std::vector<NodeId> path{};
    /// Of the nodes that it has passed; no more than there are.
    std::vector<Hop> hops{};
    bool operator==(const Probe&) const = default;
};

/// The entry has given the route up, or cannot be reached from it: whatever it left on the stages
/// is over.
struct Leave {
    bool operator==(const Leave&) const = default;
};

/// The route is broken behind a stage, and over; travels back to the entry.
struct Lost {
    /// The one on its path that the node before cannot reach.
    NodeId node{};
    bool operator==(const Lost&) const = default;
};

/// An attest::SignedAdvert as it travels.
struct Advert {
    Bytes encoded{};
    /// r || s || v.
    ByteArray<65> signature{};
    bool operator==(const Advert&) const = default;
};

/// What nodes say of themselves, for everybody's directory. Of no route: its number is 0.
struct Adverts {
    std::vector<Advert> adverts{};
    bool operator==(const Adverts&) const = default;
};

using Message =
    std::variant<Open, Forward, Tokens, Close, Failed, Probe, Retain, Evict, Sign, Record, Attest,
                 Quote, Leave, Lost, Adverts, Replay, SignOff, SignedOff>;

/// What goes over a link.
struct Frame {
    RouteId route{};
    Message message{};
    bool operator==(const Frame&) const = default;
};

}  // namespace teetee::wire
