// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_json.hpp"

#include <algorithm>
#include <unordered_map>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "model/json_members.hpp"
#include "model/json_reader.hpp"
#include "model/limits.hpp"
#include "model/text_rules.hpp"
#include "model/tokenizer_limits.hpp"

namespace teetee::model {
namespace {

using Json = boost::json::value;

Error invalid(std::string_view where, std::string_view why) {
    return fail(ErrorCode::vocabulary_invalid, std::string(where) + ": " + std::string(why));
}

Error unsupported(std::string_view where, std::string_view why) {
    return fail(ErrorCode::tokenizer_unsupported, std::string(where) + ": " + std::string(why));
}

struct AddedToken {
    TokenId id = 0;
    std::string text;
    bool is_special = false;
};

/// Everything of a tokenizer.json, taken apart.
struct Document {
    std::vector<std::pair<std::string, TokenId>> vocab;
    std::vector<float> scores;  // of a unigram model, as many as `vocab`
    std::vector<std::string> merges;
    std::vector<AddedToken> added;
    boost::json::object model;  // but vocab and merges
    boost::json::object parts;  // normalizer, pre_tokenizer, post_processor, decoder, added_tokens
};

Result<void> read_vocab(JsonReader& json, Document& document) {
    const auto room = [&]() -> Result<void> {
        if (document.vocab.size() < token_count_max) return {};
        return fail(ErrorCode::limit_exceeded,
                    "model.vocab: have more than " + std::to_string(token_count_max) + " tokens");
    };
    if (json.peek() == '{') {
        return json.object([&](const std::string& text) -> Result<void> {
            TT_CHECK(room());
            TT_TRY(const uint64_t id, json.integer());
            if (id >= token_count_max) return invalid("model.vocab", "an id is too large");
            document.vocab.emplace_back(text, static_cast<TokenId>(id));
            return {};
        });
    }
    return json.array([&]() -> Result<void> {
        TT_CHECK(room());
        size_t place = 0;
        return json.array([&]() -> Result<void> {
            if (place++ == 0) {
                TT_TRY(auto text, json.string());
                document.vocab.emplace_back(std::move(text),
                                            static_cast<TokenId>(document.vocab.size()));
                return {};
            }
            if (place > 2) return invalid("model.vocab", "need a text and a score");
            TT_TRY(const double score, json.number());
            document.scores.push_back(static_cast<float>(score));
            return {};
        });
    });
}

/// "left right", or ["left", "right"].
Result<void> read_merges(JsonReader& json, std::vector<std::string>& merges) {
    return json.array([&]() -> Result<void> {
        if (merges.size() == merge_count_max) {
            return fail(ErrorCode::limit_exceeded,
                        "model.merges: have more than " + std::to_string(merge_count_max));
        }
        if (json.peek() != '[') {
            TT_TRY(auto merge, json.string());
            merges.push_back(std::move(merge));
            return {};
        }
        std::string merge;
        size_t count = 0;
        TT_CHECK(json.array([&]() -> Result<void> {
            TT_TRY(const auto part, json.string());
            if (count++ > 0) merge += ' ';
            merge += part;
            return {};
        }));
        merges.push_back(std::move(merge));
        return {};
    });
}

Result<Json> read_tree(JsonReader& json, std::string_view where) {
    TT_TRY(const auto text, json.raw(json_depth_max));
    return parse_json_tree(text, where);
}

Result<Document> read_document(std::string_view text) {
    Document document;
    JsonReader json(text);
    const auto on_model_member = [&](const std::string& key) -> Result<void> {
        if (key == "vocab") return read_vocab(json, document);
        if (key == "merges") return read_merges(json, document.merges);
        TT_TRY(document.model[key], read_tree(json, "model"));
        return {};
    };
    TT_CHECK(json.object([&](const std::string& key) -> Result<void> {
        if (key == "model") return json.object(on_model_member);
        TT_TRY(document.parts[key], read_tree(json, quote_foreign(key)));
        return {};
    }));
    TT_CHECK(json.end());
    return document;
}

Result<void> read_added_tokens(Document& document) {
    const auto* value = document.parts.if_contains("added_tokens");
    if (value == nullptr || value->is_null()) return {};
    const auto* list = value->if_array();
    if (list == nullptr) return unsupported("added_tokens", "need an array");
    for (const Json& element : *list) {
        TT_TRY(auto members,
               JsonMembers::of(element, "added_tokens", ErrorCode::tokenizer_unsupported));
        TT_TRY(const auto id, members.u32("id"));
        TT_TRY(const auto special, members.boolean("special"));
        TT_TRY(auto text, members.required_string("content"));
        if (!id || *id >= token_count_max) return members.invalid("id", "is missing or too large");
        document.added.push_back({*id, std::move(text), special.value_or(false)});
    }
    return {};
}

/// The components that text_rules reads, as one JSON text. Of the added tokens only those stay that
/// have a flag.
std::string rules_of(const Document& document) {
    boost::json::object rules;
    for (const auto* key : {"normalizer", "pre_tokenizer", "decoder"}) {
        const auto* part = document.parts.if_contains(key);
        if (part != nullptr && !part->is_null()) rules[key] = *part;
    }
    for (const auto* key : {"ignore_merges", "fuse_unk"}) {
        const auto* flag = document.model.if_contains(key);
        if (flag != nullptr && flag->is_bool() && flag->get_bool()) rules[key] = true;
    }
    boost::json::array added;
    if (const auto* list = document.parts.if_contains("added_tokens"); list && list->is_array()) {
        for (const Json& element : list->get_array()) {
            boost::json::object token = {{"id", element.at("id")}};
            for (const auto* key : {"lstrip", "rstrip", "single_word", "normalized"}) {
                const auto* flag = element.get_object().if_contains(key);
                if (flag != nullptr && flag->is_bool() && flag->get_bool()) token[key] = true;
            }
            if (token.size() > 1) added.push_back(std::move(token));
        }
    }
    if (!added.empty()) rules["added_tokens"] = std::move(added);
    return boost::json::serialize(rules);
}

Result<void> place_token(Vocabulary& vocabulary, TokenId id, std::string_view text) {
    if (id >= vocabulary.tokens.size()) {
        const size_t first_new = vocabulary.tokens.size();
        vocabulary.tokens.resize(id + 1);
        // Ids that nothing has: llama.cpp's converter fills them so.
        for (size_t i = first_new; i < id; ++i) vocabulary.tokens[i].type = TokenType::unused;
        vocabulary.tokens[id].type = TokenType::unused;
    }
    Token& token = vocabulary.tokens[id];
    if (token.type != TokenType::unused && token.text != text)
        return invalid("token " + std::to_string(id), "has two texts");
    token.text = text;
    token.type = TokenType::normal;
    return {};
}

Result<void> place_tokens(const Document& document, bool has_byte_tokens, Vocabulary& vocabulary) {
    for (size_t i = 0; i < document.vocab.size(); ++i) {
        const auto& [text, id] = document.vocab[i];
        TT_CHECK(place_token(vocabulary, id, text));
        if (!document.scores.empty()) vocabulary.tokens[id].score = document.scores[i];
        if (has_byte_tokens && byte_of_token_text(text))
            vocabulary.tokens[id].type = TokenType::byte;
    }
    for (const AddedToken& added : document.added) {
        const bool is_known = added.id < vocabulary.tokens.size() &&
                              vocabulary.tokens[added.id].type != TokenType::unused;
        if (is_known && vocabulary.tokens[added.id].text != added.text)
            return invalid("token " + std::to_string(added.id), "has two texts");
        if (!is_known) TT_CHECK(place_token(vocabulary, added.id, added.text));
        vocabulary.tokens[added.id].type =
            added.is_special ? TokenType::control : TokenType::user_defined;
    }
    for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
        Token& token = vocabulary.tokens[id];
        if (token.type == TokenType::unused) token.text = "[PAD" + std::to_string(id) + "]";
    }
    return {};
}

std::optional<TokenId> find_token(const Vocabulary& vocabulary, std::string_view text) {
    for (size_t id = vocabulary.tokens.size(); id-- > 0;)
        if (vocabulary.tokens[id].text == text) return static_cast<TokenId>(id);
    return std::nullopt;
}

/// For readers that join by score: a token's is the higher the earlier its first merge.
void score_by_merges(Vocabulary& vocabulary) {
    constexpr float never = -1e6F;
    std::unordered_map<std::string, size_t> first_rank;
    for (size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
        std::string joined = vocabulary.merges[rank];
        if (const size_t space = joined.find(' '); space != joined.npos) joined.erase(space, 1);
        first_rank.try_emplace(std::move(joined), rank);
    }
    for (Token& token : vocabulary.tokens) {
        if (token.type != TokenType::normal) continue;
        const auto found = first_rank.find(token.text);
        token.score = found == first_rank.end() ? never : -static_cast<float>(found->second);
    }
}

Result<void> read_model(const Document& document, Vocabulary& vocabulary) {
    const Json model = document.model;
    TT_TRY(auto members, JsonMembers::of(model, "model", ErrorCode::tokenizer_unsupported));
    TT_TRY(const auto type, members.string("type"));
    const std::string kind = type.value_or(document.merges.empty() ? "none" : "BPE");
    if (kind != "BPE" && kind != "Unigram")
        return members.invalid("type", "have " + quote_foreign(kind) + ", need BPE or Unigram");
    TT_TRY(const auto byte_fallback, members.boolean("byte_fallback"));
    TT_TRY(const auto unk_token, members.string("unk_token"));
    TT_TRY(const auto unk_id, members.u32("unk_id"));
    TT_TRY(const auto dropout, members.number("dropout"));
    if (dropout.value_or(0) != 0) return members.invalid("dropout", "makes tokens random");
    for (const auto* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
        TT_TRY(const auto affix, members.string(key));
        if (!affix.value_or("").empty())
            return members.invalid(key, "have " + quote_foreign(*affix) + ", need none");
    }
    members.ignore({"fuse_unk", "ignore_merges"});
    TT_CHECK(members.ensure_all_taken());

    vocabulary.merges = document.merges;
    TT_CHECK(place_tokens(document, byte_fallback.value_or(false), vocabulary));
    vocabulary.unknown = unk_token ? find_token(vocabulary, *unk_token) : unk_id;
    if (unk_token && !vocabulary.unknown)
        return members.invalid("unk_token", "is not in the vocabulary");
    if (vocabulary.unknown && *vocabulary.unknown < vocabulary.tokens.size())
        vocabulary.tokens[*vocabulary.unknown].type = TokenType::unknown;
    if (kind == "Unigram") {
        vocabulary.kind = VocabularyKind::unigram;
        if (document.scores.size() != document.vocab.size())
            return invalid("model.vocab", "need a score for each token");
    } else if (vocabulary.kind == VocabularyKind::sentencepiece) {
        score_by_merges(vocabulary);
    }
    return {};
}

/// A template puts tokens in front of the text and behind it. At most one of each is known.
Result<void> read_template(JsonMembers& members, Vocabulary& vocabulary) {
    const Json* single = members.find("single");
    const Json* special = members.find("special_tokens");
    if (single == nullptr || !single->is_array()) return members.invalid("single", "need an array");
    bool before_text = true;
    for (const Json& item : single->get_array()) {
        const auto* object = item.if_object();
        if (object != nullptr && object->contains("Sequence")) {
            before_text = false;
            continue;
        }
        const Json* token = object == nullptr ? nullptr : object->if_contains("SpecialToken");
        if (token == nullptr) return members.invalid("single", "has an unknown element");
        TT_TRY(auto named, JsonMembers::of(*token, members.path_of("single"),
                                           ErrorCode::tokenizer_unsupported));
        TT_TRY(const std::string name, named.required_string("id"));
        if (special == nullptr) return members.invalid("special_tokens", "is missing");
        TT_TRY(auto all, JsonMembers::of(*special, members.path_of("special_tokens"),
                                         ErrorCode::tokenizer_unsupported));
        const Json* entry = all.find(name);
        const Json* ids = entry == nullptr || !entry->is_object()
                              ? nullptr
                              : entry->get_object().if_contains("ids");
        const auto* list = ids == nullptr ? nullptr : ids->if_array();
        const bool is_taken = before_text ? vocabulary.add_bos : vocabulary.add_eos;
        if (list == nullptr || list->size() != 1 || is_taken)
            return members.invalid("single", "need at most one token on each side of the text");
        boost::system::error_code failed;
        const auto id = list->front().to_number<TokenId>(failed);
        if (failed) return members.invalid("special_tokens", "need ids");
        (before_text ? vocabulary.bos : vocabulary.eos) = id;
        (before_text ? vocabulary.add_bos : vocabulary.add_eos) = true;
    }
    return {};
}

Result<void> read_post_processor(const Json& json, Vocabulary& vocabulary) {
    TT_TRY(auto members, JsonMembers::of(json, "post_processor", ErrorCode::tokenizer_unsupported));
    TT_TRY(const std::string type, members.required_string("type"));
    if (type == "TemplateProcessing") return read_template(members, vocabulary);
    if (type == "ByteLevel") return {};  // moves offsets alone
    if (type != "Sequence")
        return members.invalid("type", "have " + quote_foreign(type) + ", which is not known");
    const Json* list = members.find("processors");
    if (list == nullptr || !list->is_array()) return members.invalid("processors", "need an array");
    for (const Json& element : list->get_array())
        TT_CHECK(read_post_processor(element, vocabulary));
    return {};
}

}  // namespace

