// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include <immintrin.h>

namespace teetee::tensor {
namespace {
constexpr unsigned long prefetch_bytes = 4096;
}  // namespace
}  // namespace teetee::tensor

#include "tensor/attention_avx512.hpp"
#include "tensor/kernels.hpp"
#include "tensor/kernels_avx512.hpp"
#include "tensor/tiles_amx.hpp"

// Products with AMX int8 tiles (Intel 64 and IA-32 SDM, volume 1, chapter 18). A tile product sums
// 16 rows of activations times 16 output rows over 32 or 64 columns exactly; scales are applied to
// the tile in vector registers afterwards. Storing a tile takes as long as multiplying one, so
// stores run two tiles behind the products, and the scaling of one unit overlaps the products of
// the next.

namespace teetee::tensor {

const KernelSet& amx_kernels();

namespace {

/// Fewer rows than these are done sooner by VNNI.
constexpr size_t tile_rows_min = 11;
/// Up to as many activation tiles, it is the weights that cost, and those are read fastest one
/// panel after the other.
constexpr size_t few_tiles = 4;

// ---- 32-blocks ------------------------------------------------------------------------------

template <DataType type>
class BlockPass : PassBase<Arithmetic::blocks, BlockSegment, panels_max> {
    using Base = PassBase<Arithmetic::blocks, BlockSegment, panels_max>;
    using typename Base::At;

  public:
    static constexpr size_t panels = panels_max;

    BlockPass(const Pass& pass, TileTotals& totals) : Base(pass, totals), session_(4, 6, 32) {}

    void run_segment(size_t first, size_t columns, size_t offset) {
        const size_t blocks = columns / block_elements;
        for (size_t p = 0; p < this->pass_.panel_count; ++p)
            open_block_segment<type, true>(this->pass_.panel(p) + offset, blocks,
                                           this->weights_[p]);
        At at = this->cursor(first);
        if (blocks == segment_blocks) {
            run_whole(at);
        } else {
            for (size_t u = 0; u < this->pass_.unit_count(); ++u, this->advance(at))
                run_partial(at, blocks);
        }
    }

  private:
    void run_whole(At now) {
        const size_t units = this->pass_.unit_count();
        At next = now;
        this->advance(next);
        At after = next;
        this->advance(after);
        multiply<0>(now);
        multiply<1>(now);
        stage_all(now, next, units > 1);
        for (size_t u = 0; u + 1 < units; ++u) {
            __m512 sums[16];
            for (auto& s : sums) s = _mm512_setzero_ps();
            const bool has_after = u + 2 < units;
            stage<0>(next, after, has_after), scale_tile<0>(now, sums);
            stage<1>(next, after, has_after), scale_tile<1>(now, sums);
            stage<2>(next, after, has_after), scale_tile<2>(now, sums);
            stage<3>(next, after, has_after), scale_tile<3>(now, sums);
            stage<4>(next, after, has_after), scale_tile<4>(now, sums);
            stage<5>(next, after, has_after), scale_tile<5>(now, sums);
            stage<6>(next, after, has_after), scale_tile<6>(now, sums);
            stage<7>(next, after, has_after), scale_tile<7>(now, sums);
            this->add_to_totals(now.unit, sums);
            now = next;
            next = after;
            this->advance(after);
        }
        scale_all(now, segment_blocks);
    }

    void stage_all(const At& at, const At& next, bool has_next) {
        stage<0>(at, next, has_next), stage<1>(at, next, has_next);
        stage<2>(at, next, has_next), stage<3>(at, next, has_next);
        stage<4>(at, next, has_next), stage<5>(at, next, has_next);
        stage<6>(at, next, has_next), stage<7>(at, next, has_next);
    }

    /// The product two places on, then the store of this one.
    template <size_t b>
    [[gnu::always_inline]] void stage(const At& at, const At& next, bool has_next) {
        if constexpr (b < 6) {
            multiply<b + 2>(at);
        } else {
            if (has_next) multiply<b - 6>(next);
        }
        tile_store<b % 4>(this->stored_.at(at.unit, b));
    }

    template <size_t b>
    [[gnu::always_inline]] void multiply(const At& at) {
        constexpr int a_tile = 4 + b % 2;
        constexpr int b_tile = 6 + b % 2;
        tile_load<a_tile>(at.quants + b / 2 * this->chunk_stride_ + b % 2 * 32);
        tile_load<b_tile>(at.weights->buffer.bytes + b * 8 * group_bytes);
        tile_zero<b % 4>();
        tile_multiply<b % 4, a_tile, b_tile>();
    }

