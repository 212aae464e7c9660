// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>

#include "base/token_bucket.hpp"
#include "billing/settlement_worth.hpp"
#include "chain/sender_state.hpp"
#include "chain/typed_data.hpp"

namespace teetee::billing {

/// With its payer's signature, 65 bytes.
struct SignedVoucher {
    chain::tee_tee::Voucher voucher{};
    Bytes signature{};
};

/// Open: entries take it. Opening: a transaction is on its way, or not settled yet.
enum class VoucherState { opening, open };

struct VoucherOpeningOptions {
    chain::Deployment deployment{};
    uint64_t pool = 0;
    /// The least ceiling; 0: so much that gas takes the share below.
    Credits ceiling_min = 0;
    /// Gas may take so many hundredths of the ceiling.
    uint64_t gas_percent = 5;
    /// Openings in any hour: of all, and of one payer.
    uint32_t per_hour_max = 120;
    uint32_t per_hour_of_payer_max = 6;
    /// At a time.
    size_t under_way_max = 32;
    /// Looks at the chain beforehand.
    Rate simulations{.burst = 32, .interval = std::chrono::milliseconds(250)};
};

/// About what it takes to open a voucher (docs/contracts.md#gas), with some room.
inline constexpr uint64_t voucher_gas = 100'000;
/// No transaction that opens one may take more: a payer's account may have code that is asked.
inline constexpr uint64_t voucher_gas_max = 200'000;
/// A voucher is opened for so long at least, and at most (VOUCHER_LIFE of Limits.sol).
inline constexpr uint64_t voucher_life_s_min = 600;
inline constexpr uint64_t voucher_life_s_max = 30 * 24 * 3600;

/// The vouchers that an entry opens for their payers with its own wallet, so that they send no
/// transaction: for which, how many, and how far each is. What would cost gas for nothing is
/// refused: vouchers of other pools, without settled credits behind them, worth little beside the
/// gas, too many. Pure; the caller has each looked at by the contract before it is sent, and sends.
///
/// An opening is one intent, named by the voucher's id and how often it was tried: asked for twice,
/// or again after a restart, it is one transaction.
class VoucherOpenings {
  public:
    explicit VoucherOpenings(const VoucherOpeningOptions& options) : options_(options) {}

    Digest id_of(const SignedVoucher& asked) const {
        return chain::voucher_digest(options_.deployment, asked.voucher);
    }
    /// What an opened voucher must have; nullopt where that depends on gas that is not known.
    std::optional<Credits> ceiling_min(const std::optional<GasTerms>& gas) const;

    /// nullopt: nothing has become of it yet. Errors: field_invalid (not of this pool),
    /// voucher_ended.
    Result<std::optional<VoucherState>> state_of(const SignedVoucher& asked,
                                                 const chain::MoneyView& view,
                                                 uint64_t unix_now) const;

    /// What an entry's wallet can do.
    struct Wallet {
        std::optional<GasTerms> gas{};
        /// Wei; nullopt: not known.
        std::optional<chain::U256> balance{};
    };
    /// Of one that nothing has become of: it is to be looked at by the contract, and then send or
    /// drop MUST be called. Errors: field_invalid, signature_invalid, payment_required (credits),
    /// overloaded, fee_too_high, rpc_unavailable (what gas costs is not known).
    Result<void> begin(Instant now, uint64_t unix_now, const SignedVoucher& asked,
                       const chain::MoneyView& view, const Wallet& wallet);
    /// The contract would take it. Error: overloaded; it is dropped then.
    Result<chain::SendIntent> send(Instant now, const Digest& id);
    void drop(const Digest& id) { openings_.erase(id); }
    /// Of an intent of this; others are not its business.
    void on_outcome(Instant now, const chain::SendOutcome& outcome);

    size_t under_way() const;
    /// Transactions that are in the chain, since the start.
    uint64_t opened() const { return opened_; }

  private:
    enum class Stage { looking, sending, sent, failed };
    struct Opening {
        SignedVoucher asked;
        Stage stage = Stage::looking;
        /// The next one's number.
        unsigned attempt = 1;
        std::string key{};
        Instant changed_at{};
    };

    void forget(Instant now);
    Result<void> ensure_wanted(uint64_t unix_now, const SignedVoucher& asked,
                               const chain::MoneyView& view, const Wallet& wallet) const;

    VoucherOpeningOptions options_;
    std::map<Digest, Opening> openings_;
    TokenBucket all_;
    std::map<crypto::Address, TokenBucket> payers_;
    TokenBucket simulations_;
    uint64_t opened_ = 0;
};

}  // namespace teetee::billing
