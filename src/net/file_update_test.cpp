// SPDX-License-Identifier: Apache-2.0
#include "net/file_update.hpp"

#include <filesystem>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "net/test_folder.hpp"

namespace teetee::net {
namespace {

struct stat state_of(const std::string& path) {
    struct stat out {};
    EXPECT_EQ(::stat(path.c_str(), &out), 0) << path;
    return out;
}

TEST(file_update, keeps_who_may_read_the_file) {
    const TestFolder folder;
    const std::string path = folder.path() + "/keys";
    ASSERT_TRUE(update_file_atomic(path, as_bytes("new")));
    EXPECT_EQ(state_of(path).st_mode & 07777u, 0600u);
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    const bool is_root = ::geteuid() == 0;
    if (is_root) {
        ASSERT_EQ(::chown(path.c_str(), 4711, 4712), 0);
    }
    const struct stat before = state_of(path);
    ASSERT_TRUE(update_file_atomic(path, as_bytes("newer")));
    const struct stat after = state_of(path);
    EXPECT_NE(after.st_ino, before.st_ino);
    EXPECT_EQ(after.st_mode & 07777u, 0640u);
    EXPECT_EQ(after.st_uid, before.st_uid);
    EXPECT_EQ(after.st_gid, before.st_gid);
    EXPECT_EQ(as_text(*read_file(path, 100)), "newer");
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST(file_update, changes_nothing_where_that_cannot_be_kept) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    const TestFolder folder;
    const std::string path = folder.path() + "/keys";
    ASSERT_TRUE(update_file_atomic(path, as_bytes("old")));
    ASSERT_EQ(::chown(path.c_str(), 4711, 4712), 0);
    ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
    ASSERT_EQ(::seteuid(4713), 0);
    const auto refused = update_file_atomic(path, as_bytes("new"));
    ASSERT_EQ(::seteuid(0), 0);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().detail.find("keep its owner 4711:4712"), std::string::npos);
    EXPECT_EQ(as_text(*read_file(path, 100)), "old");
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST(file_update, of_several_at_a_time_loses_none) {
    const TestFolder folder;
    const std::string path = folder.path() + "/count";
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&path] {
            const auto lock = FolderLock::take(path);
            ASSERT_TRUE(lock);
            const auto text = read_file(path, 100);
            const std::string have(text ? as_text(*text) : "");
            EXPECT_TRUE(update_file_atomic(path, as_bytes(have + "x")));
        });
    }
    threads.clear();
    EXPECT_EQ(as_text(*read_file(path, 100)), "xxxxxxxx");
    EXPECT_FALSE(FolderLock::take("/no/such/folder/file"));
}

}  // namespace
}  // namespace teetee::net
