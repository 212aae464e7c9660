// SPDX-License-Identifier: Apache-2.0
#include "billing/ledger.hpp"

namespace teetee::billing {

Result<Credits> price_of(const chain::Prices& prices, uint64_t prompt_tokens,
                         uint64_t completion_tokens) {
    Credits prompt = 0;
    Credits completion = 0;
    Credits sum = 0;
    if (__builtin_mul_overflow(prices.prompt, prompt_tokens, &prompt) ||
        __builtin_mul_overflow(prices.completion, completion_tokens, &completion) ||
        __builtin_add_overflow(prompt, completion, &sum)) {
        return fail(ErrorCode::amount_overflow, "tokens at these prices cost too much to count");
    }
    return sum;
}

}  // namespace teetee::billing
