// SPDX-License-Identifier: Apache-2.0
#include "api/json_fields.hpp"

#include <boost/json/parse.hpp>

#include "api/limits.hpp"
#include "base/bytes.hpp"

namespace teetee::api {
namespace {

Error wrong_type(std::string_view name, std::string_view needed) {
    return fail(ErrorCode::field_invalid,
                "'" + std::string(name) + "' must be " + std::string(needed));
}

const boost::json::value* present(const boost::json::object& body, std::string_view name) {
    const auto* value = body.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

}  // namespace

Result<boost::json::object> parse_body(std::string_view body) {
    if (!is_utf8(body)) return fail(ErrorCode::invalid_utf8, "the body is not UTF-8");
    boost::json::parse_options options;
    options.max_depth = json_depth_max;
    boost::system::error_code failed;
    boost::json::value value = boost::json::parse(body, failed, {}, options);
    if (failed) return fail(ErrorCode::invalid_json, "the body is not JSON: " + failed.message());
    if (!value.is_object()) return fail(ErrorCode::invalid_json, "the body must be a JSON object");
    return std::move(value.get_object());
}

Result<std::optional<std::string>> string_field(const boost::json::object& body,
                                                std::string_view name) {
    const auto* value = present(body, name);
    if (value == nullptr) return std::optional<std::string>();
    if (!value->is_string()) return wrong_type(name, "a string");
    return std::optional<std::string>(value->get_string());
}

Result<std::optional<bool>> bool_field(const boost::json::object& body, std::string_view name) {
    const auto* value = present(body, name);
    if (value == nullptr) return std::optional<bool>();
    if (!value->is_bool()) return wrong_type(name, "true or false");
    return std::optional<bool>(value->get_bool());
}

Result<std::optional<double>> number_field(const boost::json::object& body, std::string_view name) {
    const auto* value = present(body, name);
    if (value == nullptr) return std::optional<double>();
    boost::system::error_code failed;
    const double number = value->to_number<double>(failed);
    if (failed) return wrong_type(name, "a number");
    return std::optional<double>(number);
}

Result<std::optional<boost::json::object>> object_field(const boost::json::object& body,
                                                        std::string_view name) {
    const auto* value = present(body, name);
    if (value == nullptr) return std::optional<boost::json::object>();
    if (!value->is_object()) return wrong_type(name, "an object");
    return std::optional<boost::json::object>(value->get_object());
}

Result<std::optional<int64_t>> integer_field(const boost::json::object& body, std::string_view name,
                                             IntegerRange range) {
    const auto* value = present(body, name);
    if (value == nullptr) return std::optional<int64_t>();
    boost::system::error_code failed;
    const auto number = value->to_number<int64_t>(failed);
    if (failed || number < range.least || number > range.most) {
        return wrong_type(name, "an integer from " + std::to_string(range.least) + " to " +
                                    std::to_string(range.most));
    }
    return std::optional<int64_t>(number);
}

Result<std::vector<TokenId>> token_ids_of(const boost::json::value& value, std::string_view name) {
    const std::string needed = "a list of at most " + std::to_string(token_ids_max) + " token ids";
    const auto* list = value.if_array();
    if (list == nullptr || list->size() > token_ids_max) return wrong_type(name, needed);
    std::vector<TokenId> ids;
    ids.reserve(list->size());
    for (const auto& item : *list) {
        boost::system::error_code failed;
        ids.push_back(item.to_number<TokenId>(failed));
        if (failed) return wrong_type(name, needed);
    }
    return ids;
}

Result<std::vector<TokenId>> token_ids_field(const boost::json::object& body,
                                             std::string_view name) {
    const auto* value = present(body, name);
    if (value == nullptr) return std::vector<TokenId>();
    return token_ids_of(*value, name);
}

}  // namespace teetee::api
