// SPDX-License-Identifier: Apache-2.0
#include "model/charsmap.hpp"

#include <algorithm>

#include "model/tokenizer_limits.hpp"
#include "model/utf8.hpp"

namespace teetee::model {
namespace {

// A unit of Darts-clone's double array.
bool has_leaf(uint32_t unit) {
    return (unit >> 8 & 1) != 0;
}
uint32_t leaf_value(uint32_t unit) {
    return unit & 0x7fffffff;
}
uint32_t label(uint32_t unit) {
    return unit & 0x800000ff;
}
uint32_t child_offset(uint32_t unit) {
    return (unit >> 10) << ((unit & 0x200) >> 6);
}

}  // namespace

Result<Charsmap> Charsmap::parse(ByteView blob) {
    ByteReader reader(blob);
    const auto trie_bytes = reader.read_u32();
    const auto trie = trie_bytes ? reader.read_bytes(*trie_bytes) : Result<ByteView>(ByteView());
    if (!trie_bytes || !trie || trie->empty() || trie->size() % 4 != 0)
        return fail(ErrorCode::tokenizer_unsupported, "charsmap: need a trie of u32 units");
    Charsmap out;
    ByteReader units(*trie);
    while (!units.at_end()) {
        TT_TRY(const uint32_t unit, units.read_u32());
        out.units_.push_back(unit);
    }
    TT_TRY(const auto rest, reader.read_bytes(reader.remaining()));
    out.replacements_ = as_text(rest);
    if (!is_utf8(out.replacements_) || !out.replacements_.ends_with('\0'))
        return fail(ErrorCode::tokenizer_unsupported,
                    "charsmap: need texts in UTF-8, 0 behind each");
    return out;
}

std::optional<Charsmap::Match> Charsmap::longest_match(std::string_view text) const {
    std::optional<Match> longest;
    // A hostile trie may lead in a circle.
    text = text.substr(0, charsmap_text_bytes_max);
    uint32_t node = child_offset(units_[0]);
    for (size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<uint8_t>(text[i]);
        node ^= byte;
        if (node >= units_.size() || label(units_[node]) != byte) break;
        const uint32_t unit = units_[node];
        node ^= child_offset(unit);
        if (node >= units_.size()) break;
        if (!has_leaf(unit)) continue;
        const size_t begin = leaf_value(units_[node]);
        if (begin >= replacements_.size()) break;
        longest = {i + 1, replacements_.c_str() + begin};
    }
    return longest;
}

Result<std::string> Charsmap::apply(std::string_view text) const {
    std::string out;
    while (!text.empty()) {
        if (const auto match = longest_match(text)) {
            out += match->replacement;
            text.remove_prefix(match->bytes);
        } else {
            const size_t bytes = utf8_head(text).bytes;
            out += text.substr(0, bytes);
            text.remove_prefix(bytes);
        }
        if (out.size() > normalized_text_bytes_max) {
            return fail(ErrorCode::limit_exceeded,
                        "tokenizer: the charsmap makes a text of more than " +
                            std::to_string(normalized_text_bytes_max) + " bytes");
        }
    }
    return out;
}

}  // namespace teetee::model
