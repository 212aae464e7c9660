// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "model/test_model.hpp"

namespace teetee::model {
namespace {

Bytes file_of(std::string_view header, size_t data_bytes) {
    ByteWriter out;
    out.u64(header.size());
    out.bytes(as_bytes(header));
    for (size_t i = 0; i < data_bytes; ++i) out.u8(static_cast<uint8_t>(i));
    return out.take();
}

TEST(safetensors, indexes_tensors_and_metadata) {
    const Bytes file = file_of(R"({"__metadata__":{"format":"pt"},)"
                               R"("b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},)"
                               R"("a":{"data_offsets":[0,4],"shape":[],"dtype":"F32"},)"
                               R"("empty":{"dtype":"F32","shape":[0,7],"data_offsets":[16,16]}} )",
                               16);
    const auto index = Safetensors::parse(file);
    ASSERT_TRUE(index) << index.error().message();
    ASSERT_EQ(index->tensors().size(), 3u);
    EXPECT_EQ(index->tensors()[0].name, "a");
    EXPECT_EQ(index->metadata()[0].second, "pt");
    const SafetensorsTensor* tensor = index->find("b");
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->type, SafetensorsType::bf16);
    EXPECT_EQ(tensor->dimensions, (std::vector<uint64_t>{2, 3}));
    EXPECT_EQ(index->data(*tensor).size(), 12u);
    EXPECT_EQ(index->data(*tensor)[0], 4);
    EXPECT_TRUE(index->data(*index->find("empty")).empty());
    EXPECT_EQ(index->find("c"), nullptr);
}

TEST(safetensors, rejects_what_the_rules_forbid) {
    struct Case {
        const char* why;
        const char* header;
        size_t data_bytes;
    };
    const Case cases[] = {
        {"unknown key", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}})", 1},
        {"no dtype", R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1},
        {"no shape", R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1},
        {"one offset", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1},
        {"three offsets", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}})", 1},
        {"shape too small", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,2]}})", 2},
        {"data missing", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 1},
        {"data left over", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 3},
        {"nine dimensions",
         R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", 1},
        {"metadata twice", R"({"__metadata__":{},"__metadata__":{}})", 0},
        {"not an object", R"([])", 0},
        {"text after it", R"({}x)", 0},
    };
    for (const Case& c : cases) {
        const auto index = Safetensors::parse(file_of(c.header, c.data_bytes));
        ASSERT_FALSE(index) << c.why;
        EXPECT_EQ(index.error().code, ErrorCode::safetensors_malformed) << c.why;
    }
}

TEST(safetensors, rejects_every_cut_of_a_file) {
    const Bytes file = file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 2);
    EXPECT_TRUE(Safetensors::parse(file));
    for (size_t length = 0; length < file.size(); ++length) {
        EXPECT_FALSE(Safetensors::parse(ByteView(file).first(length))) << length;
    }
}

TEST(safetensors, gives_the_expected_verdict_on_the_malformed_corpus) {
    const std::string folder = TEETEE_SHARED_DATA "/malformed/safetensors/";
    const Bytes listing = read_file(folder + "manifest.json");
    if (listing.empty()) GTEST_SKIP() << "no " << folder;
    const auto cases = boost::json::parse(as_text(listing)).at("cases").as_array();
    for (const auto& item : cases) {
        const std::string name = item.at("file").as_string().c_str();
        const Bytes file = read_file(folder + name);
        ASSERT_EQ(file.size(), item.at("bytes").to_number<size_t>()) << name;
        const auto index = Safetensors::parse(file);
        EXPECT_EQ(index.has_value(), item.at("expect").as_string() == "accept")
            << name << ": " << (index ? "" : index.error().message());
    }
}

}  // namespace
}  // namespace teetee::model
