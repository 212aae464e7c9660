// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command.hpp"

namespace teetee::cli {

/// Prints what a check of evidence has found, as JSON or as "name: value" lines without the error,
/// and where it failed the error on stderr; sets the exit code to that of a "no".
void print_description(Session& session, const boost::json::object& description,
                       const Result<void>& checked);

}  // namespace teetee::cli
