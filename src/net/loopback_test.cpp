// SPDX-License-Identifier: Apache-2.0
#include "net/loopback.hpp"

#include <gtest/gtest.h>

namespace teetee::net {
namespace {

TEST(loopback, is_an_address_and_no_name_that_begins_like_one) {
    for (const char* host :
         {"localhost", "127.0.0.1", "127.255.0.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"})
        EXPECT_TRUE(is_loopback(host)) << host;
    for (const char* host :
         {"", "127.evil.example", "127.0.0.1.evil.example", "127.0.0", "128.0.0.1", "0.0.0.0",
          "::", "::2", "::ffff:128.0.0.1", "localhost.evil.example"})
        EXPECT_FALSE(is_loopback(host)) << host;
}

}  // namespace
}  // namespace teetee::net
