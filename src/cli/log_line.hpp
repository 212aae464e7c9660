// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/structured_log.hpp"

namespace teetee::cli {

/// `text` on one line, and such that no terminal obeys it: control characters, line separators and
/// what is no UTF-8 are written as \n, \x1b, \u2028.
std::string on_one_line(std::string_view text);

/// "debug", "info", "warn", "error".
std::string_view to_string(LogLevel level);

/// Who writes a log.
struct LogSource {
    /// The command.
    std::string component;
    std::string node{};
};
/// Of a JSON object, without its braces: level, component, node (if it has a name), message, and
/// the fields. Texts are on_one_line: whoever prints one prints one line.
std::string json_members(LogLevel level, const LogSource& source, std::string_view message,
                         std::span<const LogField> fields);

/// The message and behind it the fields, name=value; a value with spaces or quotes in quotes.
std::string text_line(std::string_view message, std::span<const LogField> fields);

}  // namespace teetee::cli
