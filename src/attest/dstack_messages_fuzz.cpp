// SPDX-License-Identifier: Apache-2.0
#include "attest/dstack_messages.hpp"
#include "attest/fresh_quote.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const std::string_view answer = as_text({data, size});
    if (auto quote = attest::parse_dstack_quote(answer)) {
        (void)attest::take_fresh_quote(std::move(*quote), {});
    }
    (void)attest::take_fresh_quote(Bytes(data, data + size), {});
    for (const auto api : {attest::DstackApi::current, attest::DstackApi::legacy}) {
        (void)attest::parse_dstack_key(api, answer, "fuzz");
    }
    (void)attest::dstack_error(answer);
    return 0;
}
