// SPDX-License-Identifier: Apache-2.0
#include "jinja/parser.hpp"

#include <algorithm>

#include "jinja/expression_parser.hpp"

namespace teetee::jinja {
namespace {

/// Statements; the expressions in them are read by ExpressionParser.
class Parser {
  public:
    explicit Parser(std::vector<Token> tokens)
        : tokens_(std::move(tokens)), expressions_(tokens_) {}

    Result<Syntax> run();

  private:
    using Words = std::initializer_list<std::string_view>;

    /// Up to a block tag that begins with one of the words, which is left behind "{%".
    Result<Body> body(Words ends);
    /// As body, and consumes that tag, which holds nothing else.
    Result<Body> body_until(std::string_view end);
    Result<Statement> statement();
    Result<void> end_of_tag() { return tokens_.expect(TokenKind::block_end, "the end of the tag"); }

    Result<If> if_block();
    Result<For> for_block();
    Result<Statement> set();
    Result<FilterBlock> filter_block();
    Result<With> with_block();
    Result<Macro> macro();
    Result<CallBlock> call_block();
    Result<void> parameters(Macro& macro);
    Result<void> macro_body(Macro& macro, std::string_view end);
    Result<Scoped> scoped(std::string_view end);

    Result<Target> target(Words ends);
    Result<Target> single_target();

