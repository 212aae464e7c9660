// SPDX-License-Identifier: Apache-2.0
#include "model/candidates.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "tensor/math.hpp"

namespace teetee::model {
namespace {

/// SplitMix64's output function (Steele, Lea, Flood 2014).
uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/// (logit - largest) / temperature. Below -700, or NaN (two infinities), it has no weight.
double gap_of(float value, float largest, float temperature) {
    return (static_cast<double>(value) - static_cast<double>(largest)) / temperature;
}

/// Locally typical sampling (Meister et al. 2022, arXiv 2202.00666): keeps the candidates whose
/// surprise is nearest to the expected one, until their probability reaches typical_p. Sums run
/// over rising ids, and so do equals, so that all candidates need not be ordered by logit.
std::vector<TokenId> typical_cut(const ByLogit& by_logit, std::vector<TokenId> candidates,
                                 const SamplingOptions& options) {
    const float largest = by_logit.value(*std::ranges::min_element(candidates, by_logit));
    std::ranges::sort(candidates);
    const tensor::ExpTable& exp = tensor::ExpTable::instance();
    struct Scored {
        double score;  // the surprise at first
        double weight;
        TokenId id;
    };
    std::vector<Scored> scored;
    double total = 0;
    scored.reserve(candidates.size());
    for (const TokenId id : candidates) {
        const float value = by_logit.value(id);
        const double gap = value == largest ? 0.0 : gap_of(value, largest, options.temperature);
        if (!(gap > -700.0)) continue;
        scored.push_back({-gap, exp(gap), id});
        total += scored.back().weight;
    }
    const double log_total = tensor::log_f64(total);
    double entropy = 0;
    for (Scored& s : scored) {
        s.score += log_total;
        entropy += s.weight / total * s.score;
    }
    for (Scored& s : scored) s.score = std::abs(s.score - entropy);
    const auto nearer = [](const Scored& a, const Scored& b) {
        return a.score < b.score || (a.score == b.score && a.id < b.id);
    };
    // The kept ones are few as a rule: order a growing part, not all.
    double sum = 0;
    size_t ordered = 0;
    size_t kept = 0;
    for (size_t part = 256; kept < scored.size() && sum < options.typical_p * total; part *= 8) {
        const size_t end = std::min(part, scored.size());
        const auto at = [&](size_t i) { return scored.begin() + static_cast<ptrdiff_t>(i); };
        std::nth_element(at(ordered), at(end), scored.end(), nearer);
        std::sort(at(ordered), at(end), nearer);
        for (; kept < end && sum < options.typical_p * total; ++kept) sum += scored[kept].weight;
        ordered = end;
    }
    candidates.clear();
    for (size_t i = 0; i < kept; ++i) candidates.push_back(scored[i].id);
    std::ranges::sort(candidates, by_logit);
    return candidates;
}

}  // namespace

double uniform_of(uint64_t seed, Position position) {
    const uint64_t bits =
        mix(mix(seed + 0x9e3779b97f4a7c15ull) + 0x9e3779b97f4a7c15ull * (position + 1ull));
    return static_cast<double>(bits >> 11) * 0x1p-53;
}

float largest_of(std::span<const float> logits) {
    // Eight at a time: the compiler makes vectors of them.
    constexpr float low = -std::numeric_limits<float>::infinity();
    std::array<float, 8> lanes{low, low, low, low, low, low, low, low};
    size_t i = 0;
    for (; i + 8 <= logits.size(); i += 8) {
        for (size_t j = 0; j < 8; ++j) {
            lanes[j] = logits[i + j] > lanes[j] ? logits[i + j] : lanes[j];
        }
    }
    float largest = low;
    for (; i < logits.size(); ++i) largest = logits[i] > largest ? logits[i] : largest;
    for (const float lane : lanes) largest = lane > largest ? lane : largest;
    return largest;
}

std::vector<TokenId> top_candidates(std::span<const float> logits, size_t count) {
    const ByLogit by_logit{logits};
    std::vector<TokenId> kept;
    if (count >= logits.size()) {
        kept.resize(logits.size());
        std::iota(kept.begin(), kept.end(), 0u);
        std::ranges::sort(kept, by_logit);
        return kept;
    }
    // Once `count` are known, what is no better than the last of them is passed over. Later ids
    // lose against equals, so "no better" includes equal.
    const size_t room = 2 * count + 64;
    const auto shrink = [&] {
        const auto last = kept.begin() + static_cast<ptrdiff_t>(count) - 1;
        std::nth_element(kept.begin(), last, kept.end(), by_logit);
        kept.resize(count);
        return by_logit.value(kept.back());
    };
    kept.reserve(room);
    std::optional<float> bound;
    for (size_t i = 0; i < logits.size(); ++i) {
        if (bound && !(logits[i] > *bound)) continue;
        kept.push_back(static_cast<TokenId>(i));
        if (kept.size() == room) bound = shrink();
    }
    if (kept.size() > count) shrink();
    std::ranges::sort(kept, by_logit);
    return kept;
}

TokenId draw(std::span<const float> logits, std::vector<TokenId> candidates,
             const SamplingOptions& options, Position position) {
    const ByLogit by_logit{logits};
    if (options.typical_p < 1.0F)
        candidates = typical_cut(by_logit, std::move(candidates), options);
    std::vector<double> weights(candidates.size());
    double total = 0;
    for (size_t i = 0; i < candidates.size(); ++i) {
        const double gap = gap_of(by_logit.value(candidates[i]), by_logit.value(candidates[0]),
                                  options.temperature);
        weights[i] = i == 0 ? 1.0 : (gap > -700.0 ? tensor::exp_f64(gap) : 0.0);
        total += weights[i];
    }
    size_t kept = candidates.size();
    if (options.top_p < 1.0F) {
        double sum = 0;
        for (kept = 0; kept < candidates.size() && sum < options.top_p * total; ++kept) {
            sum += weights[kept];
        }
        total = sum;
    }
    if (options.min_p > 0.0F) {
        double sum = 0;
        size_t likely = 0;
        for (; likely < kept && weights[likely] >= options.min_p; ++likely) sum += weights[likely];
        kept = likely;
        total = sum;
    }
    double left = uniform_of(options.seed, position) * total;
    for (size_t i = 0; i < kept; ++i) {
        left -= weights[i];
        if (left < 0) return candidates[i];
    }
    return candidates[kept - 1];
}

}  // namespace teetee::model
