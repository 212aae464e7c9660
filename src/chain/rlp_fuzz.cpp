// SPDX-License-Identifier: Apache-2.0
#include "chain/test_rlp_tree.hpp"

// What is read has no other encoding.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const ByteView bytes(data, size);
    if (const auto tree = chain::decode_rlp_tree(bytes))
        TT_ASSERT(chain::encode_rlp_tree(*tree) == Bytes(data, data + size));
    chain::RlpReader reader(bytes);
    while (reader.number() || reader.number_u64() || reader.array<20>()) {
    }
    return 0;
}
