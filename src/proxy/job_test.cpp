// SPDX-License-Identifier: Apache-2.0
#include "proxy/job.hpp"

#include <gtest/gtest.h>

namespace teetee::proxy {
namespace {

TEST(job, an_error_in_a_stream_has_the_status_that_it_would_have_had_without) {
    const auto status = [](const std::string& code) {
        return status_of(
            {.status = 0,
             .body = R"({"error":{"message":"m","type":"t","code":")" + code + "\"}}"});
    };
    EXPECT_EQ(status("grammar_stuck"), 422);
    EXPECT_EQ(status("deadline_exceeded"), 504);
    EXPECT_EQ(status("overloaded"), 429);
    EXPECT_EQ(status("route_unavailable"), 503);
    EXPECT_EQ(status("no_such_code"), 502);
    EXPECT_EQ(status_of({.status = 0, .body = "<html>"}), 502);
    EXPECT_EQ(status_of({.status = 409, .body = "{}"}), 409);
}

}  // namespace
}  // namespace teetee::proxy
