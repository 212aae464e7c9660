// SPDX-License-Identifier: Apache-2.0
// What a transaction would cost, and whether somebody wants it all the same.
#include <cstdio>

#include <fmt/format.h>

#include "chain/rpc_calls.hpp"
#include "chain/rpc_results.hpp"
#include "cli/amount_text.hpp"
#include "cli/revert_hint.hpp"
#include "cli/terminal.hpp"
#include "cli/wallet.hpp"

namespace teetee::cli {

using chain::U256;

/// In wei.
struct Wallet::Estimate {
    uint64_t gas = 0;
    /// What the transaction will say.
    uint64_t gas_limit = 0;
    chain::Fees fees{};
    /// For gas, publishing included, if it is taken now; and at the most, which nodes want an
    /// account to have.
    U256 cost{};
    U256 cost_max{};
    /// The account's.
    U256 balance{};
};

namespace {

Result<chain::FeeHistory> fee_history(ChainSession& session) {
    const chain::FeeOptions fees = session.fees();
    TT_TRY(const auto answer,
           session.ask(chain::call_fee_history(fees.history_blocks, {fees.percentile})));
    return chain::parse_rpc_fee_history(answer);
}

}  // namespace

Result<Wallet::Estimate> Wallet::estimate(const Order& order) {
    Estimate out;
    TT_TRY(const auto balance,
           session_->ask(chain::call_balance(account_, chain::BlockTag::latest())));
    TT_TRY(out.balance, chain::parse_rpc_quantity(balance));
    // Nodes would say of a call that nobody can pay for only that it fails.
    if (out.balance < order.value) {
        return fail(ErrorCode::transaction_failed,
                    fmt::format("{} has {}, needs {} and gas", chain::to_checksum_text(account_),
                                eth_text(out.balance), eth_text(order.value)));
    }
    const auto gas =
        session_->ask(chain::call_gas_estimate({.from = account_,
                                                .to = session_->target().deployment.contract,
                                                .value = order.value,
                                                .data = order.data}));
    if (!gas) return with_hint(gas.error());
    TT_TRY(out.gas, chain::parse_rpc_u64(*gas));
    out.gas_limit = out.gas + out.gas / 5;  // as the sender does
    TT_TRY(const auto history, fee_history(*session_));
    TT_TRY(out.fees, chain::suggest_fees(history, session_->fees()));
    TT_TRY(const U256 now_per_gas, history.base_fees.back().plus(out.fees.max_tip));
    TT_TRY(const U256 publishing, publishing_cost(order, out));
    TT_TRY(out.cost, now_per_gas.times(out.gas));
    TT_TRY(out.cost, out.cost.plus(publishing));
    TT_TRY(out.cost_max, out.fees.max_fee.times(out.gas_limit));
    TT_TRY(out.cost_max, out.cost_max.plus(publishing));
    return out;
}

// By the rollup's own oracle; zero elsewhere.
Result<U256> Wallet::publishing_cost(const Order& order, const Estimate& estimate) {
    if (!session_->facts().has_gas_oracle) return U256();
    const chain::Deployment& deployment = session_->target().deployment;
    const Bytes bytes = chain::signing_bytes({.chain_id = deployment.chain_id,
                                              .max_priority_fee_per_gas = estimate.fees.max_tip,
                                              .max_fee_per_gas = estimate.fees.max_fee,
                                              .gas_limit = estimate.gas_limit,
                                              .to = deployment.contract,
                                              .value = order.value,
                                              .data = order.data});
    const std::vector<chain::AbiValue> values = {chain::AbiValue(bytes)};
    TT_TRY(Bytes call, chain::encode_call(chain::abi_selector("getL1Fee(bytes)"),
                                          chain::abi_types({"bytes"}), values));
    TT_TRY(const auto answer,
           session_->ask(chain::call_contract({.to = gas_oracle(), .data = std::move(call)},
                                              chain::BlockTag::latest())));
    TT_TRY(const Bytes word, chain::parse_rpc_data(answer));
    return U256::from_bytes(word);
}

void Wallet::show(const Order& order, const Estimate& estimate, Session& session) const {
    const chain::Deployment& deployment = session_->target().deployment;
    if (session.json) {
        print_json({{"dry_run", true},
                    {"resumes", false},
                    {"summary", order.summary},
                    {"from", chain::to_checksum_text(account_)},
                    {"to", chain::to_checksum_text(deployment.contract)},
                    {"chain_id", deployment.chain_id},
                    {"value_wei", order.value.to_decimal()},
                    {"data", "0x" + to_hex(order.data)},
                    {"gas", estimate.gas},
                    {"gas_cost_wei", estimate.cost.to_decimal()},
                    {"gas_cost_max_wei", estimate.cost_max.to_decimal()},
                    {"balance_wei", estimate.balance.to_decimal()}});
        return;
    }
    const std::string text = fmt::format(
        "would {}\n  from {} with {}\n  to the contract {} on chain {}, with {}\n  gas {}, about "
        "{} now, {} at the most\n",
        order.summary, chain::to_checksum_text(account_), eth_text(estimate.balance),
        chain::to_checksum_text(deployment.contract), deployment.chain_id, eth_text(order.value),
        estimate.gas, eth_text(estimate.cost), eth_text(estimate.cost_max));
    if (options_.is_dry_run) {
        print_text(text + "nothing was sent\n");
    } else {
        std::fputs(text.c_str(), stderr);
    }
}

Result<bool> Wallet::agree(const Order& order, Session& session) {
    TT_TRY(const Estimate found, estimate(order));
    if (options_.is_dry_run) {
        show(order, found, session);
        return false;
    }
    TT_TRY(const U256 need, order.value.plus(found.cost_max));
    if (found.balance < need) {
        return fail(ErrorCode::transaction_failed,
                    fmt::format("{} has {}, needs {}, with the most that gas may cost",
                                chain::to_checksum_text(account_), eth_text(found.balance),
                                eth_text(need)));
    }
    if (session_->facts().is_dev || options_.is_agreed || session.json || !has_terminal())
        return true;
    show(order, found, session);
    if (ask_yes("send it?")) return true;
    std::fprintf(stderr, "nothing was sent\n");
    session.exit = Exit::not_so;
    return false;
}

}  // namespace teetee::cli
