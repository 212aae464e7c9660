// SPDX-License-Identifier: Apache-2.0
#include "attest/image_measurements.hpp"
#include "base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto images = attest::parse_image_measurements(as_text({data, size}));
    TT_ASSERT(!images || !images->empty());
    return 0;
}
