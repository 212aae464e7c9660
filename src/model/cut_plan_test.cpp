// SPDX-License-Identifier: Apache-2.0
#include "model/cut_plan.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

#include "model/cut.hpp"
#include "model/limits.hpp"

namespace teetee::model {
namespace {

/// What a cut is judged by; the lesser is the better one.
using Rank = std::tuple<uint64_t, size_t, uint64_t, std::vector<std::pair<size_t, uint32_t>>>;

Rank rank_of(const std::vector<PlannedShard>& shards) {
    Rank rank{};
    auto& [slowest, count, sum, places] = rank;
    for (const PlannedShard& shard : shards) {
        slowest = std::max(slowest, shard.stage.batch_ns);
        sum += shard.stage.batch_ns;
        places.emplace_back(shard.host, shard.layers.end);
    }
    count = shards.size();
    return rank;
}

/// Tries every cut on every choice of hosts.
class Search {
  public:
    Search(const ModelCosts& costs, const std::vector<PlanHost>& hosts, size_t shard_count)
        : costs_(costs), hosts_(hosts), shard_count_(shard_count) {
        place(0, 0);
    }
    const std::optional<Rank>& best() const { return best_; }

  private:
    void place(size_t host, uint32_t begin) {
        if (begin == costs_.layer_count()) {
            if (shard_count_ != 0 && shards_.size() != shard_count_) return;
            const Rank rank = rank_of(shards_);
            if (!best_ || rank < *best_) best_ = rank;
            return;
        }
        if (host == hosts_.size()) return;
        place(host + 1, begin);
        for (uint32_t end = begin + 1; end <= costs_.layer_count(); ++end) {
            const StageCost stage = stage_cost(costs_, hosts_[host], {begin, end});
            if (stage.lacking_bytes > 0) continue;
            shards_.push_back({host, {begin, end}, stage});
            place(host + 1, end);
            shards_.pop_back();
        }
    }

    const ModelCosts& costs_;
    const std::vector<PlanHost>& hosts_;
    size_t shard_count_;
    std::vector<PlannedShard> shards_;
    std::optional<Rank> best_;
};

class Dice {
  public:
    explicit Dice(uint32_t seed) : generator_(seed) {}
    uint64_t upto(uint64_t most) { return generator_() % (most + 1); }

    PartCost part() {
        return {.weight_bytes = upto(9),
                .kv_bytes = upto(3),
                .work_bytes = upto(1),
                .read_bytes = upto(9),
                .multiply_adds = upto(9)};
    }
    ModelCosts costs() {
        ModelCosts out;
        const bool is_uniform = upto(1) == 0;
        const PartCost layer = part();
        for (uint64_t i = 0, count = 1 + upto(5); i < count; ++i)
            out.layers.push_back(is_uniform ? layer : part());
        out.entry = part();
        out.tail = part();
        out.every = part();
        out.shared_bytes = upto(out.tail.weight_bytes);
        return out;
    }
    std::vector<PlanHost> hosts() {
        std::vector<PlanHost> out;
        for (uint64_t i = 0, count = 1 + upto(3); i < count; ++i) {
            out.push_back({.name = "host " + std::to_string(i),
                           .memory_bytes = 5 + upto(60),
                           .read_bytes_per_s = static_cast<double>(1 + upto(3)),
                           .multiply_adds_per_s = static_cast<double>(upto(3))});
        }
        return out;
    }

