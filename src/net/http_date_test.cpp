// SPDX-License-Identifier: Apache-2.0
#include "net/http_date.hpp"

#include <gtest/gtest.h>

namespace teetee::net {
namespace {

TEST(http_date, has_one_form) {
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    for (const char* text : {"", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nom 1994 08:49:37 GMT",
                             "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, xx Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 08.49.37 GMT", "Sun,006-Nov-1994-08:49:37 GMT"}) {
        EXPECT_FALSE(parse_http_date(text)) << text;
    }
}

}  // namespace
}  // namespace teetee::net