Result<Vocabulary> parse_tokenizer_json(std::string_view text) {
    if (text.size() > tokenizer_json_bytes_max) {
        return fail(ErrorCode::limit_exceeded,
                    "tokenizer.json: have " + std::to_string(text.size()) +
                        " bytes, need at most " + std::to_string(tokenizer_json_bytes_max));
    }
    TT_TRY(auto document, read_document(text));
    const Json all_parts = document.parts;
    TT_TRY(auto parts,
           JsonMembers::of(all_parts, "tokenizer.json", ErrorCode::tokenizer_unsupported));
    parts.ignore({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                  "post_processor", "decoder"});
    TT_CHECK(parts.ensure_all_taken());
    TT_CHECK(read_added_tokens(document));
    Vocabulary vocabulary;
    vocabulary.rules = rules_of(document);
    TT_TRY(const auto rules, parse_text_rules(vocabulary.rules));
    if (rules.has_byte_letters()) {
        vocabulary.kind = VocabularyKind::byte_level_bpe;
        const std::string_view name = known_name_of(rules);
        vocabulary.pre = name.empty() ? "default" : name;
    }
    vocabulary.add_space_prefix = !rules.has_byte_letters() && rules.has_space_prefix();
    TT_CHECK(read_model(document, vocabulary));
    const auto* processor = document.parts.if_contains("post_processor");
    if (processor != nullptr && !processor->is_null())
        TT_CHECK(read_post_processor(*processor, vocabulary));
    hide_ends_of_generation(vocabulary);
    TT_CHECK(mark_added_tokens(vocabulary));
    TT_CHECK(validate(vocabulary));
    return vocabulary;
}

}  // namespace teetee::model
