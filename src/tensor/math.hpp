// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

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

/// exp for many values of one sum: as exact as exp_f64 (below 1e-15 relative), several times as
/// fast, and another function: the last bit may differ. -700 < x <= 0.
class ExpTable {
  public:
    static const ExpTable& instance();

    double operator()(double x) const {
        constexpr double shift = 0x1.8p52;
        // n = round(256 x / ln 2); ln 2 / 256 in two parts, the first of 33 bits.
        const double n = (x * 369.32993046757463 + shift) - shift;
        const double r = (x - n * 0x1.62e42fee00000p-9) - n * 0x1.a39ef35793c76p-41;
        const double p = 1 + r * (1 + r * (0.5 + r * (1.0 / 6 + r * (1.0 / 24))));
        const auto whole = static_cast<int64_t>(n);
        const auto power = static_cast<uint64_t>((whole >> 8) + 1023) << 52;
        return powers_[static_cast<size_t>(whole & 255)] * p * std::bit_cast<double>(power);
    }

  private:
    ExpTable();
    std::array<double, 256> powers_{};  // 2^(i / 256)
};

struct SinCos {
    double sin;
    double cos;
};
/// |x| < 2^25.
SinCos sin_cos_f64(double x);

}  // namespace teetee::tensor
