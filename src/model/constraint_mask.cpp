// SPDX-License-Identifier: Apache-2.0
#include "model/constraint_mask.hpp"

#include <algorithm>

#include "grammar/json_schema.hpp"

namespace teetee::model {
namespace {

constexpr size_t text_bytes_max = UINT16_MAX;  // of TokenTrie

}  // namespace

std::shared_ptr<const ConstraintVocabulary> ConstraintVocabulary::build(
    const Tokenizer& tokenizer, std::vector<TokenId> end_tokens) {
    auto out = std::make_shared<ConstraintVocabulary>();
    const Vocabulary& vocabulary = tokenizer.vocabulary();
    out->texts.resize(vocabulary.tokens.size());
    for (TokenId id = 0; id < out->texts.size(); ++id) {
        const bool changes_the_next =
            vocabulary.add_space_prefix && vocabulary.tokens[id].type == TokenType::user_defined;
        if (changes_the_next || tokenizer.is_end_of_generation(id)) continue;
        auto text = tokenizer.decode({&id, 1}, {.continues_text = true});
        if (text && text->size() <= text_bytes_max) out->texts[id] = std::move(text).value();
    }
    out->trie = grammar::TokenTrie::build(out->texts);
    out->end_tokens = std::move(end_tokens);
    return out;
}

ConstraintMask::ConstraintMask(grammar::Matcher matcher,
                               std::shared_ptr<const ConstraintVocabulary> vocabulary)
    : matcher_(std::move(matcher)),
      vocabulary_(std::move(vocabulary)),
      mask_(vocabulary_->texts.size()) {}

Result<ConstraintMask> ConstraintMask::begin(
    const Constraint& constraint, std::shared_ptr<const ConstraintVocabulary> vocabulary) {
    TT_TRY(auto grammar, grammar::grammar_of(constraint));
    TT_TRY(auto matcher,
           grammar::Matcher::begin(std::make_shared<const grammar::Grammar>(std::move(grammar))));
    return ConstraintMask(std::move(matcher), std::move(vocabulary));
}

Result<const TokenMask*> ConstraintMask::allowed(grammar::MaskBudget& budget) {
    TT_TRY(const auto words, matcher_.allowed(vocabulary_->trie, budget));
    mask_.assign(words);
    if (matcher_.may_end()) {
        for (const TokenId id : vocabulary_->end_tokens) mask_.add(id);
    }
    if (std::ranges::all_of(mask_.words(), [](uint64_t word) { return word == 0; })) {
        return fail(ErrorCode::grammar_stuck,
                    "no token of the model's vocabulary keeps the answer inside the grammar");
    }
    return &mask_;
}

Result<void> ConstraintMask::push(TokenId token) {
    if (token >= vocabulary_->texts.size() || vocabulary_->texts[token].empty())
        return fail(ErrorCode::grammar_stuck, "the token is none of the grammar's");
    return matcher_.advance(vocabulary_->texts[token]);
}

}  // namespace teetee::model
