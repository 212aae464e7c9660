// SPDX-License-Identifier: Apache-2.0
#include "tensor/pack.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/assert.hpp"
#include "base/float16.hpp"
#include "tensor/block_codes.hpp"

namespace teetee::tensor {
namespace {

uint16_t load_u16(const uint8_t* p) {
    return static_cast<uint16_t>(p[0] | p[1] << 8);
}

void store_u16(uint8_t* p, uint16_t value) {
    p[0] = static_cast<uint8_t>(value);
    p[1] = static_cast<uint8_t>(value >> 8);
}

float half_at(DataType type, const uint8_t* p) {
    return type == DataType::bf16 ? bf16_to_f32(load_u16(p)) : f16_to_f32(load_u16(p));
}

/// A file may hold anything; products are defined for finite weights.
float finite(float value) {
    if (value != value) return 0.0F;
    constexpr float largest = 0x1.fep127F;
    return std::clamp(value, -largest, largest);
}

/// -126 <= exponent <= 126.
float power_of_two(int exponent) {
    return std::bit_cast<float>(static_cast<uint32_t>(exponent + 127) << 23);
}

/// Where an element's code stands in a plane: byte within the segment's plane and shift.
struct Place {
    size_t byte;
    unsigned shift;
};

size_t in_group(size_t group, size_t lane, size_t element) {
    return group * group_bytes + 4 * lane + element % 4;
}

Place place_in_blocks(const CodeFormat& f, size_t element, size_t lane) {
    const size_t block = element / block_elements;
    const size_t within = element % block_elements;
    if (f.low_bits == 8) return {in_group(element / 4, lane, element), 0};
    return {in_group(4 * block + within % 16 / 4, lane, element), within < 16 ? 0u : 4u};
}

Place high_place_in_blocks(size_t element, size_t lane) {
    return {in_group(element / block_elements, lane, element),
            static_cast<unsigned>(element % block_elements / 4)};
}

Place place_in_super_block(unsigned bits, size_t element, size_t lane) {
    const size_t quad = element % 32 / 4;
    if (bits == 4) {
        return {in_group(element / 64 * 8 + quad, lane, element),
                static_cast<unsigned>(element / 32 % 2 * 4)};
    }
    if (bits == 2) {
        return {in_group(element / 128 * 8 + quad, lane, element),
                static_cast<unsigned>(element / 32 % 4 * 2)};
    }
    return {in_group(quad, lane, element), static_cast<unsigned>(element / 32)};
}

void put(uint8_t* plane, Place place, unsigned code) {
    plane[place.byte] = static_cast<uint8_t>(plane[place.byte] | code << place.shift);
}

unsigned get(const uint8_t* plane, Place place, unsigned bits) {
    return plane[place.byte] >> place.shift & ((1u << bits) - 1);
}

void pack_block(const CodeFormat& f, const SegmentLayout& s, const BlockCodes& codes, size_t block,
                size_t lane, uint8_t* out) {
    store_u16(out + 2 * (block * panel_rows + lane), codes.scale);
    if (f.has_min) store_u16(out + s.minima + 2 * (block * panel_rows + lane), codes.min);
    for (size_t i = 0; i < block_elements; ++i) {
        const size_t element = block * block_elements + i;
        const unsigned code =
            f.low_bits == 8 ? codes.codes[i] ^ 0x80u : codes.codes[i] & ((1u << f.low_bits) - 1);
        put(out + s.low, place_in_blocks(f, element, lane), code);
        if (f.high_bits != 0)
            put(out + s.high, high_place_in_blocks(element, lane), codes.codes[i] >> 4);
    }
}

void pack_super_block(const CodeFormat& f, const SegmentLayout& s, const BlockCodes& codes,
                      size_t lane, uint8_t* out) {
    const size_t sub_count = segment_elements / f.sub_elements;
    const bool shared = f.low_bits == 2 && f.has_min;
    store_u16(out + 2 * lane, codes.scale);
    store_u16(out + 2 * (panel_rows + lane), codes.min);
    for (size_t j = 0; j < sub_count; ++j) {
        uint8_t* scales = out + s.minima + j * panel_rows + lane;
        *scales = static_cast<uint8_t>(shared ? codes.subs[j] | codes.mins[j] << 4 : codes.subs[j]);
        if (f.has_min && !shared) scales[sub_count * panel_rows] = codes.mins[j];
    }
    for (size_t e = 0; e < segment_elements; ++e) {
        put(out + s.low, place_in_super_block(f.low_bits, e, lane),
            codes.codes[e] & ((1u << f.low_bits) - 1));
        if (f.high_bits != 0) {
            put(out + s.high, place_in_super_block(f.high_bits, e, lane),
                static_cast<unsigned>(codes.codes[e] >> f.low_bits));
        }
    }
}

/// 32 halves as integers n with w = n * 2^exponent, |n| <= 2^14, rounded half to even.
void pack_fixed_block(DataType type, const SegmentLayout& s, const uint8_t* halves, size_t block,
                      size_t lane, uint8_t* out) {
    float largest = 0;
    for (size_t i = 0; i < block_elements; ++i) {
        largest = std::max(largest, std::fabs(finite(half_at(type, halves + 2 * i))));
    }
    int exponent = 0;
    std::frexp(largest, &exponent);
    exponent = std::max(exponent - 14, -126);
    out[block * panel_rows + lane] = std::bit_cast<uint8_t>(static_cast<int8_t>(exponent));
    const float inverse = power_of_two(-exponent);
    for (size_t i = 0; i < block_elements; ++i) {
        const float scaled = finite(half_at(type, halves + 2 * i)) * inverse;
        constexpr float shift = 0x1.8p23F;
        const auto integer = static_cast<int16_t>((scaled + shift) - shift);
        const size_t pair = (block * block_elements + i) / 2;
        store_u16(out + s.low + pair * group_bytes + 4 * lane + 2 * (i % 2),
                  std::bit_cast<uint16_t>(integer));
    }
}

void pack_lane_segment(const MatrixView& matrix, const uint8_t* row, size_t columns, size_t lane,
                       uint8_t* out) {
    const CodeFormat f = code_format(matrix.type);
    const SegmentLayout s = segment_layout(matrix.type, columns);
    const size_t bytes = block_layout(matrix.type).bytes;
    BlockCodes codes{};
    if (f.arithmetic == Arithmetic::super_blocks) {
        read_block(matrix.type, row, codes);
        pack_super_block(f, s, codes, lane, out);
        return;
    }
    for (size_t block = 0; block < columns / block_elements; ++block) {
        if (f.arithmetic == Arithmetic::fixed) {
            pack_fixed_block(matrix.type, s, row + block * 2 * block_elements, block, lane, out);
            continue;
        }
        read_block(matrix.type, row + block * bytes, codes);
        pack_block(f, s, codes, block, lane, out);
    }
}

/// Q8_0 and Q4_0 keep the file's bytes in groups of four, which needs no taking apart.
void pack_groups(const MatrixView& matrix, const uint8_t* rows, size_t lanes, size_t columns,
                 uint8_t* out) {
    const SegmentLayout s = segment_layout(matrix.type, columns);
    const size_t bytes = block_layout(matrix.type).bytes;
    const size_t stride = row_bytes(matrix);
    const size_t groups = (bytes - 2) / 4;
    for (size_t block = 0; block < columns / block_elements; ++block) {
        uint8_t* low = out + s.low + block * groups * group_bytes;
        for (size_t lane = 0; lane < lanes; ++lane) {
            const uint8_t* in = rows + lane * stride + block * bytes;
            std::memcpy(out + 2 * (block * panel_rows + lane), in, 2);
            for (size_t g = 0; g < groups; ++g) {
                std::memcpy(low + g * group_bytes + 4 * lane, in + 2 + 4 * g, 4);
            }
        }
    }
}

void pack_plain(const MatrixView& matrix, const uint8_t* rows, size_t lanes, uint8_t* out) {
    for (size_t k = 0; k < matrix.columns; ++k) {
        for (size_t lane = 0; lane < lanes; ++lane) {
            std::memcpy(out + 4 * (k * panel_rows + lane), rows + 4 * (lane * matrix.columns + k),
                        4);
        }
    }
}

}  // namespace

DataType packed_type(DataType type, size_t columns) {
    const bool is_fixed = code_format(type).arithmetic == Arithmetic::fixed;
    return is_fixed && columns % block_elements != 0 ? DataType::f32 : type;
}

bool packing_keeps_elements(DataType type, size_t columns) {
    return code_format(packed_type(type, columns)).arithmetic != Arithmetic::fixed;
}

size_t packed_bytes(DataType type, size_t rows, size_t columns) {
    return (rows + panel_rows - 1) / panel_rows *
           packed_panel_bytes(packed_type(type, columns), columns);
}

size_t row_bytes(const MatrixView& matrix) {
    const BlockLayout layout = block_layout(matrix.type);
    return matrix.columns / layout.elements * layout.bytes;
}

void dequantise_row(const MatrixView& matrix, size_t row, float* values) {
    TT_ASSERT(row < matrix.rows);
    const uint8_t* data = matrix.data.data() + row * row_bytes(matrix);
    switch (matrix.type) {
        case DataType::f32:
            std::memcpy(values, data, 4 * matrix.columns);
            return;
        case DataType::f16:
        case DataType::bf16:
            for (size_t k = 0; k < matrix.columns; ++k)
                values[k] = half_at(matrix.type, data + 2 * k);
            return;
        default: {
            const BlockLayout layout = block_layout(matrix.type);
            for (size_t k = 0; k < matrix.columns; k += layout.elements, data += layout.bytes) {
                dequantise_block(matrix.type, data, values + k);
            }
        }
    }
}

void pack_panel(const MatrixView& matrix, size_t panel, uint8_t* out) {
    const size_t stride = row_bytes(matrix);
    const size_t lanes = std::min(panel_rows, matrix.rows - panel * panel_rows);
    const uint8_t* rows = matrix.data.data() + panel * panel_rows * stride;
    std::memset(out, 0, packed_panel_bytes(matrix.type, matrix.columns));
    if (code_format(matrix.type).arithmetic == Arithmetic::plain)
        return pack_plain(matrix, rows, lanes, out);
    const BlockLayout layout = block_layout(matrix.type);
    for (size_t k = 0; k < matrix.columns; k += segment_elements) {
        const size_t columns = std::min(segment_elements, matrix.columns - k);
        const uint8_t* at = rows + k / layout.elements * layout.bytes;
        if (matrix.type == DataType::q8_0 || matrix.type == DataType::q4_0) {
            pack_groups(matrix, at, lanes, columns, out);
        } else {
            for (size_t lane = 0; lane < lanes; ++lane)
                pack_lane_segment(matrix, at + lane * stride, columns, lane, out);
        }
        out += segment_layout(matrix.type, columns).bytes;
    }
}

namespace {

/// Halves whose rows are no whole number of blocks are kept as F32, which has no blocks.
void pack_widened_panel(const MatrixView& matrix, size_t panel, uint8_t* out) {
    const size_t first = panel * panel_rows;
    const size_t lanes = std::min(panel_rows, matrix.rows - first);
    std::vector<float> row(matrix.columns);
    std::memset(out, 0, packed_panel_bytes(DataType::f32, matrix.columns));
    for (size_t lane = 0; lane < lanes; ++lane) {
        dequantise_row(matrix, first + lane, row.data());
        for (size_t k = 0; k < matrix.columns; ++k)
            std::memcpy(out + 4 * (k * panel_rows + lane), &row[k], 4);
    }
}

}  // namespace

void pack_matrix(const MatrixView& matrix, uint8_t* out) {
    TT_ASSERT(is_computable(matrix.type) && matrix.data.size() == matrix.rows * row_bytes(matrix));
    const DataType type = packed_type(matrix.type, matrix.columns);
    const size_t panel_bytes = packed_panel_bytes(type, matrix.columns);
    for (size_t first = 0, panel = 0; first < matrix.rows; first += panel_rows, ++panel) {
        if (type == matrix.type) {
            pack_panel(matrix, panel, out + panel * panel_bytes);
        } else {
            pack_widened_panel(matrix, panel, out + panel * panel_bytes);
        }
    }
}

namespace {

/// code - offset of an element of a segment.
int32_t unpack_code(const CodeFormat& f, const SegmentLayout& s, const uint8_t* data,
                    size_t element, size_t lane) {
    const bool super = f.arithmetic == Arithmetic::super_blocks;
    const Place low =
        super ? place_in_super_block(f.low_bits, element, lane) : place_in_blocks(f, element, lane);
    unsigned code = get(data + s.low, low, f.low_bits);
    if (f.low_bits == 8) code ^= 0x80u;
    if (f.high_bits != 0) {
        const Place high = super ? place_in_super_block(f.high_bits, element, lane)
                                 : high_place_in_blocks(element, lane);
        code |= get(data + s.high, high, f.high_bits) << f.low_bits;
    }
    return static_cast<int32_t>(code) - f.offset;
}

/// The integer scale and minimum of a sub-block of a super block.
struct SubScales {
    int32_t scale;
    int32_t min;
};

SubScales unpack_sub_scale(const CodeFormat& f, const SegmentLayout& s, const uint8_t* data,
                           size_t sub, size_t lane) {
    const uint8_t* scale = data + s.minima + sub * panel_rows + lane;
    if (!f.has_min) return {std::bit_cast<int8_t>(*scale), 0};
    if (f.low_bits == 2) return {*scale & 15, *scale >> 4};
    return {*scale, scale[segment_elements / f.sub_elements * panel_rows]};
}

/// One row's part of a segment, by the formulas of dequantise_block.
void dequantise_packed_segment(const CodeFormat& f, const SegmentLayout& s, const uint8_t* data,
                               size_t columns, size_t lane, float* values) {
    const bool super = f.arithmetic == Arithmetic::super_blocks;
    for (size_t e = 0; e < columns; ++e) {
        const size_t at = 2 * ((super ? 0 : e / block_elements) * panel_rows + lane);
        const size_t min_at = super ? 2 * panel_rows + at : s.minima + at;
        const float scale = f16_to_f32(load_u16(data + at));
        const float min = f.has_min ? f16_to_f32(load_u16(data + min_at)) : 0.0F;
        const auto code = static_cast<float>(unpack_code(f, s, data, e, lane));
        if (!super) {
            values[e] = code * scale;
            if (f.has_min) values[e] += min;
            continue;
        }
        const SubScales sub = unpack_sub_scale(f, s, data, e / f.sub_elements, lane);
        values[e] = scale * static_cast<float>(sub.scale) * code;
        if (f.has_min) values[e] -= min * static_cast<float>(sub.min);
    }
}

}  // namespace

void unpack_segment(DataType type, const uint8_t* data, size_t columns, UnpackedSegment& out) {
    const CodeFormat f = code_format(type);
    const SegmentLayout s = segment_layout(type, columns);
    if (f.arithmetic == Arithmetic::fixed) {
        for (size_t b = 0; b < columns / block_elements; ++b) {
            for (size_t lane = 0; lane < panel_rows; ++lane) {
                out.scales[b][lane] =
                    power_of_two(std::bit_cast<int8_t>(data[b * panel_rows + lane]));
            }
        }
        for (size_t e = 0; e < columns; ++e) {
            for (size_t lane = 0; lane < panel_rows; ++lane) {
                out.values[e][lane] = std::bit_cast<int16_t>(
                    load_u16(data + s.low + e / 2 * group_bytes + 4 * lane + 2 * (e % 2)));
            }
        }
        return;
    }
    const bool super = f.arithmetic == Arithmetic::super_blocks;
    for (size_t b = 0; b < (super ? 1 : columns / block_elements); ++b) {
        for (size_t lane = 0; lane < panel_rows; ++lane) {
            const size_t at = 2 * (b * panel_rows + lane);
            out.scales[b][lane] = f16_to_f32(load_u16(data + at));
            if (!f.has_min) continue;
            const size_t min_at = super ? 2 * panel_rows + at : s.minima + at;
            out.minima[b][lane] = f16_to_f32(load_u16(data + min_at));
        }
    }
    for (size_t j = 0; super && j < 16; ++j) {
        for (size_t lane = 0; lane < panel_rows; ++lane) {
            const SubScales sub = unpack_sub_scale(f, s, data, j * 16 / f.sub_elements, lane);
            out.sub_scales[j][lane] = sub.scale;
            out.sub_minima[j][lane] = sub.min;
        }
    }
    for (size_t e = 0; e < columns; ++e) {
        for (size_t lane = 0; lane < panel_rows; ++lane)
            out.values[e][lane] = unpack_code(f, s, data, e, lane);
    }
}

void dequantise_packed_row(const PackedRow& row, const uint8_t* packed, float* values) {
    const CodeFormat f = code_format(row.type);
    TT_ASSERT(f.arithmetic != Arithmetic::fixed);
    const uint8_t* panel =
        packed + row.row / panel_rows * packed_panel_bytes(row.type, row.columns);
    const size_t lane = row.row % panel_rows;
    if (f.arithmetic == Arithmetic::plain) {
        for (size_t k = 0; k < row.columns; ++k)
            std::memcpy(values + k, panel + 4 * (k * panel_rows + lane), 4);
        return;
    }
    for (size_t k = 0; k < row.columns; k += segment_elements) {
        const size_t columns = std::min(segment_elements, row.columns - k);
        const SegmentLayout s = segment_layout(row.type, columns);
        dequantise_packed_segment(f, s, panel, columns, lane, values + k);
        panel += s.bytes;
    }
}

}  // namespace teetee::tensor
