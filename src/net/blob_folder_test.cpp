// SPDX-License-Identifier: Apache-2.0
#include "net/blob_folder.hpp"

#include <filesystem>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "net/file.hpp"

namespace teetee::net {
namespace {

namespace fs = std::filesystem;

class BlobFolderTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "/blobs." + std::string(6, 'X');
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
        folder_ = root_ + "/a/b";
    }
    void TearDown() override { fs::remove_all(root_); }

    static std::string name(char digit) { return std::string(64, digit); }
    static Result<void> write(BlobFolder& store, char digit, size_t bytes) {
        return store.write(name(digit), bytes, [&](const BlobStore::Sink& sink) {
            return sink(Bytes(bytes, static_cast<uint8_t>(digit)));
        });
    }
    std::string path(char digit) const { return folder_ + "/" + name(digit) + ".blob"; }
    /// As if a blob had last been used so many hours ago.
    static void age(const std::string& path, int hours) {
        fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(hours));
    }

    std::string root_, folder_;
};

TEST_F(BlobFolderTest, gives_back_what_was_written_and_only_its_owner_may_read_it) {
    BlobFolder store(folder_, {.bytes_max = 100});
    EXPECT_EQ(store.open(name('a')).error().code, ErrorCode::not_found);
    EXPECT_FALSE(fs::exists(folder_));
    ASSERT_TRUE(write(store, 'a', 10));
    const auto blob = store.open(name('a'));
    ASSERT_TRUE(blob);
    ASSERT_EQ((*blob)->size_bytes(), 10u);
    Bytes bytes(4);
    ASSERT_TRUE((*blob)->read(6, bytes));
    EXPECT_EQ(bytes, Bytes(4, 'a'));
    EXPECT_EQ((*blob)->read(7, bytes).error().code, ErrorCode::io_failed);
    struct stat status {};
    ASSERT_EQ(::stat(path('a').c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(BlobFolderTest, the_one_used_longest_ago_makes_room) {
    BlobFolder store(folder_, {.bytes_max = 100});
    for (const char digit : {'a', 'b', 'c'}) ASSERT_TRUE(write(store, digit, 30));
    age(path('a'), 3);
    age(path('b'), 2);
    age(path('c'), 1);
    ASSERT_TRUE(store.open(name('a')));  // just used
    ASSERT_TRUE(write(store, 'd', 30));
    EXPECT_TRUE(store.open(name('a')));
    EXPECT_FALSE(store.open(name('b')));
    EXPECT_TRUE(store.open(name('c')));
    EXPECT_EQ(write(store, 'e', 101).error().code, ErrorCode::limit_exceeded);
    EXPECT_TRUE(store.open(name('d')));
}

TEST_F(BlobFolderTest, only_its_own_files_make_room) {
    BlobFolder store(folder_, {.bytes_max = 100});
    ASSERT_TRUE(write(store, 'a', 90));
    const std::vector<std::string> foreign = {
        "thesis.blob",
        ".blob",
        "notes.blob.backup",
        name('b'),
        name('b') + ".blob.backup7",
        name('b') + ".blob~",
        name('b') + ".blob-a1B2c3",
        name('b') + ".tar.blob",
        name('b').substr(1) + ".blob",
        name('b') + "b.blob",
        name('g') + ".blob",
        name('B') + ".blob",
        "x" + name('b') + ".blob",
    };
    for (const std::string& file : foreign) {
        ASSERT_TRUE(write_file_atomic(folder_ + "/" + file, Bytes(1000), {})) << file;
        age(folder_ + "/" + file, 9);
    }
    const std::string unfinished = path('c') + ".Xy12zZ";
    ASSERT_TRUE(write_file_atomic(unfinished, Bytes(1000), {}));
    ASSERT_TRUE(write(store, 'd', 90));
    EXPECT_FALSE(store.open(name('a')));
    EXPECT_FALSE(fs::exists(unfinished));
    for (const std::string& file : foreign) EXPECT_TRUE(fs::exists(folder_ + "/" + file)) << file;
}

TEST_F(BlobFolderTest, a_write_that_fails_leaves_the_blob_that_was_there) {
    BlobFolder store(folder_, {.bytes_max = 100});
    ASSERT_TRUE(write(store, 'a', 10));
    const auto failed = store.write(name('a'), 10, [](const BlobStore::Sink& sink) -> Result<void> {
        TT_CHECK(sink(Bytes(5)));
        return fail(ErrorCode::internal, "half way");
    });
    EXPECT_EQ(failed.error().code, ErrorCode::internal);
    EXPECT_EQ((*store.open(name('a')))->size_bytes(), 10u);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(BlobFolderTest, refuses_what_is_no_regular_file) {
    BlobFolder store(folder_, {.bytes_max = 100});
    ASSERT_TRUE(write(store, 'a', 10));
    fs::create_symlink("/dev/zero", path('b'));
    EXPECT_EQ(store.open(name('b')).error().code, ErrorCode::io_failed);
}

}  // namespace
}  // namespace teetee::net
