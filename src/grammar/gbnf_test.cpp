// SPDX-License-Identifier: Apache-2.0
#include "grammar/gbnf.hpp"

#include <gtest/gtest.h>

#include "grammar/limits.hpp"
#include "grammar/test_text.hpp"

namespace teetee::grammar {
namespace {

std::shared_ptr<const Grammar> grammar_of(std::string_view source) {
    auto grammar = parse_gbnf(source);
    EXPECT_TRUE(grammar) << source << "\n" << (grammar ? "" : grammar.error().message());
    return grammar ? std::make_shared<const Grammar>(std::move(grammar).value()) : nullptr;
}

void expect_fits(std::string_view source, const std::vector<std::string>& whole,
                 const std::vector<std::string>& beginnings, const std::vector<std::string>& none) {
    const auto grammar = grammar_of(source);
    ASSERT_NE(grammar, nullptr);
    for (const auto& text : whole) EXPECT_EQ(fit_of(grammar, text), Fit::whole) << source << text;
    for (const auto& text : beginnings)
        EXPECT_EQ(fit_of(grammar, text), Fit::beginning) << source << text;
    for (const auto& text : none) EXPECT_EQ(fit_of(grammar, text), Fit::none) << source << text;
}

/// A set without neighbours, in descending order: U+4E00, U+4E02, ...
std::string scattered_set(char32_t count) {
    std::string out;
    for (char32_t i = count; i > 0; --i) out += to_utf8(0x4e00 + 2 * (i - 1));
    return "[" + out + "]";
}

TEST(gbnf, reads_every_construct) {
    expect_fits(R"(root ::= "ab" | "c")", {"ab", "c"}, {"", "a"}, {"b", "abc", "ac"});
    expect_fits(R"(root ::= [a-c_]+ [^a-z\n])", {"a_Z", "b\xc3\xa9"}, {"a", "b\xc3"},
                {"Z", "ad", "a\n"});
    expect_fits(R"(root ::= "a"* "b"? "c"+)", {"c", "aabcc"}, {"aab"},
                {"ab"
                 "b",
                 "ca"});
    expect_fits(R"(root ::= "x"{2} "y"{1,} "z"{0,2})", {"xxy", "xxyyzz"}, {"x", "xx"},
                {"xxx", "xxz", "xxyzzz"});
    expect_fits(R"(root ::= ("a" | "b" "c"){2,3})", {"aa", "abc", "bcabc"}, {"a", "ab"},
                {"aaaa", "ac"});
    expect_fits(R"(root ::= . "!")", {"x!", "\xe2\x82\xac!", "\n!"}, {"\xf0\x9f"}, {"!x", "\xff"});
    expect_fits(R"(root ::= "\x41\u00e9\U0001F600\n\t\\\"\[\]")",
                {"A\xc3\xa9\xf0\x9f\x98\x80\n\t\\\"[]"}, {"A"}, {"\xe9"});
    expect_fits(R"(root ::= [\]a-] [a-])", {"]a", "a-", "--"}, {}, {"b"});
    expect_fits(R"(root ::= "" | item
item ::= "a" item-2 # a comment
item-2 ::= (
   # lines go on inside parentheses
   "b"
   | "c"
) | # and after a bar
  "d")",
                {"", "ab", "ac", "ad"}, {"a"}, {"aa", "b"});
    expect_fits("root ::= a\r\na ::= \"x\"\r\n", {"x"}, {}, {"xx"});
}

TEST(gbnf, large_sets_keep_to_their_characters) {
    const auto grammar = grammar_of("root ::= [x-za-cb-y]" + scattered_set(10000));
    ASSERT_NE(grammar, nullptr);
    for (char32_t i = 0; i < 20100; i += 37) {
        const bool is_member = i < 20000 && i % 2 == 0;
        EXPECT_EQ(fit_of(grammar, "w" + to_utf8(0x4e00 + i)) == Fit::whole, is_member)
            << uint32_t{i};
    }
    EXPECT_EQ(fit_of(grammar, "{" + to_utf8(0x4e00)), Fit::none);
}

