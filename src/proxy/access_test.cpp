// SPDX-License-Identifier: Apache-2.0
#include "proxy/access.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

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

TEST(access, rules_are_as_browsers_write_them) {
    EXPECT_EQ(*clean_host("Gate.Example"), "gate.example");
    for (const char* host : {"", "http://gate.example", "gate.example:80", "gate.example/", "a b"})
        EXPECT_EQ(clean_host(host).error().code, ErrorCode::invalid_argument) << host;
    const std::pair<const char*, const char*> origins[] = {
        {"HTTP://LocalHost:3000", "http://localhost:3000"},
        {"https://Page.example:443", "https://page.example"},
        {"http://page.example:443", "http://page.example:443"},
        {"http://[::1]:80", "http://[::1]"},
        {"http://[::1]", "http://[::1]"},
        {"app-x://obsidian.md", "app-x://obsidian.md"}};
    for (const auto& [text, clean] : origins) EXPECT_EQ(*clean_origin(text), clean) << text;
    for (const char* origin : {"", "*", "null", "localhost:3000", "http://", "http://a/",
                               "http://a/b", "http://a:", "http://a:0", "http://a:65536",
                               "http://a:x", "http://u@a", "://a", "http://[::1", "http://a b"})
        EXPECT_EQ(clean_origin(origin).error().code, ErrorCode::invalid_argument) << origin;
    const AccessRules rules = {.origins = {*clean_origin("http://LocalHost:3000")}};
    EXPECT_EQ(code_of(rules, request({{"origin", "http://localhost:3000"}})), "");
}

class SilentLog final : public Log {
  public:
    void write(LogLevel, std::string_view) override {}
};

TEST(access, needs_a_key_of_the_file_where_there_is_one) {
    const SystemClock clock;
    SilentLog log;
    const std::string path =
        testing::TempDir() + "teetee_access_" + std::to_string(getpid()) + ".json";
    const std::string text = net::encode_api_keys({{"first", net::hash_of_api_key("first-key"), 0},
                                                   {"old", net::hash_of_api_key("old-key"), 1}});
    ASSERT_TRUE(net::write_file_atomic(path, as_bytes(text)));
    auto file = net::ApiKeyFile::open({clock, log}, path);
    unlink(path.c_str());
    ASSERT_TRUE(file) << file.error().message();
    const AccessRules rules = {.origins = {"http://page"}, .keys = &*file};
    for (const char* value : {"Bearer first-key", "bearer first-key"})
        EXPECT_EQ(code_of(rules, request({{"authorization", value}})), "") << value;
    for (const char* value : {"", "Bearer", "Bearer ", "Bearer first-ke", "Bearer first-key ",
                              "first-key", "Basic first-key", "Bearer old-key"})
        EXPECT_EQ(code_of(rules, request({{"authorization", value}})), "api_key_invalid") << value;
    auto preflight = request({{"origin", "http://page"}});
    preflight.method = "OPTIONS";
    EXPECT_EQ(code_of(rules, preflight), "") << "a browser asks this without the key";
    preflight.headers.erase("origin");
    EXPECT_EQ(code_of(rules, preflight), "api_key_invalid");
}

}  // namespace
}  // namespace teetee::proxy
