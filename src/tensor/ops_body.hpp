// SPDX-License-Identifier: Apache-2.0

// The source of an OpsTable, included by one file for each instruction set; see lanes.hpp for what
// that asks of it. No #pragma once: it is source.

#include "tensor/lanes.hpp"
#include "tensor/ops_table.hpp"

namespace teetee::tensor {
namespace {

/// Calls body(values of 16 lanes) for `count` values in place.
template <class Body>
TT_LANES void for_lanes(float* values, size_t count, Body body) {
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        Floats v;
        load_lanes(values + i, v);
        body(i, lanes, v);
        store_lanes(v, values + i);
    }
    if (i < count) {
        Floats v;
        load_part(values + i, count - i, 0.0F, v);
        body(i, count - i, v);
        store_part(v, count - i, values + i);
    }
}

/// partial[i mod 16] += term(values[i]), in order of i.
template <class Term>
TT_LANES float strided_sum(const float* values, size_t count, Term term) {
    Floats partial = {};
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        Floats v;
        load_lanes(values + i, v);
        term(v);
        partial += v;
    }
    if (i < count) {
        // Lanes past the end add nothing: x + 0 is x, and no sum here is -0.
        Floats v;
        load_part(values + i, count - i, 0.0F, v);
        term(v);
        partial += v;
    }
    return add_tree(partial);
}

float sum_strided(const float* values, size_t count) {
    return strided_sum(values, count, [](Floats&) {});
}

void rms_norm(const float* values, const float* weight, size_t count, float epsilon, float* out) {
    const float squares = strided_sum(values, count, [](Floats& v) { v *= v; });
    const float inverse = 1.0F / __builtin_sqrtf(squares / static_cast<float>(count) + epsilon);
    for (size_t i = 0; i < count; ++i) out[i] = values[i] * inverse * weight[i];
}

void add(float* values, const float* other, size_t count) {
    for (size_t i = 0; i < count; ++i) values[i] += other[i];
}

void silu_multiply(float* gate, const float* up, size_t count) {
    for_lanes(gate, count, [up](size_t at, size_t length, Floats& g) {
        Floats e = -g;
        exp_lanes(e);
        Floats u;
        load_part(up + at, length, 0.0F, u);
        g = g / (1.0F + e) * u;
    });
}

void exp_all(float* values, size_t count) {
    for_lanes(values, count, [](size_t, size_t, Floats& v) { exp_lanes(v); });
}

float softmax_numerators(float* scores, size_t count) {
    Floats largest;
    load_part(scores, count < lanes ? count : lanes, scores[0], largest);
    size_t i = lanes;
    Floats v;
    for (; i + lanes <= count; i += lanes) {
        load_lanes(scores + i, v);
        take_larger(v, largest);
    }
    if (i < count) {
        load_part(scores + i, count - i, scores[0], v);
        take_larger(v, largest);
    }
    const float top = largest_lane(largest);
    for_lanes(scores, count, [top](size_t, size_t, Floats& s) {
        s -= top;
        exp_lanes(s);
    });
    return 1.0F / sum_strided(scores, count);
}

void rotate_adjacent(float* head, const float* cos_sin, size_t count) {
    for (size_t i = 0; i + 1 < count; i += 2) {
        const float a = head[i];
        const float b = head[i + 1];
        head[i] = a * cos_sin[i] - b * cos_sin[i + 1];
        head[i + 1] = a * cos_sin[i + 1] + b * cos_sin[i];
    }
}

/// NaN is ignored.
template <size_t count>
TT_LANES float largest_magnitude(const float* values) {
    Floats largest = {};
    for (size_t i = 0; i < count; i += lanes) {
        Floats v;
        load_lanes(values + i, v);
        const Floats magnitude = reinterpret_cast<Floats>(reinterpret_cast<Ints>(v) & 0x7fffffff);
        take_larger(magnitude, largest);
    }
    return largest_lane(largest);
}

/// Half to even; NaN becomes 0. |bound| < 2^22.
TT_LANES void quantise_lanes(const float* values, float inverse, float bound, Ints& out) {
    // Adding and taking away 1.5 * 2^23 rounds to an integer.
    constexpr float shift = 0x1.8p23F;
    Floats scaled;
    load_lanes(values, scaled);
    scaled *= inverse;
    const Floats high = Floats{} + bound;
    scaled = scaled > high ? high : scaled;
    scaled = scaled < -high ? -high : scaled;
    scaled = scaled == scaled ? scaled : Floats{};
    out = __builtin_convertvector((scaled + shift) - shift, Ints);
}

