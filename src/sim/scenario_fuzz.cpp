// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "sim/scenario.hpp"

// Whatever parses is within the ranges that the world is made for.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto scenario = sim::parse_scenario(as_text({data, size}));
    if (scenario) {
        TT_ASSERT(scenario->slots >= 2 && scenario->slots <= 8);
        TT_ASSERT(scenario->entries >= 1 && scenario->entries <= 8);
        TT_ASSERT(scenario->replicas >= 1 && scenario->replicas <= 8);
        TT_ASSERT(scenario->prompt_tokens_max + scenario->answer_tokens_max <= 512);
        TT_ASSERT(scenario->positions >= 512 && scenario->sequences >= 1);
    }
    return 0;
}
