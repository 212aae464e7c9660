// SPDX-License-Identifier: Apache-2.0
#include "chain/transaction.hpp"

// What is read signs for the same bytes and costs something that can be told.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto decoded = chain::decode_transaction({data, size});
    if (!decoded) return 0;
    TT_ASSERT(decoded->raw == Bytes(data, data + size));
    (void)chain::signing_bytes(decoded->transaction);
    if (chain::ensure_sendable(decoded->transaction, 1))
        TT_ASSERT(decoded->transaction.gas_limit >= chain::intrinsic_gas(decoded->transaction));
    (void)chain::cost_max(decoded->transaction);
    return 0;
}
