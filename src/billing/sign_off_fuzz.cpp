// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "billing/sign_off.hpp"

/// Whatever a stage is shown: it can be read in one way, and what nobody has signed is not signed.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const ByteView bytes(data, size);
    const auto ask = billing::decode_sign_off_ask(bytes);
    if (!ask) return 0;
    TT_ASSERT(std::ranges::equal(billing::encode_sign_off_ask(*ask).value(), bytes));
    static const crypto::SecpKey key = crypto::SecpKey::from_bytes(ByteArray<32>{1}).value();
    attest::Statement statement;
    statement.chain_id = 1;
    statement.contract = {1};
    statement.pool = ask->batch.pool;
    statement.receipt_address = key.address();
    TT_ASSERT(!billing::sign_off(key, statement, bytes));
    return 0;
}
