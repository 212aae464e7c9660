// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/request.hpp"

/// The boundary to the model: plain data in, plain data out. A state machine of this module emits
/// a ComputeJob as an effect and gets the ComputeResult back as an event.
namespace teetee::pipeline {

struct SequenceOpen {
    RequestId request{};
    Epoch epoch = 0;
    SamplingOptions sampling{};
    Position positions_max = 0;
    /// Positions before this one are the prompt's.
    Position prompt_positions = 0;
    /// The rows begin behind these retained pages.
    PrefixStart start{};
    TraceSalt salt{};
};

/// Full pages of an open sequence that are to outlive it.
struct PrefixRetain {
    RequestId request{};
    PrefixSpan span{};
};

/// To be done in this order.
struct PrefixChanges {
    std::vector<PrefixRetain> retains{};
    std::vector<PrefixId> drops{};

    bool is_empty() const { return retains.empty() && drops.empty(); }
};

struct EngineRow {
    RequestId request{};
    Position position = 0;
    bool wants_token = false;
    /// The token at this position; set for each row of a sequence whose sampling needs_tokens().
    std::optional<TokenId> token{};
};

/// To be done in this order: prefixes, closes, opens, rows. Rows of one request come with rising
/// positions and without gaps, counted from its start over all jobs since its open; but the first
/// one in a job may go back behind its prompt and its retained pages: what was computed from there
/// on is forgotten. Only where sampling does not need the tokens.
struct ComputeJob {
    uint64_t batch_id = 0;
    PrefixChanges prefixes{};
    std::vector<RequestId> closes{};
    std::vector<SequenceOpen> opens{};
    /// May be empty: a job that only closes or changes prefixes.
    std::vector<EngineRow> rows{};
    /// One per row on the stage of layer 0, else empty.
    std::vector<TokenId> tokens{};
    /// rows x width f32 little-endian on later stages, as received and decoded; else empty.
    Bytes activations{};
};

struct SampledToken {
    RequestId request{};
    Position position = 0;
    TokenId token = 0;
    /// Set if the sampling options ask for them.
    std::optional<TokenLogprobs> logprobs{};
    /// Likewise, behind the prompt.
    std::vector<float> embedding{};
};

struct SequenceFailure {
    RequestId request{};
    Error error{};
};

/// Speaks of the job's rows in the job's order, without the rows of sequences in `failures`.
struct ComputeResult {
    uint64_t batch_id = 0;
    /// rows x width f32 little-endian; empty on the tail.
    Bytes activations{};
    /// On the tail one for each row that wanted one; else empty.
    std::vector<SampledToken> tokens{};
    /// A failed sequence stays open in the engine until it is closed.
    std::vector<SequenceFailure> failures{};
};

/// Asks a small model beside the entry's engine how a text goes on. Where there is no text there is
/// no answer either, but the closes count.
struct DraftJob {
    RequestId request{};
    /// Prompt and answer so far.
    std::vector<TokenId> text{};
    SamplingOptions sampling{};
    /// What the text may grow to.
    Position positions_max = 0;
    /// Tokens wanted; 0: the text is only to be taken in.
    size_t count = 0;
    /// Requests that are over: nothing is to be left of them.
    std::vector<RequestId> closes{};
};

struct DraftResult {
    RequestId request{};
    /// Of the first token: the text's size.
    size_t place = 0;
    /// The model has all of the text. Long ones take it several jobs.
    bool is_ready = false;
    /// It has no room for this text, or cannot compute it.
    bool is_refused = false;
    std::vector<TokenId> tokens{};
};

/// What the engine serves and holds; fixed for its life.
struct EngineLimits {
    LayerRange layers{};
    /// Layers of the whole model: who serves the last one is the tail.
    uint32_t layer_count = 0;
    /// f32 values of an activation row.
    uint32_t width = 0;
    uint32_t vocabulary_size = 0;
    /// Rows of one job.
    uint32_t rows_max = 0;
    uint32_t sequences_max = 0;
    /// Positions of one sequence: the model's context.
    Position sequence_positions_max = 0;
    /// KV positions of all sequences together; each takes whole blocks.
    uint64_t positions_max = 0;
    uint32_t block_positions = 1;

    bool is_tail() const { return layers.end == layer_count; }
};

/// What `node` adapts to the model. At most one compute() runs at a time.
class StageEngine {
  public:
    virtual ~StageEngine() = default;
    virtual EngineLimits limits() const = 0;
    virtual ComputeResult compute(ComputeJob job) = 0;
};

}  // namespace teetee::pipeline
