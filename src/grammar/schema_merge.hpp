// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/result.hpp"

namespace teetee::grammar {

/// Error: grammar_invalid, "schema: #/properties/a: ...".
Error schema_invalid(const std::string& path, const std::string& what);

/// Works on the text of a JSON schema: follows $ref, puts allOf together.
class SchemaDocument {
  public:
    explicit SchemaDocument(boost::json::value root) : root_(std::move(root)) {}

    const boost::json::value& root() const { return root_; }

    /// What "$ref" points at in this document. Error: grammar_invalid.
    Result<const boost::json::value*> resolve(const boost::json::value& ref,
                                              const std::string& path) const;

    /// The schema as one object of checked keywords, without annotations, $ref, allOf and const
    /// (which becomes an enum); `false` becomes an empty enum. Values fit it exactly if they fit
    /// the schema. Errors: grammar_invalid for keywords that are unknown, of the wrong type, or
    /// that cannot be put together; grammar_too_complex.
    Result<boost::json::object> flatten(const boost::json::value& schema, const std::string& path);

  private:
    Result<boost::json::object> flatten_within(const boost::json::value& schema,
                                               const std::string& path, size_t depth);
    Result<void> count_values(const boost::json::value& value, const std::string& path);

    boost::json::value root_;
    size_t values_read_ = 0;
};

/// {"allOf": [a, b]}.
boost::json::value both_of(const boost::json::value& a, const boost::json::value& b);

/// JSON schema's names of types: those that `type` names, or that values of the enum have; all if
/// there is neither. "number" includes "integer".
std::set<std::string> accepted_types(const boost::json::object& flat);
/// The type of a value: "integer" where it is whole.
std::string type_of(const boost::json::value& value);
const std::set<std::string>& all_types();

}  // namespace teetee::grammar
