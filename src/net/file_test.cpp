// SPDX-License-Identifier: Apache-2.0
#include "net/file.hpp"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace teetee::net {
namespace {

class file : public testing::Test {
  protected:
    file() {
        std::string pattern = testing::TempDir() + "teetee-file-" + std::string(6, 'X');
        directory_ = ::mkdtemp(pattern.data());
    }
    ~file() override { std::filesystem::remove_all(directory_); }
    std::string at(const std::string& name) const { return directory_ + "/" + name; }

    std::string directory_;
};

TEST_F(file, is_written_whole_with_its_mode_and_read_back) {
    ASSERT_TRUE(write_file_atomic(at("key"), as_bytes("old"), {.mode = 0600}));
    ASSERT_TRUE(write_file_atomic(at("key"), as_bytes("secret"), {.mode = 0600}));
    EXPECT_EQ(as_text(*read_file(at("key"), 6)), "secret");
    struct stat status {};
    ASSERT_EQ(::stat(at("key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(file, errors_name_path_and_reason) {
    const auto missing = read_file(at("none"), 10);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::not_found);
    EXPECT_NE(missing.error().detail.find(at("none")), std::string::npos);
    EXPECT_NE(missing.error().detail.find("No such file"), std::string::npos);
    EXPECT_FALSE(write_file_atomic(at("no/such/place"), {}));
    ASSERT_TRUE(write_file_atomic(at("long"), as_bytes("1234567")));
    EXPECT_EQ(read_file(at("long"), 6).error().code, ErrorCode::limit_exceeded);
}

TEST_F(file, what_is_not_a_regular_file_is_refused_without_blocking) {
    ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
    for (const std::string& path : {at("fifo"), directory_, std::string("/dev/zero")}) {
        EXPECT_EQ(read_file(path, 100).error().code, ErrorCode::io_failed) << path;
        EXPECT_EQ(MappedFile::open(path).error().code, ErrorCode::io_failed) << path;
    }
    EXPECT_FALSE(write_file_atomic(directory_, as_bytes("x")));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(file, is_mapped_and_the_mapping_moves) {
    ASSERT_TRUE(write_file_atomic(at("weights"), as_bytes("0123")));
    auto mapped = MappedFile::open(at("weights"));
    ASSERT_TRUE(mapped);
    MappedFile moved = std::move(*mapped);
    EXPECT_EQ(as_text(moved.view()), "0123");
    EXPECT_TRUE(mapped->view().empty());
    ASSERT_TRUE(write_file_atomic(at("empty"), {}));
    EXPECT_TRUE(MappedFile::open(at("empty"))->view().empty());
    EXPECT_EQ(MappedFile::open(at("none")).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace teetee::net