    template <size_t b>
    [[gnu::always_inline]] void scale_tile(const At& at, __m512 (&sums)[16]) {
        scale_block(at, b, this->stored_.at(at.unit, b), sums);
    }

    [[gnu::always_inline]] void scale_block(const At& at, size_t b, const int32_t* stored,
                                            __m512 (&sums)[16]) {
        const float* scales = at.scales + b * 16;
        const __m512 weight = at.weights->scales[b];
        for (size_t r = 0; r < 16; ++r) {
            const __m512 scale = _mm512_mul_ps(weight, _mm512_set1_ps(scales[r]));
            sums[r] = _mm512_fmadd_ps(
                _mm512_cvtepi32_ps(_mm512_load_si512(stored + r * panel_rows)), scale, sums[r]);
        }
        if constexpr (code_format(type).has_min) {
            const int32_t* x_sums = at.sums + b * 16;
            for (size_t r = 0; r < 16; ++r) {
                const __m512 min = _mm512_mul_ps(at.weights->minima[b], _mm512_set1_ps(scales[r]));
                sums[r] =
                    _mm512_fmadd_ps(_mm512_set1_ps(static_cast<float>(x_sums[r])), min, sums[r]);
            }
        }
    }

    void scale_all(const At& at, size_t blocks) {
        __m512 sums[16];
        for (auto& s : sums) s = _mm512_setzero_ps();
        for (size_t b = 0; b < blocks; ++b) scale_block(at, b, this->stored_.at(at.unit, b), sums);
        this->add_to_totals(at.unit, sums);
    }

    void run_partial(const At& at, size_t blocks) {
        for (size_t b = 0; b < blocks; ++b) {
            tile_load<4>(at.quants + b / 2 * this->chunk_stride_ + b % 2 * 32);
            tile_load<6>(at.weights->buffer.bytes + b * 8 * group_bytes);
            tile_zero<0>();
            tile_multiply<0, 4, 6>();
            tile_store<0>(this->stored_.at(at.unit, b));
        }
        scale_all(at, blocks);
    }

    TileSession session_;
};

// ---- super blocks ---------------------------------------------------------------------------

/// scale * (code - offset) of a super block takes up to 13 bits: 64 high + low, a byte each, so
/// that the whole segment is one chain of tile products.
struct SuperBlockPlanes {
    CodeBuffer low;
    CodeBuffer high;
    __m512i min_factors[8];
    __m512 scale;
    __m512 min;
};

template <DataType type>
[[gnu::always_inline]] inline void open_planes(const uint8_t* data, SuperBlockPlanes& out) {
    constexpr CodeFormat f = code_format(type);
    constexpr size_t sub_groups = f.sub_elements / 4;
    out.scale = load_halves(data);
    if (f.has_min) {
        out.min = load_halves(data + 2 * panel_rows);
        sum_factors<type>(data, true, out.min_factors);
    }
    __m512i factors[16];
    for (size_t j = 0; j < segment_elements / f.sub_elements; ++j) {
        const __m512i scale = sub_scale<type>(data, j);
        factors[j] = _mm512_or_si512(_mm512_and_si512(scale, _mm512_set1_epi32(0xffff)),
                                     _mm512_slli_epi32(scale, 16));
    }
    const __m512i byte_mask = _mm512_set1_epi16(0xff);
    const __m512i low_mask = _mm512_set1_epi16(63);
    const __m512i offset = _mm512_set1_epi16(static_cast<short>(f.offset));
    emit_super_block<type>(data, [&](size_t group, __m512i codes) {
        const __m512i factor = factors[group / sub_groups];
        // Bytes 0 and 2, then 1 and 3, of each lane, as 16-bit products.
        __m512i even = _mm512_and_si512(codes, byte_mask);
        __m512i odd = _mm512_srli_epi16(codes, 8);
        if constexpr (f.offset != 0) {
            even = _mm512_sub_epi16(even, offset);
            odd = _mm512_sub_epi16(odd, offset);
        }
        even = _mm512_mullo_epi16(even, factor);
        odd = _mm512_mullo_epi16(odd, factor);
        const __m512i low = _mm512_or_si512(_mm512_and_si512(even, low_mask),
                                            _mm512_slli_epi16(_mm512_and_si512(odd, low_mask), 8));
        // The high part of an odd byte must come to bits 8 to 15: (odd >> 6) << 8 without its low
        // bits, which is odd << 2 with them masked away.
        const __m512i high = _mm512_mask_blend_epi8(
            0xaaaaaaaaaaaaaaaaULL, _mm512_srai_epi16(even, 6), _mm512_slli_epi16(odd, 2));
        store_group(out.low.bytes, group, low);
        store_group(out.high.bytes, group, high);
    });
}

template <DataType type>
class SuperBlockPass : PassBase<Arithmetic::super_blocks, SuperBlockPlanes, 2> {
    using Base = PassBase<Arithmetic::super_blocks, SuperBlockPlanes, 2>;
    using typename Base::At;

