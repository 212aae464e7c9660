// SPDX-License-Identifier: Apache-2.0
#include "model/token_index.hpp"

#include <algorithm>

namespace teetee::model {
namespace {

bool is_plain(TokenType type) {
    return type == TokenType::normal || type == TokenType::user_defined ||
           type == TokenType::unused;
}

}  // namespace

TokenIndex::TokenIndex(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {
    ids_.reserve(vocabulary.tokens.size());
    for (TokenId id = 0; id < vocabulary.tokens.size(); ++id) {
        const Token& token = vocabulary.tokens[id];
        if (token.text.empty()) continue;
        if (is_plain(token.type)) {
            ids_.insert_or_assign(token.text, id);
        } else {
            ids_.try_emplace(token.text, id);
        }
        text_bytes_max_ = std::max(text_bytes_max_, token.text.size());
    }
}

std::optional<TokenId> TokenIndex::find(std::string_view text) const {
    if (text.size() > text_bytes_max_) return std::nullopt;
    const auto found = ids_.find(text);
    if (found == ids_.end() || !is_plain(vocabulary_.tokens[found->second].type)) {
        return std::nullopt;
    }
    return found->second;
}

bool TokenIndex::contains(std::string_view text) const {
    return ids_.contains(text);
}

}  // namespace teetee::model
