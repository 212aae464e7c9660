// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "model/vocabulary.hpp"

namespace teetee::model {

/// The byte tokens of a vocabulary ("<0xHH>"), which spell what has no token of its own.
class ByteFallback {
  public:
    explicit ByteFallback(const Vocabulary& vocabulary);

    /// Appends a token for each byte; false, and nothing, when one of them has none.
    bool append(std::string_view bytes, std::vector<TokenId>& ids) const;

  private:
    std::array<TokenId, 256> ids_;
};

}  // namespace teetee::model
