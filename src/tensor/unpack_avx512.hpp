// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include "tensor/packed_layout.hpp"

// From a packed segment to what VNNI and AMX multiply with: codes of a byte in groups, element e of
// lane r at 64 (e / 4) + 4 r + e % 4. Sixteen groups are a tile of AMX as it wants them. Included
// by the files of two kernel sets: everything has internal linkage and calls nothing but
// intrinsics.

namespace teetee::tensor {
namespace {

/// Codes of a segment: 64 groups.
struct alignas(64) CodeBuffer {
    uint8_t bytes[segment_elements * panel_rows];
};

[[gnu::always_inline]] inline __m512i load(const uint8_t* p) {
    return _mm512_loadu_si512(p);
}

[[gnu::always_inline]] inline void store_group(uint8_t* out, size_t group, __m512i value) {
    _mm512_storeu_si512(out + group * group_bytes, value);
}

/// Lines of the weights that come next. The including file defines prefetch_bytes, how far ahead
/// any are fetched; 0 leaves that to the processor, which Zen 4 does better alone. But where codes
/// lie in two planes, its prefetchers lose track of the two streams, and each line's neighbour in
/// the next segment is fetched to the second cache (to the first, it would push out what is read).
template <DataType type>
[[gnu::always_inline]] inline void prefetch(const uint8_t* p) {
    const auto* at = reinterpret_cast<const char*>(p);
    if constexpr (prefetch_bytes != 0) {
        _mm_prefetch(at + prefetch_bytes, _MM_HINT_T0);
    } else if constexpr (code_format(type).high_bits != 0) {
        _mm_prefetch(at + segment_layout(type, segment_elements).bytes, _MM_HINT_T1);
    }
}

[[gnu::always_inline]] inline __m512i low_nibbles(__m512i both) {
    return _mm512_and_si512(both, _mm512_set1_epi8(15));
}
[[gnu::always_inline]] inline __m512i high_nibbles(__m512i both) {
    return _mm512_and_si512(_mm512_srli_epi16(both, 4), _mm512_set1_epi8(15));
}
/// Bit (or two bits) `from` of every byte, moved to bit `to`.
template <unsigned from, unsigned to, unsigned width>
[[gnu::always_inline]] inline __m512i pick_bits(__m512i bytes) {
    const __m512i mask = _mm512_set1_epi8(static_cast<char>(((1u << width) - 1) << to));
    const __m512i moved = from > to ? _mm512_srli_epi16(bytes, from > to ? from - to : 0)
                                    : _mm512_slli_epi16(bytes, from > to ? 0 : to - from);
    return _mm512_and_si512(moved, mask);
}

/// Signed: code - offset. Unsigned: the code.
template <bool is_signed>
[[gnu::always_inline]] inline __m512i adjust(__m512i codes, int offset) {
    if (!is_signed || offset == 0) return codes;
    return _mm512_sub_epi8(codes, _mm512_set1_epi8(static_cast<char>(offset)));
}

template <DataType type, bool is_signed, unsigned g, class Emit>
[[gnu::always_inline]] inline void emit_pair(const uint8_t* low, __m512i high, Emit emit) {
    constexpr CodeFormat f = code_format(type);
    const __m512i both = load(low + g * group_bytes);
    prefetch<type>(low + g * group_bytes);
    __m512i first = low_nibbles(both);
    __m512i second = high_nibbles(both);
    if constexpr (f.high_bits != 0) {
        first = _mm512_or_si512(first, pick_bits<g, 4, 1>(high));
        second = _mm512_or_si512(second, pick_bits<g + 4, 4, 1>(high));
    }
    emit(g, adjust<is_signed>(first, f.offset));
    emit(g + 4, adjust<is_signed>(second, f.offset));
}

/// Types of 32-blocks: calls emit(group, codes) for the eight groups of block b.
template <DataType type, bool is_signed, class Emit>
[[gnu::always_inline]] inline void emit_block(const uint8_t* segment, const SegmentLayout& s,
                                              size_t b, Emit emit) {
    constexpr CodeFormat f = code_format(type);
    if constexpr (f.low_bits == 8) {
        const uint8_t* low = segment + s.low + b * 8 * group_bytes;
        const __m512i flip = _mm512_set1_epi8(is_signed ? 0 : static_cast<char>(0x80));
        for (size_t g = 0; g < 8; ++g) {
            prefetch<type>(low + g * group_bytes);
            emit(g, _mm512_xor_si512(load(low + g * group_bytes), flip));
        }
    } else {
        const uint8_t* low = segment + s.low + b * 4 * group_bytes;
        __m512i high = _mm512_setzero_si512();
        if constexpr (f.high_bits != 0) {
            const uint8_t* p = segment + s.high + b * group_bytes;
            high = load(p);
            prefetch<type>(p);
        }
        emit_pair<type, is_signed, 0>(low, high, emit);
        emit_pair<type, is_signed, 1>(low, high, emit);
        emit_pair<type, is_signed, 2>(low, high, emit);
        emit_pair<type, is_signed, 3>(low, high, emit);
    }
}

/// Groups g of the eight that stand for 32 columns.
struct GroupRange {
    size_t begin;
    size_t end;
};

/// Calls emit(g, codes) for the groups of 32 j + 4 g, one j at a time, in a super block.
template <DataType type, unsigned j, class Emit>
[[gnu::always_inline]] inline void emit_sub_block(const uint8_t* low, const uint8_t* high,
                                                  GroupRange groups, Emit emit) {
    constexpr CodeFormat f = code_format(type);
    for (size_t g = groups.begin; g < groups.end; ++g) {
        __m512i codes;
        if constexpr (f.low_bits == 4) {
            const uint8_t* p = low + (j / 2 * 8 + g) * group_bytes;
            codes = j % 2 == 0 ? low_nibbles(load(p)) : high_nibbles(load(p));
            if (j % 2 == 0) prefetch<type>(p);
        } else {
            const uint8_t* p = low + (j / 4 * 8 + g) * group_bytes;
            codes = pick_bits<2 * (j % 4), 0, 2>(load(p));
            if (j % 4 == 0) prefetch<type>(p);
        }
        if constexpr (f.high_bits == 1) {
            const uint8_t* p = high + g * group_bytes;
            const __m512i bits = load(p);
            if (j == 0) prefetch<type>(p);
            codes = _mm512_or_si512(codes, pick_bits<j, f.low_bits, 1>(bits));
        } else if constexpr (f.high_bits == 2) {
            const uint8_t* p = high + (j / 4 * 8 + g) * group_bytes;
            const __m512i bits = load(p);
            if (j % 4 == 0) prefetch<type>(p);
            codes = _mm512_or_si512(codes, pick_bits<2 * (j % 4), f.low_bits, 2>(bits));
        }
        emit(g, codes);
    }
}

/// Calls step.template operator()<j>() for j from 0 to 7.
template <class Step>
[[gnu::always_inline]] inline void for_sub_blocks(Step step) {
    step.template operator()<0>(), step.template operator()<1>();
    step.template operator()<2>(), step.template operator()<3>();
    step.template operator()<4>(), step.template operator()<5>();
    step.template operator()<6>(), step.template operator()<7>();
}

/// Calls emit(group, codes) for the 64 groups.
template <DataType type, class Emit>
[[gnu::always_inline]] inline void emit_super_block(const uint8_t* segment, Emit emit) {
    constexpr SegmentLayout s = segment_layout(type, segment_elements);
    const uint8_t* low = segment + s.low;
    const uint8_t* high = segment + s.high;
    for_sub_blocks([&]<unsigned j>() {
        emit_sub_block<type, j>(low, high, {0, 8},
                                [&](size_t g, __m512i codes) { emit(8 * j + g, codes); });
    });
}

/// Integer scales of a super block, a 32-bit lane to a row.
template <DataType type>
[[gnu::always_inline]] inline __m512i sub_scale(const uint8_t* segment, size_t sub) {
    constexpr CodeFormat f = code_format(type);
    constexpr SegmentLayout s = segment_layout(type, segment_elements);
    const __m128i bytes =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(segment + s.minima + sub * panel_rows));
    if constexpr (!f.has_min) return _mm512_cvtepi8_epi32(bytes);
    const __m512i scale = _mm512_cvtepu8_epi32(bytes);
    return f.low_bits == 2 ? _mm512_and_si512(scale, _mm512_set1_epi32(15)) : scale;
}

template <DataType type>
[[gnu::always_inline]] inline __m512i sub_min(const uint8_t* segment, size_t sub) {
    constexpr CodeFormat f = code_format(type);
    constexpr SegmentLayout s = segment_layout(type, segment_elements);
    constexpr size_t sub_count = segment_elements / f.sub_elements;
    const size_t at = f.low_bits == 2 ? sub : sub_count + sub;
    const __m512i min = _mm512_cvtepu8_epi32(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(segment + s.minima + at * panel_rows)));
    return f.low_bits == 2 ? _mm512_srli_epi32(min, 4) : min;
}

