// SPDX-License-Identifier: Apache-2.0
#include "tensor/math.hpp"

#include <cmath>
#include <cstdint>

#include "tensor/ops_table.hpp"

namespace teetee::tensor {
float exp_f32(float x) {
    ops_table().exp_all(&x, 1);
    return x;
}

void exp_f32(float* values, size_t count) {
    ops_table().exp_all(values, count);
}

double log_f64(double x) {
    int exponent = 0;
    double m = std::frexp(x, &exponent);  // exact: only takes the number apart
    if (m < 0.70710678118654752) {
        m *= 2;
        --exponent;
    }
    // log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.1716.
    const double s = (m - 1) / (m + 1);
    const double s2 = s * s;
    double sum = 0;
    for (int k = 23; k >= 1; k -= 2) sum = sum * s2 + 1.0 / k;
    constexpr double ln2_high = 0x1.62e42fee00000p-1;
    constexpr double ln2_low = 0x1.a39ef35793c76p-33;
    return exponent * ln2_high + (2 * s * sum + exponent * ln2_low);
}

double exp_f64(double x) {
    constexpr double shift = 0x1.8p52;
    const double n = (x * 1.4426950408889634 + shift) - shift;
    const double r = (x - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
    double p = 1;
    for (int k = 18; k >= 1; --k) p = p * r / k + 1;
    return std::ldexp(p, static_cast<int>(n));
}

ExpTable::ExpTable() {
    for (size_t i = 0; i < powers_.size(); ++i) {
        powers_[i] = exp_f64(static_cast<double>(i) * 0x1.62e42fefa39efp-9);
    }
}

const ExpTable& ExpTable::instance() {
    static const ExpTable table;
    return table;
}

SinCos sin_cos_f64(double x) {
    // n = round(x / (pi/2)); pi/2 in three parts of 33 bits each keeps n * part exact.
    constexpr double shift = 0x1.8p52;
    const double n = (x * 0.63661977236758134 + shift) - shift;
    const double r =
        ((x - n * 0x1.921fb54400000p+0) - n * 0x1.0b4611a600000p-34) - n * 0x1.3198a2e037073p-69;
    const double r2 = r * r;
    double s = 0;
    for (int k = 19; k >= 3; k -= 2) s = (s + 1) * -r2 / (k * (k - 1));
    double c = 0;
    for (int k = 20; k >= 2; k -= 2) c = (c + 1) * -r2 / (k * (k - 1));
    const double sine = r + r * s;
    const double cosine = 1 + c;
    switch (static_cast<int64_t>(n) & 3) {
        case 0:
            return {sine, cosine};
        case 1:
            return {cosine, -sine};
        case 2:
            return {-sine, -cosine};
        default:
            return {-cosine, sine};
    }
}

}  // namespace teetee::tensor
