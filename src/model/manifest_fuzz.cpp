// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "model/manifest.hpp"

/// What was accepted must be the one text of its manifest.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text = teetee::as_text({data, size});
    const auto manifest = teetee::model::parse_manifest(text);
    if (manifest) TT_ASSERT(teetee::model::encode_manifest(*manifest) == text);
    return 0;
}
