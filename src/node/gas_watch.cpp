// SPDX-License-Identifier: Apache-2.0
#include "node/gas_watch.hpp"

namespace teetee::node {

void GasWatch::look() {
    if (world_.clock.now() < next_) return;
    next_ = world_.clock.now() + options_.interval;
    chain_.ask_gas_price([this, alive = std::weak_ptr(alive_)](const auto& price) {
        if (alive.lock()) take_price(price);
    });
    if (const chain::Sender* sender = chain_.sender()) {
        chain_.ask(chain::call_balance(sender->account(), chain::BlockTag::latest()),
                   [this, asked_at = world_.clock.now(),
                    alive = std::weak_ptr(alive_)](Result<chain::RpcAnswer> answer) {
                       if (alive.lock()) take_balance(asked_at, std::move(answer));
                   });
    }
    if (wei_per_credit_) return;
    // The contract never changes it.
    chain_.ask_contract(chain::tee_tee::WeiPerCreditCall{},
                        [this, alive = std::weak_ptr(alive_)](const auto& reply) {
                            if (!alive.lock()) return;
                            take_worth(reply ? Result<chain::U256>(reply->value) : reply.error());
                        });
}

std::optional<billing::GasTerms> GasWatch::terms() const {
    if (!wei_per_credit_ || !gas_price_) return std::nullopt;
    if (world_.clock.now() - priced_at_ >= options_.age_max) return std::nullopt;
    return billing::GasTerms{.gas_price = *gas_price_, .wei_per_credit = *wei_per_credit_};
}

/// What is not known is told of when it lacks.
void GasWatch::take_balance(Instant asked_at, Result<chain::RpcAnswer> answer) {
    const auto balance = [&]() -> Result<chain::U256> {
        TT_TRY(auto taken, std::move(answer));
        TT_TRY(const auto result, chain::take_result(std::move(taken)));
        return chain::parse_rpc_quantity(result);
    }();
    balance_ = balance ? std::optional(*balance) : std::nullopt;
    balance_at_ = asked_at;
}

void GasWatch::take_price(const Result<chain::U256>& price) {
    if (!price) return warn("the price of gas is not known: " + price.error().message());
    gas_price_ = *price;
    priced_at_ = world_.clock.now();
}

void GasWatch::take_worth(const Result<chain::U256>& wei) {
    if (!wei) return warn("the worth of a credit is not known: " + wei.error().message());
    if (wei->is_zero() || (options_.wei_per_credit && *options_.wei_per_credit != *wei)) {
        return warn("a credit is worth " + wei->to_decimal() + " wei by the contract, need " +
                    (options_.wei_per_credit ? options_.wei_per_credit->to_decimal() : "some"));
    }
    wei_per_credit_ = *wei;
}

void GasWatch::warn(const std::string& trouble) {
    if (trouble != told_) world_.log.warn("money: " + trouble);
    told_ = trouble;
}

}  // namespace teetee::node
