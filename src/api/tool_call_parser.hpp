// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/tool_format.hpp"

namespace teetee::api {

/// One call of a tool, as the model wrote it.
struct ToolCall {
    std::string name;
    /// JSON, byte for byte.
    std::string arguments;
    bool operator==(const ToolCall&) const = default;
};

/// Finds calls of tools in an answer that comes in pieces. What may yet turn out to be one is held
/// back; what began like a call and is none comes out as text, so that nothing is lost. What has
/// come out after some text is a function of that text, however it was cut.
class ToolCallParser {
  public:
    explicit ToolCallParser(ToolFormat format) : format_(format) {}

    struct Output {
        std::string text;
        std::vector<ToolCall> calls;
    };
    Output feed(std::string_view piece);
    /// What was held back, when the text has ended.
    Output finish();

  private:
    void look_for_opening(Output& output);
    bool look_for_closing(Output& output);
    void give_text(std::string_view text, Output& output);

    ToolFormat format_;
    /// Not yet given out; a call from its opening mark on.
    std::string held_;
    bool in_call_ = false;
    /// White space before something that is not known yet: it is dropped before a call.
    std::string blank_;
    bool has_text_ = false;
    bool has_calls_ = false;
};

/// The calls that a text consists of, from its opening mark on; nullopt if it is anything else.
std::optional<std::vector<ToolCall>> parse_tool_calls_text(ToolFormat format,
                                                           std::string_view text);

}  // namespace teetee::api
