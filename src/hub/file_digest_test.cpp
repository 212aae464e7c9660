// SPDX-License-Identifier: Apache-2.0
#include "hub/file_digest.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace teetee::hub {
namespace {

class Text final : public ByteSource {
  public:
    explicit Text(std::string text) : text_(std::move(text)) {}
    uint64_t size_bytes() const override { return text_.size(); }
    Result<void> read(uint64_t offset, std::span<uint8_t> out) const override {
        std::ranges::copy(as_bytes(text_).subspan(offset, out.size()), out.begin());
        return {};
    }

  private:
    std::string text_;
};

TEST(file_digest, is_that_of_sha256sum_and_of_git) {
    // printf 'hello\n' | sha256sum; printf 'hello\n' | git hash-object --stdin
    const Text file("hello\n");
    EXPECT_EQ(hash_file(file, {})->hex,
              "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
    EXPECT_EQ(hash_file(file, {.kind = FileDigest::Kind::git_blob})->hex,
              "ce013625030ba8dba906f756967f9e9ca394464a");
    EXPECT_EQ(hash_file(Text(""), {.kind = FileDigest::Kind::git_blob})->hex,
              "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

TEST(file_digest, is_taken_in_steps_that_add_up) {
    const Text file(std::string((5u << 20) + 7, 'a'));
    uint64_t seen = 0;
    const auto digest =
        hash_file(file, {.progress = [&](uint64_t done, uint64_t) { seen = done; }});
    EXPECT_EQ(seen, file.size_bytes());
    // head -c 5242887 /dev/zero | tr '\0' a | sha256sum
    EXPECT_EQ(digest->hex, "16a636688416703e2034b926b99dfff59c588e3eb995c41f95e7f68873f68184");
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(hash_file(file, {.stop = stop.get_token()}).error().code, ErrorCode::cancelled);
}

TEST(file_digest, is_read_as_people_write_it) {
    const std::string hex(64, 'a');
    EXPECT_EQ(parse_sha256("sha256:" + hex)->hex, hex);
    EXPECT_EQ(parse_sha256(std::string(64, 'A'))->hex, hex);
    for (const std::string& text : {std::string(), "0x" + std::string(62, 'a'), hex + "a",
                                    std::string(63, 'a') + "g", "sha1:" + hex})
        EXPECT_EQ(parse_sha256(text).error().code, ErrorCode::invalid_argument) << text;
    EXPECT_TRUE(parse_git_blob(std::string(40, '1')));
    EXPECT_FALSE(parse_git_blob(hex));
}

TEST(file_digest, another_one_is_a_mismatch) {
    const FileDigest a{.hex = "aa"};
    EXPECT_TRUE(ensure_same(a, a));
    EXPECT_EQ(ensure_same(a, {.hex = "bb"}).error().code, ErrorCode::download_mismatch);
    EXPECT_FALSE(ensure_same(a, {.kind = FileDigest::Kind::git_blob, .hex = "aa"}));
}

}  // namespace
}  // namespace teetee::hub
