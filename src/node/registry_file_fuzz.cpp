// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "node/registry_file.hpp"

// What parses can be written down and parses again to the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto entries = node::parse_registry(as_text({data, size}));
    if (entries) {
        const auto again = node::parse_registry(node::encode_registry(*entries));
        TT_ASSERT(again && *again == *entries);
    }
    return 0;
}
