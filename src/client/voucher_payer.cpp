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

Result<VoucherPayer> VoucherPayer::open(const PaymentSession& session, const Options& options) {
    auto key = crypto::SecpKey::from_bytes(session.key.view());
    if (!key) return fail(ErrorCode::config_invalid, "payment session: the key is none");
    return VoucherPayer(session, std::move(key).value(), options);
}

VoucherPayer::VoucherPayer(const PaymentSession& session, crypto::SecpKey key,
                           const Options& options)
    : deployment_(session.deployment),
      pool_(session.pool),
      voucher_(session.voucher),
      ceiling_(session.ceiling),
      key_(std::move(key)),
      options_(options) {}

/// An entry is paid by what its evidence says that it is, not by what it calls itself.
Result<void> VoucherPayer::ensure_terms(const VerifiedEntry& entry) {
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
    prices_ = terms.prices;
    return {};
}

billing::SignedSpend VoucherPayer::sign(const crypto::Address& entry, Credits amount) const {
    const Digest digest =
        chain::spend_digest(deployment_, {.voucher = voucher_, .entry = entry, .amount = amount});
    return {voucher_, amount, key_.sign_recoverable(digest)};
}

Credits VoucherPayer::limit_of(const crypto::Address& entry,
                               const billing::Standing& standing) const {
    const Credits most = std::min(standing.claimable, ceiling_);
    if (options_.spend_max == 0) return most;
    const auto before = charged_before_.find(entry);
    const Credits from = before == charged_before_.end() ? standing.charged : before->second;
    return std::min(most, sum_of(from, options_.spend_max));
}

Result<billing::Standing> VoucherPayer::standing(const VerifiedEntry& entry) const {
    // Less than what was shown before changes nothing.
    return raise_voucher(entry, sign(entry.receipt_address(), 1));
}

Result<billing::PaymentClaim> VoucherPayer::pay(const VerifiedEntry& entry,
                                                const Purchase& purchase) {
    const crypto::Address address = entry.receipt_address();
    TT_CHECK(ensure_terms(entry));
    if (give_up_at_ == Instant{}) give_up_at_ = SystemClock().now() + options_.patience;
    TT_TRY(const auto now, standing(entry));
    charged_before_.try_emplace(address, now.charged);
    tokens_ahead_ = options_.tokens_ahead;
    const Credits need = cost_of(
        *prices_, (purchase.prompt_bytes + template_tokens) * prompt_factor_, tokens_ahead_);
    const Credits amount =
        std::min(std::max(now.signed_amount, sum_of(used_of(now), need)), limit_of(address, now));
    // Each request has a time of its own, so that the same one can be made twice, by others of the
    // same session too.
    ByteArray<2> random;
    SystemRng().fill(random);
    const uint64_t ms = (random[0] + 256u * random[1]) % 1000;
    time_ms_ = std::max(time_ms_ + 1, static_cast<uint64_t>(SystemClock().unix_now()) * 1000 + ms);
    const chain::RequestTerms terms = {.voucher = voucher_,
                                       .entry = address,
                                       .body_hash = crypto::sha256(as_bytes(purchase.body)),
                                       .time_ms = time_ms_};
    billing::VoucherPayment payment{.spend = sign(address, amount)};
    payment.proof = {terms.time_ms,
                     key_.sign_recoverable(chain::request_digest(deployment_, terms))};
    return billing::PaymentClaim(payment);
}

void VoucherPayer::on_standing(const VerifiedEntry& entry, const billing::Standing& standing) {
    if (!prices_) return;
    give_up_at_ = {};
    prompt_factor_ = 1;
    const crypto::Address address = entry.receipt_address();
    const Credits used = used_of(standing);
    const Credits left = standing.signed_amount - std::min(standing.signed_amount, used);
    if (left >= cost_of(*prices_, 0, tokens_ahead_ / 2)) return;
    const Credits amount = std::min(sum_of(used, cost_of(*prices_, 0, 2 * tokens_ahead_)),
                                    limit_of(address, standing));
    if (amount <= standing.signed_amount) return;
    // What is not raised now can be at the next comment; else the answer ends for want of money.
    if (raise_voucher(entry, sign(address, amount))) tokens_ahead_ *= 2;
}

bool VoucherPayer::tries_again(ErrorCode refusal) {
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
