// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "billing/payment_header.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto claim = billing::parse_payment(text);
    if (!claim) return 0;
    // One form, but for the case of hex digits.
    const auto again = billing::parse_payment(billing::encode_payment(*claim));
    TT_ASSERT(again && billing::encode_payment(*again) == billing::encode_payment(*claim));
    return 0;
}
