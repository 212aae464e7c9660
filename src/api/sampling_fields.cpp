// SPDX-License-Identifier: Apache-2.0
#include "api/sampling_fields.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include <boost/json/serialize.hpp>

#include "api/json_fields.hpp"
#include "grammar/json_schema.hpp"

namespace teetee::api {
namespace {

Result<void> parse_floats(const boost::json::object& body, SamplingOptions& options) {
    const struct {
        const char* name;
        float& value;
    } fields[] = {{"temperature", options.temperature},
                  {"top_p", options.top_p},
                  {"min_p", options.min_p},
                  {"typical_p", options.typical_p},
                  {"repetition_penalty", options.repetition_penalty},
                  {"presence_penalty", options.presence_penalty},
                  {"frequency_penalty", options.frequency_penalty}};
    for (const auto& field : fields) {
        TT_TRY(const auto number, number_field(body, field.name));
        if (number) field.value = static_cast<float>(*number);
    }
    return {};
}

/// {"50256": -100}; ids as they are written in decimal.
Result<void> parse_logit_bias(const boost::json::object& body, SamplingOptions& options) {
    const auto* field = body.if_contains("logit_bias");
    if (field == nullptr || field->is_null()) return {};
    const Error wrong =
        fail(ErrorCode::field_invalid, "'logit_bias' must be an object from token ids to numbers");
    const auto* object = field->if_object();
    if (object == nullptr) return wrong;
    for (const auto& member : *object) {
        const std::string_view key = member.key();
        TokenId token = 0;
        const auto end = std::from_chars(key.data(), key.data() + key.size(), token);
        const bool is_id = end.ec == std::errc() && std::to_string(token) == key;
        if (!is_id || !member.value().is_number()) return wrong;
        options.logit_bias.push_back(
            {token, static_cast<float>(member.value().to_number<double>())});
    }
    std::ranges::sort(options.logit_bias);
    return {};
}

/// Completions say how many alternatives; chat says whether, and how many beside.
Result<void> parse_logprobs(const boost::json::object& body, GenerationRequest& request) {
    SamplingOptions& options = request.sampling;
    const IntegerRange counts{0, top_logprobs_max};
    if (request.dialect == Dialect::completion) {
        TT_TRY(const auto count, integer_field(body, "logprobs", counts));
        options.logprobs = count.has_value();
        options.top_logprobs = static_cast<uint32_t>(count.value_or(0));
    } else if (request.dialect == Dialect::chat) {
        TT_TRY(const auto wanted, bool_field(body, "logprobs"));
        options.logprobs = wanted.value_or(false);
        TT_TRY(const auto count, integer_field(body, "top_logprobs", counts));
        options.top_logprobs = static_cast<uint32_t>(count.value_or(0));
    }
    return {};
}

Result<Constraint> parse_response_format(const boost::json::value& format) {
    const auto* object = format.if_object();
    const auto* type = object == nullptr ? nullptr : object->if_contains("type");
    if (type != nullptr && *type == "text") return Constraint{};
    if (type != nullptr && *type == "json_object")
        return Constraint{.kind = ConstraintKind::json_object};
    if (type == nullptr || *type != "json_schema") {
        return fail(ErrorCode::field_invalid,
                    "'response_format' needs a 'type': text, json_object or json_schema");
    }
    const auto* named = object->if_contains("json_schema");
    const auto* schema = named != nullptr && named->is_object()
                             ? named->get_object().if_contains("schema")
                             : nullptr;
    if (schema == nullptr || !schema->is_object()) {
        return fail(ErrorCode::field_invalid,
                    "'response_format' needs a schema: {\"type\":\"json_schema\","
                    "\"json_schema\":{\"schema\":{..}}}");
    }
    return Constraint{.kind = ConstraintKind::json_schema,
                      .source = boost::json::serialize(*schema)};
}

/// Compiled here as well, so that the client is told what is wrong with it before anything runs.
Result<void> parse_constraint(const boost::json::object& body, Constraint& constraint) {
    std::string_view field = "'response_format'";
    if (const auto* format = body.if_contains("response_format");
        format != nullptr && !format->is_null()) {
        TT_TRY(constraint, parse_response_format(*format));
    }
    TT_TRY(auto grammar, string_field(body, "grammar"));
    if (grammar) {
        if (constraint.kind != ConstraintKind::none) {
            return fail(ErrorCode::field_invalid,
                        "'grammar' and 'response_format' cannot both hold the answer");
        }
        field = "'grammar'";
        constraint = {.kind = ConstraintKind::gbnf, .source = std::move(*grammar)};
    }
    if (constraint.kind == ConstraintKind::none) return {};
    auto compiled = grammar::grammar_of(constraint);
    return compiled ? Result<void>() : in_context(field, std::move(compiled).error());
}

}  // namespace

Result<void> parse_sampling(const boost::json::object& body, GenerationRequest& request) {
    // OpenAI's API samples at temperature 1 unless told otherwise; a story wants a little less.
    const bool is_story = request.dialect == Dialect::generate;
    SamplingOptions& options = request.sampling;
    options.temperature = is_story ? 0.6F : 1.0F;
    options.top_p = is_story ? 0.9F : 1.0F;
    TT_CHECK(parse_floats(body, options));
    TT_TRY(const auto top_k, integer_field(body, "top_k", {0, 1 << 20}));
    options.top_k = static_cast<uint32_t>(top_k.value_or(0));
    TT_TRY(const auto seed, integer_field(body, "seed",
                                          {std::numeric_limits<int64_t>::min(),
                                           std::numeric_limits<int64_t>::max()}));
    request.has_seed = seed.has_value();
    options.seed = static_cast<uint64_t>(seed.value_or(0));
    TT_CHECK(parse_logit_bias(body, options));
    TT_CHECK(parse_logprobs(body, request));
    TT_CHECK(parse_constraint(body, options.constraint));
    if (auto valid = validate(options); !valid)
        return fail(ErrorCode::field_invalid, valid.error().detail);
    return {};
}

}  // namespace teetee::api
