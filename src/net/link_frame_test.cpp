// SPDX-License-Identifier: Apache-2.0
#include "net/link_frame.hpp"

#include <gtest/gtest.h>

namespace teetee::net {
namespace {

Bytes framed(std::string_view text) {
    ByteWriter writer;
    writer.length_prefixed(as_bytes(text));
    return writer.take();
}

TEST(link_frame, is_found_however_the_stream_is_sliced) {
    Bytes stream;
    for (const char* text : {"first", "", "third one"}) {
        const Bytes frame = framed(text);
        stream.insert(stream.end(), frame.begin(), frame.end());
    }
    for (size_t slice_bytes = 1; slice_bytes <= stream.size(); ++slice_bytes) {
        FrameDecoder decoder(9);
        std::string joined;
        for (size_t at = 0; at < stream.size(); at += slice_bytes) {
            ByteView slice = ByteView(stream).subspan(at);
            slice = slice.first(std::min(slice_bytes, slice.size()));
            while (true) {
                const auto frame = decoder.next(slice);
                ASSERT_TRUE(frame);
                if (!frame->has_value()) break;
                joined.append(as_text(**frame)).append("|");
            }
            EXPECT_TRUE(slice.empty());
        }
        EXPECT_EQ(joined, "first||third one|");
    }
}

TEST(link_frame, above_the_limit_is_refused_before_its_bytes_come) {
    FrameDecoder decoder(4);
    const Bytes stream = {5, 0, 0, 0};
    ByteView input = stream;
    EXPECT_EQ(decoder.next(input).error().code, ErrorCode::frame_too_large);
    const Bytes huge = {0xff, 0xff, 0xff, 0xff};
    FrameDecoder other(64u << 20);
    input = huge;
    EXPECT_EQ(other.next(input).error().code, ErrorCode::frame_too_large);
}

TEST(link_frame, length_is_little_endian) {
    EXPECT_EQ(encode_frame_length(0x01020304), (ByteArray<4>{4, 3, 2, 1}));
}

}  // namespace
}  // namespace teetee::net
