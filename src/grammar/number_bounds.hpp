// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "grammar/rules.hpp"

namespace teetee::grammar {

/// minimum, maximum, exclusiveMinimum or exclusiveMaximum is there.
bool has_bounds(const boost::json::object& flat);

/// Numbers, or integers only, between the bounds that a flat schema sets. Errors: grammar_invalid
/// for bounds beyond 10^15, or with more than six digits behind the point.
Result<ExpressionId> bounded_integers(Rules& rules, const boost::json::object& flat,
                                      const std::string& path);
Result<ExpressionId> bounded_numbers(Rules& rules, const boost::json::object& flat,
                                     const std::string& path);

}  // namespace teetee::grammar
