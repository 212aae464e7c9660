// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pipeline/effects.hpp"
#include "pipeline/entry.hpp"
#include "pipeline/kv_ledger.hpp"
#include "sim/lies.hpp"

namespace teetee::sim {

/// Tokens that there are: few, so that those guessed ahead are right now and then.
inline constexpr uint32_t vocabulary = 4;

/// A model that costs nothing: each layer keeps a hash of all it has seen of a sequence, so a token
/// depends on all earlier tokens and on every layer, and one row lost, repeated or swapped changes
/// everything after it. Pages that outlive their sequence keep the hashes at their end. The tail
/// picks by that hash and all sampling options, where they need it also by the tokens before.
class ToyEngine final : public pipeline::StageEngine {
  public:
    /// `lies` MUST outlive it.
    explicit ToyEngine(pipeline::EngineLimits limits, Lies* lies = nullptr)
        : limits_(limits), ledger_(limits), lies_(lies) {}

    /// From now on it gets some rows wrong on purpose, in the name of that node.
    void corrupt(const wire::NodeId& liar) { liar_ = liar; }
    bool is_corrupt() const { return liar_.has_value(); }

    pipeline::EngineLimits limits() const override { return limits_; }
    pipeline::ComputeResult compute(pipeline::ComputeJob job) override;

    size_t sequence_count() const { return sequences_.size(); }
    size_t retained_count() const { return pages_.size(); }
    /// The first promise of pipeline/engine.hpp that a job broke.
    const std::optional<std::string>& fault() const { return fault_; }

  private:
    struct Sequence {
        pipeline::SequenceOpen open{};
        Position next_position = 0;
        std::vector<uint64_t> layers{};
        /// Over the tokens so far, if sampling needs them.
        uint64_t history = 0;
        /// `layers` at the end of each full page, and behind each row.
        std::vector<std::vector<uint64_t>> pages{};
        std::vector<std::vector<uint64_t>> states{};
        size_t pages_kept = 0;
    };

    void change(const pipeline::PrefixChanges& prefixes);
    /// False if it begins behind pages that are not here.
    bool open(const pipeline::SequenceOpen& order);
    void go_back(Sequence& sequence, Position position);
    void compute_row(const pipeline::EngineRow& row, uint64_t value,
                     pipeline::ComputeResult& result, ByteWriter& out);
    uint64_t lie_about(const RequestId& request, uint64_t value);
    void pick(const Sequence& sequence, const pipeline::EngineRow& row, uint64_t value,
              pipeline::ComputeResult& result) const;
    bool expect(bool kept, const char* promise);

    pipeline::EngineLimits limits_;
    pipeline::KvLedger ledger_;
    std::map<RequestId, Sequence> sequences_;
    /// Opens that failed and are yet to be closed.
    std::set<RequestId> failed_;
    std::map<PrefixId, std::vector<uint64_t>> pages_;
    std::optional<std::string> fault_;
    Lies* lies_;
    std::optional<wire::NodeId> liar_;
};

/// What one undisturbed process with all layers answers: without the stop token, if one came.
std::vector<pipeline::SampledToken> reference_answer(const pipeline::Submission& submission,
                                                     pipeline::EngineLimits limits);

/// What honest stages, one for each limits, make of these tokens.
struct Rerun {
    /// By stage but the tail, and by position.
    std::vector<std::vector<Bytes>> rows{};
    /// By the position that they were sampled from; nothing within the prompt.
    std::vector<std::optional<TokenId>> tokens{};
};
Rerun run_again(const pipeline::Submission& submission, const std::vector<TokenId>& tokens,
                const std::vector<pipeline::EngineLimits>& stages);

}  // namespace teetee::sim
