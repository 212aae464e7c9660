// SPDX-License-Identifier: Apache-2.0
#include "hub/reference.hpp"

#include <gtest/gtest.h>

#include "hub/limits.hpp"

namespace teetee::hub {
namespace {

template <class Kind>
Kind read(std::string_view text) {
    const auto reference = parse_reference(text);
    EXPECT_TRUE(reference) << text << ": " << reference.error().message();
    EXPECT_TRUE(std::holds_alternative<Kind>(*reference)) << text;
    return std::get<Kind>(*reference);
}

TEST(reference, names_a_repository_its_file_and_its_revision) {
    EXPECT_EQ(read<HfReference>("hf:Qwen/Qwen3-0.6B-GGUF"),
              (HfReference{.repository = "Qwen/Qwen3-0.6B-GGUF"}));
    EXPECT_EQ(read<HfReference>("hf:a/b/c d/e.gguf@refs/pr/1"),
              (HfReference{.repository = "a/b", .file = "c d/e.gguf", .revision = "refs/pr/1"}));
    EXPECT_EQ(read<HfReference>("hf:a/b:Q4_K_M@v1.0"),
              (HfReference{.repository = "a/b", .quantisation = "Q4_K_M", .revision = "v1.0"}));
}

TEST(reference, names_an_image_of_a_registry) {
    EXPECT_EQ(read<OllamaReference>("ollama:tinyllama"),
              (OllamaReference{.repository = "library/tinyllama"}));
    EXPECT_EQ(read<OllamaReference>("ollama:llama3.2:1b-instruct-q4_K_M"),
              (OllamaReference{.repository = "library/llama3.2", .tag = "1b-instruct-q4_K_M"}));
    EXPECT_EQ(read<OllamaReference>("ollama:someone/model:8b"),
              (OllamaReference{.repository = "someone/model", .tag = "8b"}));
}

TEST(reference, names_a_file_anywhere) {
    EXPECT_EQ(read<UrlReference>("https://example.org/a/model.gguf?key=1#x"),
              (UrlReference{.url = "https://example.org/a/model.gguf?key=1",
                            .host = "example.org",
                            .file_name = "model.gguf"}));
    EXPECT_EQ(read<UrlReference>("http://[::1]:80/").file_name, "");
    EXPECT_EQ(read<UrlReference>("https://a/%2e%2e").file_name, "");
    EXPECT_EQ(read<UrlReference>("https://a/b/..").file_name, "");
    EXPECT_EQ(read<UrlReference>("https://huggingface.co/a/b/resolve/main/c.gguf").file_name,
              "c.gguf");
}

TEST(reference, refuses_what_it_does_not_understand_and_says_what_it_does) {
    for (const std::string text : {"",
                                   "model",
                                   "hf:",
                                   "hf:a",
                                   "hf:a/",
                                   "hf:/b",
                                   "hf:a/b/",
                                   "hf:a/b/../c",
                                   "hf:a/b//c",
                                   "hf:a/b/c\\d",
                                   "hf:a/b:",
                                   "hf:a/b@",
                                   "hf:a/b@a/../b",
                                   "hf:../b",
                                   "hf:a/..",
                                   "hf:a/b c",
                                   "hf:a/b:Q4/x",
                                   "ollama:",
                                   "ollama:a:",
                                   "ollama:a/b/c",
                                   "ollama:a:b:c",
                                   "ollama:../a",
                                   "ollama:-a",
                                   "ftp://a/b",
                                   "http://",
                                   "https://user@a/b",
                                   "https://a b/",
                                   "https://huggingface.co/a/b",
                                   "https://huggingface.co/a/b/blob/main/c.gguf"}) {
        const auto reference = parse_reference(text);
        ASSERT_FALSE(reference) << text;
        EXPECT_EQ(reference.error().code, ErrorCode::invalid_argument) << text;
        EXPECT_NE(reference.error().detail.find("need "), std::string::npos) << text;
    }
    EXPECT_FALSE(parse_reference("hf:a/" + std::string(name_bytes_max + 1, 'b')));
    EXPECT_FALSE(parse_reference("https://a/" + std::string(reference_bytes_max, 'b')));
}

TEST(reference, a_safe_path_leads_nowhere_else) {
    for (const char* path : {"a", "a/b.gguf", "a b", "...", "a/.b", "~"})
        EXPECT_TRUE(is_safe_path(path)) << path;
    for (const std::string path : {"", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/./b",
                                   "a\\b", "a\nb", "a\x7f", "\xc3\xa4"})
        EXPECT_FALSE(is_safe_path(path)) << path;
    EXPECT_FALSE(is_safe_path(std::string_view("a\0b", 3)));
    EXPECT_FALSE(is_safe_path(std::string(path_part_bytes_max + 1, 'a')));
    std::string deep = "a";
    while (deep.size() <= path_bytes_max) deep += "/a";
    EXPECT_FALSE(is_safe_path(deep));
}

TEST(reference, paths_are_encoded_for_urls) {
    EXPECT_EQ(encode_url_path("a/b c#%?.gguf"), "a/b%20c%23%25%3F.gguf");
}

}  // namespace
}  // namespace teetee::hub
