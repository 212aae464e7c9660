// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "net/http_decoder.hpp"

/// The first byte chooses how the rest is sliced; both decoders keep their limits.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
    using namespace teetee;
    if (bytes == 0) return 0;
    const size_t step = size_t{data[0]} + 1;
    const ByteView stream(data + 1, bytes - 1);
    const net::HttpLimits limits = {.header_bytes_max = 256, .body_bytes_max = 64};
    const auto slice = [&](size_t at) {
        return stream.subspan(at, std::min(step, stream.size() - at));
    };

    net::HttpRequestDecoder requests(limits);
    for (size_t at = 0; at < stream.size(); at += step) {
        auto state = requests.feed(slice(at));
        while (state && *state == net::HttpRequestDecoder::State::complete) {
            TT_ASSERT(requests.take().request.body.size() <= limits.body_bytes_max);
            state = requests.feed({});
        }
        if (!state) break;
    }
    net::HttpResponseDecoder response({.limits = limits});
    for (size_t at = 0; at < stream.size() && !response.complete(); at += step) {
        if (!response.feed(slice(at))) return 0;
        TT_ASSERT(response.take_body().size() <= limits.body_bytes_max);
    }
    (void)response.feed_end();
    return 0;
}
