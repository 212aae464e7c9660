// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "wire/codec.hpp"

/// Whatever is accepted has exactly one encoding.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const teetee::ByteView bytes(data, size);
    const auto frame = teetee::wire::decode(bytes, {});
    if (!frame) return 0;
    const teetee::Bytes again = teetee::wire::encode(*frame);
    TT_ASSERT(teetee::ByteView(again).size() == size);
    TT_ASSERT(std::equal(again.begin(), again.end(), bytes.begin()));
    return 0;
}
