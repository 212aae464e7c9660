// SPDX-License-Identifier: Apache-2.0
#include "api/model_views.hpp"

#include <boost/json/array.hpp>

#include "api/json_fields.hpp"
#include "api/limits.hpp"
#include "base/bytes.hpp"
#include "model/stream_decoder.hpp"

namespace teetee::api {

namespace json = boost::json;

namespace {

json::object model_json(const node::Node& node) {
    return {{"id", node.model_id()},
            {"object", "model"},
            {"created", node.statement().not_before},
            {"owned_by", "teetee"},
            {"context_length", node.context_length()},
            {"model_root", to_hex(node.statement().model_root)},
            {"simulated", node.simulated()}};
}

/// A piece of a character is shown as bytes, as llama-server does.
json::value piece_of(const model::Tokenizer& tokenizer, TokenId token) {
    const std::string text =
        tokenizer.decode({&token, 1}, {.render_special = true, .continues_text = true})
            .value_or("");
    if (is_utf8(text)) return json::value(text);
    json::array bytes;
    for (const char c : text) bytes.emplace_back(static_cast<uint8_t>(c));
    return bytes;
}

json::object tokens_json(const model::Tokenizer& tokenizer, const std::vector<TokenId>& tokens,
                         bool with_pieces) {
    json::array list;
    for (const TokenId token : tokens) {
        if (with_pieces) {
            list.push_back(json::object{{"id", token}, {"piece", piece_of(tokenizer, token)}});
        } else {
            list.emplace_back(token);
        }
    }
    return {{"tokens", std::move(list)}, {"count", tokens.size()}};
}

Result<void> ensure_may_be_tokenized(std::string_view field, std::string_view text) {
    if (text.size() <= tokenize_bytes_max) return {};
    return fail(ErrorCode::field_invalid, "'" + std::string(field) + "' comes to " +
                                              std::to_string(text.size()) + " bytes, at most " +
                                              std::to_string(tokenize_bytes_max));
}

Result<std::vector<TokenId>> tokens_asked_for(const node::Node& node, const Chat& chat,
                                              const json::object& body, std::string_view text,
                                              UnixSeconds now) {
    if (body.contains("messages")) {
        TT_TRY(const auto request, parse_generation_request(Dialect::chat, text));
        TT_TRY(const auto rendered, render_chat(request, chat, node.tokenizer().vocabulary(), now));
        TT_CHECK(ensure_may_be_tokenized("messages", rendered.text.bytes));
        return tokens_of(rendered, node.tokenizer());
    }
    TT_TRY(auto content, string_field(body, "content"));
    // vLLM's names, with its default.
    TT_TRY(const auto prompt, string_field(body, "prompt"));
    TT_TRY(const auto add_special_tokens, bool_field(body, "add_special_tokens"));
    const bool is_default_special = !content && prompt && add_special_tokens.value_or(true);
    if (!content) content = prompt;
    if (!content)
        return fail(ErrorCode::field_invalid, "'content' is missing: {\"content\": \"...\"}");
    TT_CHECK(ensure_may_be_tokenized("content", *content));
    TT_TRY(const auto add_special, bool_field(body, "add_special"));
    TT_TRY(const auto parse_special, bool_field(body, "parse_special"));
    return node.tokenizer().encode(*content,
                                   {.add_special = add_special.value_or(is_default_special),
                                    .parse_special = parse_special.value_or(true)});
}

}  // namespace

json::object models(const node::Node& node) {
    return {{"object", "list"}, {"data", json::array{model_json(node)}}};
}

Result<json::object> model(const node::Node& node, std::string_view id) {
    if (id == node.model_id()) return model_json(node);
    return fail(ErrorCode::model_unknown,
                "have " + node.model_id() + ", asked for " + quote_foreign(id));
}

json::object props(const node::Node& node) {
    const model::Vocabulary& vocabulary = node.tokenizer().vocabulary();
    const auto text_of = [&](const std::optional<TokenId>& token) {
        return token ? json::value(vocabulary.tokens[*token].text) : json::value(nullptr);
    };
    return {{"default_generation_settings", {{"n_ctx", node.context_length()}}},
            {"total_slots", 1},
            {"model_alias", node.model_id()},
            {"model_path", node.model_id()},
            {"chat_template", vocabulary.chat_template},
            {"bos_token", text_of(vocabulary.bos)},
            {"eos_token", text_of(vocabulary.eos)},
            {"modalities", {{"vision", false}, {"audio", false}}},
            {"build_info", "teetee-" + node.statement().software_version},
            {"is_sleeping", false}};
}

Result<json::object> tokenize(const node::Node& node, const Chat& chat, std::string_view text,
                              UnixSeconds now) {
    TT_TRY(const auto body, parse_body(text));
    TT_TRY(const auto with_pieces, bool_field(body, "with_pieces"));
    TT_TRY(const auto tokens, tokens_asked_for(node, chat, body, text, now));
    return tokens_json(node.tokenizer(), tokens, with_pieces.value_or(false));
}

Result<json::object> detokenize(const node::Node& node, std::string_view text) {
    TT_TRY(const auto body, parse_body(text));
    TT_TRY(const auto tokens, token_ids_field(body, "tokens"));
    model::StreamDecoder decoder(node.tokenizer(), {.render_special = true});
    std::string content;
    for (const TokenId token : tokens) {
        TT_TRY(const auto piece, decoder.feed(token));
        content += piece;
    }
    content += decoder.finish();
    return json::object{{"content", content}, {"prompt", content}};
}

Result<json::object> apply_template(const node::Node& node, const Chat& chat, std::string_view text,
                                    UnixSeconds now) {
    TT_TRY(auto request, parse_generation_request(Dialect::chat, text));
    TT_CHECK(force_call(request, chat));
    TT_TRY(const auto rendered, render_chat(request, chat, node.tokenizer().vocabulary(),
                                            request.created.value_or(now)));
    return json::object{{"prompt", rendered.text.bytes}};
}

}  // namespace teetee::api
