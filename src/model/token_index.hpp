// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>

#include "model/vocabulary.hpp"

namespace teetee::model {

/// The tokens that plain text may become, by their text: not the control, unknown and byte tokens,
/// or a user's text could spell them. Holds views into the vocabulary, which MUST outlive it.
class TokenIndex {
  public:
    explicit TokenIndex(const Vocabulary& vocabulary);

    std::optional<TokenId> find(std::string_view text) const;

    /// True if the text is a token of any type.
    bool contains(std::string_view text) const;

  private:
    const Vocabulary& vocabulary_;
    std::unordered_map<std::string_view, TokenId> ids_;
    size_t text_bytes_max_ = 0;  // longer texts need no look-up
};

}  // namespace teetee::model
