// SPDX-License-Identifier: Apache-2.0
#include "hub/json_answer.hpp"

#include "base/strict_json.hpp"
#include "hub/limits.hpp"

namespace teetee::hub {

Result<boost::json::value> parse_answer(std::string_view json, std::string_view where) {
    auto value =
        parse_strict_json(json, {.bytes_max = answer_bytes_max, .depth_max = answer_depth_max});
    if (value) return value;
    const bool is_large = value.error().code == ErrorCode::limit_exceeded;
    return fail(is_large ? ErrorCode::limit_exceeded : ErrorCode::hub_malformed,
                std::string(where) + ": " + value.error().detail);
}

std::string_view text_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_string()) return {};
    return value->get_string();
}

std::optional<uint64_t> byte_count_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return std::nullopt;
    const auto* number = value->if_int64();
    if (number == nullptr || *number < 0) return std::nullopt;
    const auto bytes = static_cast<uint64_t>(*number);
    return bytes <= file_bytes_max ? std::optional(bytes) : std::nullopt;
}

std::string shown(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, shown_text_bytes_max)) {
        out.push_back(c >= 0x20 && c < 0x7f ? c : '?');
    }
    if (text.size() > shown_text_bytes_max) out += "...";
    return out;
}

}  // namespace teetee::hub
