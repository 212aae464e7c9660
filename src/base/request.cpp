// SPDX-License-Identifier: Apache-2.0
#include "base/request.hpp"

#include <cstdio>

namespace teetee {
namespace {

std::string shown(float value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", static_cast<double>(value));
    return text;
}

Error invalid(std::string_view field, const std::string& have, std::string_view need) {
    return fail(ErrorCode::invalid_argument,
                std::string(field) + ": have " + have + ", need " + std::string(need));
}

Result<void> validate_bias(const std::vector<LogitBias>& bias) {
    if (bias.size() > logit_bias_count_max) {
        return invalid("logit_bias", std::to_string(bias.size()) + " tokens",
                       "at most " + std::to_string(logit_bias_count_max));
    }
    for (size_t i = 0; i < bias.size(); ++i) {
        if (i > 0 && bias[i].token <= bias[i - 1].token)
            return invalid("logit_bias", "tokens out of order", "each token once, ascending");
        if (!(bias[i].bias >= -100.0F && bias[i].bias <= 100.0F))
            return invalid("logit_bias", shown(bias[i].bias), "values between -100 and 100");
    }
    return {};
}

Result<void> validate_constraint(const Constraint& constraint) {
    const size_t bytes = constraint.source.size();
    const bool has_source =
        constraint.kind == ConstraintKind::gbnf || constraint.kind == ConstraintKind::json_schema;
    if (bytes > constraint_bytes_max || (has_source ? bytes == 0 : bytes != 0)) {
        return invalid(
            "constraint", std::to_string(bytes) + " bytes",
            has_source ? "1 to " + std::to_string(constraint_bytes_max) : std::string("none"));
    }
    if (!is_utf8(constraint.source)) return invalid("constraint", "other bytes", "UTF-8");
    return {};
}

}  // namespace

Result<void> validate(const SamplingOptions& options) {
    // Each condition is false for NaN.
    const struct {
        std::string_view field;
        float value;
        bool is_valid;
        std::string_view need;
    } fields[] = {
        {"temperature", options.temperature,
         options.temperature >= 0.0F && options.temperature <= 100.0F, "between 0 and 100"},
        {"top_p", options.top_p, options.top_p > 0.0F && options.top_p <= 1.0F,
         "above 0 and at most 1"},
        {"min_p", options.min_p, options.min_p >= 0.0F && options.min_p <= 1.0F, "between 0 and 1"},
        {"typical_p", options.typical_p, options.typical_p > 0.0F && options.typical_p <= 1.0F,
         "above 0 and at most 1"},
        {"repetition_penalty", options.repetition_penalty,
         options.repetition_penalty >= 0.01F && options.repetition_penalty <= 100.0F,
         "between 0.01 and 100"},
        {"presence_penalty", options.presence_penalty,
         options.presence_penalty >= -2.0F && options.presence_penalty <= 2.0F, "between -2 and 2"},
        {"frequency_penalty", options.frequency_penalty,
         options.frequency_penalty >= -2.0F && options.frequency_penalty <= 2.0F,
         "between -2 and 2"},
    };
    for (const auto& field : fields) {
        if (!field.is_valid) return invalid(field.field, shown(field.value), field.need);
    }
    if (options.activations > activation_format_max) {
        return invalid("activations", std::to_string(static_cast<uint32_t>(options.activations)),
                       "f32, f16 or q8");
    }
    if (options.pooling > pooling_max) {
        return invalid("pooling", std::to_string(static_cast<uint32_t>(options.pooling)),
                       "none, mean or last");
    }
    const uint32_t top_max = options.logprobs ? top_logprobs_max : 0;
    if (options.top_logprobs > top_max) {
        return invalid("top_logprobs", std::to_string(options.top_logprobs),
                       options.logprobs ? "at most " + std::to_string(top_logprobs_max)
                                        : std::string("logprobs as well"));
    }
    TT_CHECK(validate_bias(options.logit_bias));
    return validate_constraint(options.constraint);
}

}  // namespace teetee
