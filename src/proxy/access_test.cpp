// SPDX-License-Identifier: Apache-2.0
#include "proxy/access.hpp"

#include <gtest/gtest.h>

#include "proxy/limits.hpp"

namespace teetee::proxy {
namespace {

net::HttpRequest request(net::HttpHeaders headers) {
    headers.emplace("host", "localhost:8080");
    net::HttpRequest out;
    out.method = "POST";
    out.headers = std::move(headers);
    return out;
}

std::string code_of(const AccessRules& rules, const net::HttpRequest& asked) {
    const auto refused = refuse_access(rules, asked);
    return refused ? std::string(refused->code) : "";
}

TEST(access, is_for_addresses_and_names_that_cannot_lead_elsewhere) {
    const AccessRules rules = {.hosts = {"gate.example"}};
    for (const char* host : {"127.0.0.1", "127.0.0.1:8080", "localhost", "LocalHost:1", "[::1]",
                             "[::1]:8080", "192.168.1.7:80", "gate.example:443", "Gate.Example"})
        EXPECT_EQ(code_of(rules, request({{"host", host}})), "") << host;
    for (const char* host : {"", "evil.example", "evil.example:8080", "localhost.evil.example",
                             "127.0.0.1.evil.example", "127.0.0.1.", "[::1", "gate.example.evil"})
        EXPECT_EQ(code_of(rules, request({{"host", host}})), "host_unknown") << host;
}

TEST(access, is_not_for_pages_unless_they_are_named) {
    const AccessRules rules = {.origins = {"http://localhost:3000"}};
    EXPECT_EQ(code_of(rules, request({})), "");
    EXPECT_EQ(code_of(rules, request({{"origin", "http://localhost:3000"}})), "");
    for (const char* origin : {"http://localhost:3001", "https://evil.example", "null"})
        EXPECT_EQ(code_of(rules, request({{"origin", origin}})), "origin_unknown") << origin;
    EXPECT_EQ(code_of(rules, request({{"sec-fetch-site", "cross-site"}})), "origin_unknown");
    EXPECT_EQ(code_of(rules, request({{"sec-fetch-site", "none"}})), "");
}

TEST(access, needs_a_key_of_the_file_where_there_is_one) {
    const auto keys = parse_key_file("# of the editor\nfirst-key\r\n\nsecond-key");
    ASSERT_TRUE(keys) << keys.error().message();
    const AccessRules rules = {.origins = {"http://page"}, .key_hashes = *keys};
    for (const char* value : {"Bearer first-key", "bearer second-key"})
        EXPECT_EQ(code_of(rules, request({{"authorization", value}})), "") << value;
    for (const char* value : {"", "Bearer", "Bearer ", "Bearer first-ke", "Bearer first-key ",
                              "first-key", "Basic first-key", "Bearer # of the editor"})
        EXPECT_EQ(code_of(rules, request({{"authorization", value}})), "invalid_api_key") << value;
    auto preflight = request({{"origin", "http://page"}});
    preflight.method = "OPTIONS";
    EXPECT_EQ(code_of(rules, preflight), "") << "a browser asks this without the key";
    preflight.headers.erase("origin");
    EXPECT_EQ(code_of(rules, preflight), "invalid_api_key");
}

TEST(access, refuses_a_file_of_keys_that_is_none) {
    for (const std::string& text :
         {std::string(), std::string("# nothing\n\n"), std::string("a key"),
          std::string("k\xc3\xa9y"), std::string("k\0y", 3), std::string(key_bytes_max + 1, 'k')}) {
        const auto refused = parse_key_file(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::config_invalid);
        EXPECT_EQ(refused.error().detail.find("k\xc3"), std::string::npos);
    }
    std::string many;
    for (size_t i = 0; i <= keys_max; ++i) many += "key\n";
    EXPECT_FALSE(parse_key_file(many));
    EXPECT_EQ(parse_key_file(std::string(key_file_bytes_max + 1, '#')).error().code,
              ErrorCode::limit_exceeded);
}

}  // namespace
}  // namespace teetee::proxy
