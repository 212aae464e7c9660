// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace teetee::tensor {

/// The operations between matrix products. One source (ops_body.hpp) is compiled for several
/// instruction sets, and the best that the processor has is used, whichever kernel set multiplies:
/// the bits are the same. The order of each reduction is in docs/numerics.md.

/// sum of values[i], 16 partial sums (i mod 16) added as a binary tree.
float sum_strided(const float* values, size_t count);

/// out[i] = values[i] / sqrt(mean(values^2) + epsilon) * weight[i] (Zhang and Sennrich 2019).
void rms_norm(const float* values, const float* weight, size_t count, float epsilon, float* out);

/// values[i] += other[i].
void add(float* values, const float* other, size_t count);

/// gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i] (SwiGLU, Shazeer 2020).
void silu_multiply(float* gate, const float* up, size_t count);

/// scores become exp(score - max); returns 1 / their sum. count >= 1.
float softmax_numerators(float* scores, size_t count);

/// out[i] = f32_to_f16_finite(values[i]) (float16.hpp).
void to_f16_finite(const float* values, size_t count, uint16_t* out);

/// The three ways to quantise activations; each returns the scale. What is not a number becomes 0.

/// 32 values, quants in [-127, 127]; sum: of the quants.
float quantise_block(const float* values, int8_t* quants, int32_t& sum);
/// 256 values, quants in [-127, 127], of which each 64 stand `chunk_stride` bytes after the last;
/// sums: of each 16 quants.
float quantise_super_block(const float* values, int8_t* quants, size_t chunk_stride, int16_t* sums);
/// 32 values as integers in [-4095, 4095]; parts: 32 high bytes, then 32 low ones, both signed, of
/// integer = 256 high + low.
float quantise_fixed_block(const float* values, int8_t* parts, int16_t* integers);

/// cos and sin of position * base^(-2i/dimensions) for i in [0, dimensions/2), rounded to F32 from
/// our own double functions (Su et al. 2021).
class RopeTable {
  public:
    RopeTable() = default;
    RopeTable(size_t dimensions, double base);
    /// With these angles per position, and cos and sin multiplied by `magnitude`.
    RopeTable(std::vector<double> frequencies, double magnitude);

    /// Fills the rotation of one position into cos_sin: (dimensions/2, 2).
    void rotation(uint32_t position, std::vector<float>& cos_sin) const;
    size_t dimensions() const { return 2 * frequencies_.size(); }
    std::span<const double> frequencies() const { return frequencies_; }

  private:
    std::vector<double> frequencies_;
    double magnitude_ = 1.0;
};

/// Rotates the pairs (2i, 2i+1) of a head by cos_sin: (pairs, 2).
void rotate_adjacent(float* head, std::span<const float> cos_sin);

}  // namespace teetee::tensor