  public:
    static constexpr size_t panels = 2;

    SuperBlockPass(const Pass& pass, TileTotals& totals) : Base(pass, totals), session_(4, 6, 64) {}

    void run_segment(size_t first, size_t, size_t offset) {
        for (size_t p = 0; p < this->pass_.panel_count; ++p)
            open_planes<type>(this->pass_.panel(p) + offset, this->weights_[p]);
        first_sub_ = first / 16;
        const size_t units = this->pass_.unit_count();
        At previous = this->cursor(first);
        At now = previous;
        At next = now;
        this->advance(next);
        multiply<0>(now);
        // Products run one unit ahead of the stores, stores one unit ahead of the scaling.
        for (size_t u = 0; u < units; ++u) {
            const bool even = u % 2 == 0;
            if (u + 1 < units) even ? multiply<2>(next) : multiply<0>(next);
            even ? store<0>(now) : store<2>(now);
            if (u > 0) scale_tile(previous);
            previous = now;
            now = next;
            this->advance(next);
        }
        scale_tile(previous);
    }

  private:
    template <int sum>
    [[gnu::always_inline]] void multiply(const At& at) {
        tile_zero<sum>();
        tile_zero<sum + 1>();
        multiply_chunk<sum, 4>(at, 0);
        multiply_chunk<sum, 5>(at, 1);
        multiply_chunk<sum, 4>(at, 2);
        multiply_chunk<sum, 5>(at, 3);
    }

    template <int sum, int a>
    [[gnu::always_inline]] void multiply_chunk(const At& at, size_t chunk) {
        tile_load<a>(at.quants + chunk * this->chunk_stride_);
        tile_load<6>(at.weights->low.bytes + chunk * 16 * group_bytes);
        tile_multiply<sum, a, 6>();
        tile_load<7>(at.weights->high.bytes + chunk * 16 * group_bytes);
        tile_multiply<sum + 1, a, 7>();
    }

    template <int sum>
    [[gnu::always_inline]] void store(const At& at) {
        tile_store<sum>(this->stored_.at(at.unit, 0));
        tile_store<sum + 1>(this->stored_.at(at.unit, 1));
    }

    void scale_tile(const At& at) {
        constexpr CodeFormat f = code_format(type);
        const SuperBlockPlanes& w = *at.weights;
        const ActivationView& x = this->pass_.x;
        const size_t sums_stride = x.columns / 16;
        for (size_t r = 0; r < 16; ++r) {
            const __m512i low = _mm512_load_si512(this->stored_.at(at.unit, 0) + r * panel_rows);
            const __m512i high = _mm512_load_si512(this->stored_.at(at.unit, 1) + r * panel_rows);
            const __m512i product = _mm512_add_epi32(low, _mm512_slli_epi32(high, 6));
            __m512i minima = _mm512_setzero_si512();
            // Rows that pad the last tile have no sums.
            if (f.has_min && at.row + r < x.row_count)
                minima =
                    dot_sums(w.min_factors, x.sub_sums + (at.row + r) * sums_stride + first_sub_);
            add_super_block<f.has_min>(product, minima, w.scale, w.min, at.scales[r],
                                       this->totals_ + at.unit * tile_floats + r * panel_rows);
        }
    }

    TileSession session_;
    size_t first_sub_ = 0;
};

// ---- fixed ----------------------------------------------------------------------------------

/// The 16-bit integers of a segment as 256 high + low, both signed bytes.
struct FixedPlanes {
    CodeBuffer low;
    CodeBuffer high;
    __m512 scales[segment_blocks];
};

[[gnu::always_inline]] inline void open_fixed_planes(const uint8_t* data, size_t blocks,
                                                     FixedPlanes& out) {
    const SegmentLayout s = segment_layout(DataType::f16, blocks * block_elements);
    // Of two groups of pairs: bytes 0 and 2 of each lane of the first, then of the second.
    alignas(64) static constexpr auto indices = [] {
        struct {
            uint8_t low[64];
            uint8_t high[64];
        } t{};
        for (size_t i = 0; i < 64; ++i) {
            t.low[i] = static_cast<uint8_t>((i % 4 / 2) * 64 + i / 4 * 4 + i % 2 * 2);
            t.high[i] = static_cast<uint8_t>(t.low[i] + 1);
        }
        return t;
    }();
    const __m512i low_index = _mm512_loadu_si512(indices.low);
    const __m512i high_index = _mm512_loadu_si512(indices.high);
    const __m512i half = _mm512_set1_epi16(128);
    for (size_t b = 0; b < blocks; ++b) out.scales[b] = load_exponents(data + panel_rows * b);
    for (size_t g = 0; g < 8 * blocks; ++g) {
        const uint8_t* p = data + s.low + 2 * g * group_bytes;
        prefetch<DataType::f16>(p);
        prefetch<DataType::f16>(p + 64);
        const __m512i first = load(p);
        const __m512i second = load(p + group_bytes);
        store_group(out.low.bytes, g, _mm512_permutex2var_epi8(first, low_index, second));
        store_group(out.high.bytes, g,
                    _mm512_permutex2var_epi8(_mm512_add_epi16(first, half), high_index,
                                             _mm512_add_epi16(second, half)));
    }
}

class FixedPass : PassBase<Arithmetic::fixed, FixedPlanes, 2> {
  public:
    static constexpr size_t panels = 2;

