// SPDX-License-Identifier: Apache-2.0
#include "net/link_frame.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace teetee::net {
namespace {

/// Reserved on the word of a length alone.
constexpr size_t trusted_bytes_max = 64u << 10;

}  // namespace

Result<std::optional<Bytes>> FrameDecoder::next(ByteView& input) {
    while (length_bytes_ < length_.size()) {
        if (input.empty()) return std::optional<Bytes>();
        length_[length_bytes_++] = input.front();
        input = input.subspan(1);
    }
    TT_TRY(const size_t frame_bytes, ByteReader(length_).read_u32());
    if (frame_bytes > frame_bytes_max_) {
        return fail(ErrorCode::frame_too_large, "frame: have " + std::to_string(frame_bytes) +
                                                    " bytes, need at most " +
                                                    std::to_string(frame_bytes_max_));
    }
    if (frame_.empty()) frame_.reserve(std::min(frame_bytes, trusted_bytes_max));
    const size_t taken = std::min(frame_bytes - frame_.size(), input.size());
    frame_.insert(frame_.end(), input.begin(), input.begin() + static_cast<ptrdiff_t>(taken));
    input = input.subspan(taken);
    if (frame_.size() < frame_bytes) return std::optional<Bytes>();
    length_bytes_ = 0;
    return std::optional<Bytes>(std::exchange(frame_, {}));
}

ByteArray<4> encode_frame_length(size_t frame_bytes) {
    TT_ASSERT(frame_bytes <= std::numeric_limits<uint32_t>::max());
    ByteArray<4> out{};
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<uint8_t>(frame_bytes >> (8 * i));
    return out;
}

}  // namespace teetee::net
