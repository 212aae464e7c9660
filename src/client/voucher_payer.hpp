// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>

#include "client/entry_terms.hpp"
#include "client/payer.hpp"
#include "client/payment_session.hpp"

namespace teetee::client {

/// Pays out of a voucher. Signs for the prompt and the beginning of an answer, and for more as the
/// answer comes, in steps that double; never for more than the voucher has, nor than the client
/// allows.
class VoucherPayer : public Payer {
  public:
    struct Options {
        /// Signs for no more than so many credits beyond what was charged when it began to pay an
        /// entry; 0: for all that the voucher has.
        billing::Credits spend_max = 0;
        /// Completion tokens that are signed for at first; then doubled.
        uint64_t tokens_ahead = 64;
        /// How long the opening of the voucher is waited for.
        Duration patience = std::chrono::seconds(60);
    };

    /// Error: config_invalid where the session's key is none.
    static Result<VoucherPayer> open(const PaymentSession& session, const Options& options);

    Result<billing::PaymentClaim> pay(const VerifiedEntry& entry,
                                      const Purchase& purchase) override;
    void on_standing(const VerifiedEntry& entry, const billing::Standing& standing) override;
    bool tries_again(ErrorCode refusal) override;

    /// How the voucher stands now. Errors: of raise_voucher.
    Result<billing::Standing> standing(const VerifiedEntry& entry) const;
    /// Of the entry that was paid last.
    const std::optional<chain::Prices>& prices() const { return prices_; }

  private:
    VoucherPayer(const PaymentSession& session, crypto::SecpKey key, const Options& options);
    Result<void> ensure_terms(const VerifiedEntry& entry);
    billing::SignedSpend sign(const crypto::Address& entry, billing::Credits amount) const;
    billing::Credits limit_of(const crypto::Address& entry,
                              const billing::Standing& standing) const;

    chain::Deployment deployment_;
    uint64_t pool_;
    Digest voucher_;
    billing::Credits ceiling_;
    crypto::SecpKey key_;
    Options options_;
    std::optional<chain::Prices> prices_;
    /// Charged by an entry when it was paid first.
    std::map<crypto::Address, billing::Credits> charged_before_;
    /// Of the last request.
    uint64_t time_ms_ = 0;
    // Of the answer under way.
    uint64_t tokens_ahead_ = 0;
    uint64_t prompt_factor_ = 1;
    Instant give_up_at_{};
};

}  // namespace teetee::client
