// SPDX-License-Identifier: Apache-2.0
#include "api/api_keys.hpp"
#include "base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto keys = api::parse_key_file(as_text({data, size}));
    if (keys) TT_ASSERT(api::parse_key_file(api::encode_key_file(*keys)) == *keys);
    return 0;
}
