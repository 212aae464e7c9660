// SPDX-License-Identifier: Apache-2.0
#include "model/spm_tokenizer.hpp"

#include "model/utf8.hpp"

namespace teetee::model {
namespace {

constexpr std::string_view space_mark = "\xe2\x96\x81";  // U+2581

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
    std::string out;
    out.reserve(text.size());
    size_t begin = 0;
    for (size_t at = text.find(from); at != text.npos; at = text.find(from, begin)) {
        out.append(text.substr(begin, at - begin)).append(to);
        begin = at + from.size();
    }
    return out.append(text.substr(begin));
}

size_t character_bytes(std::string_view text) {
    const Utf8Head head = utf8_head(text);
    return head.state == Utf8State::complete ? head.bytes : 1;
}

}  // namespace

SpmTokenizer::SpmTokenizer(const Vocabulary& vocabulary)
    : vocabulary_(vocabulary), index_(vocabulary), bytes_(vocabulary) {}

Result<void> SpmTokenizer::encode(std::string_view text, std::vector<TokenId>& ids) const {
    const std::string marked = replaced(text, " ", space_mark);
    const std::string_view view = marked;
    std::vector<Symbol> symbols;
    symbols.reserve(text.size());
    for (size_t begin = 0; begin < view.size();) {
        const size_t bytes = character_bytes(view.substr(begin));
        const TokenId id = index_.find(view.substr(begin, bytes)).value_or(no_token);
        append_symbol(symbols, {.begin = static_cast<uint32_t>(begin),
                                .bytes = static_cast<uint32_t>(bytes),
                                .id = id});
        begin += bytes;
    }
    merge_symbols(symbols, [&](const Symbol& left, const Symbol& right) -> std::optional<Merge> {
        const auto id = index_.find(view.substr(left.begin, left.bytes + right.bytes));
        if (!id) return std::nullopt;
        return Merge{-static_cast<double>(vocabulary_.tokens[*id].score), *id};
    });
    for (const Symbol& symbol : symbols) TT_CHECK(append(view, symbol, ids));
    return {};
}

Result<void> SpmTokenizer::append(std::string_view text, const Symbol& symbol,
                                  std::vector<TokenId>& ids) const {
    if (symbol.id != no_token) {
        ids.push_back(symbol.id);
        return {};
    }
    if (bytes_.append(text.substr(symbol.begin, symbol.bytes), ids)) return {};
    // One unknown token for the whole character, as SentencePiece has it.
    if (!vocabulary_.unknown) {
        return fail(ErrorCode::vocabulary_invalid,
                    "tokenizer: a character has no token, need byte tokens or an unknown token");
    }
    ids.push_back(*vocabulary_.unknown);
    return {};
}

std::string spm_text_of(const Token& token) {
    switch (token.type) {
        case TokenType::byte:
            if (const auto byte = byte_of_token_text(token.text)) {
                return std::string(1, static_cast<char>(*byte));
            }
            return token.text;
        case TokenType::normal:
        case TokenType::unused:
            return replaced(token.text, space_mark, " ");
        case TokenType::unknown:
        case TokenType::control:
        case TokenType::user_defined:
            break;
    }
    return token.text;
}

}  // namespace teetee::model
