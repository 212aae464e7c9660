// SPDX-License-Identifier: Apache-2.0
#include "attest/pck.hpp"

// The input as a chain in PEM, as one certificate in DER, and as the SGX extension of one.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const ByteView input(data, size);
    const auto chain = attest::parse_pck_chain(input);
    if (chain) {
        attest::TrustedRoots roots;
        (void)roots.add_pem(attest::pem_of_certificate(chain->root.der));
        (void)attest::verify_pck_chain(*chain, roots, 1'750'000'000);
    }
    const auto certificate = attest::parse_certificate(input);
    if (certificate) {
        (void)attest::verify_issued({.subject = *certificate, .issuer = *certificate});
        (void)attest::display_name(*certificate);
    }
    (void)attest::parse_sgx_extension(input);
    return 0;
}
