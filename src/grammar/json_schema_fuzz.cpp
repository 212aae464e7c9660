// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/parse.hpp>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "grammar/json_schema.hpp"
#include "grammar/matcher.hpp"

/// A schema, a zero byte, and bytes that choose the way through its texts: whole ones are JSON.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const std::string_view input = as_text({data, size});
    const size_t cut = std::min(input.find('\0'), input.size());
    auto grammar = grammar::parse_json_schema(input.substr(0, cut));
    if (!grammar) return 0;
    std::vector<std::string> pieces;
    for (int byte = 0; byte < 256; ++byte) pieces.emplace_back(1, static_cast<char>(byte));
    const auto trie = grammar::TokenTrie::build(pieces);
    auto matcher =
        grammar::Matcher::begin(std::make_shared<const grammar::Grammar>(std::move(*grammar)));
    if (!matcher) return 0;
    std::string text;
    for (const char choice : input.substr(std::min(cut + 1, input.size()))) {
        const auto words = matcher->allowed(trie);
        if (!words) return 0;
        std::vector<char> allowed;
        for (size_t byte = 0; byte < 256; ++byte) {
            if (((*words)[byte / 64] >> (byte % 64) & 1) != 0)
                allowed.push_back(static_cast<char>(byte));
        }
        if (allowed.empty()) break;
        const char next = allowed[static_cast<uint8_t>(choice) % allowed.size()];
        if (!matcher->advance({&next, 1})) return 0;
        text += next;
    }
    boost::system::error_code malformed;
    boost::json::parse_options options;
    options.max_depth = 1024;
    if (matcher->may_end()) boost::json::parse(text, malformed, {}, options);
    TT_ASSERT(!malformed);
    return 0;
}
