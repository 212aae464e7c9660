// SPDX-License-Identifier: Apache-2.0
#include "pipeline/replay_log.hpp"

#include <gtest/gtest.h>

namespace teetee::pipeline {
namespace {

RequestId id_of(uint8_t number) {
    RequestId id;
    id.bytes[0] = number;
    return id;
}

Bytes all(const ReplayLog& log, uint8_t request, Position end) {
    Bytes out;
    for (Position at = 0; at < end; ++at) log.append_to(out, id_of(request), at);
    return out;
}

TEST(replay_log, gives_back_what_it_has_from_the_first_row_on) {
    ReplayLog log(100);
    log.add(id_of(1), 0, Bytes{1, 2});
    log.add(id_of(2), 0, Bytes{9});
    log.add(id_of(1), 1, Bytes{3, 4});
    EXPECT_TRUE(log.covers(id_of(1), 2));
    EXPECT_FALSE(log.covers(id_of(1), 3));
    EXPECT_FALSE(log.covers(id_of(3), 1));
    EXPECT_EQ(all(log, 1, 2), (Bytes{1, 2, 3, 4}));
    EXPECT_EQ(log.bytes(), 5u);
    log.add(id_of(3), 5, Bytes{1});
    EXPECT_FALSE(log.covers(id_of(3), 1)) << "its first rows are not there";
    log.add(id_of(1), 0, Bytes{7});
    EXPECT_EQ(all(log, 1, 1), (Bytes{7})) << "it is computed anew";
}

TEST(replay_log, a_row_that_comes_again_ends_what_was_behind_it) {
    ReplayLog log(100);
    for (uint8_t i = 0; i < 4; ++i) log.add(id_of(1), i, Bytes{i});
    log.add(id_of(1), 2, Bytes{8});
    EXPECT_EQ(all(log, 1, 3), (Bytes{0, 1, 8}));
    EXPECT_FALSE(log.covers(id_of(1), 4));
    log.rewind(id_of(1), 1);
    log.rewind(id_of(1), 3);
    log.add(id_of(1), 2, Bytes{8});
    EXPECT_FALSE(log.covers(id_of(1), 2)) << "row 1 is not there";
    EXPECT_EQ(log.bytes(), 1u);
    log.forget(id_of(1));
    log.forget(id_of(1));
    EXPECT_EQ(log.bytes(), 0u);
}

TEST(replay_log, forgets_the_request_that_exceeds_the_budget) {
    ReplayLog log(4);
    log.add(id_of(1), 0, Bytes{1, 2});
    log.add(id_of(2), 0, Bytes{3});
    log.add(id_of(1), 1, Bytes{4, 5});
    EXPECT_FALSE(log.covers(id_of(1), 1));
    EXPECT_TRUE(log.covers(id_of(2), 1));
    EXPECT_EQ(log.bytes(), 1u);
    log.add(id_of(1), 2, Bytes{6});
    EXPECT_EQ(log.bytes(), 1u) << "there is room again, but its first rows are gone";
    ReplayLog none(0);
    none.add(id_of(1), 0, Bytes{1});
    EXPECT_FALSE(none.covers(id_of(1), 1));
}

}  // namespace
}  // namespace teetee::pipeline
