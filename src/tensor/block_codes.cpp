// SPDX-License-Identifier: Apache-2.0
#include "tensor/block_codes.hpp"

#include <bit>

#include "base/assert.hpp"
#include "base/float16.hpp"

// Block layouts of the GGUF types, as ggml-common.h defines them.

namespace teetee::tensor {
namespace {

uint16_t load_u16(const uint8_t* p) {
    return static_cast<uint16_t>(p[0] | p[1] << 8);
}

/// 32 codes: nibbles (element i in the low half of byte i, i + 16 in the high one) and a fifth bit.
void read_nibbles(const uint8_t* nibbles, uint32_t fifth_bits, BlockCodes& out) {
    for (size_t i = 0; i < block_elements; ++i) {
        const uint8_t pair = nibbles[i % 16];
        const unsigned low = i < 16 ? pair & 15u : unsigned{pair} >> 4;
        out.codes[i] = static_cast<uint8_t>(low | ((fifth_bits >> i & 1) << 4));
    }
}

uint32_t load_u32(const uint8_t* p) {
    return static_cast<uint32_t>(load_u16(p)) | static_cast<uint32_t>(load_u16(p + 2)) << 16;
}

/// Eight scales and eight minima of 6 bits in 12 bytes (Q4_K, Q5_K).
void read_scales_and_mins(const uint8_t* s, BlockCodes& out) {
    for (size_t j = 0; j < 4; ++j) {
        out.subs[j] = s[j] & 63;
        out.mins[j] = s[j + 4] & 63;
        out.subs[j + 4] = static_cast<uint8_t>((s[j + 8] & 15) | (s[j] >> 6) << 4);
        out.mins[j + 4] = static_cast<uint8_t>(s[j + 8] >> 4 | (s[j + 4] >> 6) << 4);
    }
}

/// Sixteen scales of 6 bits in 12 bytes, stored plus 32 (Q3_K).
void read_signed_scales(const uint8_t* s, BlockCodes& out) {
    for (size_t j = 0; j < 16; ++j) {
        const int low = j < 8 ? s[j] & 15 : s[j - 8] >> 4;
        const int high = s[8 + j % 4] >> (j / 4 * 2) & 3;
        out.subs[j] = std::bit_cast<uint8_t>(static_cast<int8_t>((low | high << 4) - 32));
    }
}

void read_q2_k(const uint8_t* p, BlockCodes& out) {
    for (size_t j = 0; j < 16; ++j) {
        out.subs[j] = p[j] & 15;
        out.mins[j] = p[j] >> 4;
    }
    for (size_t e = 0; e < segment_elements; ++e) {
        out.codes[e] = p[16 + e / 128 * 32 + e % 32] >> (e / 32 % 4 * 2) & 3;
    }
    out.scale = load_u16(p + 80);
    out.min = load_u16(p + 82);
}

void read_q3_k(const uint8_t* p, BlockCodes& out) {
    for (size_t e = 0; e < segment_elements; ++e) {
        const int low = p[32 + e / 128 * 32 + e % 32] >> (e / 32 % 4 * 2) & 3;
        const int high = p[e % 32] >> (e / 32) & 1;
        out.codes[e] = static_cast<uint8_t>(low | high << 2);
    }
    read_signed_scales(p + 96, out);
    out.scale = load_u16(p + 108);
}

void read_q4_k(const uint8_t* p, BlockCodes& out) {
    out.scale = load_u16(p);
    out.min = load_u16(p + 2);
    read_scales_and_mins(p + 4, out);
    for (size_t e = 0; e < segment_elements; ++e) {
        out.codes[e] = p[16 + e / 64 * 32 + e % 32] >> (e / 32 % 2 * 4) & 15;
    }
}

void read_q5_k(const uint8_t* p, BlockCodes& out) {
    out.scale = load_u16(p);
    out.min = load_u16(p + 2);
    read_scales_and_mins(p + 4, out);
    for (size_t e = 0; e < segment_elements; ++e) {
        const int low = p[48 + e / 64 * 32 + e % 32] >> (e / 32 % 2 * 4) & 15;
        const int high = p[16 + e % 32] >> (e / 32) & 1;
        out.codes[e] = static_cast<uint8_t>(low | high << 4);
    }
}

void read_q6_k(const uint8_t* p, BlockCodes& out) {
    for (size_t e = 0; e < segment_elements; ++e) {
        const int low = p[e / 128 * 64 + e % 64] >> (e / 64 % 2 * 4) & 15;
        const int high = p[128 + e / 128 * 32 + e % 32] >> (e / 32 % 4 * 2) & 3;
        out.codes[e] = static_cast<uint8_t>(low | high << 4);
    }
    for (size_t j = 0; j < 16; ++j) out.subs[j] = p[192 + j];
    out.scale = load_u16(p + 208);
}

}  // namespace

void read_block(DataType type, const uint8_t* block, BlockCodes& out) {
    switch (type) {
        case DataType::q8_0:
            out.scale = load_u16(block);
            for (size_t i = 0; i < block_elements; ++i) out.codes[i] = block[2 + i] ^ 0x80;
            return;
        case DataType::q4_0:
            out.scale = load_u16(block);
            return read_nibbles(block + 2, 0, out);
        case DataType::q4_1:
            out.scale = load_u16(block);
            out.min = load_u16(block + 2);
            return read_nibbles(block + 4, 0, out);
        case DataType::q5_0:
            out.scale = load_u16(block);
            return read_nibbles(block + 6, load_u32(block + 2), out);
        case DataType::q5_1:
            out.scale = load_u16(block);
            out.min = load_u16(block + 2);
            return read_nibbles(block + 8, load_u32(block + 4), out);
        case DataType::q2_k:
            return read_q2_k(block, out);
        case DataType::q3_k:
            return read_q3_k(block, out);
        case DataType::q4_k:
            return read_q4_k(block, out);
        case DataType::q5_k:
            return read_q5_k(block, out);
        case DataType::q6_k:
            return read_q6_k(block, out);
        default:
            assertion_failed("not a quantised type", __FILE__, __LINE__);
    }
}

void dequantise_block(DataType type, const uint8_t* block, float* values) {
    const CodeFormat f = code_format(type);
    BlockCodes b{};
    read_block(type, block, b);
    const float scale = f16_to_f32(b.scale);
    const float min = f16_to_f32(b.min);
    for (size_t e = 0; e < block_layout(type).elements; ++e) {
        const auto code = static_cast<float>(b.codes[e] - f.offset);
        if (f.arithmetic == Arithmetic::blocks) {
            values[e] = code * scale;
            if (f.has_min) values[e] += min;
            continue;
        }
        const size_t sub = e / f.sub_elements;
        if (f.has_min) {
            values[e] = scale * static_cast<float>(b.subs[sub]) * code -
                        min * static_cast<float>(b.mins[sub]);
        } else {
            values[e] = scale * static_cast<float>(std::bit_cast<int8_t>(b.subs[sub])) * code;
        }
    }
}

}  // namespace teetee::tensor
