// SPDX-License-Identifier: Apache-2.0
#include "cli/plan_report.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "model/cut.hpp"
#include "model/kv_budget.hpp"
#include "model/limits.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;

/// More than any model needs, and sums of it stay in range.
constexpr uint64_t endless_memory = uint64_t{1} << 60;

double seconds(uint64_t ns) {
    return static_cast<double>(ns) * 1e-9;
}

std::string show_time(uint64_t ns) {
    return fmt::format("{:.3g} ms", seconds(ns) * 1e3);
}

json::array as_json(const std::vector<std::string>& lines) {
    return json::array(lines.begin(), lines.end());
}

}  // namespace

double PlanReport::round_s() const {
    const size_t hops = plan.shards.size() == 1 ? 0 : plan.shards.size();
    return seconds(plan.total_ns()) + static_cast<double>(hops) * rtt_s / 2;
}

double PlanReport::tokens_per_s() const {
    const double slowest_s = seconds(std::max<uint64_t>(1, plan.slowest_ns()));
    const double in_flight = static_cast<double>(batches_in_flight());
    return rows * std::min(1 / slowest_s, in_flight / std::max(slowest_s, round_s()));
}

std::vector<std::string> PlanReport::idle_hosts() const {
    std::vector<std::string> idle;
    for (size_t host = 0; host < hosts.size(); ++host) {
        if (std::ranges::count(plan.shards, host, &model::PlannedShard::host) == 0)
            idle.push_back(hosts[host].name);
    }
    return idle;
}

const std::string& PlanReport::slowest_host() const {
    return hosts[plan.shards[plan.slowest].host].name;
}

/// What keeps the shard from having these layers instead, one more than it has.
std::string PlanReport::one_more(size_t shard, LayerRange layers) const {
    const model::PlanHost& host = hosts[plan.shards[shard].host];
    const model::StageCost stage = model::stage_cost(costs, host, layers);
    if (stage.lacking_bytes > 0) {
        return fmt::format("{} has no memory for one more layer ({} lack)", host.name,
                           model::show_byte_count(stage.lacking_bytes));
    }
    if (stage.batch_ns > plan.slowest_ns()) {
        return fmt::format("with one more layer {} would take {}, longer than the slowest stage",
                           host.name, show_time(stage.batch_ns));
    }
    return fmt::format("one more layer on {} would gain nothing, as {} is the slowest", host.name,
                       slowest_host());
}

std::vector<std::string> PlanReport::why() const {
    std::vector<std::string> lines;
    for (size_t i = 0; i + 1 < plan.shards.size(); ++i) {
        const LayerRange left = plan.shards[i].layers;
        const LayerRange right = plan.shards[i + 1].layers;
        lines.push_back(fmt::format("between layers {} and {}: {}; {}", left.end - 1, right.begin,
                                    one_more(i, {left.begin, left.end + 1}),
                                    one_more(i + 1, {right.begin - 1, right.end})));
    }
    return lines;
}

std::vector<std::string> PlanReport::help() const {
    std::vector<std::string> lines;
    const auto is_faster = [&](const Result<model::CutPlan>& other) {
        return other && other->slowest_ns() < plan.slowest_ns();
    };
    for (size_t host = 0; host < hosts.size(); ++host) {
        std::vector<model::PlanHost> others = hosts;
        others[host].memory_bytes = endless_memory;
        const auto other = model::plan_cut(costs, others, shard_count);
        if (!is_faster(other)) continue;
        const auto used = std::ranges::find(other->shards, host, &model::PlannedShard::host);
        lines.push_back(fmt::format(
            "{} more usable memory on {}: the slowest stage would take {}, cut {}",
            model::show_byte_count(used->stage.cost.memory_bytes() - hosts[host].memory_bytes),
            hosts[host].name, show_time(other->slowest_ns()), model::show_cut(other->cut())));
    }
    if (hosts.size() < model::plan_host_count_max && plan.shards.size() < costs.layer_count()) {
        std::vector<model::PlanHost> more = hosts;
        const auto slowest = static_cast<ptrdiff_t>(plan.shards[plan.slowest].host);
        more.insert(more.begin() + slowest, hosts[static_cast<size_t>(slowest)]);
        const auto other = model::plan_cut(costs, more);
        if (is_faster(other)) {
            lines.push_back(fmt::format("one more host like {}: the slowest stage would take {}",
                                        more[static_cast<size_t>(slowest)].name,
                                        show_time(other->slowest_ns())));
        }
    }
    return lines;
}

