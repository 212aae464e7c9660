// SPDX-License-Identifier: Apache-2.0
#include "tensor/layer_ops.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "tensor/math.hpp"
#include "tensor/ops.hpp"

namespace teetee::tensor {
namespace {

constexpr size_t piece = 256;

/// body(values + at, exponentials, length) on pieces, with exponentials[i] = exp(argument(x)).
template <class Argument, class Body>
void with_exponentials(float* values, size_t count, Argument argument, Body body) {
    std::array<float, piece> exponentials;
    for (size_t begin = 0; begin < count; begin += piece) {
        const size_t length = std::min(piece, count - begin);
        for (size_t i = 0; i < length; ++i) exponentials[i] = argument(values[begin + i]);
        exp_f32(exponentials.data(), length);
        body(values + begin, exponentials.data(), length);
    }
}

/// Both forms are computed and one is taken, so that compilers turn a loop of it into SIMD.
float tanh_one(float x, float exp_of_twice_magnitude) {
    // Lambert's continued fraction to the fifth step: its error at 0.625 is 2^-30 of the value.
    const float x2 = x * x;
    const float small = x * ((x2 + 105.0F) * x2 + 945.0F) / ((15.0F * x2 + 420.0F) * x2 + 945.0F);
    const float magnitude = x < 0.0F ? -x : x;
    const float large = 1.0F - 2.0F / (exp_of_twice_magnitude + 1.0F);
    const float with_sign = x < 0.0F ? -large : large;
    return magnitude < 0.625F ? small : with_sign;
}

}  // namespace

void layer_norm(const float* values, std::span<const float> weight, std::span<const float> bias,
                float epsilon, float* out) {
    const size_t count = weight.size();
    const auto length = static_cast<float>(count);
    const float mean = sum_strided(values, count) / length;
    for (size_t i = 0; i < count; ++i) out[i] = (values[i] - mean) * (values[i] - mean);
    const float inverse = 1.0F / std::sqrt(sum_strided(out, count) / length + epsilon);
    for (size_t i = 0; i < count; ++i) out[i] = (values[i] - mean) * inverse * weight[i] + bias[i];
}

void scale(float* values, size_t count, float factor) {
    for (size_t i = 0; i < count; ++i) values[i] *= factor;
}

void add_scaled(float* values, const float* other, size_t count, float factor) {
    for (size_t i = 0; i < count; ++i) values[i] += factor * other[i];
}

void gelu(float* values, size_t count) {
    // 1.5957691 is 2 sqrt(2/pi).
    with_exponentials(
        values, count, [](float x) { return -1.5957691F * (x + 0.044715F * (x * x * x)); },
        [](float* x, const float* exponentials, size_t length) {
            for (size_t i = 0; i < length; ++i) x[i] = x[i] / (1.0F + exponentials[i]);
        });
}

void gelu_multiply(float* gate, const float* up, size_t count) {
    gelu(gate, count);
    for (size_t i = 0; i < count; ++i) gate[i] *= up[i];
}

void tanh_f32(float* values, size_t count) {
    with_exponentials(
        values, count, [](float x) { return 2.0F * (x < 0.0F ? -x : x); },
        [](float* x, const float* exponentials, size_t length) {
            for (size_t i = 0; i < length; ++i) x[i] = tanh_one(x[i], exponentials[i]);
        });
}

void soft_cap(float* values, size_t count, float cap) {
    for (size_t i = 0; i < count; ++i) values[i] /= cap;
    tanh_f32(values, count);
    for (size_t i = 0; i < count; ++i) values[i] *= cap;
}

void rotate_halves(float* head, std::span<const float> cos_sin) {
    const size_t pairs = cos_sin.size() / 2;
    for (size_t i = 0; i < pairs; ++i) {
        const float a = head[i];
        const float b = head[i + pairs];
        head[i] = a * cos_sin[2 * i] - b * cos_sin[2 * i + 1];
        head[i + pairs] = a * cos_sin[2 * i + 1] + b * cos_sin[2 * i];
    }
}

}  // namespace teetee::tensor
