// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace teetee::model {

/// SentencePiece's compiled character map (Kudo and Richardson 2018, normalizer.cc): a double-array
/// trie (Darts-clone) from texts to the texts that replace them.
class Charsmap {
  public:
    /// `blob`: u32 bytes of the trie, its u32 units, then the replacements, each ended by a 0 byte.
    /// Error: tokenizer_unsupported.
    static Result<Charsmap> parse(ByteView blob);

    /// Replaces the longest text of the map at each place; what is in no text of it stays.
    /// Error: limit_exceeded for a result of more than normalized_text_bytes_max.
    Result<std::string> apply(std::string_view text) const;

  private:
    struct Match {
        size_t bytes = 0;
        std::string_view replacement;
    };
    std::optional<Match> longest_match(std::string_view text) const;

    std::vector<uint32_t> units_;
    std::string replacements_;
};

}  // namespace teetee::model
