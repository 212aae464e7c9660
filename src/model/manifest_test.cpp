// SPDX-License-Identifier: Apache-2.0
#include "model/manifest.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace teetee::model {
namespace {

Digest filled(uint8_t value) {
    Digest digest;
    digest.fill(value);
    return digest;
}

Manifest small_manifest() {
    Manifest manifest;
    manifest.architecture = "llama";
    manifest.name = "a \"b\"\\\n\x01\u00e9";
    manifest.layer_count = 2;
    manifest.hyperparameters_sha256 = filled(1);
    manifest.tokenizer_sha256 = filled(2);
    manifest.tensors = {
        {"blk.0.w", tensor::DataType::q8_0, {32, 4}, filled(3)},
        {"blk.1.w", tensor::DataType::q8_0, {32, 4}, filled(4)},
        {"token_embd.weight", tensor::DataType::f32, {5}, filled(5)},
    };
    manifest.shards = {
        {.layers = {0, 1}, .root = {}, .file_name = "a.gguf", .file_bytes = 10},
        {.layers = {1, 2}, .root = {}, .file_name = "b.gguf", .file_bytes = 20},
    };
    derive_roots(manifest);
    return manifest;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

ErrorCode code_of(const Result<Manifest>& result) {
    return result ? ErrorCode{} : result.error().code;
}

TEST(manifest, is_encoded_in_canonical_form) {
    const Manifest manifest = small_manifest();
    const auto hex_of = [](uint8_t value) { return to_hex(filled(value)); };
    EXPECT_EQ(
        encode_manifest(manifest),
        "{\"architecture\":\"llama\",\"hyperparameters_sha256\":\"" + hex_of(1) +
            "\",\"layer_count\":2,\"model_root\":\"" + to_hex(manifest.model_root) +
            "\",\"name\":\"a \\\"b\\\"\\\\\\n\\u0001\u00e9\",\"shards\":["
            "{\"file_bytes\":10,\"file_name\":\"a.gguf\",\"index\":0,\"layer_begin\":0,"
            "\"layer_end\":1,\"root\":\"" +
            to_hex(manifest.shards[0].root) +
            "\"},{\"file_bytes\":20,\"file_name\":\"b.gguf\",\"index\":1,\"layer_begin\":1,"
            "\"layer_end\":2,\"root\":\"" +
            to_hex(manifest.shards[1].root) +
            "\"}],\"tensors\":[{\"dimensions\":[32,4],\"name\":\"blk.0.w\",\"sha256\":\"" +
            hex_of(3) + "\",\"type\":8},{\"dimensions\":[32,4],\"name\":\"blk.1.w\",\"sha256\":\"" +
            hex_of(4) +
            "\",\"type\":8},{\"dimensions\":[5],\"name\":\"token_embd.weight\",\"sha256\":\"" +
            hex_of(5) + "\",\"type\":0}],\"tokenizer_sha256\":\"" + hex_of(2) +
            "\",\"version\":1}");
}

TEST(manifest, comes_back_from_its_text) {
    const std::string text = encode_manifest(small_manifest());
    const auto manifest = parse_manifest(text);
    ASSERT_TRUE(manifest) << manifest.error().message();
    EXPECT_EQ(encode_manifest(*manifest), text);
    EXPECT_EQ(manifest->shards[1].layers, (LayerRange{1, 2}));
    EXPECT_TRUE(layout_of(*manifest).output_tied);
}

TEST(manifest, binds_every_field_into_the_model_root) {
    const std::function<void(Manifest&)> changes[] = {
        [](Manifest& m) { m.architecture = "gpt2"; },
        [](Manifest& m) { m.name = ""; },
        [](Manifest& m) { m.layer_count = 3; },
        [](Manifest& m) { m.hyperparameters_sha256[31] ^= 1; },
        [](Manifest& m) { m.tokenizer_sha256[0] ^= 1; },
        [](Manifest& m) { m.tensors[0].name = "blk.0.v"; },
        [](Manifest& m) { m.tensors[0].type = tensor::DataType::q4_0; },
        [](Manifest& m) {
            m.tensors[0].dimensions = {4, 32};
        },
        [](Manifest& m) { m.tensors[2].sha256[0] ^= 1; },
        [](Manifest& m) { m.tensors.pop_back(); },
    };
    const Manifest original = small_manifest();
    EXPECT_EQ(derive_model_root(original), original.model_root);
    for (const auto& change : changes) {
        Manifest changed = original;
        change(changed);
        EXPECT_NE(derive_model_root(changed), original.model_root);
        EXPECT_FALSE(parse_manifest(encode_manifest(changed)));
    }
}

TEST(manifest, rejects_any_text_but_the_canonical_one) {
    const std::string text = encode_manifest(small_manifest());
    for (const std::string& other : {
             text + "\n",
             " " + text,
             replaced(text, ",\"version\":1", ""),
             replaced(text, "\"version\":1", "\"version\":1,\"version\":1"),
             replaced(text, "\"version\":1", "\"version\":1,\"x\":1"),
             replaced(text, "\"version\":1", "\"version\":2"),
             replaced(text, "\"version\":1", "\"version\":1.0"),
             replaced(text, "\"version\":1", "\"version\":\"1\""),
             replaced(text, "\"layer_count\":2", "\"layer_count\":-2"),
             replaced(text, "\"layer_count\":2", "\"layer_count\":4294967298"),
             replaced(text, "\"index\":1", "\"index\":0"),
             replaced(text, "\"index\":0,", ""),
             replaced(text, "\"type\":0", "\"type\":4"),
             replaced(text, "\"llama\"", "\"l\\u006cama\""),
             replaced(text, "\"llama\"", "null"),
             replaced(text, "0101", "0x0101"),
             replaced(text, "0202", "02020"),
             replaced(text, "0303", "0303ff"),
             replaced(text, "[5]", "[5,]"),
             replaced(text, "[5]", "[[5]]"),
             text.substr(0, text.size() - 1),
             std::string(),
             std::string(20000, '['),
         }) {
        EXPECT_EQ(code_of(parse_manifest(other)), ErrorCode::manifest_malformed) << other;
    }
    std::string upper = text;
    const size_t at = upper.find_last_of("abcdef", upper.find("\",\"name\""));
    upper[at] = static_cast<char>(upper[at] - 'a' + 'A');
    EXPECT_FALSE(parse_manifest(upper));
}

TEST(manifest, rejects_what_does_not_fit_together) {
    struct Case {
        const char* why;
        std::function<void(Manifest&)> change;
    };
    const Case cases[] = {
        {"hole", [](Manifest& m) { m.shards[1].layers.begin = 2; }},
        {"overlap", [](Manifest& m) { m.shards[1].layers.begin = 0; }},
        {"layers missing", [](Manifest& m) { m.shards.pop_back(); }},
        {"no shards", [](Manifest& m) { m.shards.clear(); }},
        {"a layer without tensor", [](Manifest& m) { m.layer_count = 3; }},
        {"a tensor without layer", [](Manifest& m) { m.tensors[1].name = "blk.2.w"; }},
        {"order", [](Manifest& m) { std::swap(m.tensors[0], m.tensors[1]); }},
        {"name twice", [](Manifest& m) { m.tensors.push_back(m.tensors.back()); }},
        {"no dimension", [](Manifest& m) { m.tensors[0].dimensions.clear(); }},
        {"five dimensions",
         [](Manifest& m) {
             m.tensors[0].dimensions = {32, 1, 1, 1, 1};
         }},
        {"dimension 0",
         [](Manifest& m) {
             m.tensors[0].dimensions = {32, 0};
         }},
        {"part of a block", [](Manifest& m) { m.tensors[0].dimensions = {33}; }},
        {"architecture", [](Manifest& m) { m.architecture.clear(); }},
        {"long name", [](Manifest& m) { m.name = std::string(1025, 'n'); }},
        {"long tensor name", [](Manifest& m) { m.tensors[2].name = std::string(65, 'z'); }},
        {"path", [](Manifest& m) { m.shards[0].file_name = "../a.gguf"; }},
        {"hidden file", [](Manifest& m) { m.shards[0].file_name = ".a"; }},
        {"option", [](Manifest& m) { m.shards[0].file_name = "-a"; }},
        {"no file name", [](Manifest& m) { m.shards[0].file_name = ""; }},
        {"file twice", [](Manifest& m) { m.shards[0].file_name = "b.gguf"; }},
        {"empty file", [](Manifest& m) { m.shards[0].file_bytes = 0; }},
        {"too many layers", [](Manifest& m) { m.layer_count = 4294967295; }},
    };
    for (const Case& c : cases) {
        Manifest manifest = small_manifest();
        c.change(manifest);
        derive_roots(manifest);
        EXPECT_EQ(code_of(parse_manifest(encode_manifest(manifest))), ErrorCode::manifest_malformed)
            << c.why;
    }
}

TEST(manifest, rejects_wrong_roots) {
    Manifest manifest = small_manifest();
    manifest.model_root[5] ^= 1;
    EXPECT_EQ(code_of(parse_manifest(encode_manifest(manifest))), ErrorCode::manifest_malformed);
    manifest = small_manifest();
    std::swap(manifest.shards[0].root, manifest.shards[1].root);
    EXPECT_EQ(code_of(parse_manifest(encode_manifest(manifest))), ErrorCode::manifest_malformed);
}

}  // namespace
}  // namespace teetee::model
