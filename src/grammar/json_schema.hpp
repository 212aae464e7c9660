// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/request.hpp"
#include "base/result.hpp"
#include "grammar/grammar.hpp"

namespace teetee::grammar {

/// The JSON texts that fit a schema (JSON Schema 2020-12, https://json-schema.org; older drafts'
/// "definitions" and lists under "items" as well). docs/api.md lists the keywords. The texts are
/// some of those that fit, never others: members stand in the schema's order, numbers beside a
/// bound have no exponent. A keyword that says something about values and is not supported is an
/// error, so that no answer is less than the schema asks for.
/// Errors: grammar_invalid with the place in the schema, grammar_too_complex.
Result<Grammar> parse_json_schema(std::string_view source);

/// Any JSON object.
Result<Grammar> any_json_object();

/// Of each kind but none, which MUST NOT be asked for.
Result<Grammar> grammar_of(const Constraint& constraint);

}  // namespace teetee::grammar
