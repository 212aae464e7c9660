// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "net/address.hpp"

/// What parses is written back and parses to the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
    using namespace teetee;
    const auto text = as_text(ByteView(data, bytes));
    if (const auto address = net::parse_address(text)) {
        const auto again = net::parse_address(to_string(*address));
        TT_ASSERT(again && *again == *address);
    }
    if (const auto url = net::parse_url(text)) TT_ASSERT(url->target.starts_with('/'));
    return 0;
}
