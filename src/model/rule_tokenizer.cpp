// SPDX-License-Identifier: Apache-2.0
#include "model/rule_tokenizer.hpp"

#include "model/tokenizer_limits.hpp"
#include "model/unicode.hpp"

namespace teetee::model {
namespace {

/// Calls on_token and on_plain for the added tokens of a text and what lies between them, in order.
template <class Find, class OnToken, class OnPlain>
Result<void> cut_out(const Find& find, std::string_view text, const OnToken& on_token,
                     const OnPlain& on_plain) {
    for (size_t begin = 0; begin < text.size();) {
        const std::optional<SpecialMatch> match = find(begin);
        const size_t end = match ? match->begin : text.size();
        if (end > begin) TT_CHECK(on_plain(begin, text.substr(begin, end - begin)));
        if (!match) break;
        on_token(match->id);
        begin = match->end;
    }
    return {};
}

using Model = std::variant<MergeTokenizer, SpmTokenizer, UnigramTokenizer>;

Result<Model> build_model(const Vocabulary& vocabulary, const TextRules& rules) {
    if (vocabulary.kind == VocabularyKind::unigram) {
        TT_TRY(auto unigram, UnigramTokenizer::build(vocabulary));
        return Model(std::move(unigram));
    }
    const bool has_scores_only =
        vocabulary.kind == VocabularyKind::sentencepiece && vocabulary.merges.empty();
    if (has_scores_only) return Model(std::in_place_type<SpmTokenizer>, vocabulary);
    TT_TRY(auto merges, MergeTokenizer::build(vocabulary, rules));
    return Model(std::move(merges));
}

}  // namespace

RuleTokenizer::RuleTokenizer(TextNormalizer normalizer, PieceSplitter splitter, Model model)
    : normalizer_(std::move(normalizer)),
      splitter_(std::move(splitter)),
      model_(std::move(model)) {}

Result<RuleTokenizer> RuleTokenizer::build(const Vocabulary& vocabulary) {
    TT_TRY(auto rules, parse_text_rules(vocabulary.rules));
    TT_TRY(auto model, build_model(vocabulary, rules));
    TT_TRY(auto normalizer, TextNormalizer::build(std::move(rules.normalizer)));
    TT_TRY(auto splitter, PieceSplitter::build(std::move(rules.pre_tokenizer)));
    RuleTokenizer tokenizer(std::move(normalizer), std::move(splitter), std::move(model));
    tokenizer.strips_first_space_ = rules.strips_first_space;
    for (const SpecialSet set :
         {SpecialSet::user_defined, SpecialSet::user_text, SpecialSet::all}) {
        TT_TRY(auto tokens, tokenizer.normalized_tokens(vocabulary, set));
        tokenizer.added_.emplace(set, std::move(tokens));
    }
    return tokenizer;
}

Result<SpecialTokens> RuleTokenizer::normalized_tokens(const Vocabulary& vocabulary,
                                                       SpecialSet set) const {
    MatchBudget budget{match_steps_min * match_steps_per_byte_max};
    auto entries = special_tokens_of(vocabulary, set);
    std::erase_if(entries, [&](const SpecialTokens::Entry& entry) {
        return !vocabulary.tokens[entry.id].after_normalizing;
    });
    for (SpecialTokens::Entry& entry : entries) {
        TT_TRY(entry.text, normalizer_.apply(entry.text, budget));
    }
    return SpecialTokens(std::move(entries));
}

Result<void> RuleTokenizer::encode(std::string_view text, const FindSpecial& find_special,
                                   SpecialSet set, std::vector<TokenId>& ids) const {
    MatchBudget budget{match_steps_min + match_steps_per_byte_max * text.size()};
    return cut_out(
        find_special, text, [&](TokenId id) { ids.push_back(id); },
        [&](size_t begin, std::string_view section) {
            const Place place = begin == 0 ? Place::text_begin : Place::later;
            return encode_section(section, place, set, budget, ids);
        });
}

Result<void> RuleTokenizer::encode_section(std::string_view section, Place place, SpecialSet set,
                                           MatchBudget& budget, std::vector<TokenId>& ids) const {
    TT_TRY(const auto normalized, normalizer_.apply(with_replacements(section), budget));
    const SpecialTokens& added = added_.at(set);
    return cut_out([&](size_t from) { return added.find(normalized, from); }, normalized,
                   [&](TokenId id) { ids.push_back(id); },
                   [&](size_t begin, std::string_view plain) {
                       return encode_plain(plain, begin == 0 ? place : Place::later, budget, ids);
                   });
}

Result<void> RuleTokenizer::encode_plain(std::string_view normalized, Place place,
                                         MatchBudget& budget, std::vector<TokenId>& ids) const {
    TT_TRY(const auto pieces, splitter_.split(std::string(normalized), place, budget));
    for (const std::string& piece : pieces) {
        TT_CHECK(std::visit([&](const auto& model) { return model.encode(piece, ids); }, model_));
    }
    return {};
}

}  // namespace teetee::model
