// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "model/gguf.hpp"

/// Whatever was accepted must be readable to its last byte and keep the promises of the header.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee::model;
    const auto gguf = Gguf::parse({data, size});
    if (!gguf) return 0;
    unsigned sum = 0;
    for (const GgufEntry& entry : gguf->entries()) {
        TT_ASSERT(gguf->find(entry.key) == &entry);
        for (const uint8_t byte : entry.encoded) sum += byte;
        // Only that they return is of interest.
        sum += gguf->u32(entry.key).has_value() ? 1 : 0;
        sum += gguf->f32(entry.key).has_value() ? 1 : 0;
        sum += gguf->boolean(entry.key).has_value() ? 1 : 0;
        sum += gguf->string(entry.key).has_value() ? 1 : 0;
        const auto strings = gguf->array(entry.key, GgufType::string);
        if (strings) TT_ASSERT((*strings)->strings.size() == (*strings)->count);
    }
    for (const GgufTensor& tensor : gguf->tensors()) {
        TT_ASSERT(gguf->find_tensor(tensor.name) == &tensor);
        TT_ASSERT(tensor.offset % gguf->alignment() == 0);
        TT_ASSERT(gguf->data(tensor).size() == tensor.bytes && tensor.bytes > 0);
        for (const uint8_t byte : gguf->data(tensor)) sum += byte;
    }
    volatile unsigned sink = sum;
    (void)sink;
    return 0;
}
