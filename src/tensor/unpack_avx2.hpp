// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>
#include <utility>

#include "tensor/packed_layout.hpp"

// From a packed segment to what AVX2 multiplies with: codes of a byte in groups, element e of lane
// r at 64 (e / 4) + 4 r + e % 4. The 16 lanes of a panel are two registers, called sides.
// Everything has internal linkage and calls nothing but intrinsics.

namespace teetee::tensor {
namespace {

constexpr size_t side_lanes = 8;

struct Ints {
    __m256i side[2];
};
struct Floats {
    __m256 side[2];
};

/// Codes of a segment: 64 groups.
struct alignas(64) CodeBuffer {
    uint8_t bytes[segment_elements * panel_rows];
};

[[gnu::always_inline]] inline __m256i load(const uint8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
[[gnu::always_inline]] inline void store(uint8_t* p, __m256i value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), value);
}
/// 8 bytes as the low half of a register.
[[gnu::always_inline]] inline __m128i load_8_bytes(const uint8_t* p) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
}

/// `width` bits from bit `from` on of every byte, moved to bit `to`.
template <unsigned from, unsigned to, unsigned width>
[[gnu::always_inline]] inline __m256i pick_bits(__m256i bytes) {
    const __m256i mask = _mm256_set1_epi8(static_cast<char>(((1u << width) - 1) << to));
    constexpr int right = from > to ? static_cast<int>(from - to) : 0;
    constexpr int left = from > to ? 0 : static_cast<int>(to - from);
    const __m256i moved =
        from > to ? _mm256_srli_epi16(bytes, right) : _mm256_slli_epi16(bytes, left);
    return _mm256_and_si256(moved, mask);
}

/// Groups g and g + 4 of a block of 4 or 5 bits. high: the block's group of high bits.
template <DataType type, unsigned g>
[[gnu::always_inline]] inline void unpack_quad(const uint8_t* low, const uint8_t* high,
                                               uint8_t* out) {
    for (size_t at = 0; at < group_bytes; at += sizeof(__m256i)) {
        const __m256i both = load(low + g * group_bytes + at);
        __m256i first = pick_bits<0, 0, 4>(both);
        __m256i second = pick_bits<4, 0, 4>(both);
        if constexpr (code_format(type).high_bits != 0) {
            const __m256i bits = load(high + at);
            first = _mm256_or_si256(first, pick_bits<g, 4, 1>(bits));
            second = _mm256_or_si256(second, pick_bits<g + 4, 4, 1>(bits));
        }
        store(out + g * group_bytes + at, first);
        store(out + (g + 4) * group_bytes + at, second);
    }
}

/// Types of 32-blocks with codes of 4 or 5 bits.
template <DataType type>
[[gnu::always_inline]] inline void unpack_blocks(const uint8_t* segment, size_t block_count,
                                                 CodeBuffer& out) {
    const SegmentLayout s = segment_layout(type, block_count * block_elements);
    for (size_t b = 0; b < block_count; ++b) {
        const uint8_t* low = segment + s.low + b * 4 * group_bytes;
        const uint8_t* high = segment + s.high + b * group_bytes;
        uint8_t* block = out.bytes + b * 8 * group_bytes;
        unpack_quad<type, 0>(low, high, block);
        unpack_quad<type, 1>(low, high, block);
        unpack_quad<type, 2>(low, high, block);
        unpack_quad<type, 3>(low, high, block);
    }
}

/// Elements 32 j to 32 j + 31 of a super block.
template <DataType type, unsigned j>
[[gnu::always_inline]] inline void unpack_sub_block(const uint8_t* low, const uint8_t* high,
                                                    uint8_t* out) {
    constexpr CodeFormat f = code_format(type);
    // Elements of how many j share a byte of each plane.
    constexpr unsigned low_share = 8 / f.low_bits;
    constexpr unsigned high_share = f.high_bits != 0 ? 8 / f.high_bits : 1;
    for (size_t at = 0; at < 8 * group_bytes; at += sizeof(__m256i)) {
        __m256i codes = pick_bits<j % low_share * f.low_bits, 0, f.low_bits>(
            load(low + j / low_share * 8 * group_bytes + at));
        if constexpr (f.high_bits != 0) {
            codes = _mm256_or_si256(
                codes, pick_bits<j % high_share * f.high_bits, f.low_bits, f.high_bits>(
                           load(high + j / high_share * 8 * group_bytes + at)));
        }
        store(out + j * 8 * group_bytes + at, codes);
    }
}

