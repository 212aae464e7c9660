// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer.hpp"

#include <algorithm>
#include <variant>

#include "model/bpe_tokenizer.hpp"
#include "model/rule_tokenizer.hpp"
#include "model/special_tokens.hpp"
#include "model/spm_tokenizer.hpp"
#include "model/tokenizer_limits.hpp"

namespace teetee::model {
namespace {

using Engine = std::variant<SpmTokenizer, BpeTokenizer>;

Result<Engine> build_engine(const Vocabulary& vocabulary) {
    if (vocabulary.kind == VocabularyKind::unigram) {
        return fail(ErrorCode::tokenizer_unsupported,
                    "tokenizer: have a unigram model without rules for its text");
    }
    if (vocabulary.kind == VocabularyKind::sentencepiece) {
        return Engine(std::in_place_type<SpmTokenizer>, vocabulary);
    }
    TT_TRY(auto bpe, BpeTokenizer::build(vocabulary));
    return Engine(std::move(bpe));
}

std::vector<std::string> texts_of_tokens(const Vocabulary& vocabulary) {
    const bool is_byte_level = vocabulary.kind == VocabularyKind::byte_level_bpe;
    std::vector<std::string> texts;
    texts.reserve(vocabulary.tokens.size());
    for (const Token& token : vocabulary.tokens) {
        // A tokenizer.json's decoder replaces marks in added tokens too.
        const bool is_plain =
            token.type == TokenType::user_defined && !vocabulary.rules.empty() && !is_byte_level;
        if (is_plain) {
            texts.push_back(spm_text_of({.text = token.text}));
        } else {
            texts.push_back(is_byte_level ? bpe_text_of(token) : spm_text_of(token));
        }
    }
    return texts;
}

std::vector<TokenId> end_of_generation_ids(const Vocabulary& vocabulary) {
    std::vector<TokenId> ids;
    if (vocabulary.eos) ids.push_back(*vocabulary.eos);
    if (vocabulary.eot) ids.push_back(*vocabulary.eot);
    for (TokenId id = 0; id < vocabulary.tokens.size(); ++id) {
        const Token& token = vocabulary.tokens[id];
        if (token.type == TokenType::control && is_end_of_generation_text(token.text)) {
            ids.push_back(id);
        }
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

SpecialTokens tokens_in_text(const Vocabulary& vocabulary, SpecialSet set) {
    auto entries = special_tokens_of(vocabulary, set);
    std::erase_if(entries, [&](const SpecialTokens::Entry& entry) {
        return vocabulary.tokens[entry.id].after_normalizing;
    });
    return SpecialTokens(std::move(entries));
}

Result<void> ensure_fits(std::string_view text) {
    if (text.size() <= encode_text_bytes_max) return {};
    return fail(ErrorCode::limit_exceeded,
                "tokenizer: have a text of " + std::to_string(text.size()) +
                    " bytes, need at most " + std::to_string(encode_text_bytes_max));
}

/// Finds special tokens in the text of a chat, from left to right.
class ChatScan {
  public:
    ChatScan(const jinja::Text& text, const SpecialTokens& everywhere, const SpecialTokens& trusted)
        : text_(text), everywhere_(everywhere), trusted_(trusted) {}

    /// As SpecialTokens::find; `from` MUST NOT go back.
    std::optional<SpecialMatch> operator()(size_t from) {
        if (!no_more_ && (!any_ || any_->begin < from)) {
            any_ = everywhere_.find(text_.bytes, from);
            no_more_ = !any_;
        }
        if (!own_ || own_->begin < from) own_ = find_trusted(from);
        if (!any_ || !own_) return any_ ? any_ : own_;
        const bool own_wins =
            own_->begin != any_->begin ? own_->begin < any_->begin : own_->end >= any_->end;
        return own_wins ? own_ : any_;
    }

  private:
    /// In the bytes between foreign spans, never across their borders.
    std::optional<SpecialMatch> find_trusted(size_t from) {
        for (; gap_ <= text_.foreign.size(); ++gap_) {
            const size_t begin = gap_ == 0 ? 0 : text_.foreign[gap_ - 1].end;
            const size_t end =
                gap_ == text_.foreign.size() ? text_.bytes.size() : text_.foreign[gap_].begin;
            const auto bytes = std::string_view(text_.bytes).substr(0, end);
            if (const auto match = trusted_.find(bytes, std::max(from, begin))) return match;
        }
        return std::nullopt;
    }

    const jinja::Text& text_;
    const SpecialTokens& everywhere_;
    const SpecialTokens& trusted_;
    std::optional<SpecialMatch> any_, own_;
    bool no_more_ = false;  // of `everywhere_` in the rest, which need not be searched again
    size_t gap_ = 0;
};

bool is_hidden(TokenType type) {
    return type == TokenType::control || type == TokenType::unknown;
}

bool is_special(TokenType type) {
    return type == TokenType::control || type == TokenType::user_defined;
}

}  // namespace

// Everything but `vocabulary` may hold views into it; behind a pointer it never moves.
struct Tokenizer::State {
    explicit State(Vocabulary checked)
        : vocabulary(std::move(checked)),
          user_defined(tokens_in_text(vocabulary, SpecialSet::user_defined)),
          user_text(tokens_in_text(vocabulary, SpecialSet::user_text)),
          all_special(tokens_in_text(vocabulary, SpecialSet::all)),
          of_template(special_tokens_of(vocabulary, SpecialSet::all)),
          texts(texts_of_tokens(vocabulary)),
          end_of_generation(end_of_generation_ids(vocabulary)) {}

    Vocabulary vocabulary;
    SpecialTokens user_defined;
    SpecialTokens user_text;
    SpecialTokens all_special;
    SpecialTokens of_template;  // all, also those that are looked for in normalised text elsewhere
    std::vector<std::string> texts;  // what each token decodes to
    std::vector<TokenId> end_of_generation;
    // One of the two.
    std::unique_ptr<const Engine> engine;
    std::unique_ptr<const RuleTokenizer> rules;
};

Tokenizer::Tokenizer(std::unique_ptr<const State> state) : state_(std::move(state)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Result<Tokenizer> Tokenizer::build(Vocabulary vocabulary) {
    TT_CHECK(validate(vocabulary));
    auto state = std::make_unique<State>(std::move(vocabulary));
    if (state->vocabulary.rules.empty()) {
        TT_TRY(auto engine, build_engine(state->vocabulary));
        state->engine = std::make_unique<const Engine>(std::move(engine));
    } else {
        TT_TRY(auto rules, RuleTokenizer::build(state->vocabulary));
        state->rules = std::make_unique<const RuleTokenizer>(std::move(rules));
    }
    return Tokenizer(std::move(state));
}

template <class FindSpecial>
Result<void> Tokenizer::encode_around(std::string_view text, FindSpecial find_special,
                                      SpecialSet set, std::vector<TokenId>& ids) const {
    if (state_->rules) return state_->rules->encode(text, find_special, set, ids);
    bool begins_text = true;
    for (size_t begin = 0; begin < text.size();) {
        const std::optional<SpecialMatch> match = find_special(begin);
        const size_t end = match ? match->begin : text.size();
        if (end > begin) {
            std::string plain = state_->vocabulary.add_space_prefix && begins_text ? " " : "";
            plain += text.substr(begin, end - begin);
            TT_CHECK(
                std::visit([&](const auto& e) { return e.encode(plain, ids); }, *state_->engine));
            begins_text = false;
        }
        if (!match) break;
        ids.push_back(match->id);
        begins_text = true;
        begin = match->end;
    }
    return {};
}

Result<std::vector<TokenId>> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
    TT_CHECK(ensure_fits(text));
    const Vocabulary& vocabulary = state_->vocabulary;
    const SpecialTokens& special =
        options.parse_special ? state_->all_special : state_->user_defined;
    const SpecialSet set = options.parse_special ? SpecialSet::all : SpecialSet::user_defined;
    const auto find = [&](size_t from) { return special.find(text, from); };
    std::vector<TokenId> ids;
    if (options.add_special && vocabulary.add_bos) ids.push_back(*vocabulary.bos);
    TT_CHECK(encode_around(text, find, set, ids));
    if (options.add_special && vocabulary.add_eos) ids.push_back(*vocabulary.eos);
    return ids;
}

Result<std::vector<TokenId>> Tokenizer::encode_chat(const jinja::Text& text) const {
    TT_CHECK(ensure_fits(text.bytes));
    std::vector<TokenId> ids;
    TT_CHECK(encode_around(text.bytes, ChatScan(text, state_->user_text, state_->of_template),
                           SpecialSet::user_text, ids));
    const Vocabulary& vocabulary = state_->vocabulary;
    const bool has_bos = !ids.empty() && vocabulary.bos && ids.front() == *vocabulary.bos;
    if (vocabulary.add_bos && !has_bos) ids.insert(ids.begin(), *vocabulary.bos);
    return ids;
}

Result<std::string> Tokenizer::decode(std::span<const TokenId> ids, DecodeOptions options) const {
    const Vocabulary& vocabulary = state_->vocabulary;
    const bool strips_space =
        state_->rules ? state_->rules->strips_first_space() : vocabulary.add_space_prefix;
    std::string out;
    for (const TokenId id : ids) {
        if (id >= vocabulary.tokens.size()) {
            return fail(ErrorCode::token_out_of_range,
                        "tokenizer: have id " + std::to_string(id) + ", need one below " +
                            std::to_string(vocabulary.tokens.size()));
        }
        std::string_view text = state_->texts[id];
        if (strips_space && !options.continues_text && !is_special(vocabulary.tokens[id].type) &&
            text.starts_with(' ')) {
            text.remove_prefix(1);
        }
        if (options.render_special || !is_hidden(vocabulary.tokens[id].type)) out += text;
        options = options_after(id, options);
    }
    return out;
}

DecodeOptions Tokenizer::options_after(TokenId id, DecodeOptions options) const {
    TT_ASSERT(id < state_->vocabulary.tokens.size());
    const TokenType type = state_->vocabulary.tokens[id].type;
    if (!state_->rules) {
        options.continues_text = !is_special(type);
    } else if (options.render_special || !is_hidden(type)) {
        options.continues_text = true;
    }
    return options;
}

bool Tokenizer::is_end_of_generation(TokenId id) const {
    return std::binary_search(state_->end_of_generation.begin(), state_->end_of_generation.end(),
                              id);
}

const Vocabulary& Tokenizer::vocabulary() const {
    return state_->vocabulary;
}

}  // namespace teetee::model
