// SPDX-License-Identifier: Apache-2.0
#include "tensor/ops.hpp"

#include "tensor/cpu.hpp"
#include "tensor/math.hpp"
#include "tensor/ops_table.hpp"

namespace teetee::tensor {
namespace {

const OpsTable& choose_table() {
#if defined(__x86_64__)
    if (cpu_features().avx512) return avx512_ops();
    if (cpu_features().avx2) return avx2_ops();
#endif
    return baseline_ops();
}

}  // namespace

const OpsTable& ops_table() {
    static const OpsTable& chosen = choose_table();
    return chosen;
}

float sum_strided(const float* values, size_t count) {
    return ops_table().sum_strided(values, count);
}

void rms_norm(const float* values, const float* weight, size_t count, float epsilon, float* out) {
    ops_table().rms_norm(values, weight, count, epsilon, out);
}

void add(float* values, const float* other, size_t count) {
    ops_table().add(values, other, count);
}

void silu_multiply(float* gate, const float* up, size_t count) {
    ops_table().silu_multiply(gate, up, count);
}

float softmax_numerators(float* scores, size_t count) {
    return ops_table().softmax_numerators(scores, count);
}

void rotate_adjacent(float* head, std::span<const float> cos_sin) {
    ops_table().rotate_adjacent(head, cos_sin.data(), cos_sin.size());
}

void to_f16_finite(const float* values, size_t count, uint16_t* out) {
    ops_table().to_f16_finite(values, count, out);
}

float quantise_block(const float* values, int8_t* quants, int32_t& sum) {
    return ops_table().quantise_block(values, quants, sum);
}

float quantise_super_block(const float* values, int8_t* quants, size_t chunk_stride,
                           int16_t* sums) {
    return ops_table().quantise_super_block(values, quants, chunk_stride, sums);
}

float quantise_fixed_block(const float* values, int8_t* parts, int16_t* integers) {
    return ops_table().quantise_fixed_block(values, parts, integers);
}

RopeTable::RopeTable(size_t dimensions, double base) : frequencies_(dimensions / 2) {
    const double log_base = log_f64(base);
    for (size_t i = 0; i < frequencies_.size(); ++i) {
        frequencies_[i] =
            exp_f64(-2.0 * static_cast<double>(i) / static_cast<double>(dimensions) * log_base);
    }
}

RopeTable::RopeTable(std::vector<double> frequencies, double magnitude)
    : frequencies_(std::move(frequencies)), magnitude_(magnitude) {}

void RopeTable::rotation(uint32_t position, std::vector<float>& cos_sin) const {
    cos_sin.resize(2 * frequencies_.size());
    for (size_t i = 0; i < frequencies_.size(); ++i) {
        const SinCos angle = sin_cos_f64(position * frequencies_[i]);
        cos_sin[2 * i] = static_cast<float>(angle.cos * magnitude_);
        cos_sin[2 * i + 1] = static_cast<float>(angle.sin * magnitude_);
    }
}

}  // namespace teetee::tensor
