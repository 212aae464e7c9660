// SPDX-License-Identifier: Apache-2.0
#include "hub/journal.hpp"

#include <gtest/gtest.h>

#include "hub/limits.hpp"

namespace teetee::hub {
namespace {

Journal journal() {
    Journal out{.bytes = 100, .validator = "\"a\"", .digest = std::nullopt, .done = {}};
    out.done.add({0, 10});
    out.done.add({50, 60});
    return out;
}

TEST(journal, is_read_as_it_was_written) {
    Journal written = journal();
    for (int i = 0; i < 3; ++i) {
        const auto read = parse_journal(encode_journal(written));
        ASSERT_TRUE(read) << read.error().message();
        EXPECT_EQ(read->bytes, 100u);
        EXPECT_EQ(read->validator, written.validator);
        EXPECT_EQ(read->digest, written.digest);
        EXPECT_EQ(read->done.ranges(), written.done.ranges());
        written.digest = i == 0 ? parse_sha256(std::string(64, 'a')).value()
                                : parse_git_blob(std::string(40, 'b')).value();
    }
}

TEST(journal, writes_no_more_ranges_than_it_reads) {
    Journal many{.bytes = 4 * journal_ranges_max, .validator = "v"};
    for (uint64_t i = 0; i < 2 * journal_ranges_max; ++i) many.done.add({2 * i, 2 * i + 1});
    const auto read = parse_journal(encode_journal(many));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->done.bytes(), journal_ranges_max);
}

TEST(journal, knows_the_same_file_by_digest_or_else_by_validator) {
    const auto with = [](uint64_t bytes, const char* validator, const char* hex) {
        Journal out{.bytes = bytes, .validator = validator};
        if (hex != nullptr) out.digest = FileDigest{.hex = hex};
        return out;
    };
    EXPECT_TRUE(with(1, "a", "x").is_of_same_file_as(with(1, "b", "x")));
    EXPECT_FALSE(with(1, "a", "x").is_of_same_file_as(with(1, "a", "y")));
    EXPECT_FALSE(with(1, "a", "x").is_of_same_file_as(with(2, "a", "x")));
    EXPECT_FALSE(with(1, "a", "x").is_of_same_file_as(with(1, "a", nullptr)));
    EXPECT_TRUE(with(1, "a", nullptr).is_of_same_file_as(with(1, "a", nullptr)));
    EXPECT_FALSE(with(1, "a", nullptr).is_of_same_file_as(with(1, "b", nullptr)));
    EXPECT_FALSE(with(1, "", nullptr).is_of_same_file_as(with(1, "", nullptr)));
}

TEST(journal, refuses_what_nobody_wrote) {
    const auto text = [](const std::string& bytes, const std::string& digest,
                         const std::string& done) {
        return R"({"version":1,"bytes":)" + bytes + R"(,"validator":"","digest":")" + digest +
               R"(","done":)" + done + "}";
    };
    EXPECT_TRUE(parse_journal(text("9", "", "[[0,9]]")));
    for (const std::string& bad :
         {std::string(), std::string("{}"), std::string("[1,2,3,4,5]"), text("-1", "", "[]"),
          text("9.5", "", "[]"), text("9", "x", "[]"), text("9", "sha256:aa", "[]"),
          text("9", "sha1:" + std::string(40, 'a'), "[]"), text("9", "", "[[0,10]]"),
          text("9", "", "[[3,3]]"), text("9", "", "[[4,3]]"), text("9", "", "[[-1,3]]"),
          text("9", "", "[[0]]"), text("9", "", "[0]"), text("9", "", "{}"),
          std::string(R"({"version":2,"bytes":9,"validator":"","digest":"","done":[]})"),
          std::string(R"({"version":1,"bytes":9,"validator":1,"digest":"","done":[]})")})
        EXPECT_EQ(parse_journal(bad).error().code, ErrorCode::invalid_json) << bad;
}

}  // namespace
}  // namespace teetee::hub