json::object PlanReport::json() const {
    json::array shards;
    for (const model::PlannedShard& shard : plan.shards) {
        const model::PartCost& cost = shard.stage.cost;
        shards.push_back({{"host", hosts[shard.host].name},
                          {"layers", json::array{shard.layers.begin, shard.layers.end}},
                          {"weight_bytes", cost.weight_bytes},
                          {"kv_bytes", cost.kv_bytes},
                          {"memory_bytes", cost.memory_bytes()},
                          {"memory_usable_bytes", hosts[shard.host].memory_bytes},
                          {"batch_s", seconds(shard.stage.batch_ns)}});
    }
    return {{"model", model},
            {"cut", model::show_cut(plan.cut())},
            {"rows", rows},
            {"positions", positions},
            {"shards", shards},
            {"idle_hosts", as_json(idle_hosts())},
            {"slowest", slowest_host()},
            {"slowest_s", seconds(plan.slowest_ns())},
            {"tokens_per_s", tokens_per_s()},
            {"round_s", round_s()},
            {"why", as_json(why())},
            {"help", as_json(help())}};
}

std::string PlanReport::table() const {
    size_t width = 4;
    for (const model::PlanHost& host : hosts) width = std::max(width, host.name.size());
    std::string out =
        fmt::format("{:<{}}  {:>9}  {:>10}  {:>10}  {:>24}  {:>10}  {:>5}\n", "host", width,
                    "layers", "weights", "KV", "memory, of usable", "a batch", "busy");
    const auto slowest_ns = static_cast<double>(std::max<uint64_t>(1, plan.slowest_ns()));
    for (const model::PlannedShard& shard : plan.shards) {
        const model::PartCost& cost = shard.stage.cost;
        const model::PlanHost& host = hosts[shard.host];
        out += fmt::format("{:<{}}  {:>9}  {:>10}  {:>10}  {:>24}  {:>10}  {:>4.0f}%\n", host.name,
                           width, model::show_cut({&shard.layers, 1}),
                           model::show_byte_count(cost.weight_bytes),
                           model::show_byte_count(cost.kv_bytes),
                           model::show_byte_count(cost.memory_bytes()) + " of " +
                               model::show_byte_count(host.memory_bytes),
                           show_time(shard.stage.batch_ns),
                           100 * static_cast<double>(shard.stage.batch_ns) / slowest_ns);
    }
    for (const std::string& name : idle_hosts())
        out += fmt::format("{:<{}}  {:>9}\n", name, width, "idle");
    return out;
}

std::string PlanReport::text() const {
    std::string out = table() + fmt::format("\ncut {}\n", model::show_cut(plan.cut()));
    if (plan.shards.size() > 1) {
        out += fmt::format("{} is the slowest: with {} batches in flight, {:.4g} tokens/s\n",
                           slowest_host(), batches_in_flight(), tokens_per_s());
    }
    out += fmt::format("a batch of {} alone takes {:.3g} ms: {:.4g} tokens/s a stream\n\n", rows,
                       round_s() * 1e3, 1 / std::max(1e-9, round_s()));
    for (const std::string& line : why()) out += line + "\n";
    for (const std::string& line : help()) out += "would help: " + line + "\n";
    return out;
}

}  // namespace teetee::cli
