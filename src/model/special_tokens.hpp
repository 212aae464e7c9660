// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/vocabulary.hpp"

namespace teetee::model {

/// Which tokens are cut out of a text before anything else is done with it.
enum class SpecialSet {
    user_defined,  // always, as Hugging Face and llama.cpp do
    user_text,     // those of them that the chat template does not write: for what users send
    all,           // control and unknown tokens too: only for trusted text, such as a template's
};

struct SpecialMatch {
    TokenId id = 0;
    size_t begin = 0;  // before and
    size_t end = 0;    // behind the white space that the token swallows, if it does
};

/// Finds tokens that are spelled out in a text: the leftmost one, of those the longest.
class SpecialTokens {
  public:
    struct Entry {
        std::string text;
        TokenId id = 0;
        bool strips_left = false;
        bool strips_right = false;
        bool whole_word = false;  // not where a letter, digit or underscore stands beside it
    };

    explicit SpecialTokens(std::vector<Entry> entries);

    /// The first match in the bytes from `from` on. A whole text costs O(bytes * longest token).
    std::optional<SpecialMatch> find(std::string_view text, size_t from) const;

  private:
    const Entry* longest_prefix_of(std::string_view text) const;

    std::vector<Entry> entries_;                 // sorted by text, texts unique and not empty
    std::array<uint32_t, 257> first_of_byte_{};  // entries_[i] of byte b: f[b] <= i < f[b + 1]
};

/// The tokens of a vocabulary that are in a set, with their flags.
std::vector<SpecialTokens::Entry> special_tokens_of(const Vocabulary& vocabulary, SpecialSet set);

}  // namespace teetee::model
