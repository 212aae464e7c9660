// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "client/entry_terms.hpp"
#include "client/payer.hpp"
#include "client/receipt_anchor.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const std::string_view text = as_text({data, size});
    static_cast<void>(client::parse_entry_terms(text));
    static_cast<void>(client::parse_standing(text));
    static_cast<void>(client::parse_standing_comment(text));
    static_cast<void>(client::parse_receipt_anchor(text));
    return 0;
}