    FixedPass(const Pass& pass, TileTotals& totals) : PassBase(pass, totals), session_(6, 7, 32) {}

    void run_segment(size_t first, size_t columns, size_t offset) {
        const size_t blocks = columns / block_elements;
        for (size_t p = 0; p < pass_.panel_count; ++p)
            open_fixed_planes(pass_.panel(p) + offset, blocks, weights_[p]);
        // Steps are (unit, block). Products run one step ahead of the stores, and these one step
        // ahead of the scaling.
        const size_t units = pass_.unit_count();
        const size_t steps = units * blocks;
        Step ahead{cursor(first), 0};
        Step behind = ahead;
        multiply<0>(ahead);
        __m512 sums[16];
        for (auto& s : sums) s = _mm512_setzero_ps();
        for (size_t i = 0; i < steps; ++i) {
            go_on(ahead, blocks);
            if (i % 2 == 0) {
                if (i + 1 < steps) multiply<3>(ahead);
                store<0>(i);
            } else {
                if (i + 1 < steps) multiply<0>(ahead);
                store<3>(i);
            }
            if (i == 0) continue;
            scale_tile(behind, i - 1, sums);
            finish(behind, blocks, sums);
        }
        scale_tile(behind, steps - 1, sums);
        finish(behind, blocks, sums);
    }

  private:
    struct Step {
        At at;
        size_t block;
    };

    [[gnu::always_inline]] void go_on(Step& step, size_t blocks) const {
        if (++step.block < blocks) return;
        step.block = 0;
        advance(step.at);
    }
    /// After the last block of a unit its sums are complete.
    [[gnu::always_inline]] void finish(Step& step, size_t blocks, __m512 (&sums)[16]) {
        if (step.block + 1 == blocks) {
            add_to_totals(step.at.unit, sums);
            for (auto& s : sums) s = _mm512_setzero_ps();
        }
        go_on(step, blocks);
    }

    /// Sums: high * high, the cross products, low * low.
    template <int sum>
    [[gnu::always_inline]] void multiply(const Step& step) {
        const int8_t* quants = step.at.quants + step.block * chunk_stride_;
        const uint8_t* high = step.at.weights->high.bytes + step.block * 8 * group_bytes;
        const uint8_t* low = step.at.weights->low.bytes + step.block * 8 * group_bytes;
        tile_load<6>(quants);
        tile_load<7>(high);
        tile_zero<sum>();
        tile_multiply<sum, 6, 7>();
        tile_load<7>(low);
        tile_zero<sum + 1>();
        tile_multiply<sum + 1, 6, 7>();
        tile_load<6>(quants + 32);
        tile_zero<sum + 2>();
        tile_multiply<sum + 2, 6, 7>();
        tile_load<7>(high);
        tile_multiply<sum + 1, 6, 7>();
    }
    template <int sum>
    [[gnu::always_inline]] void store(size_t step) {
        tile_store<sum>(stored_.at(step, 0));
        tile_store<sum + 1>(stored_.at(step, 1));
        tile_store<sum + 2>(stored_.at(step, 2));
    }

    [[gnu::always_inline]] void scale_tile(const Step& step, size_t index, __m512 (&sums)[16]) {
        const float* scales = step.at.scales + step.block * 16;
        const __m512 weight = step.at.weights->scales[step.block];
        const int32_t* high = stored_.at(index, 0);
        const int32_t* cross = stored_.at(index, 1);
        const int32_t* low = stored_.at(index, 2);
        for (size_t r = 0; r < 16; ++r) {
            const size_t i = r * panel_rows;
            __m512i product = _mm512_slli_epi32(_mm512_load_si512(high + i), 8);
            product = _mm512_add_epi32(product, _mm512_load_si512(cross + i));
            product = _mm512_slli_epi32(product, 8);
            product = _mm512_add_epi32(product, _mm512_load_si512(low + i));
            const __m512 scale = _mm512_mul_ps(weight, _mm512_set1_ps(scales[r]));
            sums[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(product), scale, sums[r]);
        }
    }

