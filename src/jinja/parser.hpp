// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "jinja/ast.hpp"

namespace teetee::jinja {

/// Reads a template as Jinja 3 does with its loop controls and Hugging Face's generation blocks.
/// Errors: template_malformed with the line, template_unsupported for what reaches other templates
/// (include, import, extends), limit_exceeded, invalid_utf8.
Result<Syntax> parse(std::string_view source);

}  // namespace teetee::jinja
