// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/bytes.hpp"

namespace teetee::net {

/// Cuts the byte stream of a link into frames: u32 length (little-endian), then that many bytes.
/// Memory grows only with bytes that have come, whatever a length claims.
class FrameDecoder {
  public:
    explicit FrameDecoder(size_t bytes_max) : frame_bytes_max_(bytes_max) {}

    /// Takes bytes off the front of `input` until a frame is whole or the input is used up
    /// (nullopt). Error: frame_too_large; the stream is unusable then.
    Result<std::optional<Bytes>> next(ByteView& input);

  private:
    size_t frame_bytes_max_;
    /// The four bytes of the length, then the frame.
    ByteArray<4> length_{};
    size_t length_bytes_ = 0;
    Bytes frame_;
};

/// What goes in front of a frame of so many bytes. MUST fit a u32.
ByteArray<4> encode_frame_length(size_t frame_bytes);

}  // namespace teetee::net
