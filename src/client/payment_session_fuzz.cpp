// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "client/payment_session.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto session = client::parse_payment_session(as_text({data, size}));
    if (!session) return 0;
    const auto text = client::encode_payment_session(*session);
    const auto again = client::parse_payment_session(as_text(text));
    TT_ASSERT(again && client::encode_payment_session(*again) == text);
    return 0;
}