TEST(gbnf, a_repeated_set_is_compiled_once) {
    // Two states for each character and one for each repetition: twice the set would be too much.
    const auto grammar = grammar_of("root ::= " + scattered_set(10000) + "{32768}");
    ASSERT_NE(grammar, nullptr);
    EXPECT_LT(grammar->state_count(), states_max);
    const std::string two = to_utf8(0x4e00) + to_utf8(0x4e02);
    EXPECT_EQ(fit_of(grammar, two), Fit::beginning);
    EXPECT_EQ(fit_of(grammar, two + to_utf8(0x4e03)), Fit::none);
}

TEST(gbnf, rules_may_nest_and_recur) {
    expect_fits(R"g(root ::= "(" root ")" | "x" | "[" (root ("," root)*)? "]")g",
                {"x", "((x))", "[]", "[x,(x),[x]]"}, {"((x)", "[x,"}, {"(x]", "[,]", ")"});
    // Right recursion needs no stack, however long the text.
    const auto list = grammar_of(R"(root ::= "a" root | "b")");
    EXPECT_EQ(fit_of(list, std::string(100000, 'a') + "b"), Fit::whole);
    const auto nested = grammar_of(R"g(root ::= "(" root ")" | "x")g");
    const auto deep = [](size_t depth) {
        return std::string(depth, '(') + "x" + std::string(depth, ')');
    };
    EXPECT_EQ(fit_of(nested, deep(stack_depth_max)), Fit::whole);
    EXPECT_EQ(fit_of(nested, deep(stack_depth_max + 1)), Fit::none);
}

TEST(gbnf, empty_repetitions_end) {
    expect_fits(R"(root ::= ("a"*)* (""){3,} x+
x ::= "b"?)",
                {"", "aab", "bbb"}, {}, {"ba"});
}

TEST(gbnf, refuses_what_is_no_grammar) {
    const std::pair<const char*, ErrorCode> cases[] = {
        {"", ErrorCode::grammar_invalid},
        {"root", ErrorCode::grammar_invalid},
        {"root ::= \"a", ErrorCode::grammar_invalid},
        {"root ::= [a", ErrorCode::grammar_invalid},
        {"root ::= [b-a]", ErrorCode::grammar_invalid},
        {"root ::= (\"a\"", ErrorCode::grammar_invalid},
        {"root ::= \"a\")", ErrorCode::grammar_invalid},
        {"root ::= \"\\q\"", ErrorCode::grammar_invalid},
        {"root ::= \"\\ud800\"", ErrorCode::grammar_invalid},
        {"root ::= \"\\U00110000\"", ErrorCode::grammar_invalid},
        {"root ::= \"\\x4\"", ErrorCode::grammar_invalid},
        {"root ::= \"a\"{3,2}", ErrorCode::grammar_invalid},
        {"root ::= \"a\"{x}", ErrorCode::grammar_invalid},
        {"root ::= *", ErrorCode::grammar_invalid},
        {"root ::= missing", ErrorCode::grammar_invalid},
        {"other ::= \"a\"", ErrorCode::grammar_invalid},
        {"root ::= \"a\"\nroot ::= \"b\"", ErrorCode::grammar_invalid},
        {"root ::= <think>", ErrorCode::grammar_invalid},
        {"root ::= []", ErrorCode::grammar_invalid},                  // no text fits
        {"root ::= \"a\" root", ErrorCode::grammar_invalid},          // none that ends
        {"root ::= root \"a\" | \"b\"", ErrorCode::grammar_invalid},  // left recursion
        {"root ::= x* root \"a\" | \"b\"\nx ::= \"c\"", ErrorCode::grammar_invalid},
        {"root ::= a\na ::= b\nb ::= a | \"x\"", ErrorCode::grammar_invalid},
        {"root ::= \"\xff\"", ErrorCode::grammar_invalid},
        {"root ::= \"a\"{99999999999}", ErrorCode::grammar_too_complex},
        {"root ::= (((\"a\"{9999}){9999}){9999}){9999} (\"b\"{30000}) (\"c\"{30000}) "
         "(\"d\"{30000})",
         ErrorCode::grammar_too_complex}};
    for (const auto& [source, code] : cases) {
        const auto grammar = parse_gbnf(source);
        ASSERT_FALSE(grammar) << source;
        EXPECT_EQ(grammar.error().code, code) << source << ": " << grammar.error().message();
        EXPECT_FALSE(grammar.error().detail.empty());
    }
    EXPECT_EQ(parse_gbnf("root ::= \"a\"\nb ::= \"x\" ?? \"y\"\nc ::= ]").error().detail,
              "grammar: line 3: need a text, a set, a group or a rule's name");
}

