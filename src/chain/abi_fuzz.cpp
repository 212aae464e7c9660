// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "chain/abi_contract.hpp"

namespace {

using namespace teetee;

// The types' text, a zero byte, the values.
void decode_by_types(ByteView text, ByteView data) {
    const auto type = chain::parse_abi_type(as_text(text));
    if (!type) return;
    // A name without sizes of integers is shorter than the canonical one, which may then be too
    // long.
    if (const auto again = chain::parse_abi_type(type->name())) TT_ASSERT(*again == *type);
    const std::span types(&*type, 1);
    const auto values = chain::decode_abi(types, data);
    if (!values) return;
    const auto encoded = chain::encode_abi(types, *values);
    TT_ASSERT(encoded);
    // The canonical encoding of what was read reads as the same.
    TT_ASSERT(chain::decode_abi(types, *encoded).value() == *values);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ByteView bytes(data, size);
    const auto zero = std::find(bytes.begin(), bytes.end(), uint8_t{0});
    if (zero != bytes.end()) {
        const auto text_bytes = static_cast<size_t>(zero - bytes.begin());
        decode_by_types(bytes.first(text_bytes), bytes.subspan(text_bytes + 1));
    }
    static const std::vector<chain::AbiError> known = {
        {.name = "Known",
         .selector = {0, 0, 0, 1},
         .types = chain::abi_types({"bytes[]", "int8"})}};
    (void)chain::describe_revert(bytes, known);
    static const chain::AbiEvent event = {
        .topic = {},
        .fields = {{chain::abi_types({"string"})[0], true},
                   {chain::abi_types({"(bytes,uint8)[]"})[0], false}}};
    const std::vector<Digest> topics(2);
    (void)chain::decode_event(event, {.topics = topics, .data = bytes});
    return 0;
}
