// SPDX-License-Identifier: Apache-2.0
#include "net/file_tree.hpp"

#include <filesystem>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "net/file.hpp"
#include "net/test_folder.hpp"

namespace teetee::net {
namespace {

class file_tree : public testing::Test {
  protected:
    std::string at(const std::string& name) const { return folder_.path() + "/" + name; }

    TestFolder folder_;
};

TEST_F(file_tree, is_read_by_paths) {
    std::filesystem::create_directories(at("tree/a/b"));
    ASSERT_TRUE(write_file_atomic(at("tree/one"), as_bytes("1")));
    ASSERT_TRUE(write_file_atomic(at("tree/a/b/two"), as_bytes("22")));
    const TreeLimits limits = {.entries_max = 4, .bytes_max = 3, .depth_max = 2};
    const auto tree = read_tree(at("tree"), limits);
    ASSERT_TRUE(tree) << tree.error().message();
    ASSERT_EQ(tree->size(), 2u);
    EXPECT_EQ(as_text(tree->at("one")), "1");
    EXPECT_EQ(as_text(tree->at("a/b/two")), "22");
    for (const TreeLimits& tight : {TreeLimits{3, 3, 2}, TreeLimits{4, 2, 2}, TreeLimits{4, 3, 1}})
        EXPECT_EQ(read_tree(at("tree"), tight).error().code, ErrorCode::limit_exceeded);
    EXPECT_EQ(read_tree(at("none"), limits).error().code, ErrorCode::not_found);
    EXPECT_EQ(read_tree(at("tree/one"), limits).error().code, ErrorCode::io_failed);
}

TEST_F(file_tree, has_no_links_and_nothing_that_is_no_file) {
    const TreeLimits limits = {.entries_max = 10, .bytes_max = 100};
    std::filesystem::create_directories(at("tree/inside"));
    ASSERT_TRUE(write_file_atomic(at("outside"), as_bytes("secret")));
    const auto refuses = [&](const std::string& name) {
        const auto tree = read_tree(at("tree"), limits);
        std::filesystem::remove(at("tree/" + name));
        return !tree && tree.error().code == ErrorCode::io_failed &&
               tree.error().detail.find(name) != std::string::npos;
    };
    std::filesystem::create_symlink(at("outside"), at("tree/to-file"));
    EXPECT_TRUE(refuses("to-file"));
    std::filesystem::create_symlink("/", at("tree/inside/to-folder"));
    EXPECT_TRUE(refuses("inside/to-folder"));
    std::filesystem::create_symlink("nowhere", at("tree/to-nothing"));
    EXPECT_TRUE(refuses("to-nothing"));
    ASSERT_EQ(::mkfifo(at("tree/pipe").c_str(), 0600), 0);
    EXPECT_TRUE(refuses("pipe"));
    // The folder itself may be where the user says it is.
    std::filesystem::create_symlink(at("tree"), at("link"));
    EXPECT_TRUE(read_tree(at("link"), limits));
}

}  // namespace
}  // namespace teetee::net
