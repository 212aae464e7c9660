// SPDX-License-Identifier: Apache-2.0
#include "model/bpe_split.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "model/utf8.hpp"

namespace teetee::model {
namespace {

using Text = std::string_view;

// In the patterns \s and \S mean Unicode's White_Space (see Pattern). None backtracks
// over more than the run of characters that it then consumes, or time would not be linear.

constexpr Text gpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

constexpr Text gpt2_patterns[] = {gpt2};
constexpr Text gpt2_names[] = {"gpt-2", "phi-2", "mpt", "olmo", "jais"};

constexpr Text default_patterns[] = {R"([\p{P}$+<=>^~|]+)", gpt2, R"(\p{N}+)", "[0-9]{3}"};
constexpr Text default_names[] = {"", "default"};

constexpr Text falcon_patterns[] = {R"([\p{P}$+<=>^~|`]+)", gpt2, "[0-9]{3}"};
constexpr Text falcon_names[] = {"falcon"};

constexpr Text starcoder_patterns[] = {R"(\p{N})", gpt2};
constexpr Text starcoder_names[] = {"starcoder", "refact", "command-r", "smollm", "codeshell"};

#define TT_CONTRACTION R"('(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD]))"
#define TT_SPACES R"(\s*[\r\n]+|\s+(?!\S)|\s+)"
#define TT_PUNCTUATION R"( ?[^\s\p{L}\p{N}]+)"

#define TT_LLAMA3(digits) \
    TT_CONTRACTION R"(|[^\r\n\p{L}\p{N}]?\p{L}+|)" digits "|" TT_PUNCTUATION R"([\r\n]*|)" TT_SPACES

constexpr Text llama3_patterns[] = {TT_LLAMA3(R"(\p{N}{1,3})")};
constexpr Text llama3_names[] = {"llama-bpe", "llama3", "llama-v3"};
constexpr Text dbrx_names[] = {"dbrx", "smaug-bpe"};

constexpr Text qwen2_patterns[] = {TT_LLAMA3(R"(\p{N})")};
constexpr Text qwen2_names[] = {"qwen2", "deepseek-r1-qwen", "stablelm2"};

// Words that may begin with capitals and end in small letters; letters without case are both.
#define TT_CAPITALS R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define TT_SMALLS R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define TT_WORD_START R"([^\r\n\p{L}\p{N}]?)"
#define TT_CASED_WORDS(ending)                                                                     \
    TT_WORD_START TT_CAPITALS "*" TT_SMALLS "+" ending "|" TT_WORD_START TT_CAPITALS "+" TT_SMALLS \
                              "*" ending "|"
#define TT_PUNCTUATION_AND_SLASHES TT_PUNCTUATION R"([\r\n/]*|)"

constexpr Text gpt4o_patterns[] = {TT_CASED_WORDS(
    "(?:" TT_CONTRACTION ")?") R"(\p{N}{1,3}|)" TT_PUNCTUATION_AND_SLASHES TT_SPACES};
constexpr Text gpt4o_names[] = {"gpt-4o", "llama4"};

constexpr Text tekken_patterns[] = {
    TT_CASED_WORDS("") R"(\p{N}|)" TT_PUNCTUATION_AND_SLASHES TT_SPACES};
constexpr Text tekken_names[] = {"tekken"};

// Cased letters of the scripts the tokenizer was made for: not all of \p{Lu}\p{Ll}\p{Lt}.
constexpr Text deepseek_letters =
    R"(\s?[)"
    R"(\x{41}-\x{5a}\x{61}-\x{7a}\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba})"
    R"(\x{1bc}-\x{1bf}\x{1c4}-\x{293}\x{295}-\x{2af}\x{370}-\x{373}\x{376}-\x{377})"
    R"(\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5})"
    R"(\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5})"
    R"(\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}\x{1d00}-\x{1d2b})"
    R"(\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d})"
    R"(\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d})"
    R"(\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4})"
    R"(\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec})"
    R"(\x{1ff2}-\x{1ff4}\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115})"
    R"(\x{2119}-\x{211d}\x{2124}\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139})"
    R"(\x{213c}-\x{213f}\x{2145}-\x{2149}\x{214e}\x{2183}-\x{2184}\x{2c00}-\x{2c7b})"
    R"(\x{2c7e}-\x{2ce4}\x{2ceb}-\x{2cee}\x{2cf2}-\x{2cf3}\x{a640}-\x{a66d})"
    R"(\x{a680}-\x{a69b}\x{a722}-\x{a76f}\x{a771}-\x{a787}\x{a78b}-\x{a78e})"
    R"(\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}\x{ff21}-\x{ff3a})"
    R"(\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}\x{104b0}-\x{104d3}\x{104d8}-\x{104fb})"
    R"(\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df}\x{1e900}-\x{1e943})"
    R"(]+)";
constexpr Text deepseek_cjk = R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)";

constexpr Text deepseek_llm_patterns[] = {
    R"([\r\n])",
    deepseek_letters,
    R"(\s?[!-/:-~\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff5e}\x{2018}-\x{201f}\x{3000}-\x{3002}]+)",
    R"((?<!\s)\s++$)",  // published as \s+$, which tries every suffix of every run
    deepseek_cjk,
    R"(\p{N}+)",
};
constexpr Text deepseek_llm_names[] = {"deepseek-llm"};

constexpr Text deepseek_coder_patterns[] = {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)",
                                            deepseek_cjk, R"(\p{N})"};
