// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/result.hpp"

namespace teetee::api {

/// Whether an answer may call tools, or must.
enum class ToolChoice { none, automatic, required };

/// The tools that a request offers.
struct ToolUse {
    /// As OpenAI's chat has them, and chat templates take them:
    /// {"type":"function","function":{"name","description","parameters"}}.
    boost::json::array declared;
    ToolChoice choice = ToolChoice::none;
    /// Of the one that must be called; "" where any will do.
    std::string name;
    /// An answer may have several calls.
    bool parallel = true;

    bool is_used() const { return choice != ToolChoice::none && !declared.empty(); }
};

/// Where the name of a function stands: in chat within "function", in /v1/responses beside "type".
enum class ToolShape { nested, flat };

/// "tools", "tool_choice" and "parallel_tool_calls". Error: field_invalid.
Result<ToolUse> parse_tools(const boost::json::object& body, ToolShape shape);

}  // namespace teetee::api
