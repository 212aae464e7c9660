// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "tensor/tile_config_amx.hpp"

// For tests: the operations of tile_registers_amx.hpp in plain C++, after the pseudocode of the
// Intel 64 and IA-32 SDM, volume 2 (LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TDPBSSD). Where the
// processor would fault, this stops the process.

namespace teetee::tensor {
namespace {

struct EmulatedTile {
    size_t rows;
    size_t row_bytes;
    alignas(64) int8_t bytes[16][64];
};

thread_local EmulatedTile emulated_tiles[8];

/// A tile that is configured.
template <int tile>
EmulatedTile& tile_at() {
    EmulatedTile& t = emulated_tiles[tile];
    if (t.rows == 0 || t.row_bytes == 0) __builtin_trap();
    return t;
}

template <int tile>
void tile_zero() {
    __builtin_memset(tile_at<tile>().bytes, 0, sizeof emulated_tiles[tile].bytes);
}

void tile_configure(const TileConfig& config) {
    if (config.palette != 1 || config.start_row != 0) __builtin_trap();
    for (size_t i = 0; i < 8; ++i) {
        EmulatedTile& t = emulated_tiles[i];
        if (config.rows[i] > 16 || config.row_bytes[i] > 64) __builtin_trap();
        t.rows = config.rows[i];
        t.row_bytes = config.row_bytes[i];
        __builtin_memset(t.bytes, 0, sizeof t.bytes);
    }
}

void tile_release() {
    for (EmulatedTile& t : emulated_tiles) t.rows = t.row_bytes = 0;
}

template <int tile>
void tile_load(const void* p) {
    tile_zero<tile>();
    EmulatedTile& t = tile_at<tile>();
    for (size_t r = 0; r < t.rows; ++r)
        __builtin_memcpy(t.bytes[r], static_cast<const int8_t*>(p) + 64 * r, t.row_bytes);
}

template <int tile>
void tile_store(void* p) {
    const EmulatedTile& t = tile_at<tile>();
    for (size_t r = 0; r < t.rows; ++r)
        __builtin_memcpy(static_cast<int8_t*>(p) + 64 * r, t.bytes[r], t.row_bytes);
}

template <int sum, int a, int b>
void tile_multiply() {
    const EmulatedTile& left = tile_at<a>();
    const EmulatedTile& right = tile_at<b>();
    EmulatedTile& to = tile_at<sum>();
    static_assert(sum != a && sum != b && a != b);
    if (left.rows != to.rows || right.row_bytes != to.row_bytes || left.row_bytes != 4 * right.rows)
        __builtin_trap();
    for (size_t m = 0; m < to.rows; ++m) {
        int32_t line[16];
        __builtin_memcpy(line, to.bytes[m], sizeof line);
        for (size_t k = 0; k < right.rows; ++k) {
            for (size_t n = 0; n < to.row_bytes / 4; ++n) {
                for (size_t i = 0; i < 4; ++i)
                    line[n] += left.bytes[m][4 * k + i] * right.bytes[k][4 * n + i];
            }
        }
        __builtin_memcpy(to.bytes[m], line, to.row_bytes);
    }
}

}  // namespace
}  // namespace teetee::tensor
