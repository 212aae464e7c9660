// SPDX-License-Identifier: Apache-2.0
#include "jinja/token_stream.hpp"

namespace teetee::jinja {

Error TokenStream::malformed(const std::string& what) const {
    return fail(ErrorCode::template_malformed, "line " + std::to_string(peek().line) + ": " + what);
}

Error TokenStream::unexpected(const std::string& needed) const {
    const Token& token = peek();
    std::string have = token.text.empty() ? "" : quote_foreign(token.text);
    switch (token.kind) {
        case TokenKind::end:
            have = "the end of the template";
            break;
        case TokenKind::block_end:
        case TokenKind::output_end:
            have = "the end of the tag";
            break;
        case TokenKind::string:
            have = "a string";
            break;
        default:
            break;
    }
    return malformed("have " + have + ", need " + needed);
}

Result<void> TokenStream::expect_mark(std::string_view mark) {
    if (!skip_mark(mark)) return unexpected("'" + std::string(mark) + "'");
    return {};
}

Result<void> TokenStream::expect(TokenKind kind, std::string_view what) {
    if (!at(kind)) return unexpected(std::string(what));
    next();
    return {};
}

Result<std::string> TokenStream::expect_name() {
    if (!at(TokenKind::name)) return unexpected("a name");
    return std::move(next().text);
}

Symbol TokenStream::symbol(const std::string& name) {
    const auto [place, is_new] = symbols_.try_emplace(name, static_cast<Symbol>(names_.size()));
    if (is_new) names_.push_back(name);
    if (place->second < mentions_.size()) mentions_[place->second] = true;
    return place->second;
}

Result<void> TokenStream::enter() {
    if (depth_ == nesting_depth_max) {
        return fail(ErrorCode::limit_exceeded, "line " + std::to_string(peek().line) +
                                                   ": nested too deep, need at most " +
                                                   std::to_string(nesting_depth_max) + " levels");
    }
    ++depth_;
    return {};
}

}  // namespace teetee::jinja
