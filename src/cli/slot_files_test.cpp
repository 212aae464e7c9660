// SPDX-License-Identifier: Apache-2.0
#include "cli/slot_files.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

namespace teetee::cli {
namespace {

std::string beside(std::string_view named) {
    const auto url = url_beside(named, "shard-001-of-002.gguf");
    return url ? *url : "refused: " + url.error().detail;
}

TEST(slot_files, shards_lie_beside_the_manifest) {
    EXPECT_EQ(beside("https://a.example/m/manifest.json"),
              "https://a.example/m/shard-001-of-002.gguf");
    EXPECT_EQ(beside("https://a.example/m/"), "https://a.example/m/shard-001-of-002.gguf");
    EXPECT_EQ(beside("https://a.example/m/manifest.json?key=1/2#x"),
              "https://a.example/m/shard-001-of-002.gguf");
    EXPECT_EQ(beside("http://a.example:8080"), "http://a.example:8080/shard-001-of-002.gguf");
}

TEST(slot_files, a_url_of_a_shard_is_its_own) {
    EXPECT_EQ(beside("https://a.example/x.gguf?signature=1"),
              "https://a.example/x.gguf?signature=1");
}

TEST(slot_files, repositories_are_urls_of_the_hub) {
    setenv("HF_ENDPOINT", "https://hub.example/", 1);
    EXPECT_EQ(beside("hf:owner/name"),
              "https://hub.example/owner/name/resolve/main/shard-001-of-002.gguf");
    EXPECT_EQ(beside("hf:owner/name/cut/manifest.json@v1"),
              "https://hub.example/owner/name/resolve/v1/cut/shard-001-of-002.gguf");
    EXPECT_EQ(beside("hf:owner/name/own.gguf"),
              "https://hub.example/owner/name/resolve/main/own.gguf");
    EXPECT_TRUE(beside("hf:owner/name:Q4_K_M").starts_with("refused"));
    unsetenv("HF_ENDPOINT");
}

TEST(slot_files, nothing_else_is_a_place) {
    for (const char* text : {"", "ftp://a/b/", "https://", "a/b", "ollama:x"})
        EXPECT_TRUE(beside(text).starts_with("refused")) << text << ": " << beside(text);
}

}  // namespace
}  // namespace teetee::cli
