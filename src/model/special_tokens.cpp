// SPDX-License-Identifier: Apache-2.0
#include "model/special_tokens.hpp"

#include <algorithm>

#include <boost/json/array.hpp>

#include "model/chat_template.hpp"
#include "model/unicode.hpp"

namespace teetee::model {
namespace {

bool belongs(TokenType type, SpecialSet set) {
    if (type == TokenType::user_defined) return true;
    return set == SpecialSet::all && (type == TokenType::control || type == TokenType::unknown);
}

bool is_blank(std::string_view text) {
    static constexpr std::string_view visible_space = "\xe2\x96\x81";
    while (!text.empty()) {
        const bool is_visible = text.starts_with(visible_space);
        if (!is_visible && text[0] != ' ' && (text[0] < '\t' || text[0] > '\r')) return false;
        text.remove_prefix(is_visible ? visible_space.size() : 1);
    }
    return true;
}

void append_trusted_parts(std::vector<std::string>& parts, const jinja::Text& text) {
    size_t begin = 0;
    for (const jinja::Span& span : text.foreign) {
        parts.push_back(text.bytes.substr(begin, span.begin - begin));
        begin = span.end;
    }
    parts.push_back(text.bytes.substr(begin));
}

/// What the chat template writes itself: its source, and what it makes of each role in small
/// chats. Some templates refuse some of these chats, or all; then they make no marks of them.
std::vector<std::string> texts_of_template(const Vocabulary& vocabulary) {
    std::vector<std::string> texts = {vocabulary.chat_template};
    const auto chat = ChatTemplate::build(vocabulary);
    if (!chat) return texts;
    for (const std::string_view role : jinja::chat_roles) {
        const boost::json::object message = {{"role", role}, {"content", "x"}};
        const boost::json::object user = {{"role", "user"}, {"content", "x"}};
        using Messages = boost::json::array;
        for (const Messages& messages :
             {Messages{message}, Messages{message, user}, Messages{user, message}}) {
            const auto text =
                chat->render({{"messages", messages}, {"add_generation_prompt", true}}, 0);
            if (text) append_trusted_parts(texts, *text);
            // A template that is too dear for so little must not delay the start again and again.
            if (!text && text.error().code == ErrorCode::limit_exceeded) return texts;
        }
    }
    return texts;
}

}  // namespace

std::vector<SpecialTokens::Entry> special_tokens_of(const Vocabulary& vocabulary, SpecialSet set) {
    std::vector<SpecialTokens::Entry> entries;
    for (TokenId id = 0; id < vocabulary.tokens.size(); ++id) {
        const Token& token = vocabulary.tokens[id];
        if (!belongs(token.type, set)) continue;
        entries.push_back(
            {token.text, id, token.strips_left, token.strips_right, token.whole_word});
    }
    if (set != SpecialSet::user_text || entries.empty()) return entries;
    // Some files have the marks of a chat's turns as user-defined tokens.
    const SpecialTokens tokens(entries);
    std::vector<bool> is_mark(vocabulary.tokens.size(), false);
    for (const std::string& text : texts_of_template(vocabulary)) {
        for (size_t from = 0; const auto match = tokens.find(text, from);) {
            is_mark[match->id] = !is_blank(vocabulary.tokens[match->id].text);
            from = match->begin + 1;
        }
    }
    std::erase_if(entries, [&](const auto& entry) { return is_mark[entry.id]; });
    return entries;
}

SpecialTokens::SpecialTokens(std::vector<Entry> entries) : entries_(std::move(entries)) {
    std::erase_if(entries_, [](const Entry& entry) { return entry.text.empty(); });
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
        const size_t end = begin + entry->text.size();
        if (entry->whole_word &&
            (ends_with_word(text.substr(0, begin)) || begins_with_word(text.substr(end)))) {
            continue;
        }
        SpecialMatch match = {entry->id, begin, end};
        if (entry->strips_left) match.begin -= space_bytes_at_end(text.substr(from, begin - from));
        if (entry->strips_right) match.end += space_bytes_at_begin(text.substr(end));
        return match;
    }
    return std::nullopt;
}

}  // namespace teetee::model
