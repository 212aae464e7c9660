// SPDX-License-Identifier: Apache-2.0
#include "net/address.hpp"

#include <gtest/gtest.h>

namespace teetee::net {
namespace {

TEST(address, reads_every_form_and_writes_it_back) {
    for (const char* good : {"node-1.example.org:7000", "tls://node-1.example.org:7000",
                             "https://node-1.example.org:7000"}) {
        EXPECT_EQ(*parse_address(good), (Address{"node-1.example.org", 7000})) << good;
    }
    EXPECT_EQ(*parse_address("127.0.0.1:0"), (Address{"127.0.0.1", 0}));
    EXPECT_EQ(*parse_address("tls://[::1]:65535"), (Address{"::1", 65535}));
    EXPECT_EQ(to_string(Address{"::1", 80}), "[::1]:80");
    EXPECT_EQ(to_string(Address{"a_b", 80}), "a_b:80");
}

TEST(address, rejects_what_is_not_exactly_one_host_and_port) {
    for (const char* bad : {"",
                            ":",
                            ":80",
                            "host",
                            "host:",
                            "host:65536",
                            "host:-1",
                            "host:+1",
                            "host:080",
                            "host:80/",
                            "host:8 0",
                            " host:80",
                            "ho st:80",
                            "host..x:80",
                            "host.:80",
                            "-a:80",
                            "a-:80",
                            "1.2.3:80",
                            "1.2.3.256:80",
                            "::1:80",
                            "[::1]",
                            "[::1]80",
                            "[::1",
                            "[1.2.3.4]:80",
                            "[fe80::1%eth0]:80",
                            "http://host:80",
                            "ftp://host:80",
                            "tls://tls://host:80",
                            "user@host:80",
                            "host:80:90",
                            "tls:host:80",
                            "h\xc3\xa9:80"}) {
        const auto parsed = parse_address(bad);
        ASSERT_FALSE(parsed) << bad;
        EXPECT_EQ(parsed.error().code, ErrorCode::address_invalid);
    }
    EXPECT_FALSE(parse_address(std::string(64, 'a') + ":80"));
    EXPECT_FALSE(parse_address(std::string(100'000, 'a') + ":80"));
    EXPECT_FALSE(parse_address(std::string("a\0b:80", 6)));
}

TEST(url, splits_into_what_is_dialled_and_what_is_asked) {
    const auto url = *parse_url("https://entry.example:5002/v1/models?x=1#part");
    EXPECT_TRUE(url.tls);
    EXPECT_EQ(url.address, (Address{"entry.example", 5002}));
    EXPECT_EQ(url.target, "/v1/models?x=1");
    EXPECT_EQ(parse_url("http://a")->address.port, 80);
    EXPECT_EQ(parse_url("https://a")->address.port, 443);
    EXPECT_EQ(parse_url("http://a")->target, "/");
    EXPECT_EQ(parse_url("http://[::1]:1?q")->target, "/?q");
}

TEST(url, rejects_other_schemes_users_and_hidden_bytes) {
    for (const char* bad : {"", "a", "a:80", "ftp://a", "http://", "http:///x", "http://u:p@a/",
                            "http://a/ b", "http://a/\r\nX: y", "http://a:x/", "HTTP://a"}) {
        EXPECT_FALSE(parse_url(bad)) << bad;
    }
}

}  // namespace
}  // namespace teetee::net
