// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "grammar/grammar.hpp"

namespace teetee::grammar {

/// A grammar in GBNF, the notation of llama.cpp (its grammars/README.md):
///   root  ::= "yes" | "no" detail{1,3}   # rules; one of them is root
///   detail ::= ( " " [a-z0-9]+ "\u00e9"? [^\n,] . )*
/// Escapes in texts and sets: \n \r \t \\ \" \[ \] \xHH \uHHHH \UHHHHHHHH. Unlike there, a rule may
/// not be defined twice, nor begin with itself; tokens (<...>) are not supported.
/// Errors: grammar_invalid with the line, grammar_too_complex.
Result<Grammar> parse_gbnf(std::string_view source);

}  // namespace teetee::grammar
