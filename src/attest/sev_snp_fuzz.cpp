// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "attest/sev_snp.hpp"

// The input as a report; and as the certificate of the key that signed it and its issuers, where
// two bytes in front say where the one ends.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const ByteView input(data, size);
    (void)attest::parse_snp_report(input);
    if (size < 2) return 0;
    const ByteView chain = input.subspan(2);
    const size_t leaf_bytes = std::min(size_t{data[0]} + size_t{data[1]} * 256, chain.size());
    const attest::SnpChain parts = {.leaf = chain.first(leaf_bytes),
                                    .issuers = chain.subspan(leaf_bytes)};
    (void)attest::verify_snp_chain(parts, attest::amd_pins(), 1'740'000'000);
    return 0;
}