template <DataType type>
[[gnu::always_inline]] inline void unpack_super_block(const uint8_t* segment, CodeBuffer& out) {
    constexpr SegmentLayout s = segment_layout(type, segment_elements);
    [&]<unsigned... j>(std::integer_sequence<unsigned, j...>) {
        (unpack_sub_block<type, j>(segment + s.low, segment + s.high, out.bytes), ...);
    }
    (std::make_integer_sequence<unsigned, segment_elements / 32>{});
}

/// Integer scales of a super block, a 32-bit lane to a row.
template <DataType type>
[[gnu::always_inline]] inline Ints sub_scale(const uint8_t* segment, size_t sub) {
    constexpr CodeFormat f = code_format(type);
    constexpr SegmentLayout s = segment_layout(type, segment_elements);
    Ints out;
    for (size_t h = 0; h < 2; ++h) {
        const __m128i bytes = load_8_bytes(segment + s.minima + sub * panel_rows + side_lanes * h);
        out.side[h] = f.has_min ? _mm256_cvtepu8_epi32(bytes) : _mm256_cvtepi8_epi32(bytes);
        if constexpr (f.has_min && f.low_bits == 2)
            out.side[h] = _mm256_and_si256(out.side[h], _mm256_set1_epi32(15));
    }
    return out;
}

template <DataType type>
[[gnu::always_inline]] inline Ints sub_min(const uint8_t* segment, size_t sub) {
    constexpr CodeFormat f = code_format(type);
    constexpr SegmentLayout s = segment_layout(type, segment_elements);
    const size_t at = f.low_bits == 2 ? sub : segment_elements / f.sub_elements + sub;
    Ints out;
    for (size_t h = 0; h < 2; ++h) {
        out.side[h] = _mm256_cvtepu8_epi32(
            load_8_bytes(segment + s.minima + at * panel_rows + side_lanes * h));
        if constexpr (f.low_bits == 2) out.side[h] = _mm256_srli_epi32(out.side[h], 4);
    }
    return out;
}

/// Two numbers of 16 bits to a lane.
[[gnu::always_inline]] inline Ints pairs_of(const Ints& first, const Ints& second) {
    Ints out;
    for (size_t h = 0; h < 2; ++h)
        out.side[h] =
            _mm256_blend_epi16(first.side[h], _mm256_slli_epi32(second.side[h], 16), 0xaa);
    return out;
}

/// Minima of elements 32 j on and 32 j + 16 on.
template <DataType type>
[[gnu::always_inline]] inline Ints min_pair(const uint8_t* segment, size_t j) {
    constexpr size_t subs = 32 / code_format(type).sub_elements;
    return pairs_of(sub_min<type>(segment, j * subs), sub_min<type>(segment, j * subs + subs - 1));
}

/// offset * scale of elements 32 j on and 32 j + 16 on.
template <DataType type>
[[gnu::always_inline]] inline Ints offset_pair(const uint8_t* segment, size_t j) {
    constexpr CodeFormat f = code_format(type);
    constexpr size_t subs = 32 / f.sub_elements;
    Ints out =
        pairs_of(sub_scale<type>(segment, j * subs), sub_scale<type>(segment, j * subs + subs - 1));
    for (__m256i& side : out.side)
        side = _mm256_mullo_epi16(side, _mm256_set1_epi16(static_cast<short>(f.offset)));
    return out;
}

/// F16 numbers, a lane to a row.
[[gnu::always_inline]] inline Floats load_halves(const uint8_t* p) {
    Floats out;
    for (size_t h = 0; h < 2; ++h)
        out.side[h] = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + h));
    return out;
}

/// 2^exponent of 16 bytes of exponents.
[[gnu::always_inline]] inline Floats load_exponents(const uint8_t* p) {
    Floats out;
    for (size_t h = 0; h < 2; ++h) {
        const __m256i exponents = _mm256_cvtepi8_epi32(load_8_bytes(p + side_lanes * h));
        out.side[h] = _mm256_castsi256_ps(
            _mm256_slli_epi32(_mm256_add_epi32(exponents, _mm256_set1_epi32(127)), 23));
    }
    return out;
}

}  // namespace
}  // namespace teetee::tensor
