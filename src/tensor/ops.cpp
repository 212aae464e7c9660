// SPDX-License-Identifier: Apache-2.0
#include "tensor/ops.hpp"

#include <array>
#include <cmath>

#include "tensor/math.hpp"

namespace teetee::tensor {
namespace {

constexpr size_t strides = 16;

float add_tree(std::array<float, strides>& partial) {
    for (size_t width = strides / 2; width > 0; width /= 2) {
        for (size_t i = 0; i < width; ++i) partial[i] += partial[i + width];
    }
    return partial[0];
}

/// partial[i mod 16] += term(i), in order of i.
template <class Term>
float strided_sum(size_t count, Term term) {
    std::array<float, strides> partial{};
    size_t i = 0;
    for (; i + strides <= count; i += strides) {
        for (size_t j = 0; j < strides; ++j) partial[j] += term(i + j);
    }
    for (size_t j = 0; i + j < count; ++j) partial[j] += term(i + j);
    return add_tree(partial);
}

}  // namespace

float sum_strided(const float* values, size_t count) {
    return strided_sum(count, [&](size_t i) { return values[i]; });
}

void rms_norm(const float* values, const float* weight, size_t count, float epsilon, float* out) {
    const float squares = strided_sum(count, [&](size_t i) { return values[i] * values[i]; });
    const float inverse = 1.0F / std::sqrt(squares / static_cast<float>(count) + epsilon);
    for (size_t i = 0; i < count; ++i) out[i] = values[i] * inverse * weight[i];
}

void add(float* values, const float* other, size_t count) {
    for (size_t i = 0; i < count; ++i) values[i] += other[i];
}

void silu_multiply(float* gate, const float* up, size_t count) {
    constexpr size_t piece = 256;
    std::array<float, piece> negated;
    for (size_t begin = 0; begin < count; begin += piece) {
        const size_t length = count - begin < piece ? count - begin : piece;
        for (size_t i = 0; i < length; ++i) negated[i] = -gate[begin + i];
        exp_f32(negated.data(), length);
        for (size_t i = 0; i < length; ++i) {
            gate[begin + i] = gate[begin + i] / (1.0F + negated[i]) * up[begin + i];
        }
    }
}

float softmax_numerators(float* scores, size_t count) {
    float largest = scores[0];
    for (size_t i = 1; i < count; ++i) largest = scores[i] > largest ? scores[i] : largest;
    for (size_t i = 0; i < count; ++i) scores[i] -= largest;
    exp_f32(scores, count);
    return 1.0F / sum_strided(scores, count);
}

RopeTable::RopeTable(size_t dimensions, double base) : frequencies_(dimensions / 2) {
    const double log_base = log_f64(base);
    for (size_t i = 0; i < frequencies_.size(); ++i) {
        frequencies_[i] =
            exp_f64(-2.0 * static_cast<double>(i) / static_cast<double>(dimensions) * log_base);
    }
}

void RopeTable::rotation(uint32_t position, std::vector<float>& cos_sin) const {
    cos_sin.resize(2 * frequencies_.size());
    for (size_t i = 0; i < frequencies_.size(); ++i) {
        const SinCos angle = sin_cos_f64(position * frequencies_[i]);
        cos_sin[2 * i] = static_cast<float>(angle.cos);
        cos_sin[2 * i + 1] = static_cast<float>(angle.sin);
    }
}

void rotate_adjacent(float* head, std::span<const float> cos_sin) {
    for (size_t i = 0; i + 1 < cos_sin.size(); i += 2) {
        const float a = head[i];
        const float b = head[i + 1];
        head[i] = a * cos_sin[i] - b * cos_sin[i + 1];
        head[i + 1] = a * cos_sin[i + 1] + b * cos_sin[i];
    }
}

}  // namespace teetee::tensor
