// SPDX-License-Identifier: Apache-2.0
#include "attest/collateral.hpp"
#include "base/assert.hpp"

// The input as a bundle, as an answer of Intel's service, as each document, and as a list: what
// signatures keep from a bundle's inside reaches its parsers here.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    static const attest::TrustedRoots roots = attest::TrustedRoots::intel();
    const ByteView input(data, size);
    const std::string_view text = as_text(input);
    const auto collateral = attest::parse_collateral(text);
    if (collateral) {
        (void)attest::verify_collateral(*collateral, roots, 1'750'000'000);
        const auto again = attest::parse_collateral(attest::encode_collateral(*collateral));
        TT_ASSERT(again && *again == *collateral);
    }
    for (const char* key : {"tcbInfo", "enclaveIdentity"}) {
        const auto document = attest::parse_pcs_document(text, key);
        TT_ASSERT(!document || text.find(document->body) != std::string_view::npos);
    }
    (void)attest::parse_tcb_info(text);
    (void)attest::parse_qe_identity(text);
    (void)attest::parse_crl(input);
    return 0;
}
