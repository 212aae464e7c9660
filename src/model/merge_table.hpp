// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <unordered_map>

#include "base/result.hpp"
#include "model/bigram_merge.hpp"
#include "model/token_index.hpp"

namespace teetee::model {

/// The merges of a vocabulary by their two tokens. Plain text never becomes a control token, not
/// even by merges.
class MergeTable {
  public:
    /// Error: vocabulary_invalid naming a merge whose parts or result are no tokens.
    static Result<MergeTable> build(const Vocabulary& vocabulary, const TokenIndex& index);

    std::optional<Merge> find(const Symbol& left, const Symbol& right) const;

  private:
    std::unordered_map<uint64_t, Merge> merges_;  // by left id * 2^32 + right id
};

}  // namespace teetee::model
