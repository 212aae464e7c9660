// SPDX-License-Identifier: Apache-2.0
#include "api/resume_fields.hpp"

#include "api/json_fields.hpp"
#include "api/limits.hpp"
#include "attest/limits.hpp"

namespace teetee::api {
namespace {

Result<std::vector<TokenId>> parse_token_ids(const boost::json::object& body) {
    std::vector<TokenId> ids;
    const auto* field = body.if_contains("answer_token_ids");
    if (field == nullptr || field->is_null()) return ids;
    const Error wrong =
        fail(ErrorCode::field_invalid, "'answer_token_ids' must be a list of at most " +
                                           std::to_string(answer_token_ids_max) + " token ids");
    const auto* list = field->if_array();
    if (list == nullptr || list->size() > answer_token_ids_max) return wrong;
    ids.reserve(list->size());
    for (const auto& item : *list) {
        boost::system::error_code failed;
        const auto id = item.to_number<TokenId>(failed);
        if (failed) return wrong;
        ids.push_back(id);
    }
    return ids;
}

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
    TT_TRY(request.answer_token_ids, parse_token_ids(body));
    TT_TRY(const auto returns, bool_field(body, "return_token_ids"));
    request.return_token_ids = returns.value_or(false);
    TT_TRY(request.activations, parse_format(body));
    TT_TRY(request.created, integer_field(body, "created", {0, attest::unix_seconds_max}));
    return {};
}

}  // namespace teetee::api
