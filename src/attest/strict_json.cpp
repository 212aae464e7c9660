// SPDX-License-Identifier: Apache-2.0
#include "attest/strict_json.hpp"

#include <set>
#include <string>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

namespace teetee::attest {
namespace {

namespace json = boost::json;

// Boost.JSON keeps the last of equal keys in silence; this handler of its event parser stops there.
struct UniqueKeys {
    static constexpr size_t max_object_size = SIZE_MAX;
    static constexpr size_t max_array_size = SIZE_MAX;
    static constexpr size_t max_key_size = SIZE_MAX;
    static constexpr size_t max_string_size = SIZE_MAX;

    std::vector<std::set<std::string, std::less<>>> open_objects;
    std::string key;
    bool duplicate = false;

    bool on_object_begin(json::error_code&) {
        open_objects.emplace_back();
        return true;
    }
    bool on_object_end(size_t, json::error_code&) {
        open_objects.pop_back();
        return true;
    }
    bool on_key_part(json::string_view part, size_t, json::error_code&) {
        key.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, size_t, json::error_code& error) {
        key.append(part.data(), part.size());
        duplicate = !open_objects.back().insert(std::exchange(key, {})).second;
        if (duplicate) error = json::error::syntax;
        return !duplicate;
    }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(size_t, json::error_code&) { return true; }
    bool on_string_part(json::string_view, size_t, json::error_code&) { return true; }
    bool on_string(json::string_view, size_t, json::error_code&) { return true; }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(int64_t, json::string_view, json::error_code&) { return true; }
    bool on_uint64(uint64_t, json::string_view, json::error_code&) { return true; }
    bool on_double(double, json::string_view, json::error_code&) { return true; }
    bool on_bool(bool, json::error_code&) { return true; }
    bool on_null(json::error_code&) { return true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

}  // namespace

Result<json::value> parse_strict_json(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.bytes_max) {
        return fail(ErrorCode::limit_exceeded, "JSON: have " + std::to_string(text.size()) +
                                                   " bytes, need at most " +
                                                   std::to_string(limits.bytes_max));
    }
    json::parse_options options;
    options.max_depth = limits.depth_max;
    json::basic_parser<UniqueKeys> events(options);
    json::error_code error;
    const size_t used_bytes = events.write_some(false, text.data(), text.size(), error);
    if (events.handler().duplicate) {
        return fail(ErrorCode::invalid_json,
                    "JSON: a key twice before byte " + std::to_string(used_bytes));
    }
    json::value value;
    if (!error) value = json::parse({text.data(), text.size()}, error, {}, options);
    if (error) {
        return fail(ErrorCode::invalid_json,
                    "JSON: " + error.message() + " at byte " + std::to_string(used_bytes));
    }
    return value;
}

}  // namespace teetee::attest