TEST(gbnf, hostile_grammars_end_in_an_error) {
    const auto refused = [](const std::string& source) {
        auto grammar = parse_gbnf(source);
        return grammar ? ErrorCode{} : grammar.error().code;
    };
    EXPECT_EQ(refused("root ::= " + std::string(1000, '(') + "\"a\"" + std::string(1000, ')')),
              ErrorCode::grammar_too_complex);
    EXPECT_EQ(refused("root ::= \"" + std::string(source_bytes_max, 'a') + "\""),
              ErrorCode::grammar_too_complex);
    std::string many;
    for (size_t i = 0; i < 9000; ++i) many += "a" + std::to_string(i) + "::=\n";
    EXPECT_EQ(refused(many + "root ::= a1"), ErrorCode::grammar_too_complex);
    // 256 copies of the set: few states, but each copy is cut into ASCII and the rest.
    const auto copied = parse_gbnf("root ::= " + scattered_set(10000) + "++++++++");
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, ErrorCode::grammar_too_complex);
    EXPECT_NE(copied.error().detail.find("ranges"), std::string::npos);
    // Two ways to read each letter, told apart only at the end.
    std::string doubled = "root ::= a0\n";
    for (size_t i = 0; i < 40; ++i) {
        const std::string next = "a" + std::to_string(i + 1);
        doubled +=
            "a" + std::to_string(i) + " ::= \"x\" " + next + " \"1\" | \"x\" " + next + " \"2\"\n";
    }
    const auto grammar = grammar_of(doubled + "a40 ::= \"y\"");
    auto matcher = Matcher::begin(grammar);
    ASSERT_TRUE(matcher);
    const auto done = matcher->advance(std::string(40, 'x'));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::grammar_too_complex);
}

TEST(matcher, the_mask_is_what_trying_every_token_gives) {
    const std::vector<std::string> pieces = test_pieces();
    const TokenTrie trie = TokenTrie::build(pieces);
    std::mt19937 random(7);
    for (const char* source :
         {R"(root ::= "{" [a-z]+ ":" ("[" [0-9]* "]" | "\u20ac" | .{0,3}) "}")",
          R"(root ::= ([^"\\] | "\\" ["\\nu]){0,20} "\"")",
          R"g(root ::= "(" root ")" | "true" | [0-9]+ ("." [0-9]+)? ("e" [0-9]+)? root?)g"}) {
        const auto grammar = grammar_of(source);
        for (int walk = 0; walk < 20; ++walk) {
            std::string text;
            auto matcher = Matcher::begin(grammar);
            ASSERT_TRUE(matcher);
            for (int made = 0; made < 12; ++made) {
                const auto words = matcher->allowed(trie);
                ASSERT_TRUE(words);
                std::vector<TokenId> allowed;
                for (TokenId id = 0; id < pieces.size(); ++id) {
                    const bool is_allowed = ((*words)[id / 64] >> (id % 64) & 1) != 0;
                    EXPECT_EQ(is_allowed, fit_of(grammar, text + pieces[id]) != Fit::none)
                        << source << " after " << text << " token " << pieces[id];
                    if (is_allowed) allowed.push_back(id);
                }
                if (allowed.empty()) break;
                const std::string& piece = pieces[allowed[random() % allowed.size()]];
                text += piece;
                ASSERT_TRUE(matcher->advance(piece));
            }
        }
    }
}