/// What the sums of activations are multiplied with, for each pair of 16 elements (2j, 2j + 1), as
/// pairs of 16-bit integers in a row's lane: minima, or the scales (of an offset that all share).
template <DataType type>
[[gnu::always_inline]] inline void sum_factors(const uint8_t* segment, bool minima,
                                               __m512i (&pairs)[8]) {
    constexpr CodeFormat f = code_format(type);
    constexpr size_t subs_each = 32 / f.sub_elements;
    for (size_t j = 0; j < 8; ++j) {
        const size_t first = j * subs_each;
        const size_t second = first + subs_each - 1;
        __m512i a;
        __m512i b;
        if (minima) {
            a = sub_min<type>(segment, first);
            b = sub_min<type>(segment, second);
        } else {
            a = sub_scale<type>(segment, first);
            b = sub_scale<type>(segment, second);
        }
        pairs[j] = _mm512_or_si512(_mm512_and_si512(a, _mm512_set1_epi32(0xffff)),
                                   _mm512_slli_epi32(b, 16));
    }
}

[[gnu::always_inline]] inline __m512 load_halves(const uint8_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}

/// 2^exponent of 16 bytes of exponents.
[[gnu::always_inline]] inline __m512 load_exponents(const uint8_t* p) {
    const __m512i exponents =
        _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_add_epi32(exponents, _mm512_set1_epi32(127)), 23));
}

}  // namespace
}  // namespace teetee::tensor
