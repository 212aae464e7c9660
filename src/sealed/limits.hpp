// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/world.hpp"

namespace teetee::sealed {

/// A sealed request as a whole is a power of two from here to there; an entry's HTTP server takes
/// no longer body.
inline constexpr size_t request_bytes_min = 4u << 10;
inline constexpr size_t request_bytes_max = 1u << 20;
/// The plaintext of a record of an answer, likewise. The least holds an event of one token.
inline constexpr size_t record_bytes_min = 512;
inline constexpr size_t record_bytes_max = 64u << 10;

inline constexpr size_t headers_max = 16;
inline constexpr size_t header_name_bytes_max = 64;
inline constexpr size_t header_value_bytes_max = 4u << 10;

/// How far a request's time may be from the entry's, to either side.
inline constexpr UnixSeconds request_time_off_s_max = 120;
/// Requests that an entry remembers, of the last 2 * request_time_off_s_max seconds: about 13 MiB.
inline constexpr size_t remembered_requests_max = 128u << 10;

}  // namespace teetee::sealed
