// SPDX-License-Identifier: Apache-2.0
#include "client/voucher_payer.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "net/rest.hpp"

namespace teetee::client {
namespace {

using billing::Credits;

/// Of a template, around what the client says.
constexpr size_t template_tokens = 64;
/// A prompt of more tokens than bytes is none; some templates say more than the client does.
constexpr uint64_t prompt_factor_max = 64;

Credits sum_of(Credits a, Credits b) {
    return a + std::min(b, UINT64_MAX - a);
}

/// Saturates: a limit is put to it anyhow.
Credits cost_of(const chain::Prices& prices, uint64_t prompt_tokens, uint64_t completion_tokens) {
    return billing::price_of(prices, prompt_tokens, completion_tokens).value_or(UINT64_MAX);
}

Credits used_of(const billing::Standing& standing) {
    return sum_of(standing.charged, standing.held);
}

}  // namespace

class VoucherPayer::Answer : public AnswerPayment {
  public:
    explicit Answer(VoucherPayer& payer) : payer_(payer) {}
    ~Answer() override {
        const std::lock_guard lock(payer_.mutex_);
        foresee(0);
    }
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;

    Result<billing::PaymentClaim> pay(const VerifiedEntry& entry,
                                      const Purchase& purchase) override;
    void on_standing(const VerifiedEntry& entry, const billing::Standing& standing) override;
    bool tries_again(ErrorCode refusal) override;

  private:
    /// With the payer's lock held.
    Credits sum_to_sign(const crypto::Address& entry, const billing::Standing& standing,
                        const Purchase& purchase);
    void foresee(Credits amount);

