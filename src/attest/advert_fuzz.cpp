// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "attest/advert.hpp"
#include "base/assert.hpp"

// What decodes is valid and has one encoding; bytes that are at hand do not pass for its signature.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const ByteView input(data, size);
    const auto advert = attest::decode_advert(input);
    if (!advert) return 0;
    TT_ASSERT(attest::validate(*advert).has_value());
    const Bytes again = attest::encode_advert(*advert);
    TT_ASSERT(std::equal(again.begin(), again.end(), input.begin(), input.end()));
    crypto::RecoverableSignature signature{};
    std::copy(input.end() - 65, input.end(), signature.begin());
    TT_ASSERT(!attest::verify_advert(*advert, signature));
    return 0;
}
