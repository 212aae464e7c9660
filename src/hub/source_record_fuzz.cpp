// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "hub/source_record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto record = hub::parse_source_record(as_text({data, size}));
    if (!record) return 0;
    const auto again = hub::parse_source_record(hub::encode_source_record(*record));
    TT_ASSERT(!again || *again == *record);
    return 0;
}
