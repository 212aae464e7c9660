// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "grammar/limits.hpp"
#include "grammar/rules.hpp"

namespace teetee::grammar {

/// Expressions for the parts of JSON texts (RFC 8259). White space is at most a blank, or a line
/// break and an indentation; numbers have at most 18 digits before the point, so that every reader
/// gets them whole.
class JsonText {
  public:
    explicit JsonText(Rules& rules) : rules_(rules) {}

    /// Where white space may stand.
    ExpressionId space();
    /// `characters` in quotes.
    ExpressionId quoted(ExpressionId characters);
    /// One character inside a string, as it is or escaped.
    ExpressionId character();
    /// One character of the set inside a string, spelled in one way only.
    ExpressionId character_of(const CodePointSet& set);
    ExpressionId string(Repetition length);
    ExpressionId integer();
    ExpressionId number();
    /// An object member, `key` with its quotes.
    ExpressionId member(ExpressionId key, ExpressionId value);
    /// A key that is none of `names`, in quotes. Spelled without escapes, so that it is told apart
    /// by its bytes.
    ExpressionId key_beside(const std::set<std::string>& names);
    /// "," and the item, as often as said.
    ExpressionId more_of(ExpressionId item, Repetition count);

    // Anything, nested up to any_json_depth_max.
    ExpressionId value() { return value_within(any_json_depth_max); }
    ExpressionId object() { return object_within(any_json_depth_max); }
    ExpressionId array() { return array_within(any_json_depth_max); }

  private:
    ExpressionId value_within(size_t levels);
    ExpressionId object_within(size_t levels);
    ExpressionId array_within(size_t levels);
    ExpressionId rest_beside(const std::set<std::u32string>& names, size_t depth);

    Rules& rules_;
    std::optional<ExpressionId> space_, character_, plain_;
    std::vector<std::optional<ExpressionId>> values_, objects_, arrays_;
};

/// A JSON string's bytes for `text`, quotes included.
std::string quoted_text(std::string_view text);

}  // namespace teetee::grammar
