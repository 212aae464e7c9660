// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/byte_fallback.hpp"
#include "model/vocabulary.hpp"

namespace teetee::model {

/// Unigram model (Kudo 2018, arXiv 1804.10959): of all ways to write a piece in tokens, the one
/// with the highest sum of scores. A character that no token covers costs 10 more than the worst
/// token; a run of them is spelled in byte tokens, else becomes one unknown token.
class UnigramTokenizer {
  public:
    /// The vocabulary MUST be valid and outlive it. Error: vocabulary_invalid for a token longer
    /// than unigram_text_bytes_max, on which the time depends.
    static Result<UnigramTokenizer> build(const Vocabulary& vocabulary);

    /// Appends the tokens of a piece in UTF-8. Error: vocabulary_invalid, when a character has
    /// neither tokens for its bytes nor an unknown token.
    Result<void> encode(std::string_view piece, std::vector<TokenId>& ids) const;

  private:
    struct Entry {
        std::string_view text;
        TokenId id = 0;
    };
    /// The best way to a place in the piece: its last token and where that begins.
    struct Node {
        double score = 0.0;
        size_t begin = 0;
        TokenId id = 0;
        bool reached = false;
    };

    explicit UnigramTokenizer(const Vocabulary& vocabulary);
    void extend(std::string_view piece, size_t begin, std::vector<Node>& nodes) const;

    const Vocabulary& vocabulary_;
    ByteFallback bytes_;
    std::vector<Entry> entries_;  // sorted by text, texts unique
    double unknown_score_ = 0.0;
};

}  // namespace teetee::model
