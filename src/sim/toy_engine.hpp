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

namespace teetee::sim {

/// A model that costs nothing: each layer keeps a hash of all it has seen of a sequence, so a token
/// depends on all earlier tokens and on every layer, and one row lost, repeated or swapped changes
/// everything after it. Pages that outlive their sequence keep the hashes at their end.
class ToyEngine final : public pipeline::StageEngine {
  public:
    explicit ToyEngine(pipeline::EngineLimits limits) : limits_(limits), ledger_(limits) {}

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
        /// `layers` at the end of each full page, and behind each row.
        std::vector<std::vector<uint64_t>> pages{};
        std::vector<std::vector<uint64_t>> history{};
        size_t pages_kept = 0;
    };

    void change(const pipeline::PrefixChanges& prefixes);
    /// False if it begins behind pages that are not here.
    bool open(const pipeline::SequenceOpen& order);
    void go_back(Sequence& sequence, Position position);
    void compute_row(const pipeline::EngineRow& row, uint64_t value,
                     pipeline::ComputeResult& result, ByteWriter& out);
    bool expect(bool kept, const char* promise);

    pipeline::EngineLimits limits_;
    pipeline::KvLedger ledger_;
    std::map<RequestId, Sequence> sequences_;
    /// Opens that failed and are yet to be closed.
    std::set<RequestId> failed_;
    std::map<PrefixId, std::vector<uint64_t>> pages_;
    std::optional<std::string> fault_;
};

/// The tokens that one undisturbed process with all layers generates.
std::vector<TokenId> reference_tokens(const pipeline::Submission& submission,
                                      pipeline::EngineLimits limits);

}  // namespace teetee::sim
