// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "hub/journal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto journal = hub::parse_journal(as_text({data, size}));
    if (!journal) return 0;
    TT_ASSERT(journal->done.bytes() <= journal->bytes);
    const auto again = hub::parse_journal(hub::encode_journal(*journal));
    TT_ASSERT(again && again->done.ranges() == journal->done.ranges());
    TT_ASSERT(again->validator == journal->validator && again->digest == journal->digest);
    return 0;
}
