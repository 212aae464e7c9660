// SPDX-License-Identifier: Apache-2.0
#include "hub/ollama.hpp"

#include <gtest/gtest.h>

#include "hub/limits.hpp"

namespace teetee::hub {
namespace {

std::string digest(char digit) {
    return "sha256:" + std::string(64, digit);
}

std::string layer(const std::string& kind, char digit, const std::string& size = "7") {
    return R"({"mediaType":"application/vnd.ollama.image.)" + kind + R"(","digest":")" +
           digest(digit) + R"(","size":)" + size + "}";
}

std::string manifest(const std::string& layers) {
    return R"({"schemaVersion":2,
        "mediaType":"application/vnd.docker.distribution.manifest.v2+json",
        "config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":")" +
           digest('0') + R"(","size":9},"layers":[)" + layers + "]}";
}

TEST(ollama_manifest, has_the_model_and_its_texts) {
    const auto read = parse_ollama_manifest(
        manifest(layer("model", '1', "5000000000") + "," + layer("license", '2') + "," +
                 layer("license", '3') + "," + layer("template", '4') + "," + layer("params", '5') +
                 "," + layer("projector", '6') + R"(,{"mediaType":"text/plain"})"));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->model.digest.hex, std::string(64, '1'));
    EXPECT_EQ(read->model.bytes, 5000000000u);
    ASSERT_EQ(read->texts.size(), 4u);
    EXPECT_EQ(read->texts[1].kind, "license");
    EXPECT_EQ(read->texts[2].kind, "template");
    EXPECT_TRUE(read->has_projector);
}

TEST(ollama_manifest, refuses_what_is_not_one_gguf_file) {
    for (const std::string& layers :
         {std::string(), layer("license", '1'), layer("model", '1') + "," + layer("model", '2'),
          layer("model", '1') + "," + layer("adapter", '2'), layer("tensor", '1')})
        EXPECT_EQ(parse_ollama_manifest(manifest(layers)).error().code, ErrorCode::unsupported)
            << layers;
    EXPECT_EQ(parse_ollama_manifest(R"({"schemaVersion":2,"manifests":[]})").error().code,
              ErrorCode::unsupported);
}

TEST(ollama_manifest, refuses_what_is_malformed) {
    std::string many = layer("model", '1');
    for (size_t i = 0; i < layers_max; ++i) many += "," + layer("license", '2');
    const std::string model = R"({"mediaType":"application/vnd.ollama.image.model",)";
    for (const std::string& text :
         {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"layers":{}})"),
          std::string(R"({"layers":[1]})"), std::string(R"({"errors":[{"code":"X"}]})"),
          manifest(many), manifest(layer("model", '1', "-1")),
          manifest(layer("model", '1', "99999999999999")), manifest(layer("model", 'g')),
          manifest(model + R"("size":1})"), manifest(model + R"("digest":"sha512:aa","size":1})"),
          manifest(model + R"("digest":"../../x","size":1})"),
          manifest(model + R"("digest":")" + std::string(64, '1') + R"(","size":1})")})
        EXPECT_EQ(parse_ollama_manifest(text).error().code, ErrorCode::hub_malformed) << text;
    EXPECT_EQ(parse_ollama_manifest(std::string(answer_bytes_max + 1, ' ')).error().code,
              ErrorCode::limit_exceeded);
}

TEST(ollama_urls, are_those_of_a_registry) {
    const OllamaReference reference{.repository = "library/a", .tag = "b"};
    EXPECT_EQ(ollama_manifest_url("https://r", reference), "https://r/v2/library/a/manifests/b");
    EXPECT_EQ(ollama_blob_url("https://r", reference, {.hex = "cd"}),
              "https://r/v2/library/a/blobs/sha256:cd");
    EXPECT_EQ(explain_ollama_refusal(404, reference).code, ErrorCode::not_found);
    EXPECT_EQ(explain_ollama_refusal(401, reference).code, ErrorCode::access_denied);
    EXPECT_EQ(explain_ollama_refusal(410, reference).code, ErrorCode::hub_refused);
}

}  // namespace
}  // namespace teetee::hub
