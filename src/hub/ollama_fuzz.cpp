// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "hub/limits.hpp"
#include "hub/ollama.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto manifest = hub::parse_ollama_manifest(as_text({data, size}));
    if (!manifest) return 0;
    TT_ASSERT(manifest->model.digest.hex.size() == 64);
    TT_ASSERT(manifest->model.bytes <= hub::file_bytes_max);
    TT_ASSERT(manifest->texts.size() <= hub::layers_max);
    return 0;
}
