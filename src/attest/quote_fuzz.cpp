// SPDX-License-Identifier: Apache-2.0
#include "attest/verify.hpp"

// The whole input as a quote, and as a certificate chain, which a quote would hide behind sizes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    static const attest::TrustedRoots roots = attest::TrustedRoots::intel();
    const ByteView input(data, size);
    (void)attest::verify_quote(input, roots, 1'800'000'000);
    (void)attest::parse_pck_chain(input);
    (void)attest::parse_sgx_extension(input);
    return 0;
}
