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
                  // llama-server's name for it.
                  {"repeat_penalty", options.repetition_penalty},
                  {"presence_penalty", options.presence_penalty},
                  {"frequency_penalty", options.frequency_penalty}};
    for (const auto& field : fields) {
        TT_TRY(const auto number, number_field(body, field.name));
        if (number) field.value = static_cast<float>(*number);
    }
    return {};
}

const char* const bias_form =
    "'logit_bias' must be an object from token ids to numbers, or a list of [id, number]";

/// A number, or llama-server's false for "never".
Result<float> parse_bias(const boost::json::value& value) {
    if (value.is_bool() && !value.get_bool()) return -100.0F;
    if (!value.is_number()) return fail(ErrorCode::field_invalid, bias_form);
    return static_cast<float>(value.to_number<double>());
}

/// {"50256": -100}; ids as they are written in decimal.
Result<void> parse_bias_object(const boost::json::object& object, SamplingOptions& options) {
    for (const auto& member : object) {
        const std::string_view key = member.key();
        TokenId token = 0;
        const auto end = std::from_chars(key.data(), key.data() + key.size(), token);
        const bool is_id = end.ec == std::errc() && std::to_string(token) == key;
        if (!is_id || !member.value().is_number()) return fail(ErrorCode::field_invalid, bias_form);
        TT_TRY(const float bias, parse_bias(member.value()));
        options.logit_bias.push_back({token, bias});
    }
    return {};
}

/// [[50256, -100], [11, false]], as llama-server has it.
Result<void> parse_bias_list(const boost::json::array& list, SamplingOptions& options) {
    for (const auto& item : list) {
        const auto* pair = item.if_array();
        boost::system::error_code failed;
        const TokenId token =
            pair == nullptr || pair->size() != 2 ? 0 : pair->front().to_number<TokenId>(failed);
        if (pair == nullptr || pair->size() != 2 || failed)
            return fail(ErrorCode::field_invalid, bias_form);
        TT_TRY(const float bias, parse_bias(pair->back()));
        options.logit_bias.push_back({token, bias});
    }
    return {};
}

Result<void> parse_logit_bias(const boost::json::object& body, SamplingOptions& options) {
    const auto* field = body.if_contains("logit_bias");
    if (field == nullptr || field->is_null()) return {};
    if (const auto* object = field->if_object()) {
        TT_CHECK(parse_bias_object(*object, options));
    } else if (const auto* list = field->if_array()) {
        TT_CHECK(parse_bias_list(*list, options));
    } else {
        return fail(ErrorCode::field_invalid, bias_form);
    }
    std::ranges::sort(options.logit_bias);
    return {};
}

/// "include" of /v1/responses.
bool includes_logprobs(const boost::json::object& body) {
    const auto* include = body.if_contains("include");
    const auto* list = include == nullptr ? nullptr : include->if_array();
    return list != nullptr &&
           std::ranges::find(*list, "message.output_text.logprobs") != list->end();
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
    } else if (request.dialect == Dialect::responses) {
        TT_TRY(const auto count, integer_field(body, "top_logprobs", counts));
        options.top_logprobs = static_cast<uint32_t>(count.value_or(0));
        options.logprobs = includes_logprobs(body) || options.top_logprobs > 0;
    } else if (request.dialect == Dialect::llama) {
        TT_TRY(const auto count, integer_field(body, "n_probs", counts));
        options.top_logprobs = static_cast<uint32_t>(count.value_or(0));
        options.logprobs = options.top_logprobs > 0;
    }
    return {};
}

/// In /v1/responses the schema stands beside "type", elsewhere in "json_schema".
Result<Constraint> parse_response_format(const boost::json::value& format, Dialect dialect) {
    const auto* object = format.if_object();
    const auto* type = object == nullptr ? nullptr : object->if_contains("type");
    if (type != nullptr && *type == "text") return Constraint{};
    // llama-server takes a schema here as well.
    if (type != nullptr && *type == "json_object" && !object->contains("schema"))
        return Constraint{.kind = ConstraintKind::json_object};
    if (type == nullptr || (*type != "json_schema" && *type != "json_object")) {
        return fail(ErrorCode::field_invalid,
                    "'response_format' needs a 'type': text, json_object or json_schema");
    }
    const auto* schema = object->if_contains("schema");
    if (const auto* named = object->if_contains("json_schema");
        dialect != Dialect::responses && named != nullptr && named->is_object()) {
        schema = named->get_object().if_contains("schema");
    }
    if (schema == nullptr || !schema->is_object()) {
        return fail(ErrorCode::field_invalid,
                    "'response_format' needs a schema: {\"type\":\"json_schema\","
                    "\"json_schema\":{\"schema\":{..}}}");
    }
    return Constraint{.kind = ConstraintKind::json_schema,
                      .source = boost::json::serialize(*schema)};
}

