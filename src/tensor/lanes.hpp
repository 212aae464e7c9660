// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

// Sixteen floats as one value (a vector type of GCC and Clang), which the compiler turns into one,
// two or four registers. Included by files that are compiled for different instruction sets, so
// everything here has internal linkage and calls nothing: a shared inline function must not exist
// in two versions.

namespace teetee::tensor {
namespace {

constexpr size_t lanes = 16;
using Floats = float __attribute__((vector_size(4 * lanes)));
using Ints = int32_t __attribute__((vector_size(4 * lanes)));

#define TT_LANES [[gnu::always_inline, maybe_unused]] inline

// Values are passed by reference: how wide vectors are passed depends on the instruction set.

TT_LANES void load_lanes(const float* p, Floats& out) {
    __builtin_memcpy(&out, p, sizeof out);
}
TT_LANES void store_lanes(const Floats& values, float* p) {
    __builtin_memcpy(p, &values, sizeof values);
}
/// The first `count` lanes; the rest is `fill`.
TT_LANES void load_part(const float* p, size_t count, float fill, Floats& out) {
    out = Floats{} + fill;
    __builtin_memcpy(&out, p, 4 * count);
}
TT_LANES void store_part(const Floats& values, size_t count, float* p) {
    __builtin_memcpy(p, &values, 4 * count);
}

/// The larger of each pair; NaN in `candidates` is not larger than anything.
TT_LANES void take_larger(const Floats& candidates, Floats& largest) {
    largest = candidates > largest ? candidates : largest;
}

/// Pairs (j, j + 8), four (j, j + 4), two, one.
TT_LANES float add_tree(const Floats& values) {
    float v[lanes];
    store_lanes(values, v);
    for (size_t width = lanes / 2; width > 0; width /= 2) {
        for (size_t i = 0; i < width; ++i) v[i] += v[i + width];
    }
    return v[0];
}
TT_LANES float largest_lane(const Floats& values) {
    float v[lanes];
    store_lanes(values, v);
    for (size_t width = lanes / 2; width > 0; width /= 2) {
        for (size_t i = 0; i < width; ++i) v[i] = v[i + width] > v[i] ? v[i + width] : v[i];
    }
    return v[0];
}

/// exp of each lane (docs/numerics.md). Branch-free.
TT_LANES void exp_lanes(Floats& x) {
    // n = round(x / ln 2) by the shift trick, r = x - n ln 2 in two parts (Cody and Waite).
    constexpr float shift = 0x1.8p23F;
    const Floats lowest = Floats{} + -87.3F;
    const Floats highest = Floats{} + 88.7F;
    const Floats bounded = x > highest ? highest : x;
    const Floats clamped = x < lowest ? lowest : bounded;
    const Floats shifted = clamped * 1.44269504F + shift;
    const Floats n = shifted - shift;
    const Floats r = (clamped - n * 0.693359375F) - n * -2.12194440e-4F;
    // Taylor coefficients 1/k!; |r| <= 0.3466, so the remainder is below 2^-26.
    Floats p = Floats{} + 1.0F / 5040.0F;
    p = p * r + 1.0F / 720.0F;
    p = p * r + 1.0F / 120.0F;
    p = p * r + 1.0F / 24.0F;
    p = p * r + 1.0F / 6.0F;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    // 2^n in two factors, since n may be 128.
    const Ints whole = reinterpret_cast<Ints>(shifted) - 0x4b400000;
    const Ints half = whole >> 1;
    const Floats low_power = reinterpret_cast<Floats>((half + 127) << 23);
    const Floats high_power = reinterpret_cast<Floats>((whole - half + 127) << 23);
    const Floats value = p * low_power * high_power;
    const Floats low = x < lowest ? Floats{} : value;
    const Floats high = x > highest ? Floats{} + __builtin_inff() : low;
    x = x == x ? high : x;
}

}  // namespace
}  // namespace teetee::tensor
