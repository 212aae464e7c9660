// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "base/bytes.hpp"

namespace teetee::sealed {

// The parts that requests and answers have in common.

/// Names in lower case, as net::HttpHeaders.
using Headers = std::map<std::string, std::string, std::less<>>;

/// u16 count, then each name and value with its length (u32), in the order of the names.
/// Error: invalid_argument for what read_headers would refuse.
Result<void> write_headers(ByteWriter& out, const Headers& headers);

/// Strict: names of a-z, 0-9 and '-', each once and in order; values of printable ASCII; all
/// within limits.hpp. Error: sealed_malformed.
Result<Headers> read_headers(ByteReader& reader);

/// u32 length, then the bytes. Error: sealed_malformed where they are not all there.
Result<ByteView> read_length_prefixed(ByteReader& reader);

/// Zeros up to the end. Error: sealed_malformed.
Result<void> read_padding(ByteReader& reader);

/// The error of a reader that found less than it needs.
Error malformed(std::string_view what, const Error& error);

}  // namespace teetee::sealed
