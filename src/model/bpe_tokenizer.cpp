// SPDX-License-Identifier: Apache-2.0
#include "model/bpe_tokenizer.hpp"

#include "model/byte_letters.hpp"

namespace teetee::model {

BpeTokenizer::BpeTokenizer(const Vocabulary& vocabulary, const SplitRule& rule,
                           TextSplitter splitter)
    : vocabulary_(vocabulary), rule_(rule), splitter_(std::move(splitter)), index_(vocabulary) {
    for (size_t byte = 0; byte < byte_ids_.size(); ++byte) {
        byte_ids_[byte] =
            index_.find(letter_of_byte(static_cast<uint8_t>(byte))).value_or(no_token);
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
    TT_TRY(tokenizer.merges_, MergeTable::build(vocabulary, tokenizer.index_));
    return tokenizer;
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
        if (const auto id = index_.find(letters_of_bytes(piece))) {
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
    merge_symbols(symbols, [&](const Symbol& left, const Symbol& right) {
        return merges_.find(left, right);
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
    return bytes_of_letters(token.text).value_or(token.text);
}

}  // namespace teetee::model
