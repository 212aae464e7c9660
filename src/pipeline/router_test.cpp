// SPDX-License-Identifier: Apache-2.0
#include "pipeline/router.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace teetee::pipeline {
namespace {

constexpr wire::NodeId entry{1};

RouterOptions options_for(uint32_t layer_count) {
    return {.entry = entry, .layers = {0, 2}, .layer_count = layer_count};
}

/// Node 10 * slot + number, of two layers each.
wire::NodeId id(uint8_t slot, uint8_t number) {
    return {static_cast<uint8_t>(10 * slot + number)};
}
RouterNode node(uint8_t slot, uint8_t number) {
    return {.node_id = id(slot, number), .layers = {2u * slot, 2u * slot + 2}, .linked = true};
}
std::vector<RouterNode> grid(const std::vector<uint8_t>& counts) {
    std::vector<RouterNode> nodes;
    for (uint8_t slot = 1; slot <= counts.size(); ++slot)
        for (uint8_t i = 0; i < counts[slot - 1]; ++i) nodes.push_back(node(slot, i));
    return nodes;
}
std::set<wire::NodeId> used(const std::vector<Path>& paths) {
    std::set<wire::NodeId> out;
    for (const Path& path : paths) out.insert(path.begin() + 1, path.end());
    return out;
}

TEST(router, leads_over_every_node_and_shares_them_evenly) {
    EXPECT_EQ(plan_paths(options_for(6), grid({1, 1}), {}),
              (std::vector<Path>{{entry, id(1, 0), id(2, 0)}}));
    const auto paths = plan_paths(options_for(6), grid({2, 2}), {});
    EXPECT_EQ(paths, (std::vector<Path>{{entry, id(1, 0), id(2, 0)}, {entry, id(1, 1), id(2, 1)}}));
    const auto uneven = plan_paths(options_for(8), grid({3, 1, 2}), {});
    EXPECT_EQ(uneven.size(), 3u);
    EXPECT_EQ(used(uneven).size(), 6u);
    EXPECT_EQ(std::ranges::count(uneven, id(3, 0), [](const Path& path) { return path[3]; }), 2);
}

TEST(router, has_no_path_where_a_slot_is_empty_or_out_of_reach) {
    EXPECT_TRUE(plan_paths(options_for(6), grid({2}), {}).empty());
    EXPECT_TRUE(plan_paths(options_for(6), {}, {}).empty());
    auto nodes = grid({1, 1, 1});
    nodes[1].linked = false;
    EXPECT_EQ(plan_paths(options_for(8), nodes, {}).size(), 1u) << "the entry need not reach it";
    for (const size_t end : {0u, 2u}) {
        auto lost = nodes;
        lost[end].linked = false;
        EXPECT_TRUE(plan_paths(options_for(8), lost, {}).empty());
    }
    nodes[2].layers = {6, 9};
    EXPECT_TRUE(plan_paths(options_for(8), nodes, {}).empty()) << "layers that are not there";
}

TEST(router, keeps_what_is_whole) {
    const std::vector<Path> crossed = {{entry, id(1, 1), id(2, 0)}, {entry, id(1, 0), id(2, 1)}};
    EXPECT_EQ(plan_paths(options_for(6), grid({2, 2}), crossed), crossed);
    // A node dies: the other path stays, and the lone one gets a second path.
    auto nodes = grid({2, 2});
    nodes.erase(nodes.begin());
    const auto after = plan_paths(options_for(6), nodes, crossed);
    ASSERT_EQ(after.size(), 2u);
    EXPECT_EQ(after[0], crossed[0]);
    EXPECT_EQ(after[1], (Path{entry, id(1, 1), id(2, 1)}));
    // A newcomer is used.
    EXPECT_EQ(used(plan_paths(options_for(6), grid({3, 2}), crossed)).size(), 5u);
    EXPECT_TRUE(plan_paths(options_for(6), grid({2, 2}), {{entry}, {id(1, 0)}, {}}).size() == 2);
}

TEST(router, avoids_what_is_to_be_ended_unless_there_is_nothing_else) {
    auto nodes = grid({2, 1});
    nodes[0].avoided = true;
    const std::vector<Path> over_it = {{entry, id(1, 0), id(2, 0)}};
    EXPECT_EQ(plan_paths(options_for(6), nodes, over_it),
              (std::vector<Path>{{entry, id(1, 1), id(2, 0)}}));
    nodes[1].avoided = true;
    EXPECT_EQ(plan_paths(options_for(6), nodes, over_it).size(), 2u);
}

TEST(router, makes_no_more_paths_than_it_may) {
    RouterOptions options = options_for(6);
    options.routes_max = 3;
    EXPECT_EQ(plan_paths(options, grid({9, 9}), {}).size(), 3u);
    const auto many = plan_paths(options_for(6), grid({8, 8}), {});
    EXPECT_EQ(plan_paths(options, grid({9, 9}), many).size(), 3u);
}

TEST(router, follows_the_cut_that_most_nodes_have) {
    auto nodes = grid({2, 2});
    nodes.push_back({.node_id = {99}, .layers = {2, 6}, .linked = true});
    for (const Path& path : plan_paths(options_for(6), nodes, {})) EXPECT_EQ(path.size(), 3u);
}

}  // namespace
}  // namespace teetee::pipeline
