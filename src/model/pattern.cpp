// SPDX-License-Identifier: Apache-2.0
#include "model/pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <algorithm>

#include <pcre2.h>

#include "base/assert.hpp"
#include "model/pattern_syntax.hpp"
#include "model/tokenizer_limits.hpp"

namespace teetee::model {
namespace {

// A linear pattern stays far below them on the longest text; they turn a hang into an error.
constexpr uint32_t match_steps_max = 16 * encode_text_bytes_max;
constexpr uint32_t match_heap_kib_max = 64 << 10;

template <class Meter>
int charge(pcre2_callout_block* block, void* data) {
    auto& meter = *static_cast<Meter*>(data);
    const size_t here = block->current_position;
    const uint64_t steps = 1 + std::max(here, meter.position) - std::min(here, meter.position);
    meter.position = here;
    if (steps > meter.budget->steps) return PCRE2_ERROR_CALLOUT;
    meter.budget->steps -= steps;
    return 0;
}

}  // namespace

void Pattern::CodeFree::operator()(pcre2_real_code_8* code) const {
    pcre2_code_free(code);
}

void PatternSearch::ContextFree::operator()(pcre2_real_match_context_8* context) const {
    pcre2_match_context_free(context);
}

void PatternSearch::DataFree::operator()(pcre2_real_match_data_8* data) const {
    pcre2_match_data_free(data);
}

Result<Pattern> Pattern::compile(std::string_view source, Origin origin) {
    const bool is_foreign = origin == Origin::foreign;
    std::string pattern(source);
    if (is_foreign) {
        TT_TRY(pattern, pcre2_from_oniguruma(source));
    }
    pattern = with_unicode_spaces(pattern);
    const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY;
    int error = 0;
    size_t offset = 0;
    Pattern out;
    out.origin_ = origin;
    out.code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                  is_foreign ? options | PCRE2_AUTO_CALLOUT : options, &error,
                                  &offset, nullptr));
    if (!out.code_) {
        return fail(is_foreign ? ErrorCode::tokenizer_unsupported : ErrorCode::internal,
                    "regular expression " + quote_foreign(source) + ": pcre2 error " +
                        std::to_string(error) + " at " + std::to_string(offset));
    }
    return out;
}

PatternSearch::PatternSearch(const Pattern& pattern, MatchBudget& budget)
    : pattern_(pattern),
      meter_(std::make_unique<Meter>(Meter{&budget, 0})),
      context_(pcre2_match_context_create(nullptr)),
      data_(pcre2_match_data_create_from_pattern(pattern.code_.get(), nullptr)) {
    TT_ASSERT(context_ && data_);
    pcre2_set_match_limit(context_.get(), match_steps_max);
    pcre2_set_heap_limit(context_.get(), match_heap_kib_max);
    if (pattern.origin_ == Pattern::Origin::foreign)
        pcre2_set_callout(context_.get(), &charge<Meter>, meter_.get());
}

Result<std::optional<TextRange>> PatternSearch::find(std::string_view text, size_t from) {
    meter_->position = from;
    // The caller has checked the UTF-8; PCRE2 would do it again from `from` on each time.
    const uint32_t options = pattern_.origin_ == Pattern::Origin::own
                                 ? PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY
                                 : PCRE2_NO_UTF_CHECK;
    const int count = pcre2_match(pattern_.code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                                  text.size(), from, options, data_.get(), context_.get());
    if (count == PCRE2_ERROR_NOMATCH) return std::optional<TextRange>();
    if (count == PCRE2_ERROR_CALLOUT) {
        return fail(ErrorCode::limit_exceeded,
                    "tokenizer: the vocabulary's regular expressions take too long on this text");
    }
    if (count < 0) return fail(ErrorCode::internal, "split: pcre2 error " + std::to_string(count));
    const size_t* bounds = pcre2_get_ovector_pointer(data_.get());
    return std::optional<TextRange>(TextRange{bounds[0], bounds[1]});
}

std::string literal_pattern(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool is_plain = (c & 0x80) != 0 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                              (c >= 'A' && c <= 'Z') || static_cast<uint8_t>(c) <= ' ' || c == 0x7f;
        if (!is_plain) out += '\\';
        out += c;
    }
    return out;
}

}  // namespace teetee::model
