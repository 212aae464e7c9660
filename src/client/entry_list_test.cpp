// SPDX-License-Identifier: Apache-2.0
#include "client/entry_list.hpp"

#include <gtest/gtest.h>

#include "client/limits.hpp"

namespace teetee::client {
namespace {

TEST(entry_list, has_the_urls_of_each_entry) {
    const auto entries = parse_entry_list(R"({"object":"list","data":[
        {"node":"01","api_url":"http://a:1","api_tls_url":"https://a:2/","expires":7},
        {"api_url":"https://b.example"},{"api_tls_url":"https://[::1]:3"}]})");
    ASSERT_TRUE(entries) << entries.error().message();
    EXPECT_EQ(*entries, (std::vector<ListedEntry>{{"http://a:1", "https://a:2"},
                                                  {"https://b.example", ""},
                                                  {"", "https://[::1]:3"}}));
}

TEST(entry_list, leaves_out_what_is_no_url) {
    const auto entries = parse_entry_list(R"({"data":[{"api_url":"javascript:x"},{},
        {"api_url":7},{"api_url":"http://a b"},{"api_url":"http://user@a"},{"api_tls_url":""}]
})");
    ASSERT_TRUE(entries) << entries.error().message();
    EXPECT_TRUE(entries->empty());
}

TEST(entry_list, takes_no_more_than_its_limits) {
    std::string many = R"({"data":[)";
    for (size_t i = 0; i <= entries_max; ++i)
        many += (i > 0 ? "," : "") + std::string(R"({"api_url":"http://a:1"})");
    EXPECT_EQ(parse_entry_list(many + "]}")->size(), entries_max);
    EXPECT_EQ(parse_entry_list(std::string(entry_list_bytes_max + 1, ' ')).error().code,
              ErrorCode::limit_exceeded);
}

TEST(entry_list, refuses_what_is_no_list) {
    for (const char* body : {"", "[]", "{}", R"({"data":{}})", R"({"data":[1]})", R"({"data":[)",
                             R"({"data":[],"data":[]})"})
        EXPECT_EQ(parse_entry_list(body).error().code, ErrorCode::invalid_json) << body;
}

}  // namespace
}  // namespace teetee::client
