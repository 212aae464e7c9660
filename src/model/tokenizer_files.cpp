// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "model/json_members.hpp"
#include "model/sentencepiece_model.hpp"
#include "model/tokenizer_json.hpp"
#include "model/tokenizer_limits.hpp"

namespace teetee::model {
namespace {

using Json = boost::json::value;

/// The id of the token that a configuration names, as a text or as {"content": text}.
Result<std::optional<TokenId>> named_token(JsonMembers& config, std::string_view key,
                                           const Vocabulary& vocabulary) {
    const Json* value = config.find(key);
    if (value == nullptr) return std::optional<TokenId>();
    const Json* content = value->is_object() ? value->get_object().if_contains("content") : value;
    if (content == nullptr || !content->is_string()) return config.invalid(key, "need a text");
    const std::string_view text(content->get_string().data(), content->get_string().size());
    for (size_t id = vocabulary.tokens.size(); id-- > 0;) {
        if (vocabulary.tokens[id].text == text) return std::optional(static_cast<TokenId>(id));
    }
    return std::optional<TokenId>();
}

/// A text, or a list of {"name", "template"} of which "default" counts.
Result<std::string> read_chat_template(JsonMembers& config) {
    const Json* value = config.find("chat_template");
    if (value == nullptr) return std::string();
    const auto* list = value->if_array();
    if (list == nullptr) return config.required_string("chat_template");
    for (const Json& element : *list) {
        TT_TRY(auto members, JsonMembers::of(element, config.path_of("chat_template"),
                                             ErrorCode::tokenizer_unsupported));
        TT_TRY(const std::string name, members.required_string("name"));
        if (name == "default") return members.required_string("template");
    }
    return config.invalid("chat_template", "have a list without default");
}

/// Transformers' classes that build the post-processor anew from add_bos_token and add_eos_token.
bool rebuilds_template(std::string_view tokenizer_class) {
    static constexpr std::string_view classes[] = {"LlamaTokenizer", "CodeLlamaTokenizer",
                                                   "GemmaTokenizer", "CohereTokenizer"};
    return std::any_of(std::begin(classes), std::end(classes),
                       [&](std::string_view c) { return tokenizer_class.starts_with(c); });
}

/// A SentencePiece model lists its own pieces alone; what was added to it stands here.
Result<void> add_tokens(JsonMembers& config, Vocabulary& vocabulary) {
    const Json* value = config.find("added_tokens_decoder");
    const auto* tokens = value == nullptr ? nullptr : value->if_object();
    if (tokens == nullptr) return {};
    for (const auto& [key, description] : *tokens) {
        const std::string path = config.path_of("added_tokens_decoder");
        TT_TRY(auto members, JsonMembers::of(description, path, ErrorCode::tokenizer_unsupported));
        TT_TRY(auto text, members.required_string("content"));
        TT_TRY(const auto special, members.boolean("special"));
        const auto id = std::string_view(key.data(), key.size());
        if (id == std::to_string(vocabulary.tokens.size())) {
            vocabulary.tokens.push_back(
                {.text = std::move(text),
                 .type = special.value_or(false) ? TokenType::control : TokenType::user_defined});
            continue;
        }
        const bool is_known = std::any_of(vocabulary.tokens.begin(), vocabulary.tokens.end(),
                                          [&](const Token& token) { return token.text == text; });
        if (!is_known) return members.invalid("content", "is in no order that is known");
    }
    return {};
}

Result<void> apply_config(std::string_view text, bool from_sentencepiece, Vocabulary& vocabulary) {
    TT_TRY(const Json tree, parse_json_tree(text, "tokenizer_config.json"));
    TT_TRY(auto config,
           JsonMembers::of(tree, "tokenizer_config.json", ErrorCode::tokenizer_unsupported));
    if (from_sentencepiece) TT_CHECK(add_tokens(config, vocabulary));
    TT_TRY(const auto bos, named_token(config, "bos_token", vocabulary));
    TT_TRY(const auto eos, named_token(config, "eos_token", vocabulary));
    TT_TRY(const auto add_bos, config.boolean("add_bos_token"));
    TT_TRY(const auto add_eos, config.boolean("add_eos_token"));
    TT_TRY(const auto tokenizer_class, config.string("tokenizer_class"));
    TT_TRY(vocabulary.chat_template, read_chat_template(config));
    const bool flags_win = from_sentencepiece || rebuilds_template(tokenizer_class.value_or(""));
    if (!vocabulary.add_bos && bos) vocabulary.bos = bos;
    if (flags_win || !vocabulary.add_bos)
        vocabulary.add_bos = vocabulary.bos && add_bos.value_or(vocabulary.add_bos);
    // What ends an answer need not be what ends a text.
    if (vocabulary.add_eos && eos && eos != vocabulary.eos) {
        vocabulary.eot = eos;
    } else if (eos) {
        vocabulary.eos = eos;
    }
    if (flags_win || !vocabulary.add_eos)
        vocabulary.add_eos = vocabulary.eos && add_eos.value_or(vocabulary.add_eos);
    return {};
}

/// eos_token_id is an id or a list: the first that is not EOS becomes EOT.
Result<void> apply_generation_config(std::string_view text, Vocabulary& vocabulary) {
    TT_TRY(const Json tree, parse_json_tree(text, "generation_config.json"));
    TT_TRY(auto config,
           JsonMembers::of(tree, "generation_config.json", ErrorCode::tokenizer_unsupported));
    const Json* value = config.find("eos_token_id");
    if (value == nullptr) return {};
    boost::json::array ids;
    if (value->is_array()) {
        ids = value->get_array();
    } else {
        ids.push_back(*value);
    }
    for (const Json& element : ids) {
        boost::system::error_code failed;
        const auto id = element.to_number<TokenId>(failed);
        if (failed || id >= vocabulary.tokens.size())
            return config.invalid("eos_token_id", "need ids of the vocabulary");
        if (!vocabulary.eos) {
            vocabulary.eos = id;
        } else if (!vocabulary.eot && id != *vocabulary.eos) {
            vocabulary.eot = id;
        }
    }
    return {};
}

}  // namespace

Result<Vocabulary> vocabulary_from(const TokenizerFiles& files) {
    const bool from_sentencepiece = files.tokenizer_json.empty();
    if (from_sentencepiece && files.sentencepiece_model.empty()) {
        return fail(ErrorCode::tokenizer_unsupported,
                    "have no tokenizer, need tokenizer.json or tokenizer.model");
    }
    TT_TRY(auto vocabulary, from_sentencepiece
                                ? parse_sentencepiece_model(as_bytes(files.sentencepiece_model))
                                : parse_tokenizer_json(files.tokenizer_json));
    if (!files.tokenizer_config.empty())
        TT_CHECK(apply_config(files.tokenizer_config, from_sentencepiece, vocabulary));
    if (!files.generation_config.empty())
        TT_CHECK(apply_generation_config(files.generation_config, vocabulary));
    if (!files.chat_template.empty()) vocabulary.chat_template = files.chat_template;
    hide_ends_of_generation(vocabulary);
    TT_CHECK(validate(vocabulary));
    return vocabulary;
}

}  // namespace teetee::model
