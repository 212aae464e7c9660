// SPDX-License-Identifier: Apache-2.0
#include "base/strict_json.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

namespace teetee {
namespace {

namespace json = boost::json;

// Builds the value from the events of Boost.JSON's parser, which by itself keeps the last of equal
// keys in silence and rounds some fractions wrongly in their last bit.
struct StrictBuilder {
    static constexpr size_t max_object_size = SIZE_MAX;
    static constexpr size_t max_array_size = SIZE_MAX;
    static constexpr size_t max_key_size = SIZE_MAX;
    static constexpr size_t max_string_size = SIZE_MAX;

    json::value_stack values;
    std::vector<std::set<std::string, std::less<>>> open_objects;
    std::string key;
    std::string number;
    bool duplicate = false;

    bool on_document_begin(json::error_code&) {
        values.reset();
        return true;
    }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) {
        open_objects.emplace_back();
        return true;
    }
    bool on_object_end(size_t count, json::error_code&) {
        open_objects.pop_back();
        values.push_object(count);
        return true;
    }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(size_t count, json::error_code&) {
        values.push_array(count);
        return true;
    }
    bool on_key_part(json::string_view part, size_t, json::error_code&) {
        key.append(part.data(), part.size());
        values.push_chars(part);
        return true;
    }
    bool on_key(json::string_view part, size_t, json::error_code& error) {
        key.append(part.data(), part.size());
        values.push_key(part);
        duplicate = !open_objects.back().insert(std::exchange(key, {})).second;
        if (duplicate) error = json::error::syntax;
        return !duplicate;
    }
    bool on_string_part(json::string_view part, size_t, json::error_code&) {
        values.push_chars(part);
        return true;
    }
    bool on_string(json::string_view part, size_t, json::error_code&) {
        values.push_string(part);
        return true;
    }
    bool on_number_part(json::string_view part, json::error_code&) {
        number.append(part.data(), part.size());
        return true;
    }
    bool on_int64(int64_t value, json::string_view, json::error_code&) {
        number.clear();
        values.push_int64(value);
        return true;
    }
    bool on_uint64(uint64_t value, json::string_view, json::error_code&) {
        number.clear();
        values.push_uint64(value);
        return true;
    }
    bool on_double(double value, json::string_view part, json::error_code&) {
        number.append(part.data(), part.size());
        double exact = 0;
        const char* end = number.data() + number.size();
        const auto read = std::from_chars(number.data(), end, exact);
        const bool is_exact = read.ec == std::errc() && read.ptr == end;
        values.push_double(is_exact ? exact : value);
        number.clear();
        return true;
    }
    bool on_bool(bool value, json::error_code&) {
        values.push_bool(value);
        return true;
    }
    bool on_null(json::error_code&) {
        values.push_null();
        return true;
    }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

// Steps through the text of valid JSON.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    char peek() {
        position_ = std::min(text_.find_first_not_of(" \t\r\n", position_), text_.size());
        return position_ < text_.size() ? text_[position_] : '\0';
    }
    void step() { ++position_; }
    std::string_view value() {
        peek();
        const size_t begin = position_;
        size_t depth = 0;
        do {
            const char c = peek();
            if (c == '"') {
                skip_string();
            } else {
                if (c == '{' || c == '[') ++depth;
                if (c == '}' || c == ']') --depth;
                if (is_scalar(c)) {
                    while (position_ < text_.size() && is_scalar(text_[position_])) step();
                } else {
                    step();
                }
            }
        } while (depth > 0 && position_ < text_.size());
        return text_.substr(begin, position_ - begin);
    }

  private:
    static bool is_scalar(char c) {
        return std::string_view("{}[]:,\" \t\r\n").find(c) == std::string_view::npos;
    }
    void skip_string() {
        for (step(); position_ < text_.size() && text_[position_] != '"'; step()) {
            if (text_[position_] == '\\') step();
        }
        step();
    }

    std::string_view text_;
    size_t position_ = 0;
};

}  // namespace

Result<std::string_view> raw_member(std::string_view object_text, std::string_view key) {
    Scanner scanner(object_text);
    const std::string quoted = "\"" + std::string(key) + "\"";
    // Behind the brace and every comma stand a key, a colon and a value.
    for (char c = scanner.peek(); c == '{' || c == ','; c = scanner.peek()) {
        scanner.step();
        if (scanner.peek() != '"') break;
        const std::string_view name = scanner.value();
        scanner.peek();
        scanner.step();
        const std::string_view value = scanner.value();
        if (name == quoted) return value;
    }
    return fail(ErrorCode::not_found, "JSON: no key " + quoted);
}

Result<json::value> parse_strict_json(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.bytes_max) {
        return fail(ErrorCode::limit_exceeded, "JSON: have " + std::to_string(text.size()) +
                                                   " bytes, need at most " +
                                                   std::to_string(limits.bytes_max));
    }
    json::parse_options options;
    options.max_depth = limits.depth_max;
    json::basic_parser<StrictBuilder> parser(options);
    json::error_code error;
    const size_t used_bytes = parser.write_some(false, text.data(), text.size(), error);
    if (parser.handler().duplicate) {
        return fail(ErrorCode::invalid_json,
                    "JSON: a key twice before byte " + std::to_string(used_bytes));
    }
    if (!error && used_bytes < text.size()) error = json::error::extra_data;
    if (!error && !parser.done()) error = json::error::incomplete;
    if (error) {
        return fail(ErrorCode::invalid_json,
                    "JSON: " + error.message() + " at byte " + std::to_string(used_bytes));
    }
    return parser.handler().values.release();
}

}  // namespace teetee
