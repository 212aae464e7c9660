// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "model/gguf_writer.hpp"

// What the tests of this folder share: reading files, and a small model file made here.
namespace teetee::model {

/// Empty when there is no such file.
inline Bytes read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

inline ByteSink append_to(Bytes& out) {
    return [&out](ByteView bytes) -> Result<void> {
        out.insert(out.end(), bytes.begin(), bytes.end());
        return {};
    };
}

inline Bytes written(const GgufWriter& writer) {
    Bytes file;
    EXPECT_TRUE(writer.write(append_to(file)));
    return file;
}

struct TestModelOptions {
    uint32_t layer_count = 5;
    bool output_tied = false;
};

/// A file with the names and types of a llama model; the weights are a running number.
inline Bytes test_model(const TestModelOptions& options = {}) {
    std::vector<std::string> names = {"token_embd.weight", "rope_freqs.weight"};
    for (uint32_t layer = 0; layer < options.layer_count; ++layer) {
        names.push_back("blk." + std::to_string(layer) + ".attn_q.weight");
        names.push_back("blk." + std::to_string(layer) + ".ffn_up.weight");
    }
    names.push_back("output_norm.weight");
    if (!options.output_tied) names.push_back("output.weight");

    GgufWriter writer;
    writer.string("general.architecture", "llama");
    writer.string("general.name", "A \"small\" model");
    writer.u32("llama.block_count", options.layer_count);
    writer.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
    writer.boolean("tokenizer.ggml.add_bos_token", true);
    writer.strings("tokenizer.ggml.tokens", std::vector<std::string>{"<s>", "", "a\nb"});
    writer.f32s("tokenizer.ggml.scores", std::vector<float>{0.0F, -1.5F, 2.0F});
    writer.i32s("tokenizer.ggml.token_type", std::vector<int32_t>{3, 1, -1});

    std::vector<Bytes> data;
    for (size_t i = 0; i < names.size(); ++i) {
        data.push_back(Bytes(3 * 34, static_cast<uint8_t>(i + 1)));
    }
    for (size_t i = 0; i < names.size(); ++i) {
        writer.tensor({names[i], {32, 3}, tensor::DataType::q8_0, 0, data[i].size()}, data[i]);
    }
    return written(writer);
}

}  // namespace teetee::model
