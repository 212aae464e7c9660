// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "client/entry_terms.hpp"
#include "client/payer.hpp"
#include "client/payment_session.hpp"

namespace teetee::client {

/// Pays out of a voucher. Signs for the prompt and the beginning of an answer, and for more as the
/// answer comes, in steps that double; never for more than the voucher has, nor than the client
/// allows. A voucher has one sum for all that an entry is to have of it: what is signed for one
/// answer covers what the others under way are about to take, too.
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
    static Result<std::shared_ptr<VoucherPayer>> open(const PaymentSession& session,
                                                      const Options& options);

    std::unique_ptr<AnswerPayment> begin() override;

    /// How the voucher stands now. Errors: of raise_voucher.
    Result<billing::Standing> standing(const VerifiedEntry& entry) const;
    /// Of the entry that was paid last.
    std::optional<chain::Prices> prices() const;
    /// What the entry had charged when it was paid first; nullopt for one that was not.
    std::optional<billing::Credits> charged_before(const crypto::Address& entry) const;

  private:
    class Answer;
    /// One entry.
    struct Account {
        billing::Credits charged_before = 0;
        /// What answers under way are about to take, as far as it is foreseen.
        billing::Credits ahead = 0;
    };

    VoucherPayer(const PaymentSession& session, crypto::SecpKey key, const Options& options);
    Result<chain::Prices> fetch_prices(const VerifiedEntry& entry);
    billing::SignedSpend sign(const crypto::Address& entry, billing::Credits amount) const;
    billing::Credits limit_of(const Account& account, const billing::Standing& standing) const;
    uint64_t next_time_ms();

    chain::Deployment deployment_;
    uint64_t pool_;
    Digest voucher_;
    billing::Credits ceiling_;
    crypto::SecpKey key_;
    Options options_;
    /// Of what follows; never held while an entry is asked.
    mutable std::mutex mutex_;
    std::optional<chain::Prices> prices_;
    std::map<crypto::Address, Account> accounts_;
    /// Of the last request.
    uint64_t time_ms_ = 0;
};

}  // namespace teetee::client
