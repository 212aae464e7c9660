// SPDX-License-Identifier: Apache-2.0
#include "hub/gguf_choice.hpp"

#include <gtest/gtest.h>

namespace teetee::hub {
namespace {

std::vector<HfFile> files(const std::vector<std::string>& paths) {
    std::vector<HfFile> out;
    for (const std::string& path : paths) out.push_back({path, 10, {}});
    return out;
}

std::string chosen(const std::vector<std::string>& paths, const HfReference& reference = {}) {
    const auto file = choose_gguf(files(paths), reference);
    return file ? file->path : std::string(to_string(file.error().code));
}

TEST(gguf_choice, is_the_only_model) {
    EXPECT_EQ(chosen({"README.md", "a-Q8_0.gguf", "mmproj-a.gguf", "a.imatrix.gguf"}),
              "a-Q8_0.gguf");
    EXPECT_EQ(chosen({"A.GGUF"}), "A.GGUF");
    EXPECT_EQ(chosen({"README.md", "model.safetensors", ".gguf"}), "not_found");
}

TEST(gguf_choice, is_the_preferred_quantisation_among_several) {
    EXPECT_EQ(chosen({"a-Q2_K.gguf", "a-Q4_K_M.gguf", "a-Q4_K_S.gguf"}), "a-Q4_K_M.gguf");
    EXPECT_EQ(chosen({"a.q4_k_m.gguf", "a.q8_0.gguf"}), "a.q4_k_m.gguf");
    EXPECT_EQ(chosen({"a-Q2_K.gguf", "a-Q8_0.gguf"}), "file_ambiguous");
    EXPECT_EQ(chosen({"a-Q4_K_M.gguf", "b-Q4_K_M.gguf"}), "file_ambiguous");
    EXPECT_EQ(chosen({"a-IQ4_K_M.gguf", "a-Q4_K_M_L.gguf"}), "file_ambiguous");
}

TEST(gguf_choice, is_what_was_named) {
    const std::vector<std::string> all = {"a-Q2_K.gguf", "Q8_0/a.gguf", "a-Q4_K_M.gguf",
                                          "mmproj-a.gguf", "b.txt"};
    EXPECT_EQ(chosen(all, {.file = "a-Q2_K.gguf"}), "a-Q2_K.gguf");
    EXPECT_EQ(chosen(all, {.file = "mmproj-a.gguf"}), "mmproj-a.gguf");
    EXPECT_EQ(chosen(all, {.file = "b.txt"}), "not_found");
    EXPECT_EQ(chosen(all, {.file = "c.gguf"}), "not_found");
    EXPECT_EQ(chosen(all, {.quantisation = "q8_0"}), "Q8_0/a.gguf");
    EXPECT_EQ(chosen(all, {.quantisation = "Q6_K"}), "not_found");
    EXPECT_EQ(chosen({"a-Q8_0.gguf"}, {.quantisation = "Q6_K"}), "not_found");
}

TEST(gguf_choice, of_a_model_in_parts_is_refused) {
    const std::vector<std::string> parts = {"Q4_K_M/a-00001-of-00002.gguf",
                                            "Q4_K_M/a-00002-of-00002.gguf"};
    EXPECT_EQ(chosen(parts), "unsupported");
    EXPECT_EQ(chosen(parts, {.file = parts[1]}), "unsupported");
    const auto models = list_gguf_models(files(parts));
    ASSERT_EQ(models.size(), 1u);
    EXPECT_EQ(models[0].parts, 2u);
    EXPECT_EQ(models[0].bytes, 20u);
    EXPECT_EQ(chosen({"a-00001-of-00001.gguf"}), "a-00001-of-00001.gguf");
    EXPECT_EQ(chosen({"a-0001-of-0002.gguf"}), "a-0001-of-0002.gguf");
}

}  // namespace
}  // namespace teetee::hub
