// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "net/link_frame.hpp"

/// The first byte chooses how the rest is sliced; frames come out the same as from one piece, none
/// longer than its kind allows and none of a kind that is not due.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
    using namespace teetee;
    if (bytes == 0) return 0;
    const size_t slice_bytes = size_t{data[0]} + 1;
    const ByteView stream(data + 1, bytes - 1);
    constexpr net::FrameLimits limits{.hello = std::nullopt, .data = 1024, .evidence = 64};

    const auto decode = [&](size_t step) {
        net::FrameDecoder decoder(limits);
        std::vector<net::Frame> frames;
        for (size_t at = 0; at < stream.size(); at += step) {
            ByteView slice = stream.subspan(at, std::min(step, stream.size() - at));
            while (true) {
                auto frame = decoder.next(slice);
                if (!frame) return frames;
                if (!frame->has_value()) break;
                const bool is_data = (*frame)->kind == net::FrameKind::data;
                TT_ASSERT(is_data || (*frame)->kind == net::FrameKind::evidence);
                TT_ASSERT((*frame)->bytes.size() <= (is_data ? *limits.data : *limits.evidence));
                frames.push_back(std::move(**frame));
            }
        }
        return frames;
    };
    TT_ASSERT(decode(slice_bytes) == decode(std::max<size_t>(stream.size(), 1)));
    return 0;
}