TT_LANES void store_bytes(const Ints& values, int8_t* out) {
    using Bytes16 = int8_t __attribute__((vector_size(lanes)));
    const Bytes16 bytes = __builtin_convertvector(values, Bytes16);
    __builtin_memcpy(out, &bytes, sizeof bytes);
}
TT_LANES int32_t add_ints(const Ints& values) {
    int32_t v[lanes];
    __builtin_memcpy(v, &values, sizeof v);
    int32_t sum = 0;
    for (size_t i = 0; i < lanes; ++i) sum += v[i];
    return sum;
}

float quantise_block(const float* values, int8_t* quants, int32_t& sum) {
    const float largest = largest_magnitude<32>(values);
    const float inverse = largest > 0 ? 127.0F / largest : 0.0F;
    Ints first;
    Ints second;
    quantise_lanes(values, inverse, 127.0F, first);
    quantise_lanes(values + lanes, inverse, 127.0F, second);
    store_bytes(first, quants);
    store_bytes(second, quants + lanes);
    sum = add_ints(first + second);
    return largest / 127.0F;
}

float quantise_super_block(const float* values, int8_t* quants, size_t chunk_stride,
                           int16_t* sums) {
    const float largest = largest_magnitude<256>(values);
    const float inverse = largest > 0 ? 127.0F / largest : 0.0F;
    for (size_t i = 0; i < 256; i += lanes) {
        Ints integers;
        quantise_lanes(values + i, inverse, 127.0F, integers);
        store_bytes(integers, quants + i / 64 * chunk_stride + i % 64);
        sums[i / lanes] = static_cast<int16_t>(add_ints(integers));
    }
    return largest / 127.0F;
}

/// The integer is 256 high + low, both signed bytes.
float quantise_fixed_block(const float* values, int8_t* parts, int16_t* integers) {
    const float largest = largest_magnitude<32>(values);
    const float inverse = largest > 0 ? 4095.0F / largest : 0.0F;
    for (size_t i = 0; i < 32; i += lanes) {
        Ints wide;
        quantise_lanes(values + i, inverse, 4095.0F, wide);
        using Shorts = int16_t __attribute__((vector_size(2 * lanes)));
        const Shorts narrow = __builtin_convertvector(wide, Shorts);
        __builtin_memcpy(integers + i, &narrow, sizeof narrow);
        store_bytes((wide + 128) >> 8, parts + i);
        store_bytes(wide, parts + 32 + i);
    }
    return largest / 4095.0F;
}

/// As f32_to_f16_finite, lane by lane.
void to_f16_finite(const float* values, size_t count, uint16_t* out) {
    for (size_t i = 0; i < count; i += lanes) {
        const size_t length = count - i < lanes ? count - i : lanes;
        Floats v;
        load_part(values + i, length, 0.0F, v);
        const Ints bits = reinterpret_cast<Ints>(v);
        const Ints sign = (bits >> 16) & 0x8000;
        const Ints magnitude = bits & 0x7fffffff;
        const Ints normal = (magnitude + 0xfff + ((magnitude >> 13) & 1) - 0x38000000) >> 13;
        const Floats shifted = reinterpret_cast<Floats>(magnitude) + 0.5F;
        const Ints subnormal = reinterpret_cast<Ints>(shifted) - 0x3f000000;
        Ints half = magnitude < 0x38800000 ? subnormal : normal;
        half = magnitude >= 0x477ff000 ? Ints{} + 0x7bff : half;
        half |= sign;
        half = magnitude > 0x7f800000 ? Ints{} : half;
        using Shorts = int16_t __attribute__((vector_size(2 * lanes)));
        const Shorts narrow = __builtin_convertvector(half, Shorts);
        __builtin_memcpy(out + i, &narrow, 2 * length);
    }
}

constexpr OpsTable this_table = {.sum_strided = sum_strided,
                                 .rms_norm = rms_norm,
                                 .add = add,
                                 .silu_multiply = silu_multiply,
                                 .exp_all = exp_all,
                                 .softmax_numerators = softmax_numerators,
                                 .rotate_adjacent = rotate_adjacent,
                                 .to_f16_finite = to_f16_finite,
                                 .quantise_block = quantise_block,
                                 .quantise_super_block = quantise_super_block,
                                 .quantise_fixed_block = quantise_fixed_block};

}  // namespace
}  // namespace teetee::tensor
