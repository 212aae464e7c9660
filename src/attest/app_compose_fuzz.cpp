// SPDX-License-Identifier: Apache-2.0
#include "attest/app_compose.hpp"
#include "attest/limits.hpp"
#include "base/assert.hpp"

// What is read can be written, and written again is the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto app = attest::parse_app_compose(as_text({data, size}));
    if (app) {
        const std::string encoded = attest::encode_app_compose(*app);
        if (encoded.size() > attest::app_compose_bytes_max) return 0;
        const auto again = attest::parse_app_compose(encoded);
        TT_ASSERT(again && attest::encode_app_compose(*again) == encoded);
    }
    return 0;
}
