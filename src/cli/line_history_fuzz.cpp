// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "cli/line_history.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    if (const auto lines = cli::parse_history(as_text({data, size}))) {
        const auto again = cli::parse_history(cli::encode_history(*lines));
        TT_ASSERT(again && *again == *lines);
    }
    return 0;
}
