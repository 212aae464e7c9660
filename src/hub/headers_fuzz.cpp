// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "hub/headers.hpp"
#include "net/address.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto text = as_text({data, size});
    if (const auto range = hub::parse_content_range(text)) {
        TT_ASSERT(range->range.begin < range->range.end);
        TT_ASSERT(!range->total || range->range.end <= *range->total);
    }
    (void)hub::parse_unsatisfied_range(text);
    if (const auto wait = hub::parse_retry_after(text, 1'800'000'000)) {
        TT_ASSERT(*wait >= Duration{});
    }
    if (const auto to = hub::resolve_location("https://a/b", text)) {
        TT_ASSERT(net::parse_url(*to)->tls);
    }
    TT_ASSERT(hub::parse_next_link(text).size() <= text.size());
    TT_ASSERT(hub::bare_etag(text).size() <= text.size());
    (void)hub::origin_of(text);
    return 0;
}
