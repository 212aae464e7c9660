// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "billing/settlement_worth.hpp"
#include "node/chain_client.hpp"

namespace teetee::node {

/// Knows what gas costs and what a credit is worth, by one endpoint's word: it decides when
/// something is settled, never what. Lives on the loop's thread.
class GasWatch {
  public:
    struct Options {
        /// How often the price of gas is asked for, and how long an answer counts.
        Duration interval = std::chrono::minutes(1);
        Duration age_max = std::chrono::minutes(10);
        /// As recorded when the contract was deployed: where the contract says something else, it
        /// is not believed.
        std::optional<chain::U256> wei_per_credit{};
    };
    struct World {
        const Clock& clock;
        Log& log;
    };

    /// What it refers to MUST outlive it.
    GasWatch(const World& world, Options options, ChainClient& chain)
        : world_(world), options_(std::move(options)), chain_(chain) {}

    /// To be called from time to time; asks when it is due.
    void look();
    /// nullopt while one of the two is not known.
    std::optional<billing::GasTerms> terms() const;
    /// Wei of the account that sends transactions; nullopt while that is not known.
    const std::optional<chain::U256>& balance() const { return balance_; }
    /// When it was asked for: what was paid later may not be in it.
    Instant balance_at() const { return balance_at_; }

  private:
    void take_balance(Instant asked_at, Result<chain::RpcAnswer> answer);
    void take_price(const Result<chain::U256>& price);
    void take_worth(const Result<chain::U256>& wei);
    void warn(const std::string& trouble);

    World world_;
    Options options_;
    ChainClient& chain_;
    Instant next_{};
    std::optional<chain::U256> wei_per_credit_;
    std::optional<chain::U256> gas_price_;
    std::optional<chain::U256> balance_;
    Instant balance_at_{};
    Instant priced_at_{};
    /// What was logged last.
    std::string told_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace teetee::node
