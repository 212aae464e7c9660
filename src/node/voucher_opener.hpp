// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "billing/voucher_openings.hpp"
#include "node/chain_client.hpp"
#include "node/gas_watch.hpp"

namespace teetee::node {

/// Opens vouchers for their payers: what the contract would refuse costs nothing, since it is asked
/// first. Lives on the loop's thread.
class VoucherOpener {
  public:
    struct World {
        const Clock& clock;
        Log& log;
    };
    using Done = std::function<void(Result<billing::VoucherState>)>;

    /// `chain` has a key to send with. What it refers to MUST outlive it.
    VoucherOpener(const World& world, const billing::VoucherOpeningOptions& options,
                  ChainClient& chain, const GasWatch& gas)
        : world_(world), openings_(options), chain_(chain), gas_(gas) {}

    /// Calls back once, maybe before this returns, unless it goes before. Errors: of
    /// ChainView::money and VoucherOpenings; call_reverted with the contract's reason;
    /// rpc_unavailable.
    void open(billing::SignedVoucher asked, Done done);
    /// What a voucher must have; nullopt where that is not known just now.
    std::optional<billing::Credits> ceiling_min() const {
        return openings_.ceiling_min(gas_.terms());
    }
    void on_outcome(const chain::SendOutcome& outcome);
    const billing::VoucherOpeningCounts& counts() const { return openings_.counts(); }

  private:
    Result<std::optional<billing::VoucherState>> begin(const billing::SignedVoucher& asked);
    Result<billing::VoucherState> begin_sending(const Digest& id,
                                                const Result<Digest>& contract_says);
    Result<void> submit(const Digest& id);

    World world_;
    billing::VoucherOpenings openings_;
    ChainClient& chain_;
    const GasWatch& gas_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace teetee::node
