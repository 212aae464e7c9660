// SPDX-License-Identifier: Apache-2.0
#include "api/resume_fields.hpp"

#include "api/json_fields.hpp"
#include "attest/limits.hpp"

namespace teetee::api {
namespace {

Result<std::optional<ActivationFormat>> parse_format(const boost::json::object& body) {
    TT_TRY(const auto name, string_field(body, "activations"));
    if (!name) return std::optional<ActivationFormat>();
    const auto format = activation_format_named(*name);
    if (!format)
        return fail(ErrorCode::field_invalid, "'activations' must be \"f32\", \"f16\" or \"q8\"");
    return format;
}

}  // namespace

Result<void> parse_resume(const boost::json::object& body, GenerationRequest& request) {
    TT_TRY(request.answer_token_ids, token_ids_field(body, "answer_token_ids"));
    TT_TRY(const auto returns, bool_field(body, "return_token_ids"));
    request.return_token_ids = returns.value_or(false);
    TT_TRY(request.activations, parse_format(body));
    TT_TRY(request.created, integer_field(body, "created", {0, attest::unix_seconds_max}));
    return {};
}

}  // namespace teetee::api
