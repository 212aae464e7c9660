// SPDX-License-Identifier: Apache-2.0
#include "base/activations.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/assert.hpp"
#include "base/float16.hpp"

namespace teetee {
namespace {

constexpr std::array<std::string_view, 3> names = {"f32", "f16", "q8"};

static_assert(std::endian::native == std::endian::little);

template <class T>
void store(uint8_t*& to, T value) {
    std::memcpy(to, &value, sizeof value);
    to += sizeof value;
}

template <class T>
T load(const uint8_t*& from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    from += sizeof value;
    return value;
}

/// So that scale times 127 is finite, however it was rounded.
float finite(float value) {
    constexpr float most = 0x1p127F;
    return std::isnan(value) ? 0.0F : std::clamp(value, -most, most);
}

void encode_block(const uint8_t*& from, size_t count, uint8_t*& to) {
    std::array<float, activation_block> values{};
    float most = 0.0F;
    for (size_t i = 0; i < count; ++i) {
        values[i] = finite(load<float>(from));
        most = std::max(most, std::fabs(values[i]));
    }
    const float scale = most / 127.0F;
    store(to, scale);
    for (size_t i = 0; i < count; ++i) {
        // A scale so small that it was rounded may leave a quotient above 127.
        const float quotient = scale > 0.0F ? std::nearbyint(values[i] / scale) : 0.0F;
        store(to, static_cast<int8_t>(std::clamp(quotient, -127.0F, 127.0F)));
    }
}

void decode_block(const uint8_t*& from, size_t count, uint8_t*& to) {
    const auto scale = load<float>(from);
    for (size_t i = 0; i < count; ++i) store(to, scale * static_cast<float>(load<int8_t>(from)));
}

template <class Step>
void for_blocks(size_t width, Step step) {
    for (size_t at = 0; at < width; at += activation_block)
        step(std::min(activation_block, width - at));
}

}  // namespace

std::optional<ActivationFormat> activation_format_named(std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<ActivationFormat>(found - names.begin());
}

std::string_view to_string(ActivationFormat format) {
    return names.at(static_cast<size_t>(format));
}

size_t row_bytes(ActivationFormat format, size_t width) {
    switch (format) {
        case ActivationFormat::f32:
            return 4 * width;
        case ActivationFormat::f16:
            return 2 * width;
        case ActivationFormat::q8:
            break;
    }
    return width + 4 * ((width + activation_block - 1) / activation_block);
}

Bytes encode_rows(Bytes f32_rows, size_t width, ActivationFormat format) {
    if (format == ActivationFormat::f32 || f32_rows.empty()) return f32_rows;
    const size_t rows = f32_rows.size() / (4 * width);
    TT_ASSERT(rows * 4 * width == f32_rows.size());
    Bytes out(rows * row_bytes(format, width));
    const uint8_t* from = f32_rows.data();
    uint8_t* to = out.data();
    for (size_t row = 0; row < rows; ++row) {
        if (format == ActivationFormat::f16) {
            for (size_t i = 0; i < width; ++i) store(to, f32_to_f16_finite(load<float>(from)));
        } else {
            for_blocks(width, [&](size_t count) { encode_block(from, count, to); });
        }
    }
    return out;
}

Bytes decode_rows(Bytes encoded, size_t width, ActivationFormat format) {
    if (format == ActivationFormat::f32 || encoded.empty()) return encoded;
    const size_t rows = encoded.size() / row_bytes(format, width);
    TT_ASSERT(rows * row_bytes(format, width) == encoded.size());
    Bytes out(rows * 4 * width);
    const uint8_t* from = encoded.data();
    uint8_t* to = out.data();
    for (size_t row = 0; row < rows; ++row) {
        if (format == ActivationFormat::f16) {
            for (size_t i = 0; i < width; ++i) store(to, f16_to_f32(load<uint16_t>(from)));
        } else {
            for_blocks(width, [&](size_t count) { decode_block(from, count, to); });
        }
    }
    return out;
}

void round_rows(std::span<float> rows, size_t width, ActivationFormat format) {
    if (format == ActivationFormat::f32) return;
    const auto* bytes = reinterpret_cast<const uint8_t*>(rows.data());
    const Bytes there = encode_rows(Bytes(bytes, bytes + rows.size_bytes()), width, format);
    const Bytes back = decode_rows(there, width, format);
    std::memcpy(rows.data(), back.data(), back.size());
}

}  // namespace teetee
