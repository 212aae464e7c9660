// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include "tensor/kernels_avx512.hpp"
#ifdef TEETEE_EMULATED_TILES  // by kernels_amx_emulated_test.cpp alone
#include "tensor/tile_registers_emulated.hpp"
#else
#include "tensor/tile_registers_amx.hpp"
#endif

// Tile registers of AMX (Intel 64 and IA-32 SDM, volume 1, chapter 18), and what the passes of
// kernels_amx.cpp share. See unpack_avx512.hpp for linkage.

namespace teetee::tensor {
namespace {

/// Activation tiles whose sums are held at a time, and panels that share a pass over them.
constexpr size_t tiles_max = 32;
constexpr size_t panels_max = 4;
constexpr size_t tile_floats = 256;

/// Tiles 0 to 3 are sums; what the others hold depends on the arithmetic.
class TileSession {
  public:
    /// Activations of a_bytes columns in tiles [4, a_end), weights in the rest.
    TileSession(unsigned a_begin, unsigned a_end, uint16_t a_bytes) {
        TileConfig config;
        for (unsigned i = 0; i < 8; ++i) {
            const bool is_sum = i < a_begin;
            const bool is_a = !is_sum && i < a_end;
            config.rows[i] = static_cast<uint8_t>(is_sum || is_a ? 16 : a_bytes / 4);
            config.row_bytes[i] = is_a ? a_bytes : 64;
        }
        tile_configure(config);
    }
    ~TileSession() { tile_release(); }
    TileSession(const TileSession&) = delete;
    TileSession& operator=(const TileSession&) = delete;
};

/// Sums of up to four panels for up to 32 activation tiles: (tile, panel, 16 rows, 16 lanes).
struct alignas(64) TileTotals {
    float values[tiles_max * panels_max * tile_floats];
};

/// What one pass works on: units are (tile, panel), panel innermost.
struct Pass {
    const PackedView& matrix;
    const ActivationView& x;
    size_t first_tile;
    size_t tile_count;
    size_t first_panel;
    size_t panel_count;

    size_t unit_count() const { return tile_count * panel_count; }
    const uint8_t* panel(size_t p) const {
        return matrix.data + (first_panel + p) * packed_panel_bytes(matrix.type, matrix.columns);
    }
};

/// Tiles on their way from the tile registers to the vector registers. The two halves are 10 tiles
/// apart, so that a store and the loads of the other half do not share their low address bits.
struct alignas(64) StoredTiles {
    int32_t values[20 * tile_floats];
    int32_t* at(size_t unit, size_t tile) { return values + (unit % 2 * 10 + tile) * tile_floats; }
};

/// Where one unit of a pass finds its operands in the current segment. `sums` is of blocks only.
template <class Weights>
struct Cursor {
    size_t unit;
    size_t panel;
    size_t row;
    const int8_t* quants;
    const float* scales;
    const int32_t* sums;
    const Weights* weights;
};

/// What the three arithmetics share: walking over the units, and the totals.
template <Arithmetic arithmetic, class Weights, size_t panels>
class PassBase {
  public:
    PassBase(const Pass& pass, TileTotals& totals)
        : pass_(pass),
          totals_(totals.values),
          chunk_stride_(chunk_stride(pass.x)),
          tile_stride_(tile_stride(pass.x, arithmetic)),
          unit_count_(pass.x.columns / unit_columns) {}

  protected:
    static constexpr size_t unit_columns =
        arithmetic == Arithmetic::super_blocks ? segment_elements : block_elements;
    static constexpr size_t unit_bytes = unit_columns * (arithmetic == Arithmetic::fixed ? 2 : 1);
    using At = Cursor<Weights>;

    /// At the first unit of the segment that begins with column `first`.
    [[gnu::always_inline]] At cursor(size_t first) const {
        const size_t unit = first / unit_columns;
        const size_t at = (pass_.first_tile * unit_count_ + unit) * 16;
        return {0,
                0,
                pass_.first_tile * 16,
                pass_.x.quants + pass_.first_tile * tile_stride_ +
                    unit * unit_bytes / 64 * chunk_stride_,
                pass_.x.scales + at,
                arithmetic == Arithmetic::blocks ? pass_.x.sums + at : nullptr,
                weights_};
    }
    /// Past the last unit a cursor points nowhere.
    [[gnu::always_inline]] void advance(At& at) const {
        ++at.unit;
        ++at.weights;
        if (++at.panel < pass_.panel_count) return;
        at.panel = 0;
        at.weights = weights_;
        at.row += 16;
        at.quants += tile_stride_;
        at.scales += unit_count_ * 16;
        if (arithmetic == Arithmetic::blocks) at.sums += unit_count_ * 16;
    }

    [[gnu::always_inline]] void add_to_totals(size_t u, const __m512 (&sums)[16]) {
        float* totals = totals_ + u * tile_floats;
        for (size_t r = 0; r < 16; ++r) {
            float* at = totals + r * panel_rows;
            _mm512_store_ps(at, _mm512_add_ps(_mm512_load_ps(at), sums[r]));
        }
    }

    const Pass& pass_;
    float* totals_;
    size_t chunk_stride_;
    size_t tile_stride_;
    size_t unit_count_;
    Weights weights_[panels];
    StoredTiles stored_;
};

}  // namespace
}  // namespace teetee::tensor
