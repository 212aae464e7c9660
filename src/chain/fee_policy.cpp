// SPDX-License-Identifier: Apache-2.0
#include "chain/fee_policy.hpp"

#include <algorithm>

namespace teetee::chain {
namespace {

Error too_high(const U256& need, const U256& ceiling) {
    return fail(ErrorCode::fee_too_high, "wei per gas: have a ceiling of " + ceiling.to_decimal() +
                                             ", need " + need.to_decimal());
}

Result<U256> raised(const U256& before) {
    TT_TRY(const U256::Quotient eighth, before.divided_by(8));
    TT_TRY(const U256 sum, before.plus(eighth.quotient));
    return sum.plus(1);
}

U256 tip_of(const FeeHistory& history, const FeeOptions& options) {
    std::vector<U256> tips;
    for (const std::vector<U256>& block : history.rewards) {
        if (!block.empty()) tips.push_back(block.front());
    }
    std::ranges::sort(tips);
    const U256 median = tips.empty() ? options.tip_min : tips[tips.size() / 2];
    return std::clamp(median, options.tip_min, options.tip_max);
}

}  // namespace

Result<U256> price_of_gas(const FeeHistory& history, const FeeOptions& options) {
    if (history.base_fees.empty())
        return fail(ErrorCode::rpc_malformed, "fee history: no base fees");
    return history.base_fees.back().plus(tip_of(history, options));
}

Result<Fees> suggest_fees(const FeeHistory& history, const FeeOptions& options) {
    TT_TRY(const U256 need, price_of_gas(history, options));
    Fees out{.max_tip = tip_of(history, options)};
    const U256& base = history.base_fees.back();
    if (need > options.ceiling) return too_high(need, options.ceiling);
    TT_TRY(const U256 generous, need.plus(base));
    out.max_fee = std::min(generous, options.ceiling);
    return out;
}

Result<Fees> raise_fees(const Fees& before, const Fees& suggested, const FeeOptions& options) {
    TT_TRY(const U256 fee, raised(before.max_fee));
    TT_TRY(const U256 tip, raised(before.max_tip));
    Fees out{.max_fee = std::max(fee, suggested.max_fee),
             .max_tip = std::max(tip, suggested.max_tip)};
    out.max_fee = std::max(out.max_fee, out.max_tip);
    if (out.max_fee > options.ceiling) return too_high(out.max_fee, options.ceiling);
    return out;
}

}  // namespace teetee::chain
