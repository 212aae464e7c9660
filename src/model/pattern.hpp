// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct pcre2_real_code_8;
struct pcre2_real_match_context_8;
struct pcre2_real_match_data_8;

namespace teetee::model {

struct TextRange {
    size_t begin = 0;
    size_t end = 0;
};

/// A compiled regular expression over UTF-8. Safe to use from several threads.
class Pattern {
  public:
    enum class Origin {
        own,     // PCRE2's syntax; matches in linear time, which its author has seen to
        foreign  // Oniguruma's (Ruby) syntax, as far as it is known here; time is counted
    };

    /// \s is Unicode's White_Space. Errors: for an own one internal; for a foreign one
    /// tokenizer_unsupported naming the construct, limit_exceeded.
    static Result<Pattern> compile(std::string_view source, Origin origin);

  private:
    friend class PatternSearch;
    struct CodeFree {
        void operator()(pcre2_real_code_8* code) const;
    };
    Pattern() = default;

    std::unique_ptr<pcre2_real_code_8, CodeFree> code_;
    Origin origin_ = Origin::own;
};

/// What the matches of foreign patterns may still cost: a step for each item of a pattern that is
/// tried and for each byte that it passes over.
struct MatchBudget {
    uint64_t steps = 0;
};

/// Looks for one pattern in many texts. `pattern` and `budget` MUST outlive it.
class PatternSearch {
  public:
    PatternSearch(const Pattern& pattern, MatchBudget& budget);

    /// The first match that begins at byte `from` or later; that of a foreign pattern may be empty.
    /// `text` MUST be well-formed UTF-8. Errors: limit_exceeded when the budget is spent; internal.
    Result<std::optional<TextRange>> find(std::string_view text, size_t from);

  private:
    struct ContextFree {
        void operator()(pcre2_real_match_context_8* context) const;
    };
    struct DataFree {
        void operator()(pcre2_real_match_data_8* data) const;
    };
    struct Meter {
        MatchBudget* budget;
        size_t position;
    };

    const Pattern& pattern_;
    std::unique_ptr<Meter> meter_;  // PCRE2 keeps a pointer to it
    std::unique_ptr<pcre2_real_match_context_8, ContextFree> context_;
    std::unique_ptr<pcre2_real_match_data_8, DataFree> data_;
};

/// A pattern, for either origin, that matches just this text.
std::string literal_pattern(std::string_view text);

}  // namespace teetee::model
