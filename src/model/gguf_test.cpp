// SPDX-License-Identifier: Apache-2.0
#include "model/gguf.hpp"

#include <filesystem>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "model/test_model.hpp"

namespace teetee::model {
namespace {

ErrorCode code_of(const Result<Gguf>& result) {
    return result ? ErrorCode{} : result.error().code;
}

/// Header, one entry whose type and value follow, no tensor.
Bytes file_with(std::string_view key, uint32_t type, ByteView value) {
    ByteWriter out;
    out.bytes(as_bytes("GGUF"));
    out.u32(3);
    out.u64(0);
    out.u64(1);
    out.u64(key.size());
    out.bytes(as_bytes(key));
    out.u32(type);
    out.bytes(value);
    return out.take();
}

/// Header, no entry, one F32 tensor and its data section of 64 bytes.
Bytes file_with_tensor(std::string_view name, const std::vector<uint64_t>& dimensions,
                       uint64_t offset) {
    ByteWriter out;
    out.bytes(as_bytes("GGUF"));
    out.u32(3);
    out.u64(1);
    out.u64(0);
    out.u64(name.size());
    out.bytes(as_bytes(name));
    out.u32(static_cast<uint32_t>(dimensions.size()));
    for (const uint64_t dimension : dimensions) out.u64(dimension);
    out.u32(0);
    out.u64(offset);
    Bytes file = out.take();
    file.resize((file.size() + 31) / 32 * 32 + 64);
    return file;
}

TEST(gguf, indexes_entries_and_tensors) {
    const Bytes file = test_model();
    const auto gguf = Gguf::parse(file);
    ASSERT_TRUE(gguf) << gguf.error().message();
    EXPECT_EQ(gguf->entries().size(), 8u);
    EXPECT_EQ(gguf->tensors().size(), 14u);
    EXPECT_EQ(gguf->alignment(), 32u);
    const GgufTensor* tensor = gguf->find_tensor("blk.1.attn_q.weight");
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->dimensions, (std::vector<uint64_t>{32, 3}));
    EXPECT_EQ(tensor->type, tensor::DataType::q8_0);
    EXPECT_EQ(tensor->offset % 32, 0u);
    EXPECT_EQ(gguf->data(*tensor).size(), 102u);
    EXPECT_EQ(gguf->data(*tensor)[0], 5);
    EXPECT_EQ(gguf->find_tensor("blk.1.attn_q"), nullptr);
}

TEST(gguf, looks_values_up_by_type) {
    const Bytes file = test_model();
    const auto gguf = Gguf::parse(file);
    ASSERT_TRUE(gguf);
    EXPECT_EQ(*gguf->u32("llama.block_count"), 5u);
    EXPECT_EQ(*gguf->u32("llama.absent"), std::nullopt);
    EXPECT_EQ(*gguf->f32("llama.attention.layer_norm_rms_epsilon"), 1e-5F);
    EXPECT_EQ(*gguf->boolean("tokenizer.ggml.add_bos_token"), true);
    EXPECT_EQ(*gguf->string("general.name"), "A \"small\" model");
    const auto tokens = gguf->array("tokenizer.ggml.tokens", GgufType::string);
    ASSERT_TRUE(tokens);
    EXPECT_EQ((*tokens)->strings, (std::vector<std::string_view>{"<s>", "", "a\nb"}));
    const auto scores = gguf->array("tokenizer.ggml.scores", GgufType::f32);
    ASSERT_TRUE(scores);
    EXPECT_EQ((*scores)->count, 3u);
    EXPECT_EQ((*scores)->numbers.size(), 12u);
    EXPECT_EQ(*gguf->array("absent", GgufType::f32), nullptr);
}

TEST(gguf, refuses_a_value_of_another_type) {
    const Bytes file = test_model();
    const auto gguf = Gguf::parse(file);
    ASSERT_TRUE(gguf);
    EXPECT_EQ(gguf->u32("general.name").error().code, ErrorCode::gguf_malformed);
    EXPECT_EQ(gguf->f32("llama.block_count").error().code, ErrorCode::gguf_malformed);
    EXPECT_EQ(gguf->boolean("llama.block_count").error().code, ErrorCode::gguf_malformed);
    EXPECT_EQ(gguf->string("llama.block_count").error().detail,
              "'llama.block_count': need a string");
    EXPECT_EQ(gguf->array("tokenizer.ggml.tokens", GgufType::f32).error().code,
              ErrorCode::gguf_malformed);
}

TEST(gguf, reads_integers_of_every_width_as_u32_where_they_fit) {
    const ByteArray<8> ones = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const ByteArray<8> seven = {7};
    struct Case {
        GgufType type;
        size_t width;
        std::optional<uint32_t> ones_as;
    };
    const Case cases[] = {
        {GgufType::u8, 1, 0xff},          {GgufType::u16, 2, 0xffff},
        {GgufType::u32, 4, 0xffffffff},   {GgufType::u64, 8, std::nullopt},
        {GgufType::i8, 1, std::nullopt},  {GgufType::i16, 2, std::nullopt},
        {GgufType::i32, 4, std::nullopt}, {GgufType::i64, 8, std::nullopt},
    };
    for (const Case& c : cases) {
        const auto number = static_cast<uint32_t>(c.type);
        const Bytes small = file_with("k", number, ByteView(seven).first(c.width));
        EXPECT_EQ(*Gguf::parse(small)->u32("k"), 7u) << number;
        const Bytes large = file_with("k", number, ByteView(ones).first(c.width));
        const auto gguf = Gguf::parse(large);
        ASSERT_TRUE(gguf) << number;
        EXPECT_EQ(gguf->u32("k").value_or(std::nullopt), c.ones_as) << number;
    }
}

TEST(gguf, refuses_a_float_no_float32_can_hold) {
    const ByteArray<8> huge = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xef, 0x7f};
    const Bytes file = file_with("k", static_cast<uint32_t>(GgufType::f64), huge);
    EXPECT_EQ(Gguf::parse(file)->f32("k").error().code, ErrorCode::gguf_malformed);
}