/// Of the one field that holds the answer to a form.
struct NamedConstraint {
    std::string field;
    Constraint constraint{};
};

Result<std::vector<NamedConstraint>> constraints_in(const boost::json::object& body,
                                                    Dialect dialect) {
    std::vector<NamedConstraint> found;
    const auto* format = body.if_contains("response_format");
    if (dialect == Dialect::responses) {
        const auto* text = body.if_contains("text");
        const auto* object = text == nullptr ? nullptr : text->if_object();
        format = object == nullptr ? nullptr : object->if_contains("format");
    }
    if (format != nullptr && !format->is_null()) {
        TT_TRY(auto constraint, parse_response_format(*format, dialect));
        found.push_back({"'response_format'", std::move(constraint)});
    }
    TT_TRY(auto grammar, string_field(body, "grammar"));
    if (grammar && !grammar->empty()) {
        found.push_back(
            {"'grammar'", {.kind = ConstraintKind::gbnf, .source = std::move(*grammar)}});
    }
    TT_TRY(const auto schema, object_field(body, "json_schema"));
    if (schema && !schema->empty()) {
        found.push_back(
            {"'json_schema'",
             {.kind = ConstraintKind::json_schema, .source = boost::json::serialize(*schema)}});
    }
    std::erase_if(found, [](const NamedConstraint& one) {
        return one.constraint.kind == ConstraintKind::none;
    });
    return found;
}

/// Compiled here as well, so that the client is told what is wrong with it before anything runs.
Result<void> parse_constraint(const boost::json::object& body, GenerationRequest& request) {
    TT_TRY(auto found, constraints_in(body, request.dialect));
    if (found.empty()) return {};
    if (found.size() > 1) {
        return fail(ErrorCode::field_invalid,
                    found[0].field + " and " + found[1].field + " cannot both hold the answer");
    }
    if (request.tools.is_used()) {
        return fail(ErrorCode::field_invalid,
                    found[0].field +
                        " and 'tools' cannot both shape the answer; \"tool_choice\": "
                        "\"none\" turns the tools off");
    }
    auto compiled = grammar::grammar_of(found[0].constraint);
    if (!compiled) return in_context(found[0].field, std::move(compiled).error());
    request.sampling.constraint = std::move(found[0].constraint);
    return {};
}

/// What each API does where nothing is said.
void set_defaults(Dialect dialect, SamplingOptions& options) {
    // OpenAI's API samples at temperature 1; a story wants a little less.
    options.temperature = 1.0F;
    if (dialect == Dialect::generate) {
        options.temperature = 0.6F;
        options.top_p = 0.9F;
    } else if (dialect == Dialect::llama) {
        options.temperature = 0.8F;
        options.top_k = 40;
        options.top_p = 0.95F;
        options.min_p = 0.05F;
    }
}

}  // namespace

Result<void> parse_sampling(const boost::json::object& body, GenerationRequest& request) {
    SamplingOptions& options = request.sampling;
    set_defaults(request.dialect, options);
    TT_CHECK(parse_floats(body, options));
    TT_TRY(const auto top_k, integer_field(body, "top_k", {-1, 1 << 20}));
    if (top_k) options.top_k = static_cast<uint32_t>(std::max<int64_t>(0, *top_k));
    TT_TRY(auto seed, integer_field(body, "seed",
                                    {std::numeric_limits<int64_t>::min(),
                                     std::numeric_limits<int64_t>::max()}));
    // There -1 is "any".
    if (request.dialect == Dialect::llama && seed == -1) seed = std::nullopt;
    request.has_seed = seed.has_value();
    options.seed = static_cast<uint64_t>(seed.value_or(0));
    TT_CHECK(parse_logit_bias(body, options));
    TT_CHECK(parse_logprobs(body, request));
    TT_CHECK(parse_constraint(body, request));
    if (auto valid = validate(options); !valid)
        return fail(ErrorCode::field_invalid, valid.error().detail);
    return {};
}

}  // namespace teetee::api