    TileSession session_;
};

// ---- all of them ----------------------------------------------------------------------------

template <class KernelPass>
void run_pass(const Pass& pass, float* out, size_t out_stride) {
    TileTotals totals;
    for (size_t i = 0; i < pass.unit_count() * tile_floats; i += 16)
        _mm512_store_ps(totals.values + i, _mm512_setzero_ps());
    {
        KernelPass kernel(pass, totals);
        size_t offset = 0;
        for (size_t first = 0; first < pass.matrix.columns; first += segment_elements) {
            const size_t columns = least(segment_elements, pass.matrix.columns - first);
            kernel.run_segment(first, columns, offset);
            offset += segment_layout(pass.matrix.type, columns).bytes;
        }
    }
    for (size_t u = 0; u < pass.unit_count(); ++u) {
        const size_t row = (pass.first_tile + u / pass.panel_count) * 16;
        const size_t panel = pass.first_panel + u % pass.panel_count;
        store_lanes(totals.values + u * tile_floats, least(16, pass.x.row_count - row),
                    least(panel_rows, pass.matrix.rows - panel * panel_rows),
                    out + row * out_stride + panel * panel_rows, out_stride);
    }
}

template <class KernelPass>
void run_passes(const PackedView& matrix, const ActivationView& x, size_t tile_count, float* out,
                size_t out_stride, PanelRange panels) {
    // Several panels share a pass over many activations. With few activations it is the weights
    // that cost, and those are read fastest one panel after the other.
    const size_t together = tile_count > few_tiles ? KernelPass::panels : 1;
    for (size_t panel = panels.begin; panel < panels.end; panel += together) {
        const size_t panel_count = least(together, panels.end - panel);
        for (size_t tile = 0; tile < tile_count; tile += tiles_max) {
            run_pass<KernelPass>(
                {matrix, x, tile, least(tiles_max, tile_count - tile), panel, panel_count}, out,
                out_stride);
        }
        if (tile_count * 16 < x.row_count) {
            multiply_rows(matrix, x, {tile_count * 16, x.row_count}, out, out_stride,
                          {panel, panel + panel_count});
        }
    }
}

using PassesFn = void (*)(const PackedView&, const ActivationView&, size_t, float*, size_t,
                          PanelRange);

PassesFn passes_function(DataType type) {
    switch (type) {
        case DataType::q8_0:
            return run_passes<BlockPass<DataType::q8_0>>;
        case DataType::q4_0:
            return run_passes<BlockPass<DataType::q4_0>>;
        case DataType::q4_1:
            return run_passes<BlockPass<DataType::q4_1>>;
        case DataType::q5_0:
            return run_passes<BlockPass<DataType::q5_0>>;
        case DataType::q5_1:
            return run_passes<BlockPass<DataType::q5_1>>;
        case DataType::q2_k:
            return run_passes<SuperBlockPass<DataType::q2_k>>;
        case DataType::q3_k:
            return run_passes<SuperBlockPass<DataType::q3_k>>;
        case DataType::q4_k:
            return run_passes<SuperBlockPass<DataType::q4_k>>;
        case DataType::q5_k:
            return run_passes<SuperBlockPass<DataType::q5_k>>;
        case DataType::q6_k:
            return run_passes<SuperBlockPass<DataType::q6_k>>;
        case DataType::f16:
        case DataType::bf16:
            return run_passes<FixedPass>;
        default:
            return nullptr;
    }
}

void multiply(const PackedView& matrix, const ActivationView& x, float* out, size_t out_stride,
              PanelRange panels) {
    const size_t whole = x.row_count / 16;
    const size_t tile_count = whole + (x.row_count % 16 >= tile_rows_min ? 1 : 0);
    const PassesFn run = tile_count > 0 ? passes_function(matrix.type) : nullptr;
    if (run == nullptr) {
        multiply_rows(matrix, x, {0, x.row_count}, out, out_stride, panels);
    } else {
        run(matrix, x, tile_count, out, out_stride, panels);
    }
}

}  // namespace

const KernelSet& amx_kernels() {
    static constexpr KernelSet set = {"amx", multiply, score_page, accumulate_page};
    return set;
}

}  // namespace teetee::tensor
#endif
