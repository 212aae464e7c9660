// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "tensor/packed_layout.hpp"

namespace teetee::tensor {

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
