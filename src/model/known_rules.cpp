// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <span>

#include "model/text_rules.hpp"

namespace teetee::model {
namespace {

using Text = std::string_view;

// The patterns of published tokenizer.json files, by the names llama.cpp has for them.

#define TT_GPT2 R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"
#define TT_CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define TT_TAIL R"(|\s*[\r\n]+|\s+(?!\S)|\s+)"
#define TT_LLAMA3(digits) \
    TT_CONTRACTION R"(|[^\r\n\p{L}\p{N}]?\p{L}+|)" digits R"(| ?[^\s\p{L}\p{N}]+[\r\n]*)" TT_TAIL
#define TT_UPPER R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define TT_LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define TT_CASED(contraction, digits)                                                          \
    TT_UPPER "*" TT_LOWER "+" contraction "|" TT_UPPER "+" TT_LOWER "*" contraction "|" digits \
             R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*)" TT_TAIL

constexpr Text gpt2[] = {TT_GPT2};
constexpr Text starcoder[] = {R"(\p{N})", TT_GPT2};
constexpr Text llama3[] = {TT_LLAMA3(R"(\p{N}{1,3})")};
constexpr Text qwen2[] = {TT_LLAMA3(R"(\p{N})")};
constexpr Text gpt4o[] = {TT_CASED(TT_CONTRACTION "?", R"(\p{N}{1,3})")};
constexpr Text tekken[] = {TT_CASED("", R"(\p{N})")};
constexpr Text deepseek_v3[] = {R"(\p{N}{1,3})", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
                                R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^)"
                                "\r\n"
                                R"(\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[)"
                                "\r\n"
                                R"(]*)" TT_TAIL};

struct KnownRule {
    Text name;
    std::span<const Text> patterns;
    bool whole_pieces_first = false;
};

constexpr KnownRule known_rules[] = {{"gpt-2", gpt2},
                                     {"starcoder", starcoder},
                                     {"llama-bpe", llama3, true},
                                     {"dbrx", llama3},
                                     {"qwen2", qwen2},
                                     {"gpt-4o", gpt4o},
                                     {"tekken", tekken, true},
                                     {"deepseek-v3", deepseek_v3}};

}  // namespace

std::string_view known_name_of(const TextRules& rules) {
    std::vector<Text> patterns;
    for (const PieceStep& step : rules.pre_tokenizer) {
        if (step.kind == PieceStep::Kind::split) patterns.push_back(step.pattern);
    }
    for (const KnownRule& known : known_rules) {
        if (known.whole_pieces_first == rules.whole_pieces_first &&
            std::equal(patterns.begin(), patterns.end(), known.patterns.begin(),
                       known.patterns.end())) {
            return known.name;
        }
    }
    return "";
}

}  // namespace teetee::model
