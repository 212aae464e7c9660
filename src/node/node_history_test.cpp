// SPDX-License-Identifier: Apache-2.0
#include "node/node_history.hpp"

#include <gtest/gtest.h>

namespace teetee::node {
namespace {

constexpr UnixSeconds start = 1'800'000'000;
const wire::NodeId a = {0xa};
const wire::NodeId b = {0xb};
const NodeHistory::Seen up = {.layers = {0, 2}, .has_answered = true};
const NodeHistory::Seen down = {.layers = {0, 2}};

TEST(node_history, counts_looks_answers_and_tokens_by_spans) {
    NodeHistory history;
    history.on_look(start, {{a, up}, {b, {.layers = {2, 5}, .has_answered = true}}});
    history.on_look(start + 5, {{a, up}, {b, down}});
    history.on_tokens(start + 6, a, 40);
    history.on_tokens(start + 7, a, 2);
    history.on_look(start + 300, {{a, up}});
    const auto of_a = history.extract(a, start + 301, 288);
    EXPECT_EQ(of_a.from, start);
    EXPECT_EQ(of_a.spans, (std::vector<NodeHistory::Span>{{2, 2, 42}, {1, 1, 0}}));
    EXPECT_EQ(history.extract(b, start + 301, 288).spans,
              (std::vector<NodeHistory::Span>{{2, 1, 0}, {1, 0, 0}}));
    EXPECT_EQ(history.nodes().at(b).answered_at, start);
    EXPECT_EQ(history.nodes().at(a).answered_at, start + 300);
}

TEST(node_history, tells_the_last_spans_with_those_in_which_nothing_was) {
    NodeHistory history;
    history.on_look(start + 299, {{a, up}});
    history.on_look(start + 900, {{a, up}});
    const auto whole = history.extract(a, start + 1200, 288);
    EXPECT_EQ(whole.from, start);
    EXPECT_EQ(whole.spans, (std::vector<NodeHistory::Span>{{1, 1, 0}, {}, {}, {1, 1, 0}, {}}));
    const auto end = history.extract(a, start + 1200, 2);
    EXPECT_EQ(end.from, start + 900);
    EXPECT_EQ(end.spans, (std::vector<NodeHistory::Span>{{1, 1, 0}, {}}));
    EXPECT_TRUE(history.extract(a, start + 1200, 0).spans.empty());
    EXPECT_TRUE(history.extract(b, start + 1200, 2).spans.empty());
}

TEST(node_history, keeps_a_day) {
    NodeHistory history;
    for (UnixSeconds time = start; time <= start + 2 * 86400; time += 300)
        history.on_look(time, {{a, up}});
    const auto whole = history.extract(a, start + 2 * 86400, 1000);
    EXPECT_EQ(whole.spans.size(), NodeHistory::spans_max);
    EXPECT_EQ(whole.from, start + 2 * 86400 - 287 * 300);
    // After more than a day of silence nothing of before is left.
    const auto later = history.extract(a, start + 4 * 86400, 1000);
    EXPECT_EQ(later.spans, std::vector<NodeHistory::Span>(1));
}

TEST(node_history, goes_on_with_who_is_gone_and_forgets_it_after_a_day) {
    NodeHistory history;
    history.on_look(start, {{a, up}, {b, up}});
    history.on_look(start + 86399, {{a, up}});
    EXPECT_EQ(history.extract(b, start + 86399, 1).spans.back(), (NodeHistory::Span{1, 0, 0}));
    history.on_look(start + 86400, {{a, up}});
    EXPECT_FALSE(history.nodes().contains(b));
    // One that is known and silent stays as long as others know it.
    history.on_look(start + 3 * 86400, {{a, down}});
    EXPECT_TRUE(history.nodes().contains(a));
}

TEST(node_history, has_room_for_so_many_and_who_is_silent_gives_way) {
    NodeHistory history({.nodes_max = 2});
    const wire::NodeId c = {0xc};
    history.on_look(start, {{a, up}, {b, up}});
    history.on_look(start + 10, {{a, up}, {b, up}, {c, up}});
    EXPECT_FALSE(history.nodes().contains(c));
    history.on_look(start + 310, {{a, up}, {c, up}});
    EXPECT_TRUE(history.nodes().contains(c));
    EXPECT_FALSE(history.nodes().contains(b));
    EXPECT_EQ(history.nodes().size(), 2u);
    history.on_tokens(start + 311, b, 7);
    EXPECT_EQ(history.nodes().size(), 2u);
}

TEST(node_history, a_clock_that_is_put_back_counts_in_the_last_span) {
    NodeHistory history;
    history.on_look(start + 600, {{a, up}});
    history.on_look(start, {{a, up}});
    history.on_tokens(start - 86400, a, 3);
    const auto whole = history.extract(a, start, 288);
    EXPECT_EQ(whole.from, start + 600);
    EXPECT_EQ(whole.spans, (std::vector<NodeHistory::Span>{{2, 2, 3}}));
}

}  // namespace
}  // namespace teetee::node
