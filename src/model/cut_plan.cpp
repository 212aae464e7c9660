// SPDX-License-Identifier: Apache-2.0
#include "model/cut_plan.hpp"

#include <algorithm>
#include <cmath>

#include "model/kv_budget.hpp"
#include "model/limits.hpp"

namespace teetee::model {
namespace {

constexpr uint64_t impossible = UINT64_MAX;
/// Far above any real one, and the sum of all stages still fits.
constexpr double batch_ns_max = 0x1p52;

uint64_t batch_ns(const PartCost& cost, const PlanHost& host) {
    double seconds = static_cast<double>(cost.read_bytes) / host.read_bytes_per_s;
    if (host.multiply_adds_per_s > 0) {
        seconds =
            std::max(seconds, static_cast<double>(cost.multiply_adds) / host.multiply_adds_per_s);
    }
    // Not a number where nothing is read at no speed.
    const double ns = std::ceil(seconds * 1e9);
    return static_cast<uint64_t>(ns < batch_ns_max ? ns : batch_ns_max);
}

StageCost stage_of(const PartCost& cost, const PlanHost& host) {
    const uint64_t need = cost.memory_bytes();
    return {cost, batch_ns(cost, host), need > host.memory_bytes ? need - host.memory_bytes : 0};
}

/// What is best for the layers from `begin` on, with so many shards on the hosts from `host` on.
class Table {
  public:
    Table(size_t hosts, size_t shards, size_t layers)
        : shards_(shards + 1), layers_(layers + 1), values_((hosts + 1) * shards_ * layers_) {}

    uint64_t& at(size_t host, size_t shards, size_t begin) {
        return values_[(host * shards_ + shards) * layers_ + begin];
    }

  private:
    size_t shards_;
    size_t layers_;
    std::vector<uint64_t> values_;
};

/// How the times of stages become the value of a cut.
enum class Measure { slowest, sum };

uint64_t join(Measure measure, uint64_t stage_ns, uint64_t rest) {
    if (rest == impossible) return impossible;
    return measure == Measure::slowest ? std::max(stage_ns, rest) : stage_ns + rest;
}

class Planner {
  public:
    Planner(const ModelCosts& costs, std::span<const PlanHost> hosts, size_t shards_max)
        : costs_(costs), hosts_(hosts), shards_max_(shards_max), sums_(1) {
        for (const PartCost& layer : costs.layers) sums_.push_back(sums_.back() + layer);
    }

    Result<CutPlan> plan(size_t shard_count) {
        Table slowest = solve(Measure::slowest, impossible);
        size_t count = std::max<size_t>(1, shard_count);
        for (size_t more = count + 1; shard_count == 0 && more <= shards_max_; ++more) {
            if (slowest.at(0, more, 0) < slowest.at(0, count, 0)) count = more;
        }
        const uint64_t limit_ns = slowest.at(0, count, 0);
        if (limit_ns == impossible) return why_not(shard_count);
        Table sum = solve(Measure::sum, limit_ns);
        return follow(sum, count, limit_ns);
    }

  private:
    size_t layer_count() const { return costs_.layers.size(); }

    /// As ModelCosts::of, in constant time.
    StageCost stage(size_t host, size_t begin, size_t end) const {
        PartCost cost = costs_.every;
        const auto add = [&](uint64_t PartCost::*member) {
            cost.*member += sums_[end].*member - sums_[begin].*member;
        };
        for (const auto member :
             {&PartCost::weight_bytes, &PartCost::kv_bytes, &PartCost::work_bytes,
              &PartCost::read_bytes, &PartCost::multiply_adds}) {
            add(member);
        }
        if (begin == 0) cost += costs_.entry;
        if (end == layer_count()) cost += costs_.tail;
        if (begin == 0 && end == layer_count()) cost.weight_bytes -= costs_.shared_bytes;
        return stage_of(cost, hosts_[host]);
    }

    /// Calls `visit` with every end that the host can go to from `begin` within the limit. More
    /// layers never take less, so the first that is too much is the last one to be tried.
    template <class Visit>
    void for_each_end(size_t host, size_t begin, uint64_t limit_ns, Visit visit) const {
        for (size_t end = begin + 1; end <= layer_count(); ++end) {
            const StageCost cost = stage(host, begin, end);
            if (cost.lacking_bytes > 0 || cost.batch_ns > limit_ns) return;
            if (!visit(end, cost)) return;
        }
    }

    Table solve(Measure measure, uint64_t limit_ns) const {
        Table table(hosts_.size(), shards_max_, layer_count());
        for (size_t shards = 0; shards <= shards_max_; ++shards) {
            for (size_t begin = 0; begin <= layer_count(); ++begin) {
                const bool is_done = shards == 0 && begin == layer_count();
                table.at(hosts_.size(), shards, begin) = is_done ? 0 : impossible;
            }
        }
        for (size_t host = hosts_.size(); host-- > 0;) {
            for (size_t shards = 0; shards <= shards_max_; ++shards) {
                for (size_t begin = 0; begin <= layer_count(); ++begin) {
                    uint64_t best = table.at(host + 1, shards, begin);
                    if (shards > 0) {
                        for_each_end(host, begin, limit_ns, [&](size_t end, const StageCost& cost) {
                            const uint64_t rest = table.at(host + 1, shards - 1, end);
                            best = std::min(best, join(measure, cost.batch_ns, rest));
                            return true;
                        });
                    }
                    table.at(host, shards, begin) = best;
                }
            }
        }
        return table;
    }

