// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/generation_request.hpp"
#include "api/tool_format.hpp"
#include "model/chat_template.hpp"
#include "node/node.hpp"

namespace teetee::api {

/// The model's chat template as requests use it.
struct Chat {
    static Chat of(const model::Vocabulary& vocabulary);

    /// Errors of model::ChatTemplate::build: a model whose template cannot be read serves
    /// everything but chat.
    Result<model::ChatTemplate> chat_template;
    ToolDialect tools;
    /// See AnswerTextOptions.
    std::map<TokenId, std::string_view> mark_tokens;
};

/// A text for people, and how it is tokenised.
struct RenderedPrompt {
    jinja::Text text;
    /// Written by a chat template.
    bool is_chat = false;
};

/// A conversation as the model is to read it. Errors: template_unsupported, template_malformed,
/// template_failed, limit_exceeded; of forced_call.
Result<RenderedPrompt> render_chat(const GenerationRequest& request, const Chat& chat,
                                   const model::Vocabulary& vocabulary, UnixSeconds now);

/// Errors: of Tokenizer::encode.
Result<std::vector<TokenId>> tokens_of(const RenderedPrompt& prompt,
                                       const model::Tokenizer& tokenizer);

/// The tokens of one of a request's prompts. Errors: context_exceeded, token_out_of_range; of
/// render_chat and Tokenizer::encode.
Result<std::vector<TokenId>> prompt_tokens(const GenerationRequest& request, size_t prompt,
                                           const Chat& chat, const node::Node& node,
                                           UnixSeconds now);

/// Has an answer that must call a tool held to doing so; does nothing to others. Errors: of
/// forced_call.
Result<void> force_call(GenerationRequest& request, const Chat& chat);

}  // namespace teetee::api
