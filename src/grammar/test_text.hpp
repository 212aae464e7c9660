// SPDX-License-Identifier: Apache-2.0
// For tests: how a grammar takes to texts.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "grammar/matcher.hpp"

namespace teetee::grammar {

enum class Fit { whole, beginning, none };

inline Fit fit_of(const std::shared_ptr<const Grammar>& grammar, std::string_view text) {
    auto matcher = Matcher::begin(grammar);
    if (!matcher || !matcher->advance(text)) return Fit::none;
    return matcher->may_end() ? Fit::whole : Fit::beginning;
}

/// Walks along the mask of allowed tokens, each with the same chance, until the text may end and
/// one throw in `patience` says so; nullopt if it has not ended within pieces_max.
inline std::optional<std::string> random_text(const std::shared_ptr<const Grammar>& grammar,
                                              const TokenTrie& trie,
                                              std::span<const std::string> pieces,
                                              std::mt19937& random, size_t pieces_max) {
    auto matcher = Matcher::begin(grammar);
    if (!matcher) return std::nullopt;
    std::string text;
    for (size_t made = 0; made < pieces_max; ++made) {
        const auto words = matcher->allowed(trie);
        if (!words) return std::nullopt;
        std::vector<TokenId> allowed;
        for (TokenId id = 0; id < pieces.size(); ++id) {
            if (((*words)[id / 64] >> (id % 64) & 1) != 0) allowed.push_back(id);
        }
        if (matcher->may_end() && (allowed.empty() || random() % 2 == 0)) return text;
        if (allowed.empty()) return std::nullopt;
        const std::string& piece = pieces[allowed[random() % allowed.size()]];
        if (!matcher->advance(piece)) return std::nullopt;
        text += piece;
    }
    return std::nullopt;
}

/// Every byte, then some longer pieces, among them parts of characters and of JSON.
inline std::vector<std::string> test_pieces() {
    std::vector<std::string> pieces;
    for (int byte = 0; byte < 256; ++byte) pieces.emplace_back(1, static_cast<char>(byte));
    for (const char* piece :
         {"{\"",   "\":",      "\": \"",   "\",",    "\"}",          "\"]",  "}]",    "},",
          "[{",    "[]",       "{}",       "true",   "tru",          "e,",   "false", "null",
          "12",    "0.",       "1e",       "-1",     "00",           "the ", " a",    "name",
          "age\"", "\xc3\xa9", "\xe2\x82", "\xac\"", "\xf0\x9f\x98", "\\n",  "\\u",   "\\\"",
          "  ",    "\n  ",     "19",       "2024-",  "-02",          ":00",  "T1"})
        pieces.emplace_back(piece);
    return pieces;
}

}  // namespace teetee::grammar
