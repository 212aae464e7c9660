// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/request.hpp"
#include "base/result.hpp"

namespace teetee::model {

/// What a part of a model takes of the host that has it.
struct PartCost {
    uint64_t weight_bytes = 0;   // as they are kept in memory
    uint64_t kv_bytes = 0;       // for the positions that are planned
    uint64_t work_bytes = 0;     // activations, and the program itself
    uint64_t read_bytes = 0;     // of weights, by one batch
    uint64_t multiply_adds = 0;  // of one batch

    uint64_t memory_bytes() const { return weight_bytes + kv_bytes + work_bytes; }
    PartCost& operator+=(const PartCost& other);
    friend PartCost operator+(PartCost a, const PartCost& b) { return a += b; }
    bool operator==(const PartCost&) const = default;
};

/// What the parts of one model take, for batches of one size (model/cut_costs.hpp).
struct ModelCosts {
    std::vector<PartCost> layers{};
    PartCost entry{};  // what the first shard has besides its layers: the embedding
    PartCost tail{};   // the last one: the output head
    PartCost every{};  // each shard
    /// Of the tail's weights, what a shard that is the entry as well has already.
    uint64_t shared_bytes = 0;

    uint32_t layer_count() const { return static_cast<uint32_t>(layers.size()); }
    /// Of a shard with these layers.
    PartCost of(LayerRange range) const;
};

/// A host as it has been measured.
struct PlanHost {
    std::string name{};
    /// That a node may take.
    uint64_t memory_bytes = 0;
    double read_bytes_per_s = 0;     // of weights, in decode
    double multiply_adds_per_s = 0;  // in prefill; 0: not known, and reading alone counts
};

/// One shard on one host. A batch takes what the slower of reading and computing takes.
struct StageCost {
    PartCost cost{};
    uint64_t batch_ns = 0;
    /// That the host would need besides what it has.
    uint64_t lacking_bytes = 0;
};
StageCost stage_cost(const ModelCosts& costs, const PlanHost& host, LayerRange layers);

struct PlannedShard {
    size_t host = 0;  // index
    LayerRange layers{};
    StageCost stage{};
};

struct CutPlan {
    std::vector<PlannedShard> shards{};
    size_t slowest = 0;  // index of a shard

    /// With enough batches in flight, one ends each time the slowest stage has done one.
    uint64_t slowest_ns() const { return shards[slowest].stage.batch_ns; }
    /// Of one batch alone: the sum of all stages.
    uint64_t total_ns() const;
    std::vector<LayerRange> cut() const;
};

/// The best cut with at most one shard a host, in the order of the hosts; hosts may stay idle. The
/// best is, in this order:
/// - the one whose slowest stage is the fastest,
/// - with the fewest shards, as each hop moves every hidden state over the network,
/// - with the least sum of the stages' times,
/// - whose list of (host, end) is the first in lexicographic order.
/// shard_count 0: any. Exact, in O(hosts * shards * layers^2).
/// Errors: invalid_argument (no host, more than plan_host_count_max, or a count that no cut has);
/// limit_exceeded naming what does not fit, and how many bytes lack.
Result<CutPlan> plan_cut(const ModelCosts& costs, std::span<const PlanHost> hosts,
                         size_t shard_count = 0);

}  // namespace teetee::model
