// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace teetee {

/// Prints the expression and its place, then aborts. For programmer errors only, never for input.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace teetee

/// Stays on in release builds: a node that has lost its invariants must not go on with secrets.
#define TT_ASSERT(expression) \
    ((expression) ? (void)0 : ::teetee::assertion_failed(#expression, __FILE__, __LINE__))
