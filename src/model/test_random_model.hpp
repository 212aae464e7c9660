// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "model/test_model.hpp"
#include "tensor/data_type.hpp"

namespace teetee::model {

/// A llama with weights from a fixed generator, written as a GGUF file: 5 layers, grouped-query
/// attention, sizes that are no multiple of a panel (save for types with blocks of 256).
class RandomModel {
  public:
    explicit RandomModel(tensor::DataType type) : type_(type) {
        const bool super = tensor::block_layout(type).elements == 256;
        const uint32_t width = super ? 256 : 96;
        const uint32_t inner = super ? 256 : 160;
        writer_.string("general.architecture", "llama");
        writer_.u32("llama.context_length", 1024);
        writer_.u32("llama.embedding_length", width);
        writer_.u32("llama.block_count", 5);
        writer_.u32("llama.feed_forward_length", inner);
        writer_.u32("llama.attention.head_count", super ? 8 : 6);
        writer_.u32("llama.attention.head_count_kv", 2);
        writer_.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
        matrix("token_embd.weight", 77, width);
        for (int i = 0; i < 5; ++i) {
            const std::string p = "blk." + std::to_string(i) + ".";
            vector(p + "attn_norm.weight", width);
            matrix(p + "attn_q.weight", super ? 256 : 96, width);
            matrix(p + "attn_k.weight", super ? 64 : 32, width);
            matrix(p + "attn_v.weight", super ? 64 : 32, width);
            matrix(p + "attn_output.weight", width, super ? 256 : 96);
            vector(p + "ffn_norm.weight", width);
            matrix(p + "ffn_gate.weight", inner, width);
            matrix(p + "ffn_up.weight", inner, width);
            matrix(p + "ffn_down.weight", width, inner);
        }
        vector("output_norm.weight", width);
        matrix("output.weight", 77, width);
        file = written(writer_);
    }

    Bytes file;

  private:
    float next() { return static_cast<float>(generator_()) * 0x1p-31F - 1.0F; }

    void vector(const std::string& name, uint64_t length) {
        Bytes data(4 * length);
        for (uint64_t i = 0; i < length; ++i) {
            const float value = 1.0F + 0.2F * next();
            std::memcpy(data.data() + 4 * i, &value, 4);
        }
        add(name, {length}, tensor::DataType::f32, std::move(data));
    }

    void matrix(const std::string& name, uint64_t rows, uint64_t columns) {
        const tensor::BlockLayout layout = tensor::block_layout(type_);
        Bytes data;
        for (uint64_t block = 0; block < rows * columns / layout.elements; ++block) {
            if (type_ == tensor::DataType::f32) {
                const float value = 0.3F * next();
                const auto* p = reinterpret_cast<const uint8_t*>(&value);
                data.insert(data.end(), p, p + 4);
                continue;
            }
            const size_t begin = data.size();
            for (uint32_t i = 0; i < layout.bytes; ++i)
                data.push_back(static_cast<uint8_t>(generator_()));
            // Halves from 2^-5 to 2^-2, either sign; scales and minima are smaller.
            for (const size_t at : halves_of(type_)) {
                const bool is_block = layout.elements > 1;
                const auto half = static_cast<uint16_t>(type_ == tensor::DataType::bf16
                                                            ? (generator_() & 0x80ff) | 0x3d00
                                                            : (generator_() & 0x83ff) |
                                                                  (layout.elements == 256 ? 0x1000
                                                                   : is_block             ? 0x1800
                                                                              : 0x2800));
                data[begin + at] = static_cast<uint8_t>(half);
                data[begin + at + 1] = static_cast<uint8_t>(half >> 8);
            }
        }
        add(name, {columns, rows}, type_, std::move(data));
    }

    /// Where the 16-bit floats of a block stand.
    static std::vector<size_t> halves_of(tensor::DataType type) {
        switch (type) {
            case tensor::DataType::q4_1:
            case tensor::DataType::q5_1:
            case tensor::DataType::q4_k:
            case tensor::DataType::q5_k:
                return {0, 2};
            case tensor::DataType::q2_k:
                return {80, 82};
            case tensor::DataType::q3_k:
                return {108};
            case tensor::DataType::q6_k:
                return {208};
            default:
                return {0};
        }
    }

    void add(const std::string& name, std::vector<uint64_t> dimensions, tensor::DataType type,
             Bytes data) {
        names_.push_back(std::make_unique<std::string>(name));
        data_.push_back(std::make_unique<Bytes>(std::move(data)));
        writer_.tensor({*names_.back(), std::move(dimensions), type, 0, data_.back()->size()},
                       *data_.back());
    }

    tensor::DataType type_;
    std::mt19937 generator_{20240607};
    GgufWriter writer_;
    std::vector<std::unique_ptr<std::string>> names_;
    std::vector<std::unique_ptr<Bytes>> data_;
};

}  // namespace teetee::model
