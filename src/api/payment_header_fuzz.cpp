// SPDX-License-Identifier: Apache-2.0
#include "api/payment_header.hpp"
#include "base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto claim = api::parse_payment(text);
    if (!claim) return 0;
    // One form, but for the case of hex digits.
    const auto again = api::parse_payment(api::encode_payment(*claim));
    TT_ASSERT(again && api::encode_payment(*again) == api::encode_payment(*claim));
    return 0;
}
