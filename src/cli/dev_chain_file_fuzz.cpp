// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "cli/dev_chain_file.hpp"

// What parses can be written down and parses again to the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto file = cli::parse_dev_chain_file(as_text({data, size}));
    if (!file) return 0;
    const auto again = cli::parse_dev_chain_file(cli::encode_dev_chain_file(*file));
    TT_ASSERT(again && *again == *file);
    return 0;
}