    VoucherPayer& payer_;
    /// Of the entry that was paid last.
    crypto::Address entry_{};
    chain::Prices prices_{};
    Credits ahead_ = 0;
    uint64_t tokens_ahead_ = 0;
    uint64_t prompt_factor_ = 1;
    Instant give_up_at_{};
};

Result<std::shared_ptr<VoucherPayer>> VoucherPayer::open(const PaymentSession& session,
                                                         const Options& options) {
    auto key = crypto::SecpKey::from_bytes(session.key.view());
    if (!key) return fail(ErrorCode::config_invalid, "payment session: the key is none");
    return std::shared_ptr<VoucherPayer>(
        new VoucherPayer(session, std::move(key).value(), options));
}

VoucherPayer::VoucherPayer(const PaymentSession& session, crypto::SecpKey key,
                           const Options& options)
    : deployment_(session.deployment),
      pool_(session.pool),
      voucher_(session.voucher),
      ceiling_(session.ceiling),
      key_(std::move(key)),
      options_(options) {}

std::unique_ptr<AnswerPayment> VoucherPayer::begin() {
    return std::make_unique<Answer>(*this);
}

std::optional<chain::Prices> VoucherPayer::prices() const {
    const std::lock_guard lock(mutex_);
    return prices_;
}

std::optional<Credits> VoucherPayer::charged_before(const crypto::Address& entry) const {
    const std::lock_guard lock(mutex_);
    const auto account = accounts_.find(entry);
    return account == accounts_.end() ? std::nullopt
                                      : std::optional(account->second.charged_before);
}

/// An entry is paid by what its evidence says that it is, not by what it calls itself.
Result<chain::Prices> VoucherPayer::fetch_prices(const VerifiedEntry& entry) {
    TT_TRY(const auto terms, fetch_terms(entry));
    if (terms.is_free) {
        return fail(ErrorCode::invalid_argument,
                    "answers of this network are free; ask it without a payment session");
    }
    if (terms.deployment != deployment_ || terms.pool != pool_) {
        return fail(ErrorCode::invalid_argument,
                    "the voucher is for pool " + std::to_string(pool_) + " of " +
                        chain::to_checksum_text(deployment_.contract) + ", the entry is of pool " +
                        std::to_string(terms.pool) + " of " +
                        chain::to_checksum_text(terms.deployment.contract));
    }
    if (terms.entry != entry.receipt_address())
        return fail(ErrorCode::channel_unbound, "the entry wants to be paid as another one");
    if (!terms.prices)
        return fail(ErrorCode::not_ready,
                    "the pool takes no requests, or the entry does not "
                    "know the chain yet; try again");
    const std::lock_guard lock(mutex_);
    prices_ = terms.prices;
    return *terms.prices;
}

billing::SignedSpend VoucherPayer::sign(const crypto::Address& entry, Credits amount) const {
    const Digest digest =
        chain::spend_digest(deployment_, {.voucher = voucher_, .entry = entry, .amount = amount});
    return {voucher_, amount, key_.sign_recoverable(digest)};
}

Credits VoucherPayer::limit_of(const Account& account, const billing::Standing& standing) const {
    const Credits most = std::min(standing.claimable, ceiling_);
    return options_.spend_max == 0
               ? most
               : std::min(most, sum_of(account.charged_before, options_.spend_max));
}

Result<billing::Standing> VoucherPayer::standing(const VerifiedEntry& entry) const {
    // Less than what was shown before changes nothing.
    return raise_voucher(entry, sign(entry.receipt_address(), 1));
}

/// Each request has a time of its own, so that the same one can be made twice, by others of the
/// same session too.
uint64_t VoucherPayer::next_time_ms() {
    ByteArray<2> random;
    SystemRng().fill(random);
    const uint64_t ms = (random[0] + 256u * random[1]) % 1000;
    const uint64_t now_ms = static_cast<uint64_t>(SystemClock().unix_now()) * 1000;
    const std::lock_guard lock(mutex_);
    return time_ms_ = std::max(time_ms_ + 1, now_ms + ms);
}

Result<billing::PaymentClaim> VoucherPayer::Answer::pay(const VerifiedEntry& entry,
                                                        const Purchase& purchase) {
    const crypto::Address address = entry.receipt_address();
    TT_TRY(prices_, payer_.fetch_prices(entry));
    if (give_up_at_ == Instant{}) give_up_at_ = SystemClock().now() + payer_.options_.patience;
    TT_TRY(const auto standing, payer_.standing(entry));
    Credits amount = 0;
    {
        const std::lock_guard lock(payer_.mutex_);
        amount = sum_to_sign(address, standing, purchase);
    }
    const chain::RequestTerms terms = {.voucher = payer_.voucher_,
                                       .entry = address,
                                       .body_hash = crypto::sha256(as_bytes(purchase.body)),
                                       .time_ms = payer_.next_time_ms()};
    billing::VoucherPayment payment{.spend = payer_.sign(address, amount)};
    payment.proof = {terms.time_ms, payer_.key_.sign_recoverable(
                                        chain::request_digest(payer_.deployment_, terms))};
    return billing::PaymentClaim(payment);
}

Credits VoucherPayer::Answer::sum_to_sign(const crypto::Address& entry,
                                          const billing::Standing& standing,
                                          const Purchase& purchase) {
    foresee(0);
    entry_ = entry;
    Account& account =
        payer_.accounts_.try_emplace(entry, Account{.charged_before = standing.charged})
            .first->second;
    tokens_ahead_ = std::max(payer_.options_.tokens_ahead, purchase.completion_tokens);
    foresee(cost_of(prices_, (purchase.prompt_bytes + template_tokens) * prompt_factor_,
                    tokens_ahead_));
    // What the others have begun is held already, or foreseen, or for a moment both: that is
    // signed for too early, and not charged.
    return std::min(std::max(standing.signed_amount, sum_of(used_of(standing), account.ahead)),
                    payer_.limit_of(account, standing));
}

void VoucherPayer::Answer::foresee(Credits amount) {
    const auto account = payer_.accounts_.find(entry_);
    if (account == payer_.accounts_.end()) return;
    account->second.ahead -= ahead_;
    // A sum that has no place in the number is beyond every voucher.
    ahead_ = std::min(amount, UINT64_MAX - account->second.ahead);
    account->second.ahead += ahead_;
}

void VoucherPayer::Answer::on_standing(const VerifiedEntry& entry,
                                       const billing::Standing& standing) {
    if (ahead_ == 0 || entry.receipt_address() != entry_) return;
    give_up_at_ = {};
    prompt_factor_ = 1;
    const Credits used = used_of(standing);
    const Credits left = standing.signed_amount - std::min(standing.signed_amount, used);
    Credits amount = 0;
    {
        const std::lock_guard lock(payer_.mutex_);
        // The prompt is held by now.
        foresee(cost_of(prices_, 0, tokens_ahead_));
        const Account& account = payer_.accounts_.at(entry_);
        if (left >= account.ahead / 2) return;
        amount = std::min(sum_of(used, sum_of(account.ahead, account.ahead)),
                          payer_.limit_of(account, standing));
    }
    if (amount <= standing.signed_amount) return;
    // What is not raised now can be at the next comment; else the answer ends for want of money.
    if (raise_voucher(entry, payer_.sign(entry_, amount))) tokens_ahead_ *= 2;
}

bool VoucherPayer::Answer::tries_again(ErrorCode refusal) {
    if (refusal == ErrorCode::payment_required && prompt_factor_ < prompt_factor_max) {
        prompt_factor_ *= 4;
        return true;
    }
    if (refusal == ErrorCode::voucher_unknown && SystemClock().now() < give_up_at_) {
        // Its opening is in a block, but not yet in as many as the entry waits for.
        net::rest(std::chrono::seconds(1));
        return true;
    }
    return false;
}

}  // namespace teetee::client
