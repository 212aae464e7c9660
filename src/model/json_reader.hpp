// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace teetee::model {

/// Reads JSON (RFC 8259) of a shape the caller knows: each call consumes the one value it names
/// and fails on any other. Nothing is skipped, so what is unknown is refused, nesting goes no
/// deeper than the caller asks, and memory is spent only on what the caller keeps.
/// Stricter than the RFC: a key occurs once in its object, and integers are from 0 to 2^53 - 1
/// (what I-JSON, RFC 7493, guarantees every reader). Error of each call: invalid_json with the byte
/// where it stands; those of callbacks pass through.
class JsonReader {
  public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    /// Calls `on_member` with each key; it MUST consume the key's value.
    Result<void> object(const std::function<Result<void>(const std::string& key)>& on_member);
    /// Calls `on_element` before each element; it MUST consume it.
    Result<void> array(const std::function<Result<void>()>& on_element);
    /// Well-formed UTF-8, escapes resolved.
    Result<std::string> string();
    Result<uint64_t> integer();
    /// A finite number of any form.
    Result<double> number();
    /// Passes over one value of any kind, nested at most `depth_max` deep, and gives its text. Only
    /// as much of it is checked as it takes to find its end.
    Result<std::string_view> raw(size_t depth_max);
    /// The first character of the next value; '\0' at the end. Consumes nothing but white space.
    char peek();
    /// Only white space is left.
    Result<void> end();

  private:
    void skip_space();
    bool consume(char expected);
    Error expected(std::string_view what) const;
    Result<void> items(char close, const std::function<Result<void>()>& on_item);
    Result<void> escape(std::string& out);
    Result<uint32_t> hex_escape();

    std::string_view text_;
    size_t position_ = 0;
};

}  // namespace teetee::model
