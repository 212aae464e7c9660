// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "client/entry_list.hpp"
#include "client/limits.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto entries = client::parse_entry_list(as_text({data, size}));
    if (entries) TT_ASSERT(entries->size() <= client::entries_max);
    return 0;
}