    /// The first in lexicographic order of the cuts with the least sum.
    CutPlan follow(Table& sum, size_t shards, uint64_t limit_ns) const {
        CutPlan plan;
        size_t begin = 0;
        for (size_t host = 0; host < hosts_.size() && shards > 0; ++host) {
            const uint64_t best = sum.at(host, shards, begin);
            PlannedShard found{};
            for_each_end(host, begin, limit_ns, [&](size_t end, const StageCost& cost) {
                const uint64_t rest = sum.at(host + 1, shards - 1, end);
                if (join(Measure::sum, cost.batch_ns, rest) != best) return true;
                const LayerRange layers{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
                found = {host, layers, cost};
                return false;
            });
            if (found.layers.count() == 0) continue;
            begin = found.layers.end;
            --shards;
            plan.shards.push_back(found);
        }
        const auto slowest = std::ranges::max_element(
            plan.shards, {}, [](const PlannedShard& shard) { return shard.stage.batch_ns; });
        plan.slowest = static_cast<size_t>(slowest - plan.shards.begin());
        return plan;
    }

    /// Where filling every host leads.
    Error why_not(size_t shard_count) const {
        // How far so many shards get on the hosts up to here.
        std::vector<size_t> reach(shards_max_ + 1, 0);
        for (size_t host = 0; host < hosts_.size(); ++host) {
            for (size_t shards = shards_max_; shards > 0; --shards) {
                for_each_end(host, reach[shards - 1], impossible,
                             [&](size_t end, const StageCost&) {
                                 reach[shards] = std::max(reach[shards], end);
                                 return true;
                             });
            }
        }
        const size_t wanted = shard_count == 0 ? shards_max_ : shard_count;
        const size_t begin =
            *std::max_element(reach.begin(), reach.begin() + 1 + static_cast<ptrdiff_t>(wanted));
        if (begin == layer_count()) return too_many(shard_count);
        PartCost left = costs_.tail;
        for (size_t layer = begin; layer < layer_count(); ++layer) left += costs_.layers[layer];
        if (begin == 0) left += costs_.entry;
        return fail(ErrorCode::limit_exceeded,
                    "memory: with every host full, layers " + std::to_string(begin) + " to " +
                        std::to_string(layer_count() - 1) + " and the output head are left: " +
                        std::to_string(left.memory_bytes()) + " bytes lack (" +
                        show_byte_count(left.memory_bytes()) + "; a further host needs " +
                        show_byte_count(costs_.every.memory_bytes()) + " more)");
    }

    /// Fewer hosts have room for all, but one of those that must have a layer has none for it.
    Error too_many(size_t shard_count) const {
        std::string detail = "memory: a cut into fewer shards fits, none into " +
                             std::to_string(shard_count) + " does";
        for (size_t host = 0; host < hosts_.size(); ++host) {
            uint64_t lacking = impossible;
            for (size_t begin = 0; begin < layer_count(); ++begin)
                lacking = std::min(lacking, stage(host, begin, begin + 1).lacking_bytes);
            if (lacking > 0) {
                detail += "; " + quote_foreign(hosts_[host].name) + " lacks " +
                          std::to_string(lacking) + " bytes for a single layer";
            }
        }
        return fail(ErrorCode::limit_exceeded, detail);
    }

    const ModelCosts& costs_;
    std::span<const PlanHost> hosts_;
    size_t shards_max_;
    std::vector<PartCost> sums_;  // of the layers before
};

}  // namespace

PartCost& PartCost::operator+=(const PartCost& other) {
    weight_bytes += other.weight_bytes;
    kv_bytes += other.kv_bytes;
    work_bytes += other.work_bytes;
    read_bytes += other.read_bytes;
    multiply_adds += other.multiply_adds;
    return *this;
}

PartCost ModelCosts::of(LayerRange range) const {
    PartCost cost = every;
    for (uint32_t layer = range.begin; layer < range.end; ++layer) cost += layers[layer];
    const bool is_tail = range.end == layer_count();
    if (range.begin == 0) cost += entry;
    if (is_tail) cost += tail;
    if (range.begin == 0 && is_tail) cost.weight_bytes -= shared_bytes;
    return cost;
}

StageCost stage_cost(const ModelCosts& costs, const PlanHost& host, LayerRange layers) {
    return stage_of(costs.of(layers), host);
}

uint64_t CutPlan::total_ns() const {
    uint64_t total = 0;
    for (const PlannedShard& shard : shards) total += shard.stage.batch_ns;
    return total;
}

std::vector<LayerRange> CutPlan::cut() const {
    std::vector<LayerRange> ranges;
    for (const PlannedShard& shard : shards) ranges.push_back(shard.layers);
    return ranges;
}

Result<CutPlan> plan_cut(const ModelCosts& costs, std::span<const PlanHost> hosts,
                         size_t shard_count) {
    if (hosts.empty() || hosts.size() > plan_host_count_max || costs.layers.empty()) {
        return fail(ErrorCode::invalid_argument, "hosts: have " + std::to_string(hosts.size()) +
                                                     ", need 1 to " +
                                                     std::to_string(plan_host_count_max));
    }
    const size_t shards_max = std::min(hosts.size(), costs.layers.size());
    if (shard_count > shards_max) {
        return fail(ErrorCode::invalid_argument,
                    "shards: have " + std::to_string(shard_count) + ", need at most " +
                        std::to_string(shards_max) + ", as there are " +
                        std::to_string(hosts.size()) + " hosts and " +
                        std::to_string(costs.layers.size()) + " layers");
    }
    return Planner(costs, hosts, shard_count == 0 ? shards_max : shard_count).plan(shard_count);
}

}  // namespace teetee::model