  private:
    std::mt19937 generator_;
};

TEST(cut_plan, is_the_best_of_all_cuts) {
    size_t fitting = 0;
    size_t uneven = 0;
    for (uint32_t seed = 0; seed < 3000; ++seed) {
        Dice dice(seed);
        const ModelCosts costs = dice.costs();
        const std::vector<PlanHost> hosts = dice.hosts();
        const size_t most = std::min(hosts.size(), costs.layers.size());
        const size_t shard_count = dice.upto(most);
        const Search search(costs, hosts, shard_count);
        const auto plan = plan_cut(costs, hosts, shard_count);
        ASSERT_EQ(plan.has_value(), search.best().has_value()) << seed;
        if (!plan) {
            EXPECT_EQ(plan.error().code, ErrorCode::limit_exceeded);
            continue;
        }
        ++fitting;
        EXPECT_EQ(rank_of(plan->shards), *search.best()) << seed;
        EXPECT_EQ(plan->slowest_ns(), std::get<0>(*search.best()));
        EXPECT_EQ(plan->total_ns(), std::get<2>(*search.best()));
        const std::vector<LayerRange> cut = plan->cut();
        EXPECT_TRUE(validate_cut(cut, costs.layer_count()));
        const auto even = even_cut(costs.layer_count(), static_cast<uint32_t>(cut.size()));
        if (cut != *even) ++uneven;
    }
    EXPECT_GT(fitting, 1000u);
    EXPECT_LT(fitting, 2900u);
    EXPECT_GT(uneven, 300u);
}

TEST(cut_plan, counts_what_a_range_holds) {
    for (uint32_t seed = 0; seed < 200; ++seed) {
        const ModelCosts costs = Dice(seed).costs();
        const uint32_t layers = costs.layer_count();
        PartCost apart;
        for (uint32_t layer = 0; layer < layers; ++layer) apart += costs.of({layer, layer + 1});
        PartCost whole = costs.of({0, layers});
        if (layers == 1) {
            EXPECT_EQ(apart, whole);
            continue;
        }
        whole.weight_bytes += costs.shared_bytes;
        for (uint32_t layer = 1; layer < layers; ++layer) whole += costs.every;
        EXPECT_EQ(apart, whole);
    }
}

ModelCosts ten_layers() {
    ModelCosts costs;
    costs.layers.assign(10, {.weight_bytes = 100, .read_bytes = 100, .multiply_adds = 1000});
    return costs;
}

TEST(cut_plan, follows_the_speed_of_the_hosts) {
    const std::vector<PlanHost> hosts = {
        {"fast", 10000, 300, 0}, {"slow", 10000, 100, 0}, {"middle", 10000, 100, 0}};
    const auto plan = plan_cut(ten_layers(), hosts);
    ASSERT_TRUE(plan);
    EXPECT_EQ(show_cut(plan->cut()), "0-5,6-7,8-9");
    EXPECT_EQ(plan->slowest_ns(), 2'000'000'000u);
}

TEST(cut_plan, computes_where_computing_is_slower_than_reading) {
    const std::vector<PlanHost> hosts = {{"a", 10000, 100, 500}, {"b", 10000, 100, 2000}};
    const auto plan = plan_cut(ten_layers(), hosts);
    ASSERT_TRUE(plan);
    EXPECT_EQ(show_cut(plan->cut()), "0-2,3-9");
}

TEST(cut_plan, leaves_a_host_idle_that_would_only_slow_the_others_down) {
    const std::vector<PlanHost> hosts = {{"a", 10000, 100, 0}, {"snail", 10000, 1, 0}};
    const auto plan = plan_cut(ten_layers(), hosts);
    ASSERT_TRUE(plan);
    EXPECT_EQ(show_cut(plan->cut()), "0-9");
    const auto both = plan_cut(ten_layers(), hosts, 2);
    ASSERT_TRUE(both);
    EXPECT_EQ(show_cut(both->cut()), "0-8,9");
}

TEST(cut_plan, names_the_bytes_that_lack) {
    const std::vector<PlanHost> hosts = {{"a", 350, 100, 0}, {"b", 250, 100, 0}};
    ModelCosts costs = ten_layers();
    costs.tail.weight_bytes = 7;
    EXPECT_EQ(plan_cut(costs, hosts).error().message(),
              "limit_exceeded: memory: with every host full, layers 5 to 9 and the output head are "
              "left: 507 bytes lack (507 B; a further host needs 0 B more)");
    const std::vector<PlanHost> small = {{"a", 2000, 100, 0}, {"b", 60, 100, 0}};
    EXPECT_EQ(
        plan_cut(costs, small, 2).error().message(),
        "limit_exceeded: memory: a cut into fewer shards fits, none into 2 does; 'b' lacks 40 "
        "bytes for a single layer");
}

TEST(cut_plan, refuses_counts_that_no_cut_has) {
    const std::vector<PlanHost> hosts(12, {"a", 10000, 100, 0});
    EXPECT_EQ(plan_cut(ten_layers(), hosts, 11).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(plan_cut(ten_layers(), {}).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(plan_cut({}, hosts).error().code, ErrorCode::invalid_argument);
    const std::vector<PlanHost> many(plan_host_count_max + 1, hosts[0]);
    EXPECT_EQ(plan_cut(ten_layers(), many).error().code, ErrorCode::invalid_argument);
}

TEST(cut_plan, takes_any_speed) {
    const std::vector<PlanHost> hosts = {{"a", 10000, 1e-300, 1e-300}, {"b", 10000, 1e300, 1e300}};
    const auto plan = plan_cut(ten_layers(), hosts);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->shards.size(), 1u);
    EXPECT_EQ(plan->shards[0].host, 1u);
}

}  // namespace
}  // namespace teetee::model