TEST(gguf, keeps_the_bytes_of_an_entry) {
    const Bytes file = file_with("key", static_cast<uint32_t>(GgufType::u8), ByteArray<1>{9});
    const auto gguf = Gguf::parse(file);
    ASSERT_TRUE(gguf);
    EXPECT_EQ(to_hex(gguf->entries()[0].encoded), "03000000000000006b65790000000009");
}

TEST(gguf, rejects_every_cut_of_a_file) {
    const Bytes file = test_model({.layer_count = 1});
    // The last tensor's padding may be missing.
    for (size_t length = 0; length < file.size() - 26; ++length) {
        EXPECT_EQ(code_of(Gguf::parse(ByteView(file).first(length))), ErrorCode::gguf_truncated)
            << length;
    }
}

TEST(gguf, rejects_malformed_entries) {
    const ByteArray<1> two = {2};
    EXPECT_EQ(code_of(Gguf::parse(file_with("b", 7, two))), ErrorCode::gguf_malformed);
    EXPECT_EQ(code_of(Gguf::parse(file_with("", 0, two))), ErrorCode::gguf_malformed);
    EXPECT_EQ(code_of(Gguf::parse(file_with("\xff", 0, two))), ErrorCode::gguf_malformed);
    EXPECT_EQ(code_of(Gguf::parse(file_with("k", 13, two))), ErrorCode::gguf_unsupported);
    const std::string long_key(65536, 'k');
    EXPECT_EQ(code_of(Gguf::parse(file_with(long_key, 0, two))), ErrorCode::gguf_malformed);
}

TEST(gguf, rejects_tensors_that_do_not_fit) {
    EXPECT_TRUE(Gguf::parse(file_with_tensor("t", {4, 4}, 0)));
    EXPECT_TRUE(Gguf::parse(file_with_tensor(std::string(64, 't'), {8}, 32)));
    EXPECT_EQ(code_of(Gguf::parse(file_with_tensor("t", {4, 5}, 0))), ErrorCode::gguf_truncated);
    EXPECT_EQ(code_of(Gguf::parse(file_with_tensor("t", {4, 4}, 32))), ErrorCode::gguf_truncated);
    EXPECT_EQ(code_of(Gguf::parse(file_with_tensor("t", {4}, 4))), ErrorCode::gguf_malformed);
    EXPECT_EQ(code_of(Gguf::parse(file_with_tensor("t", {}, 0))), ErrorCode::gguf_malformed);
    EXPECT_EQ(code_of(Gguf::parse(file_with_tensor("t", {4, 0}, 0))), ErrorCode::gguf_malformed);
    const uint64_t half = uint64_t{1} << 32;
    EXPECT_EQ(code_of(Gguf::parse(file_with_tensor("t", {half, half}, 0))),
              ErrorCode::gguf_truncated);
}

TEST(gguf, gives_the_expected_verdict_on_the_malformed_corpus) {
    const std::string folder = TEETEE_SHARED_DATA "/malformed/gguf/";
    const Bytes listing = read_file(folder + "manifest.json");
    if (listing.empty()) GTEST_SKIP() << "no " << folder;
    const auto cases = boost::json::parse(as_text(listing)).at("cases").as_array();
    for (const auto& item : cases) {
        const std::string name = item.at("file").as_string().c_str();
        const Bytes file = read_file(folder + name);
        ASSERT_EQ(file.size(), item.at("bytes").to_number<size_t>()) << name;
        const auto gguf = Gguf::parse(file);
        // Hyperparameters (p_), vocabularies (v_) and templates (c_) are judged by their readers.
        const bool structural = std::string_view("hktdo").find(name[0]) != std::string_view::npos;
        const auto& expect = item.at("expect").as_string();
        if (structural && expect == "either") continue;
        EXPECT_EQ(gguf.has_value(), !structural || expect == "accept") << name;
    }
}

TEST(gguf, accepts_published_files) {
    const std::string folder = TEETEE_SHARED_DATA;
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
    for (const char* part : {"/models", "/tokenizers"}) {
        for (const auto& item : std::filesystem::recursive_directory_iterator(folder + part)) {
            if (item.path().extension() != ".gguf") continue;
            const Bytes file = read_file(item.path().string());
            const auto gguf = Gguf::parse(file);
            EXPECT_TRUE(gguf) << item.path() << ": " << gguf.error().message();
        }
    }
}

}  // namespace
}  // namespace teetee::model
