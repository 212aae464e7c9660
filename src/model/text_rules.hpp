// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/request.hpp"
#include "base/result.hpp"

namespace teetee::model {

/// Rewrites a whole text before it is cut.
struct NormalizeStep {
    enum class Kind {
        prepend,  // `content`, unless the text is empty
        replace,  // every match of `pattern` by `content`
        nfc,
        nfd,
        nfkc,
        nfkd,
        lower_case,
        strip_marks,
        strip_left,  // white space
        strip_right,
        charsmap,  // `content` is SentencePiece's compiled table
        byte_letters
    };
    Kind kind{};
    std::string pattern{};  // Oniguruma's syntax
    std::string content{};
};

/// Cuts pieces into smaller ones, or rewrites every piece.
struct PieceStep {
    enum class Kind {
        split,        // at the matches of `pattern`
        replace,      // every `pattern`, taken literally, by `content`
        prefix,       // `content`, unless the piece begins with it
        byte_letters  // every byte becomes a letter of GPT-2's alphabet
    };
    /// What becomes of the matches, and of the text between them.
    enum class Behaviour { isolated, removed, merged_with_previous, merged_with_next, contiguous };
    Kind kind{};
    std::string pattern{};
    std::string content{};
    Behaviour behaviour = Behaviour::isolated;
    bool inverted = false;         // what does not match counts as a match
    bool only_text_begin = false;  // prefix: only the piece that the text begins with
};

/// How an added token is looked for in a text (see Token).
struct AddedTokenRule {
    TokenId id = 0;
    bool strips_left = false;
    bool strips_right = false;
    bool whole_word = false;
    bool after_normalizing = false;
};

/// How a text becomes the pieces that tokens never cross, and tokens a text again: what a
/// tokenizer.json spells out.
struct TextRules {
    std::vector<NormalizeStep> normalizer;
    std::vector<PieceStep> pre_tokenizer;
    std::vector<AddedTokenRule> added_tokens;
    bool whole_pieces_first = false;  // a piece that is a token is never built by merges
    bool fuses_unknown = false;       // one unknown token for a run of unknown characters
    bool strips_first_space = false;  // of what is decoded

    /// Pieces are written in GPT-2's alphabet.
    bool has_byte_letters() const;
    /// A text's first piece gets a mark in front, as llama.cpp's add_space_prefix says.
    bool has_space_prefix() const;
};

/// Reads a JSON object with the members normalizer, pre_tokenizer, decoder and added_tokens of a
/// tokenizer.json (Hugging Face tokenizers, format 1.0) and its model's ignore_merges and fuse_unk.
/// Errors: tokenizer_unsupported naming the component; invalid_json; limit_exceeded.
Result<TextRules> parse_text_rules(std::string_view json);

/// The tokenizer.ggml.pre by which llama.cpp cuts as these rules do; "" when none is known.
std::string_view known_name_of(const TextRules& rules);

}  // namespace teetee::model
