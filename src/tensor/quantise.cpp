// SPDX-License-Identifier: Apache-2.0
#include "tensor/quantise.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/assert.hpp"
#include "base/float16.hpp"

namespace teetee::tensor {
namespace {

constexpr size_t block_elements = 32;
constexpr float f16_max = 65504.0F;

void store_u16(uint8_t* out, uint16_t value) {
    out[0] = static_cast<uint8_t>(value);
    out[1] = static_cast<uint8_t>(value >> 8);
}

uint16_t bf16_of(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

float inverse_of(float scale) {
    return scale == 0.0F ? 0.0F : 1.0F / scale;
}

void encode_q8_0(const float* x, uint8_t* out) {
    float largest = 0.0F;
    for (size_t i = 0; i < block_elements; ++i) largest = std::max(largest, std::fabs(x[i]));
    const float scale = largest / 127.0F;
    const float inverse = inverse_of(scale);
    store_u16(out, f32_to_f16_finite(scale));
    for (size_t i = 0; i < block_elements; ++i)
        out[2 + i] = static_cast<uint8_t>(static_cast<int8_t>(std::round(x[i] * inverse)));
}

/// Codes of 4 or 5 bits: [scale, minimum,] [fifth bits,] fourth and lower bits, two to a byte.
struct NibbleFormat {
    int levels;        // 16 or 32
    bool has_minimum;  // else codes are signed around levels / 2
};

void store_nibbles(const std::array<uint8_t, block_elements>& codes, bool has_fifth_bit,
                   uint8_t* out) {
    if (has_fifth_bit) {
        uint32_t fifth = 0;
        for (size_t i = 0; i < block_elements; ++i) fifth |= uint32_t{codes[i]} >> 4 << i;
        for (size_t i = 0; i < 4; ++i) *out++ = static_cast<uint8_t>(fifth >> (8 * i));
    }
    for (size_t i = 0; i < block_elements / 2; ++i)
        *out++ =
            static_cast<uint8_t>((codes[i] & 0xf) | (codes[i + block_elements / 2] & 0xf) << 4);
}

void encode_nibbles(NibbleFormat format, const float* x, uint8_t* out) {
    const auto [least, most] = std::minmax_element(x, x + block_elements);
    // The value farthest from 0, with its sign, gets the lowest code.
    const float farthest = std::fabs(*least) >= std::fabs(*most) ? *least : *most;
    const float scale = format.has_minimum
                            ? (*most - *least) / static_cast<float>(format.levels - 1)
                            : farthest / static_cast<float>(-format.levels / 2);
    const float base = format.has_minimum ? *least : 0.0F;
    const float rounding = format.has_minimum ? 0.5F : static_cast<float>(format.levels / 2) + 0.5F;
    const float inverse = inverse_of(scale);
    std::array<uint8_t, block_elements> codes;
    for (size_t i = 0; i < block_elements; ++i) {
        const int code = static_cast<int>((x[i] - base) * inverse + rounding);
        codes[i] = static_cast<uint8_t>(std::clamp(code, 0, format.levels - 1));
    }
    store_u16(out, f32_to_f16_finite(scale));
    out += 2;
    if (format.has_minimum) {
        store_u16(out, f32_to_f16_finite(base));
        out += 2;
    }
    store_nibbles(codes, format.levels == 32, out);
}

void encode_block(DataType type, const float* x, uint8_t* out) {
    switch (type) {
        case DataType::q8_0:
            return encode_q8_0(x, out);
        case DataType::q4_0:
            return encode_nibbles({.levels = 16, .has_minimum = false}, x, out);
        case DataType::q4_1:
            return encode_nibbles({.levels = 16, .has_minimum = true}, x, out);
        case DataType::q5_0:
            return encode_nibbles({.levels = 32, .has_minimum = false}, x, out);
        case DataType::q5_1:
            return encode_nibbles({.levels = 32, .has_minimum = true}, x, out);
        default:
            break;
    }
    TT_ASSERT(false);
}

void encode_plain(DataType type, float value, uint8_t* out) {
    if (type == DataType::f32) {
        const uint32_t bits = std::bit_cast<uint32_t>(value);
        store_u16(out, static_cast<uint16_t>(bits));
        store_u16(out + 2, static_cast<uint16_t>(bits >> 16));
    } else {
        store_u16(out, type == DataType::f16 ? f32_to_f16_finite(value) : bf16_of(value));
    }
}

}  // namespace

bool is_encodable(DataType type) {
    switch (type) {
        case DataType::f32:
        case DataType::f16:
        case DataType::bf16:
        case DataType::q8_0:
        case DataType::q4_0:
        case DataType::q4_1:
        case DataType::q5_0:
        case DataType::q5_1:
            return true;
        default:
            return false;
    }
}

bool encode_row(DataType type, std::span<const float> row, uint8_t* out) {
    TT_ASSERT(is_encodable(type));
    const BlockLayout layout = block_layout(type);
    TT_ASSERT(row.size() % layout.elements == 0);
    // Scales of quantised types are F16 too.
    const float most = type == DataType::f32 || type == DataType::bf16 ? 3.38e38F : f16_max;
    const bool fits =
        std::all_of(row.begin(), row.end(), [&](float value) { return std::fabs(value) <= most; });
    if (!fits) return false;
    for (size_t i = 0; i < row.size(); i += layout.elements, out += layout.bytes) {
        if (layout.elements == 1) {
            encode_plain(type, row[i], out);
        } else {
            encode_block(type, row.data() + i, out);
        }
    }
    return true;
}

}  // namespace teetee::tensor
