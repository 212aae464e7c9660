// SPDX-License-Identifier: Apache-2.0
#include "attest/event_log.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    (void)teetee::attest::replay_event_log(teetee::as_text({data, size}));
    return 0;
}
