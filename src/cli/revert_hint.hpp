// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/error.hpp"

namespace teetee::cli {

/// Where the contract refused by an error that people can do something about (the error is
/// call_reverted and its detail begins with the name), what that is; else the error as it is.
Error with_hint(Error error);
/// How many errors there is something to say about.
size_t hint_count();

}  // namespace teetee::cli
