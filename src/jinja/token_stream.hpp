// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "jinja/ast.hpp"
#include "jinja/lexer.hpp"
#include "jinja/limits.hpp"

namespace teetee::jinja {

/// What the two halves of the parser share: the tokens, the names seen, and the depth.
class TokenStream {
  public:
    explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {
        for (const char* name : {"loop", "caller", "varargs", "kwargs"}) symbol(name);
        mentions_ = {};
    }

    const Token& peek(size_t ahead = 0) const {
        return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
    }
    Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }

    bool at(TokenKind kind) const { return peek().kind == kind; }
    bool at_mark(std::string_view mark, size_t ahead = 0) const {
        return peek(ahead).kind == TokenKind::punctuation && peek(ahead).text == mark;
    }
    bool at_word(std::string_view word, size_t ahead = 0) const {
        return peek(ahead).kind == TokenKind::name && peek(ahead).text == word;
    }
    bool skip_mark(std::string_view mark) { return at_mark(mark) && (next(), true); }
    bool skip_word(std::string_view word) { return at_word(word) && (next(), true); }

    Result<void> expect_mark(std::string_view mark);
    Result<void> expect(TokenKind kind, std::string_view what);
    Result<std::string> expect_name();
    Error malformed(const std::string& what) const;
    /// "..., have X": where something else was needed.
    Error unexpected(const std::string& needed) const;

    Symbol symbol(const std::string& name);
    /// Which of the well-known names the current macro mentions.
    using Mentions = std::array<bool, 4>;
    Mentions& mentions() { return mentions_; }
    std::vector<std::string>& names() { return names_; }

    /// Error: limit_exceeded. Each success MUST be followed by leave().
    Result<void> enter();
    void leave() { --depth_; }

  private:
    std::vector<Token> tokens_;
    size_t at_ = 0;
    size_t depth_ = 0;
    Mentions mentions_{};
    std::vector<std::string> names_;
    std::unordered_map<std::string, Symbol> symbols_;
};

}  // namespace teetee::jinja
