// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "attest/receipt_check.hpp"
#include "attest/receipt_json.hpp"
#include "base/assert.hpp"

/// What is accepted is in its one form, and checking it needs no trust in it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto receipt = teetee::attest::parse_receipt(text);
    if (!receipt) return 0;
    TT_ASSERT(text.starts_with(teetee::attest::encode_receipt(*receipt)));
    for (const bool needs_fresh_quotes : {false, true}) {
        const auto report = teetee::attest::check_receipt(
            *receipt, {.peers = {}, .needs_fresh_quotes = needs_fresh_quotes}, {});
        TT_ASSERT(!report.is_accepted());
    }
    return 0;
}
