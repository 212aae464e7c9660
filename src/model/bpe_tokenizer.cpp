// SPDX-License-Identifier: Apache-2.0
#include "model/bpe_tokenizer.hpp"

#include <optional>

#include "model/utf8.hpp"

namespace teetee::model {
namespace {

// GPT-2 writes a byte as one printable character: itself where it is printable in Latin-1, else
// the next unused one from U+0100 on (encoder.py, bytes_to_unicode).
bool is_printable_latin1(uint32_t point) {
    return (point >= 0x21 && point <= 0x7e) || (point >= 0xa1 && point <= 0xff && point != 0xad);
}

struct ByteAlphabet {
    std::array<std::string, 256> text_of_byte;
    std::array<int, 0x180> byte_of_point;  // -1 where a point is not in the alphabet

    ByteAlphabet() {
        byte_of_point.fill(-1);
        uint32_t next_point = 0x100;
        for (uint32_t byte = 0; byte < 256; ++byte) {
            const uint32_t point = is_printable_latin1(byte) ? byte : next_point++;
            byte_of_point[point] = static_cast<int>(byte);
            std::string& text = text_of_byte[byte];
            if (point < 0x80) {
                text.push_back(static_cast<char>(point));
            } else {
                text.push_back(static_cast<char>(0xc0 | point >> 6));
                text.push_back(static_cast<char>(0x80 | (point & 0x3f)));
            }
        }
    }
};

const ByteAlphabet& alphabet() {
    static const ByteAlphabet instance;
    return instance;
}

// nullopt when a character is none of the alphabet.
std::optional<std::string> bytes_of_alphabet_text(std::string_view text) {
    std::string bytes;
    for (size_t i = 0; i < text.size();) {
        const Utf8Head head = utf8_head(text.substr(i));
        if (head.state != Utf8State::complete || head.bytes > 2) return std::nullopt;
        uint32_t point = static_cast<uint8_t>(text[i]);
        if (head.bytes == 2)
            point = (point & 0x1f) << 6 | (static_cast<uint8_t>(text[i + 1]) & 0x3f);
        const int byte = point < 0x180 ? alphabet().byte_of_point[point] : -1;
        if (byte < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(byte));
        i += head.bytes;
    }
    return bytes;
}

uint64_t pair_key(TokenId left, TokenId right) {
    return static_cast<uint64_t>(left) << 32 | right;
}

}  // namespace

BpeTokenizer::BpeTokenizer(const Vocabulary& vocabulary, const SplitRule& rule,
                           TextSplitter splitter)
    : vocabulary_(vocabulary), rule_(rule), splitter_(std::move(splitter)), index_(vocabulary) {
    for (size_t byte = 0; byte < byte_ids_.size(); ++byte) {
        byte_ids_[byte] = index_.find(alphabet().text_of_byte[byte]).value_or(no_token);
    }
}

Result<BpeTokenizer> BpeTokenizer::build(const Vocabulary& vocabulary) {
    const SplitRule* rule = find_split_rule(vocabulary.pre);
    if (rule == nullptr) {
        return fail(ErrorCode::tokenizer_unsupported, "tokenizer.ggml.pre: have " +
                                                          quote_foreign(vocabulary.pre) +
                                                          ", need a known splitting rule");
    }
    TT_TRY(auto splitter, TextSplitter::build(*rule));
    BpeTokenizer tokenizer(vocabulary, *rule, std::move(splitter));
    tokenizer.merges_.reserve(vocabulary.merges.size());
    for (size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
        TT_CHECK(tokenizer.add_merge(vocabulary.merges[rank], rank));
    }
    return tokenizer;
}

Result<void> BpeTokenizer::add_merge(std::string_view merge, size_t rank) {
    const size_t space = merge.find(' ');
    std::string joined(merge);
    joined.erase(space, 1);
    const std::string_view left_text = merge.substr(0, space);
    const std::string_view right_text = merge.substr(space + 1);
    if (!index_.contains(left_text) || !index_.contains(right_text) || !index_.contains(joined)) {
        return fail(ErrorCode::vocabulary_invalid,
                    "tokenizer.ggml.merges[" + std::to_string(rank) +
                        "]: have a text that is no token, need left, right and both joined");
    }
    const auto left = index_.find(left_text);
    const auto right = index_.find(right_text);
    const auto result = index_.find(joined);
    // Plain text never becomes a control token, not even by merges.
    if (!left || !right || !result) return {};
    // The first of two equal merges is the better one and stays.
    merges_.try_emplace(pair_key(*left, *right), Merge{static_cast<double>(rank), *result});
    return {};
}

Result<void> BpeTokenizer::encode(std::string_view text, std::vector<TokenId>& ids) const {
    TT_TRY(const auto pieces, splitter_.split(text));
    std::vector<Symbol> symbols;
    for (const std::string_view piece : pieces) TT_CHECK(encode_piece(piece, symbols, ids));
    return {};
}

Result<void> BpeTokenizer::encode_piece(std::string_view piece, std::vector<Symbol>& symbols,
                                        std::vector<TokenId>& ids) const {
    if (rule_.whole_pieces_first) {
        std::string text;
        for (const char c : piece) text += alphabet().text_of_byte[static_cast<uint8_t>(c)];
        if (const auto id = index_.find(text)) {
            ids.push_back(*id);
            return {};
        }
    }
    symbols.clear();
    for (size_t i = 0; i < piece.size(); ++i) {
        append_symbol(symbols, {.begin = static_cast<uint32_t>(i),
                                .bytes = 1,
                                .id = byte_ids_[static_cast<uint8_t>(piece[i])]});
    }
    merge_symbols(symbols, [&](const Symbol& left, const Symbol& right) -> std::optional<Merge> {
        const auto found = merges_.find(pair_key(left.id, right.id));
        if (found == merges_.end()) return std::nullopt;
        return found->second;
    });
    for (const Symbol& symbol : symbols) {
        if (symbol.id != no_token) {
            ids.push_back(symbol.id);
        } else if (vocabulary_.unknown) {
            ids.push_back(*vocabulary_.unknown);
        } else {
            return fail(ErrorCode::vocabulary_invalid,
                        "tokenizer: a byte has no token, need all 256 or an unknown token");
        }
    }
    return {};
}

std::string bpe_text_of(const Token& token) {
    if (token.type == TokenType::byte) {
        if (const auto byte = byte_of_token_text(token.text)) {
            return std::string(1, static_cast<char>(*byte));
        }
    }
    if (token.type != TokenType::normal && token.type != TokenType::unused) return token.text;
    return bytes_of_alphabet_text(token.text).value_or(token.text);
}

}  // namespace teetee::model
