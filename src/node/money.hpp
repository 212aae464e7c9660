// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "billing/settler.hpp"
#include "billing/till.hpp"
#include "node/chain_client.hpp"
#include "node/gas_watch.hpp"
#include "node/ledger_file.hpp"
#include "node/money_report.hpp"

namespace teetee::node {

/// What an entry is paid by: the till, its ledger, and the settler, with the chain behind them.
/// Lives on the loop's thread.
class Money {
  public:
    struct World {
        net::Loop& loop;
        const Clock& clock;
        Rng& rng;
        Log& log;
    };
    struct Options {
        uint64_t pool = 0;
        /// Receipt key of the entry.
        crypto::Address entry{};
        /// Of the ledger; it exists.
        std::string folder{};
        /// Of the TEE, for receipts in the ledger.
        crypto::Secret<32> ledger_key{};
        /// Deployment, pool and entry are filled in.
        billing::TillOptions till{};
        billing::SettlerOptions settler{};
        GasWatch::Options gas{};
    };
    /// Has the nodes of an order sign; calls back once, with what came.
    using AskToSign =
        std::function<void(const billing::SignOrder&, std::function<void(billing::SignReply)>)>;

    /// The client's hooks MUST call on_chain and on_outcome. Settlements that were on their way go
    /// on from the first tick, when the caller has what it makes of this: what has become of them
    /// is told at once. Without a key in `chain` nothing is settled. Errors: of LedgerFile,
    /// ledger_failed.
    static Result<std::unique_ptr<Money>> start(const World& world, Options options,
                                                ChainClient& chain, AskToSign ask_to_sign);
    ~Money();

    /// Errors: of ChainClient::money.
    Result<chain::MoneyView> view() const { return chain_.money(); }
    const chain::Deployment& deployment() const { return options_.till.deployment; }
    billing::Till& till() { return till_; }
    billing::LedgerStore& ledger() { return *ledger_; }
    /// Whatever it is worth.
    void settle_now();
    /// Looks while there is a key to send with.
    const GasWatch& gas() const { return gas_; }
    const billing::Settler& settler() const { return settler_; }
    /// Sums over the whole ledger are as of a while ago where it takes long to make them.
    MoneyReport::Till report();

    void on_chain();
    void on_outcome(const chain::SendOutcome& outcome);

  private:
    Money(const World& world, Options options, ChainClient& chain,
          std::unique_ptr<LedgerFile> ledger, AskToSign ask_to_sign);
    void tick();
    void look();
    void resume();
    void carry_out(Result<void> done, billing::SettlerEffects effects);

    World world_;
    Options options_;
    ChainClient& chain_;
    std::unique_ptr<LedgerFile> ledger_;
    billing::Till till_;
    billing::Settler settler_;
    GasWatch gas_;
    AskToSign ask_to_sign_;
    net::Timer timer_;
    /// Settlements so far, and when the last one was.
    uint64_t settlements_ = 0;
    std::optional<UnixSeconds> settled_at_;
    /// What was reported last, and until when its sums count.
    MoneyReport::Till reported_;
    Instant reported_until_{};
    /// Of the settlements that were on their way.
    std::optional<billing::SettlerEffects> resuming_;
    /// What was logged last of a ledger that fails.
    std::string told_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace teetee::node
