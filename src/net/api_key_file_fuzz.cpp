// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "net/api_key_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto keys = net::parse_api_keys(as_text({data, size}));
    if (!keys) return 0;
    const auto again = net::parse_api_keys(net::encode_api_keys(*keys));
    TT_ASSERT(again && *again == *keys);
    return 0;
}
