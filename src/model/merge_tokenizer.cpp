// SPDX-License-Identifier: Apache-2.0
#include "model/merge_tokenizer.hpp"

#include "model/utf8.hpp"

namespace teetee::model {

MergeTokenizer::MergeTokenizer(const Vocabulary& vocabulary, const TextRules& rules)
    : vocabulary_(vocabulary),
      index_(vocabulary),
      bytes_(vocabulary),
      whole_pieces_first_(rules.whole_pieces_first),
      fuses_unknown_(rules.fuses_unknown) {}

Result<MergeTokenizer> MergeTokenizer::build(const Vocabulary& vocabulary, const TextRules& rules) {
    MergeTokenizer tokenizer(vocabulary, rules);
    TT_TRY(tokenizer.merges_, MergeTable::build(vocabulary, tokenizer.index_));
    return tokenizer;
}

Result<void> MergeTokenizer::encode(std::string_view piece, std::vector<TokenId>& ids) const {
    if (whole_pieces_first_) {
        if (const auto id = index_.find(piece)) {
            ids.push_back(*id);
            return {};
        }
    }
    std::vector<Symbol> symbols;
    for (size_t begin = 0; begin < piece.size();) {
        const size_t bytes = utf8_character_bytes(piece, begin);
        append_symbol(symbols, {.begin = static_cast<uint32_t>(begin),
                                .bytes = static_cast<uint32_t>(bytes),
                                .id = index_.find(piece.substr(begin, bytes)).value_or(no_token)});
        begin += bytes;
    }
    merge_symbols(symbols, [&](const Symbol& left, const Symbol& right) {
        return merges_.find(left, right);
    });
    bool after_unknown = false;
    for (const Symbol& symbol : symbols) {
        const bool is_known = symbol.id != no_token;
        if (is_known) ids.push_back(symbol.id);
        if (is_known || bytes_.append(piece.substr(symbol.begin, symbol.bytes), ids)) {
            after_unknown = false;
            continue;
        }
        if (vocabulary_.unknown && !(after_unknown && fuses_unknown_))
            ids.push_back(*vocabulary_.unknown);
        after_unknown = true;
    }
    return {};
}

}  // namespace teetee::model
