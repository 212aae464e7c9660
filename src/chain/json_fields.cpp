// SPDX-License-Identifier: Apache-2.0
#include "chain/json_fields.hpp"

#include <algorithm>

namespace teetee::chain {

namespace json = boost::json;

Result<JsonFields> JsonFields::of(const json::value& value, std::string name, ErrorCode code) {
    const json::object* object = value.if_object();
    if (object == nullptr) return fail(code, name + ": have another value, need an object");
    return JsonFields(*object, std::move(name), code);
}

Error JsonFields::wrong(std::string_view key, std::string_view have, std::string_view need) const {
    return fail(code_, name_ + "." + std::string(key) + ": have " + std::string(have) + ", need " +
                           std::string(need));
}

bool JsonFields::is_absent(std::string_view key) const {
    const json::value* value = object_->if_contains({key.data(), key.size()});
    return value == nullptr || value->is_null();
}

Result<void> JsonFields::ensure_only(std::span<const std::string_view> keys) const {
    for (const auto& member : *object_) {
        const std::string_view key(member.key().data(), member.key().size());
        if (std::ranges::find(keys, key) == keys.end())
            return wrong(quote_foreign(key), "it", "no such member");
    }
    return {};
}

Result<const json::value*> JsonFields::value(std::string_view key) const {
    const json::value* value = object_->if_contains({key.data(), key.size()});
    if (value == nullptr) return wrong(key, "none", "one");
    return value;
}

Result<JsonFields> JsonFields::object(std::string_view key) const {
    TT_TRY(const json::value* value, this->value(key));
    return of(*value, name_ + "." + std::string(key), code_);
}

Result<const json::array*> JsonFields::array(std::string_view key, size_t count_max) const {
    TT_TRY(const json::value* value, this->value(key));
    const json::array* array = value->if_array();
    if (array == nullptr) return wrong(key, "another value", "an array");
    if (array->size() > count_max) {
        return wrong(key, std::to_string(array->size()) + " elements",
                     "at most " + std::to_string(count_max));
    }
    return array;
}

Result<std::string_view> JsonFields::text(std::string_view key) const {
    TT_TRY(const json::value* value, this->value(key));
    const json::string* text = value->if_string();
    if (text == nullptr) return wrong(key, "another value", "a string");
    return std::string_view(text->data(), text->size());
}

Result<uint64_t> JsonFields::number(std::string_view key, uint64_t most) const {
    TT_TRY(const json::value* value, this->value(key));
    std::optional<uint64_t> number;
    if (const auto* whole = value->if_uint64()) number = *whole;
    if (const auto* whole = value->if_int64(); whole != nullptr && *whole >= 0)
        number = static_cast<uint64_t>(*whole);
    if (!number || *number > most)
        return wrong(key, "another value", "a number up to " + std::to_string(most));
    return *number;
}

Result<U256> JsonFields::quantity(std::string_view key) const {
    TT_TRY(const std::string_view digits, text(key));
    const auto number = U256::from_quantity(digits);
    if (!number) return wrong(key, quote_foreign(digits), "a quantity");
    return *number;
}

Result<uint64_t> JsonFields::quantity_u64(std::string_view key) const {
    TT_TRY(const U256 number, quantity(key));
    const auto small = number.to_u64();
    if (!small) return wrong(key, number.to_quantity(), "at most 8 bytes");
    return *small;
}

Result<Bytes> JsonFields::data(std::string_view key, size_t bytes_max) const {
    TT_TRY(const std::string_view digits, text(key));
    if (!digits.starts_with("0x")) return wrong(key, quote_foreign(digits), "0x and hex digits");
    return hex(key, bytes_max);
}

Result<Bytes> JsonFields::hex(std::string_view key, size_t bytes_max) const {
    TT_TRY(const std::string_view digits, text(key));
    if (digits.size() > 2 * bytes_max + 2) {
        return wrong(key, std::to_string(digits.size()) + " digits",
                     "at most " + std::to_string(2 * bytes_max));
    }
    auto bytes = from_hex(digits);
    if (!bytes) return wrong(key, "other text", "hex digits");
    return bytes;
}

}  // namespace teetee::chain
