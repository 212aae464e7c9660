// SPDX-License-Identifier: Apache-2.0
#include "net/link_frame.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace teetee::net {
namespace {

/// Reserved on the word of a length alone.
constexpr size_t trusted_bytes_max = 64u << 10;

std::optional<size_t> limit_of(const FrameLimits& limits, FrameKind kind) {
    switch (kind) {
        case FrameKind::hello:
            return limits.hello;
        case FrameKind::data:
            return limits.data;
        case FrameKind::evidence:
            return limits.evidence;
    }
    return std::nullopt;
}

}  // namespace

Result<FrameDecoder::Header> FrameDecoder::read_header() const {
    ByteReader reader(header_);
    TT_TRY(const size_t frame_bytes, reader.read_u32());
    TT_TRY(const uint8_t number, reader.read_u8());
    const auto kind = static_cast<FrameKind>(number);
    const auto bytes_max = limit_of(limits_, kind);
    if (!bytes_max) {
        return fail(ErrorCode::frame_malformed,
                    "frame: have kind " + std::to_string(number) + ", need one that is due");
    }
    if (frame_bytes > *bytes_max) {
        return fail(ErrorCode::frame_too_large, "frame: have " + std::to_string(frame_bytes) +
                                                    " bytes of kind " + std::to_string(number) +
                                                    ", need at most " + std::to_string(*bytes_max));
    }
    return Header{frame_bytes, kind};
}

Result<std::optional<Frame>> FrameDecoder::next(ByteView& input) {
    const size_t header_part = std::min(header_bytes - header_bytes_seen_, input.size());
    std::copy_n(input.begin(), header_part, header_.begin() + header_bytes_seen_);
    header_bytes_seen_ += header_part;
    input = input.subspan(header_part);
    if (header_bytes_seen_ < header_bytes) return std::optional<Frame>();
    TT_TRY(const Header header, read_header());
    if (frame_.empty()) frame_.reserve(std::min(header.frame_bytes, trusted_bytes_max));
    const size_t taken = std::min(header.frame_bytes - frame_.size(), input.size());
    frame_.insert(frame_.end(), input.begin(), input.begin() + static_cast<ptrdiff_t>(taken));
    input = input.subspan(taken);
    if (frame_.size() < header.frame_bytes) return std::optional<Frame>();
    header_bytes_seen_ = 0;
    return std::optional(Frame{header.kind, std::exchange(frame_, {})});
}

ByteArray<5> encode_frame_header(FrameKind kind, size_t frame_bytes) {
    TT_ASSERT(frame_bytes <= std::numeric_limits<uint32_t>::max());
    ByteArray<5> out{};
    for (size_t i = 0; i < 4; ++i) out[i] = static_cast<uint8_t>(frame_bytes >> (8 * i));
    out[4] = static_cast<uint8_t>(kind);
    return out;
}

}  // namespace teetee::net
