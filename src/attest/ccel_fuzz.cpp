// SPDX-License-Identifier: Apache-2.0
#include "attest/ccel.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    (void)teetee::attest::replay_ccel({data, size});
    return 0;
}
