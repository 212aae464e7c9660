// SPDX-License-Identifier: Apache-2.0
#include "api/query.hpp"

#include <gtest/gtest.h>

namespace teetee::api {
namespace {

TEST(query, finds_a_parameter_by_its_whole_name) {
    EXPECT_EQ(query_parameter("a=1", "a"), "1");
    EXPECT_EQ(query_parameter("x&b=&a=1&a=2", "a"), "1");
    EXPECT_EQ(query_parameter("b=a=1&a=2=3", "a"), "2=3");
    EXPECT_EQ(query_parameter("a=", "a"), "");
    for (const char* query : {"", "&", "a", "aa=1", "a&b", "A=1", "=a"})
        EXPECT_EQ(query_parameter(query, "a"), std::nullopt) << query;
}

}  // namespace
}  // namespace teetee::api
