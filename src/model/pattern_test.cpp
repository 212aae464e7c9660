// SPDX-License-Identifier: Apache-2.0
#include "model/pattern.hpp"

#include <gtest/gtest.h>

#include "model/pattern_syntax.hpp"

namespace teetee::model {
namespace {

std::vector<std::string> matches(std::string_view pattern, std::string_view text) {
    const auto compiled = Pattern::compile(pattern, Pattern::Origin::foreign);
    EXPECT_TRUE(compiled) << compiled.error().message();
    if (!compiled) return {};
    MatchBudget budget{1 << 20};
    PatternSearch search(*compiled, budget);
    std::vector<std::string> found;
    for (size_t from = 0; from < text.size();) {
        const auto match = search.find(text, from);
        EXPECT_TRUE(match);
        if (!match || !*match) break;
        found.emplace_back(text.substr((*match)->begin, (*match)->end - (*match)->begin));
        from = std::max((*match)->end, from + 1);
    }
    return found;
}

using Texts = std::vector<std::string>;

TEST(pattern, reads_onigurumas_syntax) {
    EXPECT_EQ(matches(R"(\h+)", "xyz0aFg"), (Texts{"0aF"}));
    EXPECT_EQ(matches(R"([\h]+)", "xyz0aFg"), (Texts{"0aF"}));
    EXPECT_EQ(matches(R"(a\vb)", "a\nb a\vb"), (Texts{"a\vb"}));
    EXPECT_EQ(matches(R"(\u00e9+)", "x\xc3\xa9\xc3\xa9"), (Texts{"\xc3\xa9\xc3\xa9"}));
    EXPECT_EQ(matches(R"(\x{e9}|\x41)", "A\xc3\xa9"), (Texts{"A", "\xc3\xa9"}));
    EXPECT_EQ(matches("^a|b$", "ab\nab"), (Texts{"a", "b", "a", "b"}));
    EXPECT_EQ(matches("[^(\\s|[.,])]+", "ab, (c)|d"), (Texts{"ab", "c", "d"}));
    EXPECT_EQ(matches("[]a]+", "x]a"), (Texts{"]a"}));
    EXPECT_EQ(matches("a{,2}b", "aab"), (Texts{"aab"}));
    EXPECT_EQ(matches(R"((?i:'s|'t)|\p{^L}+)", "it'S 1"), (Texts{"'S", " 1"}));
    EXPECT_EQ(matches(R"(\s+)", "a\xe2\x80\x83 \xe1\xa0\x8e"), (Texts{"\xe2\x80\x83 "}));
}

TEST(pattern, names_what_it_does_not_know) {
    for (const std::string_view pattern : {R"(\1)",
                                           R"(\k<a>)",
                                           R"(\g<a>)",
                                           "(?<name>a)",
                                           "(?P<name>a)",
                                           "(*ACCEPT)",
                                           "(?C1)",
                                           "(?R)",
                                           "[a&&b]",
                                           "[a[^b]]",
                                           R"(\K)",
                                           R"(\X)",
                                           R"(\p{L)",
                                           R"(\pL)",
                                           "a{1,2}+",
                                           R"(\u12)",
                                           R"(\x{110000000})",
                                           "(?m:a)",
                                           R"(a\)",
                                           "[a",
                                           "(a",
                                           "a)",
                                           "[[:alpha:]",
                                           "(?#x)"}) {
        const auto compiled = Pattern::compile(pattern, Pattern::Origin::foreign);
        ASSERT_FALSE(compiled) << pattern;
        EXPECT_EQ(compiled.error().code, ErrorCode::tokenizer_unsupported) << pattern;
    }
    const std::string endless(1 << 20, 'a');
    EXPECT_EQ(Pattern::compile(endless, Pattern::Origin::foreign).error().code,
              ErrorCode::limit_exceeded);
}

TEST(pattern, a_foreign_one_stops_when_its_budget_is_spent) {
    // PCRE2 sees at once where a character that must occur does not.
    const std::string text = std::string(20000, 'a') + "cb";
    // Backtracking without end, and scans of the rest of the text at every place.
    for (const std::string_view pattern : {"(a|a)*b", "(a*)*b", "a++b", "(?=a*b)", "(a+)+$c"}) {
        const auto compiled = Pattern::compile(pattern, Pattern::Origin::foreign);
        ASSERT_TRUE(compiled) << pattern;
        MatchBudget budget{256 * text.size()};
        PatternSearch search(*compiled, budget);
        const auto found = search.find(text, 0);
        ASSERT_FALSE(found) << pattern;
        EXPECT_EQ(found.error().code, ErrorCode::limit_exceeded) << pattern;
    }
}

TEST(pattern, a_long_run_stays_inside_the_budget) {
    const std::string text = std::string(100000, ' ') + "x" + std::string(100000, '\n');
    const auto compiled = Pattern::compile(
        R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+|\p{L}+)", Pattern::Origin::foreign);
    ASSERT_TRUE(compiled);
    MatchBudget budget{256 * text.size()};
    PatternSearch search(*compiled, budget);
    size_t count = 0;
    for (size_t from = 0; from < text.size(); ++count) {
        const auto match = search.find(text, from);
        ASSERT_TRUE(match && *match);
        from = (*match)->end;
    }
    EXPECT_EQ(count, 4u);
}

TEST(pattern, a_literal_is_nothing_but_itself) {
    const std::string all = R"(a.b*c+d?(e)[f]{g}|h^i$j\k-l&&m#n)";
    EXPECT_EQ(matches(literal_pattern(all), "x" + all + "y"), (Texts{all}));
}

}  // namespace
}  // namespace teetee::model
