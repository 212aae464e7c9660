// SPDX-License-Identifier: Apache-2.0
#include "model/attention.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "tensor/aligned_vector.hpp"
#include "tensor/layer_ops.hpp"
#include "tensor/ops.hpp"

namespace teetee::model {
namespace {

using tensor::page_positions;

constexpr size_t segment_pages = tensor::segment_elements / page_positions;
/// Queries that read a page of keys and values together: up to query_tile, of one KV head and of
/// neighbouring rows of one sequence.
struct Tile {
    std::span<const DecoderRow> rows;
    size_t first_row;  // in the batch
    size_t first_head;
    size_t head_count;
    size_t first_page;  // before it, no query of the tile sees anything
    size_t end_page;

    size_t page_count() const { return end_page - first_page; }
};

class Attention {
  public:
    Attention(const DecoderContext& context, uint32_t cache_layer, const AttentionOptions& options,
              const float* queries, float* out)
        : context_(context),
          options_(options),
          cache_layer_(cache_layer),
          head_dim_(context.hyperparameters.head_dim),
          group_(context.hyperparameters.head_count / context.hyperparameters.kv_head_count),
          queries_(queries),
          out_(out) {}

    size_t rows_per_tile() const { return std::max<size_t>(1, tensor::query_tile / group_); }
    static size_t query_count(const Tile& tile) { return tile.rows.size() * tile.head_count; }
    static size_t score_stride(const Tile& tile) { return tile.page_count() * page_positions; }

    /// Appends the tiles of `count` rows from `first` on, which are of one sequence.
    void add_tiles(std::span<const DecoderRow> batch, size_t first, size_t count,
                   std::vector<Tile>& tiles) const {
        const std::span<const DecoderRow> rows = batch.subspan(first, count);
        const size_t begin = first_seen(rows.front()) / page_positions;
        const size_t end = rows.back().position / page_positions + 1;
        for (size_t head = 0; head < context_.hyperparameters.head_count;) {
            const size_t left_of_group = group_ - head % group_;
            const size_t heads = std::min(left_of_group, tensor::query_tile);
            tiles.push_back({rows, first, head, heads, begin, end});
            head += heads;
        }
    }

    /// scores: (queries, score_stride); fills pages [begin, end).
    void score(const Tile& tile, size_t begin, size_t end, float* scores) const {
        std::array<const float*, tensor::query_tile> queries;
        const size_t count = query_count(tile);
        for (size_t q = 0; q < count; ++q) queries[q] = queries_ + offset(tile, q);
        for (size_t p = begin; p < end; ++p) {
            context_.kernels.score_page(page(tile, p), head_dim_, queries.data(), count,
                                        scores + (p - tile.first_page) * page_positions,
                                        score_stride(tile));
        }
    }

    /// Scores become weights; what a query does not see weighs 0, which changes no sum. inverses:
    /// of the queries' sums of weights.
    void weigh(const Tile& tile, float* scores, float* inverses) const {
        const size_t base = tile.first_page * page_positions;
        for (size_t q = 0; q < query_count(tile); ++q) {
            float* row = scores + q * score_stride(tile);
            const DecoderRow& at = tile.rows[q / tile.head_count];
            const size_t count = at.position + 1 - base;
            for (size_t t = 0; t < count; ++t) row[t] *= options_.scale;
            if (options_.score_softcap > 0.0F) tensor::soft_cap(row, count, options_.score_softcap);
            std::fill_n(row, first_seen(at) - base, -std::numeric_limits<float>::infinity());
            inverses[q] = tensor::softmax_numerators(row, count);
            std::fill(row + count, row + score_stride(tile), 0.0F);
        }
    }

    /// sums: (queries, head_dim), from zero, over pages [begin, end).
    void accumulate(const Tile& tile, size_t begin, size_t end, const float* weights,
                    float* sums) const {
        const size_t count = query_count(tile);
        std::fill_n(sums, count * head_dim_, 0.0F);
        for (size_t p = begin; p < end; ++p) {
            const size_t positions = tile.rows.back().position + 1 - p * page_positions;
            context_.kernels.accumulate_page(
                page(tile, p), head_dim_, std::min(page_positions, positions),
                weights + (p - tile.first_page) * page_positions, score_stride(tile), count, sums);
        }
    }

    void clear(const Tile& tile) const {
        for (size_t q = 0; q < query_count(tile); ++q)
            std::fill_n(out_ + offset(tile, q), head_dim_, 0.0F);
    }
    void add_segment(const Tile& tile, const float* sums) const {
        for (size_t q = 0; q < query_count(tile); ++q)
            tensor::add(out_ + offset(tile, q), sums + q * head_dim_, head_dim_);
    }
    void finish(const Tile& tile, const float* inverses) const {
        for (size_t q = 0; q < query_count(tile); ++q) {
            float* out = out_ + offset(tile, q);
            for (size_t d = 0; d < head_dim_; ++d) out[d] *= inverses[q];
        }
    }

  private:
    size_t first_seen(const DecoderRow& row) const {
        const size_t count = row.position + size_t{1};
        return options_.window > 0 && count > options_.window ? count - options_.window : 0;
    }
    size_t offset(const Tile& tile, size_t q) const {
        const size_t row = tile.first_row + q / tile.head_count;
        const size_t head = tile.first_head + q % tile.head_count;
        return (row * context_.hyperparameters.head_count + head) * head_dim_;
    }
    tensor::KvPageView page(const Tile& tile, size_t p) const {
        const auto kv_head = static_cast<uint32_t>(tile.first_head / group_);
        return tile.rows.front().sequence->page(cache_layer_, kv_head, p);
    }

