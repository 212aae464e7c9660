// SPDX-License-Identifier: Apache-2.0
#include "tensor/activations.hpp"

#include <algorithm>
#include <array>

#include "base/assert.hpp"
#include "tensor/ops.hpp"

namespace teetee::tensor {
namespace {

/// Tiles are read whole, so the buffer goes on past the last row of a padded one.
constexpr size_t slack_bytes = 16 * 64;

size_t unit_elements(Arithmetic arithmetic) {
    return arithmetic == Arithmetic::super_blocks ? segment_elements : block_elements;
}

template <class T>
void grow(AlignedVector<T>& buffer, size_t size) {
    if (buffer.size() < size) buffer.resize(size);
}

}  // namespace

void Activations::assign(const float* values, size_t row_count, size_t columns, ThreadPool& pool) {
    plain_ = {};
    plain_.row_count = row_count;
    plain_.columns = columns;
    plain_.tile_rows = row_count <= 8 ? row_count : 16;
    plain_.values = values;
    pool_ = &pool;
    blocks_.ready = super_blocks_.ready = fixed_.ready = false;
}

const ActivationView& Activations::as(Arithmetic arithmetic) {
    if (arithmetic == Arithmetic::plain) return plain_;
    Form& form = arithmetic == Arithmetic::blocks  ? blocks_
                 : arithmetic == Arithmetic::fixed ? fixed_
                                                   : super_blocks_;
    if (!form.ready) quantise(arithmetic, form);
    return form.view;
}

void Activations::quantise(Arithmetic arithmetic, Form& form) {
    ActivationView& view = form.view;
    view = plain_;
    const size_t unit = unit_elements(arithmetic);
    const size_t units = view.columns / unit;
    const size_t tiles = (view.row_count + view.tile_rows - 1) / view.tile_rows;
    const size_t stride = tile_stride(view, arithmetic);
    TT_ASSERT(view.columns % unit == 0);
    grow(form.quants, tiles * stride + slack_bytes);
    grow(form.scales, tiles * view.tile_rows * units + slack_bytes);
    view.quants = form.quants.data();
    view.scales = form.scales.data();
    if (arithmetic == Arithmetic::blocks) {
        grow(form.sums, tiles * view.tile_rows * units + slack_bytes);
        view.sums = form.sums.data();
    } else if (arithmetic == Arithmetic::super_blocks) {
        grow(form.sub_sums, view.row_count * view.columns / 16);
        view.sub_sums = form.sub_sums.data();
    } else {
        grow(form.integers, tiles * view.tile_rows * view.columns);
        view.integers = form.integers.data();
    }
    const auto quantise_units = [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            const size_t row = i / units;
            const size_t u = i % units;
            const float* values = view.values + row * view.columns + u * unit;
            int8_t* tile =
                form.quants.data() + row / view.tile_rows * stride + row % view.tile_rows * 64;
            const size_t at =
                (row / view.tile_rows * units + u) * view.tile_rows + row % view.tile_rows;
            if (arithmetic == Arithmetic::blocks) {
                form.scales[at] = quantise_block(
                    values, tile + u / 2 * chunk_stride(view) + u % 2 * 32, form.sums[at]);
            } else if (arithmetic == Arithmetic::super_blocks) {
                form.scales[at] =
                    quantise_super_block(values, tile + u * 4 * chunk_stride(view),
                                         chunk_stride(view), form.sub_sums.data() + i * 16);
            } else {
                form.scales[at] = quantise_fixed_block(values, tile + u * chunk_stride(view),
                                                       form.integers.data() + at * block_elements);
            }
        }
    };
    // One row of a small model is quantised sooner than another thread wakes up.
    const size_t total = view.row_count * units;
    if (total * unit <= 8192) {
        quantise_units(0, total);
    } else {
        pool_->run(total, quantise_units);
    }
    form.ready = true;
}

}  // namespace teetee::tensor
