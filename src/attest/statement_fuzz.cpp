// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "attest/statement.hpp"
#include "base/assert.hpp"

// What decodes has one encoding.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const ByteView input(data, size);
    const auto statement = attest::decode_statement(input);
    if (statement) {
        const Bytes again = attest::encode_statement(*statement);
        TT_ASSERT(std::equal(again.begin(), again.end(), input.begin(), input.end()));
        (void)attest::statement_json(*statement);
    }
    return 0;
}
