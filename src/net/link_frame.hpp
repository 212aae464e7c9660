// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/bytes.hpp"

namespace teetee::net {

/// What is in a frame. Links of version 1 had no kinds: what their hello has in its place, 1, is
/// none.
enum class FrameKind : uint8_t {
    /// The first of each side, once: a version and a proof.
    hello = 2,
    data = 3,
    /// A certificate (DER) in place of the one that the sender has shown before.
    evidence = 4,
};

struct Frame {
    FrameKind kind{};
    Bytes bytes;

    bool operator==(const Frame&) const = default;
};

/// How many bytes a frame of each kind may have; a kind without a number may not come at all.
struct FrameLimits {
    std::optional<size_t> hello;
    std::optional<size_t> data;
    std::optional<size_t> evidence;
};

/// Cuts the byte stream of a link into frames: u32 length (little-endian), u8 kind, then that many
/// bytes. Memory grows only with bytes that have come, whatever a length claims.
class FrameDecoder {
  public:
    explicit FrameDecoder(const FrameLimits& limits) : limits_(limits) {}

    /// Takes bytes off the front of `input` until a frame is whole or the input is used up
    /// (nullopt). Errors, after which the stream is unusable: frame_malformed (a kind that may not
    /// come), frame_too_large.
    Result<std::optional<Frame>> next(ByteView& input);

  private:
    static constexpr size_t header_bytes = 5;
    struct Header {
        size_t frame_bytes = 0;
        FrameKind kind{};
    };
    Result<Header> read_header() const;

    FrameLimits limits_;
    ByteArray<header_bytes> header_{};
    size_t header_bytes_seen_ = 0;
    Bytes frame_;
};

/// What goes in front of a frame. Its length MUST fit a u32.
ByteArray<5> encode_frame_header(FrameKind kind, size_t frame_bytes);

}  // namespace teetee::net
