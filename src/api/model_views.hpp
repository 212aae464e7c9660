// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <boost/json/object.hpp>

#include "api/prompt.hpp"
#include "base/result.hpp"
#include "node/node.hpp"

namespace teetee::api {

/// What can be asked of the entry's model without computing anything. All are pure.

/// GET /v1/models.
boost::json::object models(const node::Node& node);
/// GET /v1/models/ID. Error: model_unknown.
Result<boost::json::object> model(const node::Node& node, std::string_view id);
/// GET /props, as llama-server has it.
boost::json::object props(const node::Node& node);

/// POST /tokenize, as llama-server and vLLM have it: {"content" or "prompt", "add_special" (false),
/// "parse_special" (true), "with_pieces" (false)} or {"messages"}: {"tokens": [..], "count"}.
/// Errors: of parse_body, field_invalid, context_exceeded; of Tokenizer::encode.
Result<boost::json::object> tokenize(const node::Node& node, const Chat& chat,
                                     std::string_view body, UnixSeconds now);
/// POST /detokenize: {"tokens": [..]}: {"content", "prompt"}, both the text. Errors: of parse_body,
/// field_invalid, token_out_of_range.
Result<boost::json::object> detokenize(const node::Node& node, std::string_view body);
/// POST /apply-template, as llama-server has it: {"messages", ..} as for a chat: {"prompt"}.
/// Errors: of parse_generation_request and render_chat.
Result<boost::json::object> apply_template(const node::Node& node, const Chat& chat,
                                           std::string_view body, UnixSeconds now);

}  // namespace teetee::api
