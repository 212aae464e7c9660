// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "model/safetensors.hpp"

/// Whatever was accepted must cover the data exactly and be readable to its last byte.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee::model;
    const auto index = Safetensors::parse({data, size});
    if (!index) return 0;
    unsigned sum = 0;
    uint64_t end = 0;
    for (const SafetensorsTensor& tensor : index->tensors()) {
        TT_ASSERT(index->find(tensor.name) == &tensor);
        TT_ASSERT(index->data(tensor).size() == tensor.bytes);
        TT_ASSERT(end == 0 || tensor.offset == end);
        end = tensor.offset + tensor.bytes;
        for (const uint8_t byte : index->data(tensor)) sum += byte;
    }
    TT_ASSERT(index->tensors().empty() || end == size);
    volatile unsigned sink = sum;
    (void)sink;
    return 0;
}