TEST(matcher, forgetting_what_it_has_met_changes_nothing) {
    // Every length is a set of readings of its own: the cache overflows several times.
    const auto grammar = grammar_of(R"(root ::= ("a" | "bb"){0,30000} "c")");
    const std::string text(20000, 'a');
    auto matcher = Matcher::begin(grammar);
    ASSERT_TRUE(matcher);
    EXPECT_TRUE(matcher->advance(text));
    EXPECT_TRUE(matcher->advance("bbc"));
    EXPECT_TRUE(matcher->may_end());
    EXPECT_EQ(matcher->advance("c").error().code, ErrorCode::grammar_stuck);
}

/// After n letters "a" it may be in half as many repetitions: sets of readings that grow.
constexpr const char* ambiguous = R"(root ::= ("a" | "aa"){0,30000} "c")";

TEST(matcher, its_memory_is_bounded_in_readings_too) {
    auto matcher = Matcher::begin(grammar_of(ambiguous));
    ASSERT_TRUE(matcher);
    size_t forgotten = 0;
    for (int i = 0; i < 1500; ++i) {
        const size_t before = matcher->cached_readings();
        ASSERT_TRUE(matcher->advance("a")) << i;
        EXPECT_LE(matcher->cached_readings(), cached_readings_max);
        if (matcher->cached_readings() < before) ++forgotten;
    }
    EXPECT_GT(forgotten, 0u);
    EXPECT_TRUE(matcher->advance("c"));
    EXPECT_TRUE(matcher->may_end());
}

/// Beginnings of one long word: a mask takes a step from a new set for each.
TokenTrie long_words() {
    std::vector<std::string> pieces{"c"};
    for (size_t length = 1; length <= 600; ++length) pieces.emplace_back(length, 'a');
    return TokenTrie::build(pieces);
}

TEST(matcher, a_mask_costs_the_same_however_much_is_known) {
    const TokenTrie trie = long_words();
    const auto grammar = grammar_of(ambiguous);
    auto masked = Matcher::begin(grammar);
    ASSERT_TRUE(masked);
    size_t refused = 0;
    for (size_t length = 0; length < 1000; length += 100) {
        auto fresh = Matcher::begin(grammar);
        ASSERT_TRUE(fresh);
        ASSERT_TRUE(fresh->advance(std::string(length, 'a')));
        const auto expected = fresh->allowed(trie);
        EXPECT_EQ(masked->allowed(trie).has_value(), expected.has_value()) << length;
        if (!expected) {
            EXPECT_EQ(expected.error().code, ErrorCode::grammar_too_complex);
            ++refused;
        }
        ASSERT_TRUE(masked->advance(std::string(100, 'a')));
    }
    EXPECT_GT(refused, 0u);
    EXPECT_LT(refused, 10u);
}

TEST(matcher, a_batch_refuses_only_those_that_need_much) {
    const TokenTrie trie = long_words();
    const auto dear = grammar_of(ambiguous);
    const auto cheap = grammar_of(R"(root ::= "a"* "c")");
    MaskBudget budget(32);
    size_t refused = 0;
    for (size_t i = 0; i < 16; ++i) {
        auto first = Matcher::begin(dear);
        auto second = Matcher::begin(cheap);
        ASSERT_TRUE(first && second && first->advance(std::string(300, 'a')));
        const auto words = first->allowed(trie, budget);
        EXPECT_TRUE(i > 0 || words) << "alone it is not too complex";
        if (!words) {
            EXPECT_EQ(words.error().code, ErrorCode::grammar_too_complex);
            ++refused;
        }
        EXPECT_TRUE(second->allowed(trie, budget));
    }
    EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace teetee::grammar
