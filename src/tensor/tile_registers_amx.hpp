// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tensor/tile_config_amx.hpp"

// The instructions on tile registers. The compilers' intrinsics do not say which memory they read
// and write; these do, to the byte, so that nothing is reordered around them and nothing else is
// read again because of them. Rows of a tile in memory are 64 bytes apart.

namespace teetee::tensor {
namespace {

using TileBytes = uint8_t[1024];

[[gnu::always_inline]] inline void tile_configure(const TileConfig& config) {
    asm volatile("ldtilecfg %0" ::"m"(config));
}
[[gnu::always_inline]] inline void tile_release() {
    asm volatile("tilerelease" ::);
}
template <int tile>
[[gnu::always_inline]] inline void tile_load(const void* p) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(p), "r"(64L), "i"(tile),
                 "m"(*static_cast<const TileBytes*>(p)));
}
template <int tile>
[[gnu::always_inline]] inline void tile_store(void* p) {
    asm volatile("tilestored %%tmm%c3, (%1,%2,1)"
                 : "=m"(*static_cast<TileBytes*>(p))
                 : "r"(p), "r"(64L), "i"(tile));
}
template <int tile>
[[gnu::always_inline]] inline void tile_zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(tile));
}
/// sum += a * b over signed bytes.
template <int sum, int a, int b>
[[gnu::always_inline]] inline void tile_multiply() {
    asm volatile("tdpbssd %%tmm%c0, %%tmm%c1, %%tmm%c2" ::"i"(b), "i"(a), "i"(sum));
}

}  // namespace
}  // namespace teetee::tensor
