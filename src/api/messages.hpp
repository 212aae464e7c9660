// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/result.hpp"

namespace teetee::api {

/// "messages" of a chat as chat templates take them: {"role","content"} with text alone as content,
/// of an assistant's message also "tool_calls" (arguments as objects), of a tool's also
/// "tool_call_id" and "name". "developer" becomes "system", the name that templates know, and
/// "function" becomes "tool". Error: field_invalid.
Result<boost::json::array> parse_messages(const boost::json::object& body);

/// "input" and "instructions" of /v1/responses, likewise: a string, or items that are messages,
/// function_call or function_call_output. Error: field_invalid.
Result<boost::json::array> parse_input(const boost::json::object& body);

/// One below the other, for a model without a chat template: it continues text.
std::string joined_messages(const boost::json::array& messages);

/// Templates disagree about the arguments of tool calls: most want an object, some a string.
boost::json::array with_arguments_as_text(boost::json::array messages);

}  // namespace teetee::api
