// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace teetee::tensor {

/// Elementary functions of our own: a libm may change its last bit between versions and hosts,
/// these are sequences of IEEE 754 additions, multiplications and divisions in a written order
/// (docs/numerics.md). Errors: exp_f32 below 2 units in the last place; the double ones below 1e-15
/// relative to the result's scale.

/// 0 below -87.3, +inf above 88.7; NaN stays NaN.
float exp_f32(float x);

/// values[i] = exp_f32(values[i]).
void exp_f32(float* values, size_t count);

/// x > 0, finite.
double log_f64(double x);
/// |x| < 700.
double exp_f64(double x);
struct SinCos {
    double sin;
    double cos;
};
/// |x| < 2^25.
SinCos sin_cos_f64(double x);

}  // namespace teetee::tensor
