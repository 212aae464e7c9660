// SPDX-License-Identifier: Apache-2.0
#include "attest/peer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const attest::PeerExpectation expectation;
    attest::Policy policy;
    policy.roots.add_intel();
    (void)attest::verify_peer({data, size}, expectation, policy, 1'800'000'000);
    return 0;
}
