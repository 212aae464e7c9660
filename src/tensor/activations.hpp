// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/aligned_vector.hpp"
#include "tensor/packed_layout.hpp"
#include "tensor/thread_pool.hpp"

namespace teetee::tensor {

/// Rows of activations in the form that one arithmetic multiplies with. What an arithmetic does not
/// use is null.
///
/// Quantised rows stand in tiles of up to 16: of a tile with R rows, the bytes of 64 columns stand
/// together as (R, 64), and the scales of one unit (32 columns; 256 for super blocks) as (R). R is
/// row_count up to 8, else 16, and then the last tile is padded. Fixed: bytes are the high and the
/// low parts of 32 columns, (R, {32 high, 32 low}), value = 256 high + low; the same as integers
/// stands as (R, 32). So rows that meet a weight together never lie a power of two apart, which
/// would put them all into one set of the first cache.
struct ActivationView {
    size_t row_count = 0;
    size_t columns = 0;
    size_t tile_rows = 0;               // R
    const float* values = nullptr;      // (row_count, columns)
    const int8_t* quants = nullptr;     // see above
    const float* scales = nullptr;      // see above
    const int32_t* sums = nullptr;      // blocks: of the quants of each 32, as the scales stand
    const int16_t* sub_sums = nullptr;  // super blocks: (row_count, columns / 16)
    const int16_t* integers = nullptr;  // fixed: see above
};

/// Byte distance between neighbouring 64-byte chunks of a row, and between tiles.
static constexpr size_t chunk_stride(const ActivationView& x) {
    return 64 * x.tile_rows;
}
/// Distance between the integers of neighbouring 32 columns of a row.
static constexpr size_t integer_stride(const ActivationView& x) {
    return block_elements * x.tile_rows;
}
/// Bytes that `columns` take in a row of quants: fixed has two a column.
static constexpr size_t tile_stride(const ActivationView& x, Arithmetic arithmetic) {
    const size_t bytes = arithmetic == Arithmetic::fixed ? 2 * x.columns : x.columns;
    return (bytes + 63) / 64 * chunk_stride(x);
}

/// Activations of a batch, quantised when a matrix first asks for its form, and used for every
/// matrix that reads the same input.
class Activations {
  public:
    /// values: (row_count, columns). Keeps a view of `values`.
    void assign(const float* values, size_t row_count, size_t columns, ThreadPool& pool);

    const ActivationView& as(Arithmetic arithmetic);

  private:
    struct Form {
        bool ready = false;
        ActivationView view;
        AlignedVector<int8_t> quants;
        AlignedVector<float> scales;
        AlignedVector<int32_t> sums;
        AlignedVector<int16_t> sub_sums;
        AlignedVector<int16_t> integers;
    };

    void quantise(Arithmetic arithmetic, Form& form);

    ActivationView plain_;
    Form blocks_;
    Form super_blocks_;
    Form fixed_;
    ThreadPool* pool_ = nullptr;
};

}  // namespace teetee::tensor
