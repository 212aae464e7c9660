// SPDX-License-Identifier: Apache-2.0
#include "attest/json_members.hpp"

#include <charconv>

namespace teetee::attest {

namespace json = boost::json;

Result<JsonMembers> JsonMembers::of(const json::value& value, std::string name, ErrorCode code) {
    const json::object* object = value.if_object();
    if (object == nullptr) return fail(code, name + ": have another type, need an object");
    return JsonMembers(*object, std::move(name), code);
}

Error JsonMembers::wrong(std::string_view key, std::string_view have, std::string_view need) const {
    return fail(code_, name_ + "." + std::string(key) + ": have " + std::string(have) + ", need " +
                           std::string(need));
}

bool JsonMembers::has(std::string_view key) const {
    return object_->contains({key.data(), key.size()});
}

Result<const json::value*> JsonMembers::member(std::string_view key) {
    const json::value* value = object_->if_contains({key.data(), key.size()});
    if (value == nullptr) return wrong(key, "nothing", "a value");
    read_.emplace(key);
    return value;
}

Result<std::string_view> JsonMembers::text(std::string_view key, size_t bytes_max) {
    TT_TRY(const json::value* value, member(key));
    const json::string* found = value->if_string();
    if (found == nullptr) return wrong(key, "another type", "a string");
    if (found->size() > bytes_max) {
        return wrong(key, std::to_string(found->size()) + " bytes",
                     "at most " + std::to_string(bytes_max));
    }
    return std::string_view(found->data(), found->size());
}

Result<uint64_t> JsonMembers::number(std::string_view key, uint64_t max) {
    TT_TRY(const json::value* value, member(key));
    uint64_t number = 0;
    if (value->is_uint64()) {
        number = value->get_uint64();
    } else if (value->is_int64() && value->get_int64() >= 0) {
        number = static_cast<uint64_t>(value->get_int64());
    } else {
        return wrong(key, "something else", "a whole number");
    }
    if (number > max) return wrong(key, std::to_string(number), "at most " + std::to_string(max));
    return number;
}

Result<uint64_t> JsonMembers::big_number(std::string_view key) {
    TT_TRY(const auto digits, text(key, 20));
    uint64_t number = 0;
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool is_canonical = digits == std::to_string(number);
    if (failed != std::errc() || end != digits.data() + digits.size() || !is_canonical)
        return wrong(key, "another text", "a number of 64 bits in decimal digits");
    return number;
}

Result<double> JsonMembers::real(std::string_view key) {
    TT_TRY(const json::value* value, member(key));
    if (!value->is_number()) return wrong(key, "another type", "a number");
    return value->to_number<double>();
}

Result<bool> JsonMembers::flag(std::string_view key) {
    TT_TRY(const json::value* value, member(key));
    if (!value->is_bool()) return wrong(key, "another type", "true or false");
    return value->get_bool();
}

Result<Bytes> JsonMembers::base64(std::string_view key, size_t bytes_max) {
    TT_TRY(const auto letters, text(key, (bytes_max + 2) / 3 * 4));
    auto bytes = from_base64(letters);
    if (!bytes) return wrong(key, bytes.error().detail, "base64");
    if (bytes->size() > bytes_max) {
        return wrong(key, std::to_string(bytes->size()) + " bytes",
                     "at most " + std::to_string(bytes_max));
    }
    return bytes;
}

Result<const json::array*> JsonMembers::array(std::string_view key, size_t count_max) {
    TT_TRY(const json::value* value, member(key));
    const json::array* found = value->if_array();
    if (found == nullptr) return wrong(key, "another type", "an array");
    if (found->size() > count_max) {
        return wrong(key, std::to_string(found->size()) + " entries",
                     "at most " + std::to_string(count_max));
    }
    return found;
}

Result<JsonMembers> JsonMembers::object(std::string_view key) {
    TT_TRY(const json::value* value, member(key));
    return of(*value, name_ + "." + std::string(key), code_);
}

Result<void> JsonMembers::ensure_read() const {
    for (const auto& [key, value] : *object_) {
        if (!read_.contains(std::string_view(key.data(), key.size())))
            return wrong(quote_foreign({key.data(), key.size()}), "it", "no such member");
    }
    return {};
}

}  // namespace teetee::attest
