// SPDX-License-Identifier: Apache-2.0
#include "model/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/assert.hpp"
#include "tensor/math.hpp"

namespace teetee::model {
namespace {

/// SplitMix64's output function (Steele, Lea, Flood 2014).
uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/// Uniform in [0, 1) with 53 bits.
double uniform(uint64_t seed, Position position) {
    const uint64_t bits =
        mix(mix(seed + 0x9e3779b97f4a7c15ull) + 0x9e3779b97f4a7c15ull * (position + 1ull));
    return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

TokenId argmax(std::span<const float> logits) {
    TT_ASSERT(!logits.empty());
    size_t best = 0;
    for (size_t i = 1; i < logits.size(); ++i) {
        if (logits[i] > logits[best] || (std::isnan(logits[best]) && !std::isnan(logits[i])))
            best = i;
    }
    return static_cast<TokenId>(best);
}

TokenId sample(std::span<const float> logits, const SamplingOptions& options, Position position) {
    if (options.temperature == 0.0F || options.top_k == 1) return argmax(logits);
    std::vector<TokenId> order(logits.size());
    std::iota(order.begin(), order.end(), 0u);
    const auto value = [&](TokenId id) { return std::isnan(logits[id]) ? -INFINITY : logits[id]; };
    const auto before = [&](TokenId a, TokenId b) {
        return value(a) > value(b) || (value(a) == value(b) && a < b);
    };
    const size_t kept =
        options.top_k == 0 ? order.size() : std::min<size_t>(options.top_k, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(kept), order.end(),
                      before);
    order.resize(kept);

    std::vector<double> weights(kept);
    double total = 0;
    for (size_t i = 0; i < kept; ++i) {
        const double gap =
            (static_cast<double>(value(order[i])) - value(order[0])) / options.temperature;
        // A gap that is NaN (two infinities) or below -700 has no weight that matters.
        weights[i] = i == 0 ? 1.0 : (gap > -700.0 ? tensor::exp_f64(gap) : 0.0);
        total += weights[i];
    }
    size_t candidates = kept;
    if (options.top_p < 1.0F) {
        double sum = 0;
        for (candidates = 0; candidates < kept && sum < options.top_p * total; ++candidates) {
            sum += weights[candidates];
        }
        total = sum;
    }
    double left = uniform(options.seed, position) * total;
    for (size_t i = 0; i < candidates; ++i) {
        left -= weights[i];
        if (left < 0) return order[i];
    }
    return order[candidates - 1];
}

double log_sum_exp(std::span<const float> logits) {
    const double largest = logits[argmax(logits)];
    double sum = 0;
    for (const float v : logits) {
        const double gap = v - largest;
        if (gap > -700.0) sum += tensor::exp_f64(gap);
    }
    return sum > 0 ? largest + tensor::log_f64(sum) : largest;
}

}  // namespace teetee::model
