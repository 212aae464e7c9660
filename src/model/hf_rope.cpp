// SPDX-License-Identifier: Apache-2.0
#include "model/hf_rope.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <boost/json/array.hpp>

namespace teetee::model {
namespace {

Result<double> required_number(JsonMembers& members, std::string_view key, double least) {
    TT_TRY(const auto value, members.number(key));
    if (!value || !(*value >= least && *value <= 1e15))
        return members.invalid(key, "need a number from " + std::to_string(least));
    return *value;
}

void add(HfConfig& config, std::string key, HfKeyValue value) {
    config.keys.emplace_back(std::move(key), std::move(value));
}

/// Llama 3.1: slow pairs are divided by the factor, fast ones are not, between them it glides.
Result<void> read_llama3(JsonMembers& scaling, const HfRope& rope, double base, HfConfig& config) {
    TT_TRY(const double factor, required_number(scaling, "factor", 1));
    TT_TRY(const double low, required_number(scaling, "low_freq_factor", 1e-3));
    TT_TRY(const double high, required_number(scaling, "high_freq_factor", 1e-3));
    TT_TRY(const double original, required_number(scaling, "original_max_position_embeddings", 1));
    if (!(high > low)) return scaling.invalid("high_freq_factor", "must be above low_freq_factor");
    constexpr double two_pi = 6.283185307179586;
    for (uint32_t i = 0; i < rope.dimensions / 2; ++i) {
        const double frequency = std::pow(base, -2.0 * i / rope.dimensions);
        const double turns = original * frequency / two_pi;
        const double smooth = std::clamp((turns - low) / (high - low), 0.0, 1.0);
        config.rope_divisors.push_back(
            static_cast<float>(1.0 / ((1.0 - smooth) / factor + smooth)));
    }
    return {};
}

Result<void> read_yarn(JsonMembers& scaling, const HfRope& rope, HfConfig& config) {
    TT_TRY(const double factor, required_number(scaling, "factor", 1));
    TT_TRY(const auto original, scaling.u32("original_max_position_embeddings"));
    TT_TRY(const auto attention_factor, scaling.number("attention_factor"));
    TT_TRY(const auto beta_fast, scaling.number("beta_fast"));
    TT_TRY(const auto beta_slow, scaling.number("beta_slow"));
    TT_TRY(const auto truncates, scaling.boolean("truncate"));
    if (!truncates.value_or(true)) return scaling.invalid("truncate", "need true");
    add(config, "rope.scaling.type", "yarn");
    add(config, "rope.scaling.factor", static_cast<float>(factor));
    add(config, "rope.scaling.original_context_length", original.value_or(rope.context_length));
    if (beta_fast) add(config, "rope.scaling.yarn_beta_fast", static_cast<float>(*beta_fast));
    if (beta_slow) add(config, "rope.scaling.yarn_beta_slow", static_cast<float>(*beta_slow));
    // GGUF's number multiplies what the factor implies, Transformers' replaces it.
    const double implied = 0.1 * std::log(factor) + 1.0;
    if (attention_factor && *attention_factor != implied)
        add(config, "rope.scaling.attn_factor", static_cast<float>(*attention_factor / implied));
    return {};
}

Result<std::vector<float>> read_divisors(JsonMembers& scaling, std::string_view key,
                                         const HfRope& rope) {
    const auto* value = scaling.find(key);
    const auto* list = value == nullptr ? nullptr : value->if_array();
    std::vector<float> divisors;
    if (list != nullptr && list->size() == rope.dimensions / 2) {
        for (const auto& element : *list) {
            boost::system::error_code failed;
            const double divisor = element.to_number<double>(failed);
            if (!failed && std::isfinite(divisor)) divisors.push_back(static_cast<float>(divisor));
        }
    }
    if (list == nullptr || divisors.size() != rope.dimensions / 2)
        return scaling.invalid(key, "need " + std::to_string(rope.dimensions / 2) + " numbers");
    return divisors;
}

Result<void> read_longrope(JsonMembers& scaling, std::optional<uint32_t> original,
                           const HfRope& rope, HfConfig& config) {
    TT_TRY(const auto own_original, scaling.u32("original_max_position_embeddings"));
    TT_TRY(const auto given, scaling.number("attention_factor"));
    TT_TRY(const auto factor, scaling.number("factor"));
    TT_TRY(config.rope_divisors_long, read_divisors(scaling, "long_factor", rope));
    TT_TRY(config.rope_divisors_short, read_divisors(scaling, "short_factor", rope));
    const uint32_t short_context = own_original.value_or(original.value_or(rope.context_length));
    if (short_context < 2) return scaling.invalid("original_max_position_embeddings", "too small");
    const double stretch =
        factor.value_or(static_cast<double>(rope.context_length) / short_context);
    const double implied =
        stretch <= 1.0 ? 1.0 : std::sqrt(1.0 + std::log(stretch) / std::log(short_context));
    add(config, "rope.scaling.type", "longrope");
    add(config, "rope.scaling.original_context_length", short_context);
    add(config, "rope.scaling.attn_factor", static_cast<float>(given.value_or(implied)));
    return {};
}

}  // namespace

Result<void> read_rope(JsonMembers& members, const HfRope& rope, HfConfig& config) {
    TT_TRY(const auto theta, members.number("rope_theta"));
    TT_TRY(const auto original, members.u32("original_max_position_embeddings"));
    const auto* older = members.find("rope_scaling");
    const auto* newer = members.find("rope_parameters");
    if (older != nullptr && newer != nullptr)
        return members.invalid("rope_scaling", "stands beside rope_parameters");
    double base = theta.value_or(static_cast<double>(rope.base_default));
    add(config, "rope.dimension_count", rope.dimensions);
    if (older == nullptr && newer == nullptr) {
        add(config, "rope.freq_base", static_cast<float>(base));
        return {};
    }
    TT_TRY(auto scaling,
           JsonMembers::of(newer == nullptr ? *older : *newer,
                           members.path_of(newer == nullptr ? "rope_scaling" : "rope_parameters"),
                           ErrorCode::architecture_unsupported));
    TT_TRY(const auto own_theta, scaling.number("rope_theta"));
    base = own_theta.value_or(base);
    add(config, "rope.freq_base", static_cast<float>(base));
    TT_TRY(const auto type, scaling.string("rope_type"));
    TT_TRY(const auto older_type, scaling.string("type"));
    scaling.ignore({"partial_rotary_factor"});
    const std::string kind = type ? *type : older_type.value_or("default");
    if (kind == "linear") {
        TT_TRY(const double factor, required_number(scaling, "factor", 1));
        add(config, "rope.scaling.type", "linear");
        add(config, "rope.scaling.factor", static_cast<float>(factor));
    } else if (kind == "llama3") {
        TT_CHECK(read_llama3(scaling, rope, base, config));
    } else if (kind == "yarn") {
        TT_CHECK(read_yarn(scaling, rope, config));
    } else if (kind == "longrope" || kind == "su") {
        TT_CHECK(read_longrope(scaling, original, rope, config));
    } else if (kind != "default") {
        return scaling.invalid("rope_type", "have " + quote_foreign(kind) +
                                                ", need default, linear, llama3, yarn or longrope");
    }
    return scaling.ensure_all_taken();
}

}  // namespace teetee::model
