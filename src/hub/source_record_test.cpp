// SPDX-License-Identifier: Apache-2.0
#include "hub/source_record.hpp"

#include <gtest/gtest.h>

#include "hub/limits.hpp"

namespace teetee::hub {
namespace {

TEST(source_record, is_read_as_it_was_written) {
    const SourceRecord written{"https://a/b", "\"etag\"", {.hex = std::string(64, 'a')}};
    const auto read = parse_source_record(encode_source_record(written));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(*read, written);
}

TEST(source_record, refuses_what_nobody_wrote) {
    for (const char* text :
         {"", "[]", "{}", R"({"version":2,"source":"","state":"","sha256":""})",
          R"({"version":1,"source":"a","state":"b","sha256":"c"})",
          R"({"version":1,"source":"a","state":"b"})", R"({"version":1,"x":{"y":{}}})"})
        EXPECT_FALSE(parse_source_record(text)) << text;
    EXPECT_EQ(parse_source_record(std::string(source_record_bytes_max + 1, ' ')).error().code,
              ErrorCode::limit_exceeded);
}

}  // namespace
}  // namespace teetee::hub
