// SPDX-License-Identifier: Apache-2.0
#include "model/special_tokens.hpp"

#include <algorithm>

namespace teetee::model {
namespace {

bool belongs(TokenType type, SpecialSet set) {
    if (type == TokenType::user_defined) return true;
    return set == SpecialSet::all && (type == TokenType::control || type == TokenType::unknown);
}

bool is_ascii_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

SpecialTokens::SpecialTokens(const Vocabulary& vocabulary, SpecialSet set) {
    for (TokenId id = 0; id < vocabulary.tokens.size(); ++id) {
        const Token& token = vocabulary.tokens[id];
        if (token.text.empty() || !belongs(token.type, set)) continue;
        entries_.push_back({token.text, id, token.strips_right});
    }
    // Of equal texts the last id stays, as everywhere.
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        return a.text != b.text ? a.text < b.text : a.id > b.id;
    });
    const auto same_text = [](const Entry& a, const Entry& b) { return a.text == b.text; };
    entries_.erase(std::unique(entries_.begin(), entries_.end(), same_text), entries_.end());
    for (const Entry& entry : entries_) ++first_of_byte_[static_cast<uint8_t>(entry.text[0]) + 1u];
    for (size_t i = 1; i < first_of_byte_.size(); ++i) first_of_byte_[i] += first_of_byte_[i - 1];
}

const SpecialTokens::Entry* SpecialTokens::longest_prefix_of(std::string_view text) const {
    const auto first_byte = static_cast<uint8_t>(text[0]);
    const Entry* low = entries_.data() + first_of_byte_[first_byte];
    const Entry* high = entries_.data() + first_of_byte_[first_byte + 1u];
    const Entry* longest = nullptr;
    // [low, high) are the entries that share the text's first `depth` bytes; the one that is no
    // longer than that sorts first.
    for (size_t depth = 1; low != high; ++depth) {
        if (low->text.size() == depth) longest = low++;
        if (depth == text.size()) break;
        const auto byte = static_cast<uint8_t>(text[depth]);
        low = std::partition_point(low, high, [&](const Entry& entry) {
            return static_cast<uint8_t>(entry.text[depth]) < byte;
        });
        high = std::partition_point(low, high, [&](const Entry& entry) {
            return static_cast<uint8_t>(entry.text[depth]) == byte;
        });
    }
    return longest;
}

std::optional<SpecialMatch> SpecialTokens::find(std::string_view text, size_t from) const {
    if (entries_.empty()) return std::nullopt;
    for (size_t begin = from; begin < text.size(); ++begin) {
        const Entry* entry = longest_prefix_of(text.substr(begin));
        if (entry == nullptr) continue;
        size_t end = begin + entry->text.size();
        while (entry->strips_right && end < text.size() && is_ascii_space(text[end])) ++end;
        return SpecialMatch{entry->id, begin, end};
    }
    return std::nullopt;
}

}  // namespace teetee::model
