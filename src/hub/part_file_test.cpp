// SPDX-License-Identifier: Apache-2.0
#include "hub/part_file.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "net/test_folder.hpp"

namespace teetee::hub {
namespace {

namespace fs = std::filesystem;

TEST(part_file, is_of_one_process_at_a_time_until_it_has_its_name) {
    const net::TestFolder folder;
    const std::string path = folder.path() + "/a/b.gguf";
    {
        const auto part = PartFile::open(path);
        ASSERT_TRUE(part) << part.error().message();
        EXPECT_EQ(PartFile::open(path).error().code, ErrorCode::already_exists);
        ASSERT_TRUE(part->write(3, as_bytes("def")));
        ASSERT_TRUE(part->write(0, as_bytes("abc")));
        ASSERT_TRUE(part->publish());
        EXPECT_FALSE(fs::exists(path + ".part"));
        EXPECT_EQ(as_text(*net::read_file(path, 10)), "abcdef");
        // What has its name is not this part any more.
        EXPECT_TRUE(PartFile::open(path));
    }
    EXPECT_EQ(as_text(*net::read_file(path, 10)), "abcdef");
}

TEST(part_file, keeps_what_an_earlier_process_wrote_and_noted) {
    const net::TestFolder folder;
    const std::string path = folder.path() + "/b.gguf";
    Journal journal{.bytes = 6, .validator = "v"};
    journal.done.add({3, 6});
    {
        const auto part = PartFile::open(path).value();
        EXPECT_FALSE(part.read_journal());
        ASSERT_TRUE(part.write(3, as_bytes("def")));
        ASSERT_TRUE(part.keep(journal));
    }
    const auto part = PartFile::open(path).value();
    const auto kept = part.read_journal();
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->done.ranges(), journal.done.ranges());
    part.discard_if_empty();
    EXPECT_TRUE(fs::exists(path + ".part"));
    ASSERT_TRUE(part.clear());
    EXPECT_FALSE(part.read_journal());
    EXPECT_EQ(fs::file_size(path + ".part"), 0u);
    part.discard_if_empty();
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(part_file, takes_neither_a_damaged_journal_nor_a_link_for_its_own) {
    const net::TestFolder folder;
    const std::string path = folder.path() + "/b.gguf";
    ASSERT_TRUE(net::write_file_atomic(path + ".part.json", as_bytes("{}")));
    EXPECT_FALSE(PartFile::open(path)->read_journal());
    fs::remove(path + ".part");
    const std::string elsewhere = folder.path() + "/elsewhere";
    ASSERT_TRUE(net::write_file_atomic(elsewhere, as_bytes("kept")));
    fs::create_symlink(elsewhere, path + ".part");
    EXPECT_EQ(PartFile::open(path).error().code, ErrorCode::io_failed);
    EXPECT_EQ(as_text(*net::read_file(elsewhere, 10)), "kept");
}

TEST(part_file, takes_no_journal_of_a_part_that_is_gone) {
    const net::TestFolder folder;
    const std::string path = folder.path() + "/b.gguf";
    Journal journal{.bytes = 6, .validator = "v"};
    journal.done.add({0, 6});
    {
        const auto part = PartFile::open(path).value();
        ASSERT_TRUE(part.write(0, as_bytes("abcdef")));
        ASSERT_TRUE(part.keep(journal));
        EXPECT_TRUE(part.read_journal());
    }
    fs::remove(path + ".part");
    EXPECT_FALSE(PartFile::open(path)->read_journal());
}

TEST(part_file, says_where_it_cannot_be) {
    const net::TestFolder folder;
    ASSERT_TRUE(net::write_file_atomic(folder.path() + "/file", as_bytes("x")));
    EXPECT_EQ(PartFile::open(folder.path() + "/file/b.gguf").error().code, ErrorCode::io_failed);
}

}  // namespace
}  // namespace teetee::hub
