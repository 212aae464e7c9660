// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "grammar/gbnf.hpp"
#include "grammar/matcher.hpp"

/// A grammar, a zero byte, and a text to follow through it; the mask is compared with the step.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const std::string_view input = as_text({data, size});
    const size_t cut = std::min(input.find('\0'), input.size());
    auto grammar = grammar::parse_gbnf(input.substr(0, cut));
    if (!grammar) return 0;
    std::vector<std::string> pieces;
    for (int byte = 0; byte < 256; ++byte) pieces.emplace_back(1, static_cast<char>(byte));
    const auto trie = grammar::TokenTrie::build(pieces);
    auto matcher =
        grammar::Matcher::begin(std::make_shared<const grammar::Grammar>(std::move(*grammar)));
    if (!matcher) return 0;
    for (const char c : input.substr(std::min(cut + 1, input.size()))) {
        const auto words = matcher->allowed(trie);
        if (!words) return 0;
        const auto byte = static_cast<uint8_t>(c);
        const bool is_allowed = ((*words)[byte / 64] >> (byte % 64) & 1) != 0;
        const auto moved = matcher->advance({&c, 1});
        TT_ASSERT(moved.has_value() == is_allowed);
        if (!moved) return 0;
    }
    return 0;
}
