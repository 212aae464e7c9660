// SPDX-License-Identifier: Apache-2.0
#include "model/json_members.hpp"

#include <cmath>

#include <boost/json/parse.hpp>

#include "model/limits.hpp"

namespace teetee::model {
namespace {

std::string_view as_view(const boost::json::string& text) {
    return {text.data(), text.size()};
}

}  // namespace

Result<boost::json::value> parse_json_tree(std::string_view text, std::string_view where) {
    if (text.size() > json_tree_bytes_max) {
        return fail(ErrorCode::limit_exceeded,
                    std::string(where) + ": have " + std::to_string(text.size()) +
                        " bytes, need at most " + std::to_string(json_tree_bytes_max));
    }
    boost::json::parse_options options;
    options.max_depth = json_depth_max;
    boost::system::error_code failed;
    boost::json::value value = boost::json::parse({text.data(), text.size()}, failed, {}, options);
    if (failed) return fail(ErrorCode::invalid_json, std::string(where) + ": " + failed.message());
    return value;
}

Result<JsonMembers> JsonMembers::of(const boost::json::value& value, std::string where,
                                    ErrorCode code) {
    const auto* object = value.if_object();
    if (object == nullptr) return fail(code, where + ": need an object");
    return JsonMembers(*object, std::move(where), code);
}

std::string JsonMembers::path_of(std::string_view key) const {
    return where_ + (where_.ends_with(".json") ? ": " : ".") + quote_foreign(key);
}

Error JsonMembers::invalid(std::string_view key, std::string_view why) const {
    return fail(code_, path_of(key) + ": " + std::string(why));
}

const boost::json::value* JsonMembers::find(std::string_view key) {
    taken_.emplace(key);
    const auto* value = object_->if_contains({key.data(), key.size()});
    return value == nullptr || value->is_null() ? nullptr : value;
}

Result<std::optional<std::string>> JsonMembers::string(std::string_view key) {
    const auto* value = find(key);
    if (value == nullptr) return std::optional<std::string>();
    if (!value->is_string()) return invalid(key, "need a string");
    return std::optional<std::string>(as_view(value->get_string()));
}

Result<std::string> JsonMembers::required_string(std::string_view key) {
    TT_TRY(auto text, string(key));
    if (!text) return invalid(key, "is missing, need a string");
    return *std::move(text);
}

Result<std::optional<bool>> JsonMembers::boolean(std::string_view key) {
    const auto* value = find(key);
    if (value == nullptr) return std::optional<bool>();
    if (!value->is_bool()) return invalid(key, "need true or false");
    return std::optional<bool>(value->get_bool());
}

Result<std::optional<double>> JsonMembers::number(std::string_view key) {
    const auto* value = find(key);
    if (value == nullptr) return std::optional<double>();
    boost::system::error_code failed;
    const double number = value->to_number<double>(failed);
    if (failed || !std::isfinite(number)) return invalid(key, "need a number");
    return std::optional<double>(number);
}

Result<std::optional<uint32_t>> JsonMembers::u32(std::string_view key) {
    TT_TRY(const auto value, number(key));
    if (!value) return std::optional<uint32_t>();
    if (!(*value >= 0 && *value <= UINT32_MAX && *value == std::floor(*value)))
        return invalid(key, "need a whole number from 0 to 4294967295");
    return std::optional<uint32_t>(static_cast<uint32_t>(*value));
}

void JsonMembers::ignore(std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys) taken_.emplace(key);
}

Result<void> JsonMembers::ensure_all_taken() const {
    for (const auto& member : *object_) {
        const std::string_view key(member.key().data(), member.key().size());
        if (!member.value().is_null() && taken_.find(key) == taken_.end())
            return invalid(key, "is not known");
    }
    return {};
}

}  // namespace teetee::model
