// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "tensor/packed_layout.hpp"

namespace teetee::tensor {

/// Stored with packed weights: MUST be raised when the same weights would be packed into other
/// bytes. The layout is one for all kernels.
inline constexpr uint32_t packed_layout_version = 1;

/// What a matrix of the file's `type` is packed as: F32 where F16 or BF16 rows are no whole number
/// of blocks, else the type itself.
DataType packed_type(DataType type, size_t columns);

/// Whether the elements, as dequantise_row gives them, can be had from the packed form.
bool packing_keeps_elements(DataType type, size_t columns);

/// Bytes of a whole matrix of the file's `type`.
size_t packed_bytes(DataType type, size_t rows, size_t columns);

/// Weights of a matrix (rows, columns) as a GGUF file stores them: row after row of blocks.
struct MatrixView {
    DataType type{};
    size_t rows = 0;
    size_t columns = 0;
    ByteView data;
};

size_t row_bytes(const MatrixView& matrix);

/// values[0, columns) = row `row` of the matrix, each element as its block's formula gives it.
void dequantise_row(const MatrixView& matrix, size_t row, float* values);

/// Writes the panel of rows [16 panel, 16 panel + 16) in the form packed_layout.hpp describes.
/// Rows past the end of the matrix are zero. out: packed_panel_bytes(type, columns) bytes.
void pack_panel(const MatrixView& matrix, size_t panel, uint8_t* out);

/// Packs all rows as packed_type says. A matrix can be packed in pieces of whole panels, each into
/// its place. out: packed_bytes(type, rows, columns) bytes, whatever is in them before.
void pack_matrix(const MatrixView& matrix, uint8_t* out);

struct PackedRow {
    DataType type{};  // what the matrix is packed as
    size_t columns = 0;
    size_t row = 0;
};

/// values[0, columns) = a row of a matrix that packing_keeps_elements: the bits that
/// dequantise_row gives for the matrix before it was packed.
void dequantise_packed_row(const PackedRow& row, const uint8_t* packed, float* values);

/// One segment of one panel taken apart again: what the scalar kernel multiplies with.
struct UnpackedSegment {
    /// Blocks and super blocks: code - offset. Fixed: the integer.
    std::array<std::array<int32_t, panel_rows>, segment_elements> values;
    /// Blocks and fixed: of each block. Super blocks: of the segment, in the first place.
    std::array<std::array<float, panel_rows>, segment_blocks> scales;
    std::array<std::array<float, panel_rows>, segment_blocks> minima;
    /// Super blocks: of each 16 elements (a scale for 32 elements stands twice).
    std::array<std::array<int32_t, panel_rows>, 16> sub_scales;
    std::array<std::array<int32_t, panel_rows>, 16> sub_minima;
};

/// `columns`: of this segment. Not for plain types.
void unpack_segment(DataType type, const uint8_t* data, size_t columns, UnpackedSegment& out);

}  // namespace teetee::tensor
