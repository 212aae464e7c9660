// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace teetee::tensor {

/// Operations that only some architectures have; as in ops.hpp, the order of each reduction is in
/// docs/numerics.md.

/// out[i] = (values[i] - mean) / sqrt(variance + epsilon) * weight[i] + bias[i] (Ba et al. 2016).
/// `out` must not be `values`.
void layer_norm(const float* values, std::span<const float> weight, std::span<const float> bias,
                float epsilon, float* out);

/// values[i] *= factor.
void scale(float* values, size_t count, float factor);

/// values[i] += factor * other[i], the product rounded.
void add_scaled(float* values, const float* other, size_t count, float factor);

/// values[i] = x / (1 + exp(-2 sqrt(2/pi) (x + 0.044715 x^3))): the tanh form of GELU (Hendrycks
/// and Gimpel 2016), as 0.5 (1 + tanh u) = 1 / (1 + exp(-2u)).
void gelu(float* values, size_t count);

/// gate[i] = gelu(gate[i]) * up[i] (GeGLU, Shazeer 2020).
void gelu_multiply(float* gate, const float* up, size_t count);

/// values[i] = tanh(values[i]), within 3 units in the last place; NaN stays NaN.
void tanh_f32(float* values, size_t count);

/// values[i] = cap * tanh(values[i] / cap), cap > 0.
void soft_cap(float* values, size_t count, float cap);

/// Rotates the pairs (i, i + pairs) of a head by cos_sin: (pairs, 2).
void rotate_halves(float* head, std::span<const float> cos_sin);

}  // namespace teetee::tensor
