// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/data_type.hpp"

namespace teetee::tensor {

/// Output rows that stand side by side in a packed matrix, one to a SIMD lane.
inline constexpr size_t panel_rows = 16;
/// Every sum over an inner index is cut into segments of this many elements; a segment is summed
/// from zero, and the segments are added in order (docs/numerics.md).
inline constexpr size_t segment_elements = 256;
/// Elements that share a scale in the 32-block types and in the activations they meet.
inline constexpr size_t block_elements = 32;
inline constexpr size_t segment_blocks = segment_elements / block_elements;
/// Bytes of one group: four consecutive elements (or half-element pairs) of each of the 16 rows.
inline constexpr size_t group_bytes = 4 * panel_rows;

/// How products with a type are formed; each has a section in docs/numerics.md.
enum class Arithmetic {
    plain,         // F32: a chain of fused multiply-adds
    fixed,         // F16, BF16: integers of 15 bits with an exponent to 32 elements
    blocks,        // Q8_0, Q4_0, Q4_1, Q5_0, Q5_1: a scale to 32 elements
    super_blocks,  // Q2_K to Q6_K: integer scales to 16 or 32 elements, one float to 256
};

/// What the bytes of a quantised type mean: an element is (code - offset) * scale (+ or - minimum).
struct CodeFormat {
    Arithmetic arithmetic;
    unsigned low_bits;   // of a code, in the low plane
    unsigned high_bits;  // of a code, in the high plane
    int offset;
    bool has_min;
    unsigned sub_elements;  // super blocks: elements that share an integer scale
};

// Functions of this header are static: files compiled for different instruction sets call them, and
// a shared inline function must not exist in two versions.

static constexpr CodeFormat code_format(DataType type) {
    switch (type) {
        case DataType::q8_0:
            return {Arithmetic::blocks, 8, 0, 128, false, 32};
        case DataType::q4_0:
            return {Arithmetic::blocks, 4, 0, 8, false, 32};
        case DataType::q4_1:
            return {Arithmetic::blocks, 4, 0, 0, true, 32};
        case DataType::q5_0:
            return {Arithmetic::blocks, 4, 1, 16, false, 32};
        case DataType::q5_1:
            return {Arithmetic::blocks, 4, 1, 0, true, 32};
        case DataType::q2_k:
            return {Arithmetic::super_blocks, 2, 0, 0, true, 16};
        case DataType::q3_k:
            return {Arithmetic::super_blocks, 2, 1, 4, false, 16};
        case DataType::q4_k:
            return {Arithmetic::super_blocks, 4, 0, 0, true, 32};
        case DataType::q5_k:
            return {Arithmetic::super_blocks, 4, 1, 0, true, 32};
        case DataType::q6_k:
            return {Arithmetic::super_blocks, 4, 2, 32, false, 16};
        case DataType::f16:
        case DataType::bf16:
            return {Arithmetic::fixed, 0, 0, 0, false, 32};
        default:
            return {Arithmetic::plain, 0, 0, 0, false, 0};
    }
}

/// Where the parts of one segment (256 columns, fewer at the end of a row) of one panel stand. All
/// offsets are in bytes and multiples of 64; each part begins where the one before it ends.
///
/// - scales: blocks: (blocks, 16) F16; fixed: (blocks, 16) exponents of a byte; super blocks: 16
///   scales and 16 scales of minima, F16.
/// - minima: blocks: (blocks, 16) F16. Super blocks: (subs, 16) bytes of scales, then, if the type
///   has minima, (subs, 16) bytes of minima; Q2_K has both in one byte, scale low, minimum high.
/// - low, high: codes in groups (see group_bytes). `low` of 8 bits: element e is in group e / 4. Of
///   4 bits, blocks: group g of a block has elements 4g in its low nibbles, 16 + 4g in its high
///   ones; super blocks: group 8c + g has elements 64c + 4g and 64c + 32 + 4g. Of 2 bits (also as
///   `high`): group 8n + g has elements 128n + 32j + 4g in bits 2j. `high` of 1 bit, blocks: one
///   group a block, element 4g + i is bit g of byte i; super blocks: group g has element
///   32j + 4g in bit j. Fixed: `low` is (columns / 2, 16, 2) integers of 16 bits.
/// - Plain has no segments: (columns, 16) floats.
struct SegmentLayout {
    size_t minima;
    size_t low;
    size_t high;
    size_t bytes;
};

static constexpr size_t round_to_64(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

static constexpr SegmentLayout segment_layout(DataType type, size_t columns) {
    const CodeFormat f = code_format(type);
    const size_t blocks = columns / block_elements;
    SegmentLayout s{};
    switch (f.arithmetic) {
        case Arithmetic::plain:
            s.bytes = 4 * panel_rows * columns;
            break;
        case Arithmetic::fixed:
            s.minima = s.low = round_to_64(panel_rows * blocks);
            s.high = s.bytes = s.low + 2 * panel_rows * columns;
            break;
        case Arithmetic::blocks:
            s.minima = round_to_64(2 * panel_rows * blocks);
            s.low = s.minima * (f.has_min ? 2 : 1);
            s.high = s.low + panel_rows * columns * f.low_bits / 8;
            s.bytes = s.high + (f.high_bits != 0 ? blocks * group_bytes : 0);
            break;
        case Arithmetic::super_blocks: {
            const size_t plane = panel_rows * segment_elements / f.sub_elements;
            const bool shared = f.low_bits == 2;
            s.minima = 64;
            s.low = s.minima + plane * (f.has_min && !shared ? 2 : 1);
            s.high = s.low + panel_rows * segment_elements * f.low_bits / 8;
            s.bytes = s.high + panel_rows * segment_elements * f.high_bits / 8;
            break;
        }
    }
    return s;
}

/// Bytes of a panel: whole segments, then what is left of the row.
static constexpr size_t packed_panel_bytes(DataType type, size_t columns) {
    const size_t rest = columns % segment_elements;
    return columns / segment_elements * segment_layout(type, segment_elements).bytes +
           (rest != 0 ? segment_layout(type, rest).bytes : 0);
}

}  // namespace teetee::tensor
