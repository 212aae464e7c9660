// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/limits.hpp"
#include "wire/message.hpp"

namespace teetee::wire {

inline constexpr uint16_t frame_version = 9;

/// A frame: u16 version, u32 header bytes (both little-endian), the header (wire.proto), and as
/// payload the activations of a Forward, the log-probabilities of Tokens, the statements and quotes
/// of a Probe, the leaves of a Record, a Quote's quote, or the body of a SignOff. Where a frame
/// ends is the transport's to say. The message MUST keep its own invariants (activations are whole
/// rows in their format) and the limits its receiver will apply.
Bytes encode(const Frame& frame);

/// Strict: a message has exactly one encoding, so unknown and repeated fields are refused as well.
/// Errors: version_unsupported (other version or kind of message), frame_too_large,
/// limit_exceeded (a count above its limit), frame_malformed, invalid_argument (sampling options).
Result<Frame> decode(ByteView frame, const Limits& limits);

}  // namespace teetee::wire
