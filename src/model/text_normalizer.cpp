// SPDX-License-Identifier: Apache-2.0
#include "model/text_normalizer.hpp"

#include "model/byte_letters.hpp"
#include "model/tokenizer_limits.hpp"
#include "model/unicode.hpp"
#include "model/utf8.hpp"

namespace teetee::model {
namespace {

Error too_long() {
    return fail(ErrorCode::limit_exceeded, "tokenizer: the normalised text has more than " +
                                               std::to_string(normalized_text_bytes_max) +
                                               " bytes");
}

Result<std::string> replace_all(const Pattern& pattern, std::string_view text,
                                std::string_view content, MatchBudget& budget) {
    PatternSearch search(pattern, budget);
    std::string out;
    size_t at = 0;
    size_t from = 0;
    while (from <= text.size()) {
        TT_TRY(const auto match, search.find(text, from));
        if (!match) break;
        out.append(text.substr(at, match->begin - at)).append(content);
        if (out.size() > normalized_text_bytes_max) return too_long();
        at = match->end;
        from = at;
        if (match->begin == match->end)
            from += from < text.size() ? utf8_character_bytes(text, from) : 1;
    }
    return out.append(text.substr(at));
}

}  // namespace

Result<TextNormalizer> TextNormalizer::build(std::vector<NormalizeStep> steps) {
    TextNormalizer normalizer;
    for (NormalizeStep& rule : steps) {
        Step step;
        if (rule.kind == NormalizeStep::Kind::replace) {
            TT_TRY(step.pattern, Pattern::compile(rule.pattern, Pattern::Origin::foreign));
        } else if (rule.kind == NormalizeStep::Kind::charsmap) {
            TT_TRY(step.charsmap, Charsmap::parse(as_bytes(rule.content)));
        }
        step.rule = std::move(rule);
        normalizer.steps_.push_back(std::move(step));
    }
    return normalizer;
}

Result<std::string> TextNormalizer::apply(std::string_view text, MatchBudget& budget) const {
    std::string normalized(text);
    for (const Step& step : steps_) {
        TT_TRY(normalized, apply(step, std::move(normalized), budget));
        if (normalized.size() > normalized_text_bytes_max) return too_long();
    }
    return normalized;
}

Result<std::string> TextNormalizer::apply(const Step& step, std::string text, MatchBudget& budget) {
    using Kind = NormalizeStep::Kind;
    switch (step.rule.kind) {
        case Kind::prepend:
            return text.empty() ? text : step.rule.content + text;
        case Kind::replace:
            return replace_all(*step.pattern, text, step.rule.content, budget);
        case Kind::nfc:
            return normal_form(text, NormalForm::nfc);
        case Kind::nfd:
            return normal_form(text, NormalForm::nfd);
        case Kind::nfkc:
            return normal_form(text, NormalForm::nfkc);
        case Kind::nfkd:
            return normal_form(text, NormalForm::nfkd);
        case Kind::lower_case:
            return lower_case(text);
        case Kind::strip_marks:
            return without_marks(text);
        case Kind::strip_left:
            return text.substr(space_bytes_at_begin(text));
        case Kind::strip_right:
            return text.substr(0, text.size() - space_bytes_at_end(text));
        case Kind::charsmap:
            return step.charsmap->apply(text);
        case Kind::byte_letters:
            return letters_of_bytes(text);
    }
    return text;
}

}  // namespace teetee::model
