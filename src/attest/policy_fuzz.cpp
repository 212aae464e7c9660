// SPDX-License-Identifier: Apache-2.0
#include "attest/policy.hpp"
#include "base/assert.hpp"

// What parses can be written down and parses again to the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto policy = attest::parse_policy(as_text({data, size}));
    if (policy) {
        const std::string encoded = attest::encode_policy(*policy);
        const auto again = attest::parse_policy(encoded);
        TT_ASSERT(again && attest::encode_policy(*again) == encoded);
    }
    return 0;
}
