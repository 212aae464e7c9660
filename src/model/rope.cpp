// SPDX-License-Identifier: Apache-2.0
#include "model/rope.hpp"

#include <algorithm>
#include <cmath>

#include "tensor/math.hpp"

namespace teetee::model {
namespace {

using Scaling = RopeHyperparameters::Scaling;

// Positions stay below 2^24, and sin_cos_f64 is exact below 2^25.
constexpr float divisor_min = 0.5F;
constexpr float divisor_max = 1e9F;

/// A tensor of one divisor for each pair.
Result<std::vector<float>> load_divisors(const std::string& name, const RopeHyperparameters& rope,
                                         WeightLoader& loader) {
    TT_TRY(auto divisors, loader.vector(name, rope.dimensions / 2));
    for (const float divisor : divisors) {
        if (!(divisor >= divisor_min && divisor <= divisor_max)) {
            return fail(ErrorCode::hyperparameter_invalid, name + ": need numbers from 0.5 to 1e9");
        }
    }
    return divisors;
}

/// The divisors that stand in the file, or ones.
Result<std::vector<float>> load_divisors(const Hyperparameters& h, WeightLoader& loader) {
    const std::string llama3 = "rope_freqs.weight";
    const std::string long_name = "rope_factors_long.weight";
    const std::string short_name = "rope_factors_short.weight";
    const bool has_long = loader.has(long_name) || loader.has(short_name);
    const bool plain = h.rope.scaling != Scaling::yarn && h.rope.factor == 1.0F;
    if (h.rope.scaling == Scaling::longrope || has_long) {
        if (!plain || loader.has(llama3)) {
            return fail(ErrorCode::architecture_unsupported,
                        "two kinds of rope scaling in one file");
        }
        TT_TRY(auto far, load_divisors(long_name, h.rope, loader));
        TT_TRY(auto near, load_divisors(short_name, h.rope, loader));
        return h.context_length > h.rope.original_context_length ? far : near;
    }
    if (loader.has(llama3)) {
        if (!plain) {
            return fail(ErrorCode::architecture_unsupported,
                        "rope_freqs.weight together with another rope scaling");
        }
        return load_divisors(llama3, h.rope, loader);
    }
    return std::vector<float>(h.rope.dimensions / 2, 1.0F);
}

/// The pair, as a real number, that turns `turns` times within the original context.
double pair_of(const RopeHyperparameters& rope, double turns) {
    constexpr double two_pi = 6.283185307179586;
    return rope.dimensions * tensor::log_f64(rope.original_context_length / (turns * two_pi)) /
           (2.0 * tensor::log_f64(rope.base));
}

/// Pairs that turn often keep their frequency, slow ones are divided by the factor, and between
/// them a ramp mixes both.
void stretch_yarn(const RopeHyperparameters& rope, std::vector<double>& frequencies) {
    const double low = std::max(0.0, std::floor(pair_of(rope, rope.beta_fast)));
    const double high = std::min(rope.dimensions - 1.0, std::ceil(pair_of(rope, rope.beta_slow)));
    const double width = std::max(0.001, high - low);
    for (size_t i = 0; i < frequencies.size(); ++i) {
        const double ramp = std::clamp((static_cast<double>(i) - low) / width, 0.0, 1.0);
        frequencies[i] = frequencies[i] / rope.factor * ramp + frequencies[i] * (1.0 - ramp);
    }
}

}  // namespace

Result<tensor::RopeTable> load_rope(const Hyperparameters& h, WeightLoader& loader) {
    const RopeHyperparameters& rope = h.rope;
    if (rope.kind == RopeKind::none) return tensor::RopeTable();
    TT_TRY(const auto divisors, load_divisors(h, loader));
    const tensor::RopeTable plain(rope.dimensions, rope.base);
    std::vector<double> frequencies(plain.frequencies().begin(), plain.frequencies().end());
    double magnitude = rope.attention_factor;
    if (rope.scaling == Scaling::yarn) {
        stretch_yarn(rope, frequencies);
        magnitude *= 0.1 * tensor::log_f64(rope.factor) + 1.0;
    } else {
        for (size_t i = 0; i < frequencies.size(); ++i) {
            frequencies[i] = frequencies[i] / rope.factor / divisors[i];
        }
    }
    return tensor::RopeTable(std::move(frequencies), magnitude);
}

}  // namespace teetee::model
