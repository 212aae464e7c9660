// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>

#include "api/tools.hpp"
#include "base/request.hpp"
#include "base/result.hpp"

namespace teetee::api {

/// How a family of models writes that it calls tools. The formats are those of the chat templates
/// that the models were published with.
enum class ToolFormat {
    /// Hermes, Qwen: <tool_call>\n{"name": .., "arguments": {..}}\n</tool_call>, one after another.
    hermes,
    /// Llama 3: {"name": .., "parameters": {..}}, maybe behind <|python_tag|>, several divided by
    /// ';'.
    llama3,
    /// Mistral: [TOOL_CALLS][{"name": .., "arguments": {..}}, ..], in newer ones
    /// [TOOL_CALLS]name[ARGS]{..}.
    mistral,
};

/// How a model is told of tools and calls them.
struct ToolDialect {
    ToolFormat format = ToolFormat::hermes;
    /// The chat template has a place for them; else they are told in a system message.
    bool in_template = false;
    /// Mistral's newer form.
    bool names_before_arguments = false;
};

/// By the marks in a chat template's source. A template with marks of its own, or none at all,
/// gets Hermes' format in a system message, which models follow as far as they can.
ToolDialect tool_dialect_of(std::string_view template_source);

inline constexpr std::string_view hermes_opening_mark = "<tool_call>";
inline constexpr std::string_view hermes_closing_mark = "</tool_call>";
inline constexpr std::string_view llama3_opening_mark = "<|python_tag|>";
inline constexpr std::string_view mistral_opening_mark = "[TOOL_CALLS]";
inline constexpr std::string_view mistral_arguments_mark = "[ARGS]";
inline constexpr std::string_view mistral_id_mark = "[CALL_ID]";

/// What marks a call and its parts; what begins it comes first.
std::span<const std::string_view> marks_of(ToolFormat format);
inline std::string_view opening_mark(ToolFormat format) {
    return marks_of(format).front();
}

/// The messages behind a system message that tells of the tools.
boost::json::array with_tools_told(const boost::json::array& messages, const ToolUse& tools);

/// How an answer that must call a tool is brought to it: the prompt ends with `prefill`, which the
/// template's own text could, and the rest of the answer is held to `constraint`.
struct ForcedCall {
    std::string prefill;
    Constraint constraint;
};
/// Errors: grammar_invalid, grammar_too_complex, naming the tool whose parameters cannot be held
/// to.
Result<ForcedCall> forced_call(const ToolDialect& dialect, const ToolUse& tools);

}  // namespace teetee::api
