// SPDX-License-Identifier: Apache-2.0
#include "tensor/math.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace teetee::tensor {
namespace {

/// Branch-free so that compilers turn a loop of it into SIMD; the operations and their order are
/// the same for one value and for many.
inline float exp_one(float x) {
    // n = round(x / ln 2) by the shift trick, r = x - n ln 2 in two parts (Cody and Waite).
    constexpr float shift = 0x1.8p23F;
    const float clamped = x < -87.3F ? -87.3F : (x > 88.7F ? 88.7F : x);
    const float shifted = clamped * 1.44269504F + shift;
    const float n = shifted - shift;
    const float r = (clamped - n * 0.693359375F) - n * -2.12194440e-4F;
    // Taylor coefficients 1/k!; |r| <= 0.3466, so the remainder is below 2^-26.
    float p = 1.0F / 5040.0F;
    p = p * r + 1.0F / 720.0F;
    p = p * r + 1.0F / 120.0F;
    p = p * r + 1.0F / 24.0F;
    p = p * r + 1.0F / 6.0F;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    // 2^n in two factors, since n may be 128.
    const auto whole = static_cast<int32_t>(std::bit_cast<uint32_t>(shifted) - 0x4b400000u);
    const int32_t half = whole >> 1;
    const auto power = [](int32_t e) {
        return std::bit_cast<float>(static_cast<uint32_t>(e + 127) << 23);
    };
    const float value = p * power(half) * power(whole - half);
    const float low = x < -87.3F ? 0.0F : value;
    const float high = x > 88.7F ? std::numeric_limits<float>::infinity() : low;
    return x == x ? high : x;
}

}  // namespace

float exp_f32(float x) {
    return exp_one(x);
}

void exp_f32(float* values, size_t count) {
    for (size_t i = 0; i < count; ++i) values[i] = exp_one(values[i]);
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