    const DecoderContext& context_;
    const AttentionOptions& options_;
    uint32_t cache_layer_;
    size_t head_dim_;
    size_t group_;
    const float* queries_;
    float* out_;
};

/// Calls body(begin, end) for the segments of the tile's pages; segments stand at multiples of 256
/// positions, wherever the tile begins.
template <class Body>
void for_segments(const Tile& tile, Body body) {
    for (size_t begin = tile.first_page; begin < tile.end_page;) {
        const size_t end = std::min(tile.end_page, (begin / segment_pages + 1) * segment_pages);
        body(begin, end);
        begin = end;
    }
}

/// One tile on one thread; its buffers are kept from call to call.
void attend_tile(const Attention& attention, const Tile& tile, size_t head_dim) {
    thread_local tensor::AlignedVector<float> scores;
    thread_local tensor::AlignedVector<float> sums;
    std::array<float, tensor::query_tile> inverses;
    const size_t count = attention.query_count(tile);
    scores.resize(std::max(scores.size(), count * attention.score_stride(tile)));
    sums.resize(std::max(sums.size(), count * head_dim));
    attention.score(tile, tile.first_page, tile.end_page, scores.data());
    attention.weigh(tile, scores.data(), inverses.data());
    attention.clear(tile);
    for_segments(tile, [&](size_t begin, size_t end) {
        attention.accumulate(tile, begin, end, scores.data(), sums.data());
        attention.add_segment(tile, sums.data());
    });
    attention.finish(tile, inverses.data());
}

/// A segment of a tile's pages: scores and sums of different parts are independent.
struct Part {
    size_t tile;
    size_t begin;
    size_t end;
    size_t sums;
};

/// What attention over parts needs, kept from call to call.
struct PartBuffers {
    std::vector<Part> parts;
    std::vector<size_t> score_at;
    std::vector<std::array<float, tensor::query_tile>> inverses;
    tensor::AlignedVector<float> numbers;  // scores, then sums
    size_t score_count = 0;

    void assign(const Attention& attention, std::span<const Tile> tiles, size_t head_dim) {
        parts.clear();
        score_at.clear();
        score_count = 0;
        size_t sum_count = 0;
        for (const Tile& tile : tiles) {
            const size_t queries = attention.query_count(tile);
            for_segments(tile, [&](size_t begin, size_t end) {
                parts.push_back({score_at.size(), begin, end, sum_count});
                sum_count += queries * head_dim;
            });
            score_at.push_back(score_count);
            score_count += queries * attention.score_stride(tile);
        }
        inverses.resize(tiles.size());
        numbers.resize(std::max(numbers.size(), score_count + sum_count));
    }
};

/// Long contexts on more threads than tiles: scores and sums segment by segment, all at once.
void attend_by_segments(const Attention& attention, std::span<const Tile> tiles, size_t head_dim,
                        tensor::ThreadPool& pool) {
    thread_local PartBuffers kept;
    PartBuffers& b = kept;  // the caller's, also where other threads work on it
    b.assign(attention, tiles, head_dim);
    float* const scores = b.numbers.data();
    float* const sums = scores + b.score_count;
    const auto for_each = [&pool](size_t count, auto body) {
        pool.run(count, 1, [&](size_t begin, size_t end) {
            for (size_t i = begin; i < end; ++i) body(i);
        });
    };
    for_each(b.parts.size(), [&](size_t i) {
        const Part& part = b.parts[i];
        attention.score(tiles[part.tile], part.begin, part.end, scores + b.score_at[part.tile]);
    });
    for_each(tiles.size(), [&](size_t i) {
        attention.weigh(tiles[i], scores + b.score_at[i], b.inverses[i].data());
    });
    for_each(b.parts.size(), [&](size_t i) {
        const Part& part = b.parts[i];
        attention.accumulate(tiles[part.tile], part.begin, part.end, scores + b.score_at[part.tile],
                             sums + part.sums);
    });
    for (const Tile& tile : tiles) attention.clear(tile);
    for (const Part& part : b.parts) attention.add_segment(tiles[part.tile], sums + part.sums);
    for (size_t i = 0; i < tiles.size(); ++i) attention.finish(tiles[i], b.inverses[i].data());
}

}  // namespace

void attend(const DecoderContext& context, uint32_t cache_layer, const AttentionOptions& options,
            std::span<const DecoderRow> rows, const float* queries, float* out) {
    const size_t head_dim = context.hyperparameters.head_dim;
    const Attention attention(context, cache_layer, options, queries, out);
    static thread_local std::vector<Tile> tiles;
    tiles.clear();
    size_t pages = 0;
    for (size_t first = 0, count = 0; first < rows.size(); first += count) {
        for (count = 1; count < attention.rows_per_tile() && first + count < rows.size(); ++count) {
            if (rows[first + count].sequence != rows[first].sequence) break;
        }
        attention.add_tiles(rows, first, count, tiles);
        pages = std::max(pages, tiles.back().page_count());
    }
    const std::span<const Tile> all = tiles;
    if (all.size() < 2 * context.pool.thread_count() && pages > 2 * segment_pages &&
        context.pool.thread_count() > 1) {
        attend_by_segments(attention, all, head_dim, context.pool);
        return;
    }
    context.pool.run(all.size(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) attend_tile(attention, all[i], head_dim);
    });
}

}  // namespace teetee::model
