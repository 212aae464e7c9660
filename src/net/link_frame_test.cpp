// SPDX-License-Identifier: Apache-2.0
#include "net/link_frame.hpp"

#include <gtest/gtest.h>

namespace teetee::net {
namespace {

constexpr FrameLimits limits{.hello = std::nullopt, .data = 9, .evidence = 4};

void append(Bytes& stream, const Frame& frame) {
    const auto header = encode_frame_header(frame.kind, frame.bytes.size());
    stream.insert(stream.end(), header.begin(), header.end());
    stream.insert(stream.end(), frame.bytes.begin(), frame.bytes.end());
}

ErrorCode refusal(const FrameLimits& chosen, const Bytes& stream) {
    FrameDecoder decoder(chosen);
    ByteView input = stream;
    return decoder.next(input).error().code;
}

TEST(link_frame, is_found_however_the_stream_is_sliced) {
    const std::vector<Frame> frames = {{FrameKind::data, {1, 2, 3, 4, 5}},
                                       {FrameKind::data, {}},
                                       {FrameKind::evidence, {6, 7}},
                                       {FrameKind::data, Bytes(9, 8)}};
    Bytes stream;
    for (const Frame& frame : frames) append(stream, frame);
    for (size_t slice_bytes = 1; slice_bytes <= stream.size(); ++slice_bytes) {
        FrameDecoder decoder(limits);
        std::vector<Frame> found;
        for (size_t at = 0; at < stream.size(); at += slice_bytes) {
            ByteView slice = ByteView(stream).subspan(at);
            slice = slice.first(std::min(slice_bytes, slice.size()));
            while (true) {
                const auto frame = decoder.next(slice);
                ASSERT_TRUE(frame);
                if (!frame->has_value()) break;
                found.push_back(**frame);
            }
            EXPECT_TRUE(slice.empty());
        }
        EXPECT_EQ(found, frames);
    }
}

TEST(link_frame, above_the_limit_of_its_kind_is_refused_before_its_bytes_come) {
    EXPECT_EQ(refusal(limits, {10, 0, 0, 0, 3}), ErrorCode::frame_too_large);
    EXPECT_EQ(refusal(limits, {5, 0, 0, 0, 4}), ErrorCode::frame_too_large);
    EXPECT_EQ(refusal(limits, {0xff, 0xff, 0xff, 0xff, 3}), ErrorCode::frame_too_large);
}

TEST(link_frame, of_a_kind_that_is_not_due_or_unknown_is_refused) {
    EXPECT_EQ(refusal(limits, {0, 0, 0, 0, 2}), ErrorCode::frame_malformed);
    for (const uint8_t kind : Bytes{0, 1, 5, 255}) {
        EXPECT_EQ(refusal(limits, {0, 0, 0, 0, kind}), ErrorCode::frame_malformed);
        EXPECT_EQ(refusal({.hello = 9, .data = 9, .evidence = 9}, {0, 0, 0, 0, kind}),
                  ErrorCode::frame_malformed);
    }
}

TEST(link_frame, header_is_a_little_endian_length_and_the_kind) {
    EXPECT_EQ(encode_frame_header(FrameKind::evidence, 0x01020304), (ByteArray<5>{4, 3, 2, 1, 4}));
}

}  // namespace
}  // namespace teetee::net
