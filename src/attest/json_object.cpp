// SPDX-License-Identifier: Apache-2.0
#include "attest/json_object.hpp"

#include "attest/time_text.hpp"

namespace teetee::attest {

namespace json = boost::json;

Error JsonPlace::wrong(std::string_view have, std::string_view need) const {
    return fail(code, component + ": have " + std::string(have) + ", need " + std::string(need));
}

Result<std::string_view> json_text(const json::value& value, const JsonPlace& place) {
    const json::string* text = value.if_string();
    if (text == nullptr) return place.wrong("another type", "a string");
    return std::string_view(text->data(), text->size());
}

Result<JsonObject> JsonObject::of(const json::value& value, JsonPlace place) {
    const json::object* object = value.if_object();
    if (object == nullptr) return place.wrong("another type", "an object");
    return JsonObject(*object, std::move(place));
}

Result<const json::value*> JsonObject::member(std::string_view key, std::string_view need) const {
    const json::value* value = object_->if_contains(key);
    if (value == nullptr) return place_.at(key).wrong("nothing", need);
    return value;
}

Result<std::string_view> JsonObject::text(std::string_view key) const {
    TT_TRY(const json::value* value, member(key, "a string"));
    return json_text(*value, place_.at(key));
}

Result<bool> JsonObject::boolean(std::string_view key) const {
    TT_TRY(const json::value* value, member(key, "true or false"));
    const bool* flag = value->if_bool();
    if (flag == nullptr) return place_.at(key).wrong("another type", "true or false");
    return *flag;
}

Result<uint64_t> JsonObject::number(std::string_view key, uint64_t value_max) const {
    TT_TRY(const json::value* value, member(key, "an integer"));
    const int64_t* number = value->if_int64();
    if (number != nullptr && *number >= 0 && static_cast<uint64_t>(*number) <= value_max) {
        return static_cast<uint64_t>(*number);
    }
    return place_.at(key).wrong(
        number == nullptr ? "another type or range" : std::to_string(*number),
        "an integer from 0 to " + std::to_string(value_max));
}

Result<UnixSeconds> JsonObject::time(std::string_view key) const {
    TT_TRY(const std::string_view written, text(key));
    const auto time = parse_utc(written);
    if (!time) return fail(place_.code, place_.at(key).component + ": " + time.error().detail);
    return time;
}

Result<JsonObject> JsonObject::object(std::string_view key) const {
    TT_TRY(const json::value* value, member(key, "an object"));
    return of(*value, place_.at(key));
}

Result<const json::array*> JsonObject::array_or_empty(std::string_view key,
                                                      size_t count_max) const {
    const std::string need = "an array of at most " + std::to_string(count_max);
    TT_TRY(const json::value* value, member(key, need));
    const json::array* array = value->if_array();
    if (array == nullptr) return place_.at(key).wrong("another type", need);
    if (array->size() > count_max) {
        return place_.at(key).wrong(std::to_string(array->size()) + " entries", need);
    }
    return array;
}

Result<const json::array*> JsonObject::array(std::string_view key, size_t count_max) const {
    TT_TRY(const json::array* array, array_or_empty(key, count_max));
    if (array->empty()) return place_.at(key).wrong("an empty array", "at least one entry");
    return array;
}

}  // namespace teetee::attest
