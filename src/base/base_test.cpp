// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace teetee {
namespace {

Result<int> half(int n) {
    if (n % 2 != 0) return fail(ErrorCode::invalid_argument, "odd");
    return n / 2;
}

Result<int> quarter(int n) {
    TT_TRY(const int h, half(n));
    return half(h);
}

TEST(result, carries_a_value_or_the_first_error) {
    EXPECT_EQ(*quarter(8), 2);
    ASSERT_FALSE(quarter(6));
    EXPECT_EQ(quarter(6).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(quarter(3).error().message(), "invalid_argument: odd");
}

TEST(error, every_code_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    size_t count = 0;
    for (unsigned code = 0; code < 2000; ++code) {
        const auto name = to_string(static_cast<ErrorCode>(code));
        if (name == "unknown") continue;
        ++count;
        names.insert(name);
        EXPECT_EQ(error_code_named(name), static_cast<ErrorCode>(code));
    }
    EXPECT_EQ(names.size(), count);
    for (const char* name : {"", "unknown", "internal ", "Internal"})
        EXPECT_FALSE(error_code_named(name)) << name;
    EXPECT_GT(count, 60u);
}

TEST(error, quotes_foreign_text_safely) {
    EXPECT_EQ(quote_foreign("a\x1b[31m\n"), "'a?[31m?'");
    EXPECT_LE(quote_foreign(std::string(1000, 'x')).size(), 70u);
}

TEST(hex, round_trips_and_rejects_what_is_not_hex) {
    const Bytes bytes = {0x00, 0x7f, 0xff};
    EXPECT_EQ(to_hex(bytes), "007fff");
    EXPECT_EQ(*from_hex("007FfF"), bytes);
    EXPECT_EQ(*from_hex("0x007fff"), bytes);
    for (const char* bad : {"0", "gg", "0x0", " 00", "00 ", "-1"})
        EXPECT_FALSE(from_hex(bad)) << bad;
    EXPECT_FALSE(array_from_hex<4>("007fff"));
    EXPECT_TRUE(array_from_hex<3>("007fff"));
}

// RFC 4648 section 10.
TEST(base64, agrees_with_the_rfc_and_is_strict) {
    const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, coded] : cases) {
        EXPECT_EQ(to_base64(as_bytes(plain)), coded);
        EXPECT_EQ(as_text(*from_base64(coded)), plain);
    }
    for (const char* bad : {"Zg", "Zg=", "Zh==", "Z===", "====", "Zm9v!mFy", "Zg==Zg=="}) {
        EXPECT_FALSE(from_base64(bad)) << bad;
    }
}

TEST(byte_reader, never_reads_past_the_end) {
    ByteWriter writer;
    writer.u16(0x1234);
    writer.u64(0x0102030405060708);
    writer.length_prefixed(as_bytes("abc"));
    ByteReader reader(writer.view());
    EXPECT_EQ(*reader.read_u16(), 0x1234);
    EXPECT_EQ(*reader.read_u64(), 0x0102030405060708u);
    EXPECT_EQ(*reader.read_u32(), 3u);
    EXPECT_FALSE(reader.read_u32());
    EXPECT_FALSE(reader.read_bytes(~0ull));
    EXPECT_EQ(as_text(*reader.read_bytes(3)), "abc");
    EXPECT_TRUE(reader.at_end());
    EXPECT_FALSE(reader.read_u8());
}

TEST(utf8, accepts_only_well_formed_text) {
    for (const char* good :
         {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\xa6\x99", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_utf8(good)) << good;
    }
    for (const char* bad :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff"}) {
        EXPECT_FALSE(is_utf8(bad));
    }
}

}  // namespace
}  // namespace teetee