    TokenStream tokens_;
    ExpressionParser expressions_;
    size_t loop_depth_ = 0;
};

Result<Syntax> Parser::run() {
    Syntax syntax;
    TT_TRY(syntax.body, body({}));
    syntax.names = std::move(tokens_.names());
    return syntax;
}

Result<Body> Parser::body(Words ends) {
    TT_CHECK(tokens_.enter());
    Body out;
    while (!tokens_.at(TokenKind::end)) {
        Statement next;
        next.line = tokens_.peek().line;
        if (tokens_.at(TokenKind::data)) {
            next.node = Data{Text::trusted(tokens_.next().text)};
        } else if (tokens_.at(TokenKind::output_begin)) {
            tokens_.next();
            TT_TRY(auto value, expressions_.tuple());
            TT_CHECK(tokens_.expect(TokenKind::output_end, "the end of the tag"));
            next.node = Output{std::move(value)};
        } else {
            tokens_.next();
            const bool ended = std::any_of(ends.begin(), ends.end(), [&](std::string_view word) {
                return tokens_.at_word(word);
            });
            if (ended) {
                tokens_.leave();
                return out;
            }
            TT_TRY(next, statement());
        }
        out.push_back(std::move(next));
    }
    if (ends.size() > 0) return tokens_.unexpected("{% " + std::string(*(ends.end() - 1)) + " %}");
    tokens_.leave();
    return out;
}

Result<Body> Parser::body_until(std::string_view end) {
    TT_TRY(auto out, body({end}));
    tokens_.next();
    TT_CHECK(end_of_tag());
    return out;
}

Result<Statement> Parser::statement() {
    const uint32_t line = tokens_.peek().line;
    TT_TRY(const auto word, tokens_.expect_name());
    Statement out;
    if (word == "set") {
        TT_TRY(out, set());
    } else if (word == "if") {
        TT_TRY(out.node, if_block());
    } else if (word == "for") {
        TT_TRY(out.node, for_block());
    } else if (word == "macro") {
        TT_TRY(out.node, macro());
    } else if (word == "call") {
        TT_TRY(out.node, call_block());
    } else if (word == "filter") {
        TT_TRY(out.node, filter_block());
    } else if (word == "with") {
        TT_TRY(out.node, with_block());
    } else if (word == "generation") {
        TT_TRY(out.node, scoped("endgeneration"));
    } else if (word == "break" || word == "continue") {
        if (loop_depth_ == 0) return tokens_.malformed("'" + word + "' outside of a loop");
        TT_CHECK(end_of_tag());
        if (word == "break") {
            out.node = Break{};
        } else {
            out.node = Continue{};
        }
    } else if (word == "include" || word == "import" || word == "from" || word == "extends" ||
               word == "block" || word == "do" || word == "autoescape" || word == "trans") {
        return fail(ErrorCode::template_unsupported,
                    "line " + std::to_string(line) + ": the tag '" + word + "' is not supported");
    } else {
        return tokens_.malformed("unknown tag " + quote_foreign(word));
    }
    out.line = line;
    return out;
}

Result<If> Parser::if_block() {
    If out;
    for (bool goes_on = true; goes_on;) {
        Branch branch;
        TT_TRY(branch.condition, expressions_.tuple(Conditionals::refused));
        TT_CHECK(end_of_tag());
        TT_TRY(branch.body, body({"elif", "else", "endif"}));
        out.branches.push_back(std::move(branch));
        goes_on = tokens_.skip_word("elif");
    }
    if (tokens_.skip_word("else")) {
        TT_CHECK(end_of_tag());
        Branch branch;
        TT_TRY(branch.body, body({"endif"}));
        out.branches.push_back(std::move(branch));
    }
    tokens_.next();
    TT_CHECK(end_of_tag());
    return out;
}

Result<For> Parser::for_block() {
    For out;
    TT_TRY(out.target, target({"in"}));
    if (!tokens_.skip_word("in")) return tokens_.unexpected("'in'");
    TT_TRY(out.iterable, expressions_.tuple(Conditionals::refused));
    if (tokens_.skip_word("if")) {
        TT_TRY(out.filter, expressions_.expression());
    }
    out.is_recursive = tokens_.skip_word("recursive");
    TT_CHECK(end_of_tag());
    ++loop_depth_;
    TT_TRY(out.body, body({"else", "endfor"}));
    --loop_depth_;
    if (tokens_.skip_word("else")) {
        TT_CHECK(end_of_tag());
        TT_TRY(out.otherwise, body({"endfor"}));
    }
    tokens_.next();
    TT_CHECK(end_of_tag());
    return out;
}

Result<Target> Parser::single_target() {
    Target out;
    if (tokens_.skip_mark("(")) {
        TT_TRY(out, target({}));
        TT_CHECK(tokens_.expect_mark(")"));
        return out;
    }
    TT_TRY(const auto name, tokens_.expect_name());
    static constexpr std::string_view constants[] = {"true", "false", "none",
                                                     "True", "False", "None"};
    if (std::find(std::begin(constants), std::end(constants), name) != std::end(constants))
        return tokens_.malformed("cannot assign to " + name);
    out.symbol = tokens_.symbol(name);
    if (tokens_.skip_mark(".")) {
        TT_TRY(out.attribute, tokens_.expect_name());
    }
    return out;
}

Result<Target> Parser::target(Words ends) {
    TT_CHECK(tokens_.enter());
    TT_TRY(auto first, single_target());
    if (tokens_.at_mark(",")) {
        Target several;
        several.items.push_back(std::move(first));
        while (tokens_.skip_mark(",")) {
            const bool ended = tokens_.at_mark("=") || tokens_.at_mark(")") ||
                               std::any_of(ends.begin(), ends.end(), [&](std::string_view word) {
                                   return tokens_.at_word(word);
                               });
            if (ended) break;
            TT_TRY(several.items.emplace_back(), single_target());
        }
        first = std::move(several);
    }
    tokens_.leave();
    return first;
}

Result<Statement> Parser::set() {
    Statement out;
    TT_TRY(auto to, target({}));
    if (tokens_.skip_mark("=")) {
        TT_TRY(auto value, expressions_.tuple());
        TT_CHECK(end_of_tag());
        out.node = Set{std::move(to), std::move(value)};
        return out;
    }
    SetBlock block;
    block.target = std::move(to);
    if (tokens_.skip_mark("|")) {
        TT_TRY(block.filters, expressions_.filter_chain(nullptr));
    }
    TT_CHECK(end_of_tag());
    TT_TRY(block.body, body_until("endset"));
    out.node = std::move(block);
    return out;
}

Result<FilterBlock> Parser::filter_block() {
    FilterBlock out;
    TT_TRY(out.filters, expressions_.filter_chain(nullptr));
    TT_CHECK(end_of_tag());
    TT_TRY(out.body, body_until("endfilter"));
    return out;
}

Result<With> Parser::with_block() {
    With out;
    while (!tokens_.at(TokenKind::block_end)) {
        if (!out.variables.empty()) TT_CHECK(tokens_.expect_mark(","));
        TT_TRY(auto to, single_target());
        TT_CHECK(tokens_.expect_mark("="));
        TT_TRY(auto value, expressions_.expression());
        out.variables.emplace_back(std::move(to), std::move(value));
    }
    TT_CHECK(end_of_tag());
    TT_TRY(out.body, body_until("endwith"));
    return out;
}

Result<void> Parser::parameters(Macro& macro) {
    TT_CHECK(tokens_.expect_mark("("));
    while (!tokens_.at_mark(")")) {
        if (!macro.parameters.empty()) {
            TT_CHECK(tokens_.expect_mark(","));
            if (tokens_.at_mark(")")) break;
        }
        Parameter parameter;
        TT_TRY(parameter.name, tokens_.expect_name());
        parameter.symbol = tokens_.symbol(parameter.name);
        if (tokens_.skip_mark("=")) {
            TT_TRY(parameter.fallback, expressions_.expression());
        } else if (!macro.parameters.empty() && macro.parameters.back().fallback != nullptr) {
            return tokens_.malformed("a parameter without a default behind one that has one");
        }
        macro.parameters.push_back(std::move(parameter));
    }
    tokens_.next();
    return {};
}

Result<void> Parser::macro_body(Macro& macro, std::string_view end) {
    TT_CHECK(end_of_tag());
    const size_t outer_loops = std::exchange(loop_depth_, 0);
    const TokenStream::Mentions outer = std::exchange(tokens_.mentions(), {});
    TT_TRY(macro.body, body_until(end));
    loop_depth_ = outer_loops;
    TokenStream::Mentions& mentions = tokens_.mentions();
    macro.takes_caller = mentions[symbol_caller];
    macro.takes_varargs = mentions[symbol_varargs];
    macro.takes_kwargs = mentions[symbol_kwargs];
    for (size_t i = 0; i < outer.size(); ++i) mentions[i] = mentions[i] || outer[i];
    return {};
}

Result<Macro> Parser::macro() {
    Macro out;
    TT_TRY(out.name, tokens_.expect_name());
    out.symbol = tokens_.symbol(out.name);
    TT_CHECK(parameters(out));
    TT_CHECK(macro_body(out, "endmacro"));
    return out;
}

Result<CallBlock> Parser::call_block() {
    CallBlock out;
    out.caller.name = "caller";
    out.caller.symbol = symbol_caller;
    if (tokens_.at_mark("(")) TT_CHECK(parameters(out.caller));
    TT_TRY(out.call, expressions_.unary());
    if (!std::holds_alternative<Call>(out.call->node)) return tokens_.unexpected("a call");
    TT_CHECK(macro_body(out.caller, "endcall"));
    return out;
}

Result<Scoped> Parser::scoped(std::string_view end) {
    TT_CHECK(end_of_tag());
    Scoped out;
    TT_TRY(out.body, body_until(end));
    return out;
}

}  // namespace

Result<Syntax> parse(std::string_view source) {
    TT_TRY(auto tokens, tokenize(source));
    return Parser(std::move(tokens)).run();
}

}  // namespace teetee::jinja