constexpr Text deepseek_coder_names[] = {"deepseek-coder"};

constexpr Text deepseek_v3_patterns[] = {
    R"(\p{N}{1,3})",
    R"([\x{4e00}-\x{9fa5}\x{3040}-\x{30ff}]+)",
    R"([!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
    R"( ?[\p{P}\p{S}]+[\r\n]*|)" TT_SPACES,
};
constexpr Text deepseek_v3_names[] = {"deepseek-v3"};

#undef TT_CONTRACTION
#undef TT_SPACES
#undef TT_PUNCTUATION
#undef TT_LLAMA3
#undef TT_CAPITALS
#undef TT_SMALLS
#undef TT_WORD_START
#undef TT_CASED_WORDS
#undef TT_PUNCTUATION_AND_SLASHES

constexpr SplitRule rules[] = {
    {.names = default_names, .patterns = default_patterns},
    {.names = gpt2_names, .patterns = gpt2_patterns},
    {.names = falcon_names, .patterns = falcon_patterns},
    {.names = starcoder_names, .patterns = starcoder_patterns},
    {.names = llama3_names,
     .patterns = llama3_patterns,
     .whole_pieces_first = true,
     .adds_bos = true},
    {.names = dbrx_names, .patterns = llama3_patterns},
    {.names = qwen2_names, .patterns = qwen2_patterns},
    {.names = gpt4o_names, .patterns = gpt4o_patterns},
    {.names = tekken_names,
     .patterns = tekken_patterns,
     .whole_pieces_first = true,
     .adds_bos = true},
    {.names = deepseek_llm_names, .patterns = deepseek_llm_patterns},
    {.names = deepseek_coder_names, .patterns = deepseek_coder_patterns},
    {.names = deepseek_v3_names, .patterns = deepseek_v3_patterns},
};

// Well-formed runs and bytes that are no UTF-8, so that the patterns see only characters.
std::vector<Text> split_at_malformed_bytes(Text text) {
    std::vector<Text> runs;
    size_t begin = 0;
    size_t at = 0;
    while (at < text.size()) {
        const Utf8Head head = utf8_head(text.substr(at));
        if (head.state != Utf8State::complete) {
            if (at > begin) runs.push_back(text.substr(begin, at - begin));
            runs.push_back(text.substr(at, head.bytes));
            begin = at + head.bytes;
        }
        at += head.bytes;
    }
    if (at > begin) runs.push_back(text.substr(begin));
    return runs;
}

bool is_character_run(Text run) {
    return utf8_head(run).state == Utf8State::complete;
}

}  // namespace

const SplitRule* find_split_rule(std::string_view pre) {
    const auto has_name = [&](const SplitRule& rule) {
        return std::find(rule.names.begin(), rule.names.end(), pre) != rule.names.end();
    };
    const auto* const found = std::find_if(std::begin(rules), std::end(rules), has_name);
    return found == std::end(rules) ? nullptr : found;
}

Result<TextSplitter> TextSplitter::build(const SplitRule& rule) {
    TextSplitter splitter;
    for (const Text source : rule.patterns) {
        auto pattern = Pattern::compile(source, Pattern::Origin::own);
        if (!pattern)
            return in_context("split rule " + std::string(rule.names[0]), pattern.error());
        splitter.patterns_.push_back(std::move(pattern).value());
    }
    return splitter;
}

Result<std::vector<std::string_view>> TextSplitter::split(std::string_view text) const {
    Pieces pieces = split_at_malformed_bytes(text);
    MatchBudget budget;
    for (const Pattern& pattern : patterns_) {
        PatternSearch search(pattern, budget);
        Pieces cut_pieces;
        for (const Text piece : pieces) {
            if (is_character_run(piece)) {
                TT_CHECK(cut(search, piece, cut_pieces));
            } else {
                cut_pieces.push_back(piece);
            }
        }
        pieces = std::move(cut_pieces);
    }
    return pieces;
}

Result<void> TextSplitter::cut(PatternSearch& search, std::string_view piece, Pieces& pieces) {
    size_t at = 0;
    while (at < piece.size()) {
        TT_TRY(const auto match, search.find(piece, at));
        if (!match) break;
        if (match->begin > at) pieces.push_back(piece.substr(at, match->begin - at));
        pieces.push_back(piece.substr(match->begin, match->end - match->begin));
        at = match->end;
    }
    if (at < piece.size()) pieces.push_back(piece.substr(at));
    return {};
}

}  // namespace teetee::model
