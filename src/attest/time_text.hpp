// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/world.hpp"

namespace teetee::attest {

/// "2026-01-12T16:27:21Z", the only form of ISO 8601 that Intel's documents use; years 1970 to
/// 9999. Error: invalid_argument.
Result<UnixSeconds> parse_utc(std::string_view text);

/// The same form; a time that it cannot write comes as its number.
std::string format_utc(UnixSeconds time);

/// "1768235241 (2026-01-12T16:27:21Z)", for error texts.
std::string describe_time(UnixSeconds time);

}  // namespace teetee::attest
