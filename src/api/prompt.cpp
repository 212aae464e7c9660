// SPDX-License-Identifier: Apache-2.0
#include "api/prompt.hpp"

#include <algorithm>
#include <span>

#include "api/messages.hpp"

namespace teetee::api {
namespace {

/// What the template reads, before what it is asked to go on with.
boost::json::object context_of(const GenerationRequest& request, const Chat& chat) {
    boost::json::object context = request.template_variables;
    boost::json::array messages = request.messages;
    if (request.continues_message) messages.pop_back();
    context["add_generation_prompt"] = true;
    if (request.tools.is_used()) {
        if (chat.tools.in_template) {
            context["tools"] = request.tools.declared;
        } else {
            messages = with_tools_told(messages, request.tools);
        }
    }
    context["messages"] = std::move(messages);
    return context;
}

Result<jinja::Text> render(const GenerationRequest& request, const Chat& chat, UnixSeconds now) {
    boost::json::object context = context_of(request, chat);
    auto text = chat.chat_template->render(context, now);
    if (text || text.error().code != ErrorCode::template_failed) return text;
    context["messages"] = with_arguments_as_text(std::move(context["messages"].as_array()));
    auto again = chat.chat_template->render(std::move(context), now);
    return again ? again : text;
}

/// The ids of those of the marks that are control tokens.
std::map<TokenId, std::string_view> mark_tokens_of(const model::Vocabulary& vocabulary,
                                                   std::span<const std::string_view> marks) {
    std::map<TokenId, std::string_view> out;
    for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
        const model::Token& token = vocabulary.tokens[id];
        if (token.type != model::TokenType::control) continue;
        const auto mark = std::ranges::find(marks, token.text);
        if (mark != marks.end()) out.emplace(static_cast<TokenId>(id), *mark);
    }
    return out;
}

}  // namespace

Chat Chat::of(const model::Vocabulary& vocabulary) {
    const ToolDialect tools = tool_dialect_of(vocabulary.chat_template);
    return {.chat_template = model::ChatTemplate::build(vocabulary),
            .tools = tools,
            .mark_tokens = mark_tokens_of(vocabulary, marks_of(tools.format))};
}

Result<void> force_call(GenerationRequest& request, const Chat& chat) {
    if (!request.tools.is_used() || request.tools.choice != ToolChoice::required) return {};
    TT_TRY(auto forced, forced_call(chat.tools, request.tools));
    request.sampling.constraint = std::move(forced.constraint);
    request.call_begun = std::move(forced.prefill);
    return {};
}

Result<RenderedPrompt> render_chat(const GenerationRequest& request, const Chat& chat,
                                   const model::Vocabulary& vocabulary, UnixSeconds now) {
    RenderedPrompt out;
    if (vocabulary.chat_template.empty()) {
        const auto& messages = request.messages;
        out.text = jinja::Text::all_foreign(joined_messages(
            request.tools.is_used() ? with_tools_told(messages, request.tools) : messages));
    } else if (!chat.chat_template) {
        return fail(chat.chat_template.error().code,
                    "this model's chat template cannot be used, /v1/completions can: " +
                        chat.chat_template.error().detail);
    } else {
        TT_TRY(out.text, render(request, chat, now));
        out.is_chat = true;
        if (request.continues_message) {
            const auto& last = request.messages.back().at("content").get_string();
            out.text.append_foreign(std::string_view(last.data(), last.size()));
        }
    }
    out.text.append_trusted(request.call_begun);
    return out;
}

Result<std::vector<TokenId>> tokens_of(const RenderedPrompt& prompt,
                                       const model::Tokenizer& tokenizer) {
    if (prompt.is_chat) return tokenizer.encode_chat(prompt.text);
    return tokenizer.encode(prompt.text.bytes, {.add_special = true});
}

Result<std::vector<TokenId>> prompt_tokens(const GenerationRequest& request, size_t prompt,
                                           const Chat& chat, const node::Node& node,
                                           UnixSeconds now) {
    const model::Tokenizer& tokenizer = node.tokenizer();
    // Tokenising takes the I/O thread's time, so what cannot fit is refused before.
    const auto ensure_may_fit = [&](std::string_view text) -> Result<void> {
        if (text.size() <= node.prompt_bytes_max()) return {};
        return fail(ErrorCode::context_exceeded,
                    "the prompt has " + std::to_string(text.size()) +
                        " bytes, there is room for prompt and answer of " +
                        std::to_string(node.context_length()) + " tokens");
    };
    if (is_chat(request.dialect)) {
        TT_TRY(auto rendered, render_chat(request, chat, tokenizer.vocabulary(), now));
        TT_CHECK(ensure_may_fit(rendered.text.bytes));
        return tokens_of(rendered, tokenizer);
    }
    const Prompt& asked = request.prompts[prompt];
    if (const auto* tokens = std::get_if<std::vector<TokenId>>(&asked)) {
        const size_t count = tokenizer.vocabulary().tokens.size();
        for (const TokenId token : *tokens) {
            if (token < count) continue;
            return fail(ErrorCode::token_out_of_range, "'prompt': token " + std::to_string(token) +
                                                           ", the vocabulary has " +
                                                           std::to_string(count));
        }
        return *tokens;
    }
    const auto& text = std::get<std::string>(asked);
    TT_CHECK(ensure_may_fit(text));
    return tokenizer.encode(text, {.add_special = true});
}

}  // namespace teetee::api
