// SPDX-License-Identifier: Apache-2.0
#include "model/byte_fallback.hpp"

#include "model/bigram_merge.hpp"

namespace teetee::model {

ByteFallback::ByteFallback(const Vocabulary& vocabulary) {
    ids_.fill(no_token);
    for (TokenId id = 0; id < vocabulary.tokens.size(); ++id) {
        if (vocabulary.tokens[id].type != TokenType::byte) continue;
        if (const auto byte = byte_of_token_text(vocabulary.tokens[id].text)) ids_[*byte] = id;
    }
}

bool ByteFallback::append(std::string_view bytes, std::vector<TokenId>& ids) const {
    const size_t count_before = ids.size();
    for (const char c : bytes) {
        const TokenId id = ids_[static_cast<uint8_t>(c)];
        if (id == no_token) {
            ids.resize(count_before);
            return false;
        }
        ids.push_back(id);
    }
    return true;
}

}  // namespace teetee::model
