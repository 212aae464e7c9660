// SPDX-License-Identifier: Apache-2.0
#include "attest/verify.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    static const attest::TrustedRoots roots = attest::TrustedRoots::intel();
    (void)attest::verify_quote(ByteView(data, size), roots, 1'750'000'000);
    return 0;
}
