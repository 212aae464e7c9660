// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

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

/// Open: entries take it. Opening: it is in the chain and not settled yet, or a transaction of ours
/// is on its way that opens it.
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
    /// For so many settlements, of the size below, the wallet keeps gas: openings take none of it.
    uint32_t settlements_reserved = 10;
    /// Looks at the chain beforehand.
    Rate simulations{.burst = 32, .interval = std::chrono::milliseconds(250)};
};

/// About what it takes to open a voucher (docs/contracts.md#gas), with some room.
inline constexpr uint64_t voucher_gas = 100'000;
/// No transaction that opens one may take more: a payer's account may have code that is asked.
inline constexpr uint64_t voucher_gas_max = 200'000;
/// Of each settlement that gas is kept for: as many nodes, and as many claims.
inline constexpr size_t reserved_nodes = 8;
inline constexpr size_t reserved_claims = 8;
/// A voucher is opened for so long at least, and at most (VOUCHER_LIFE of Limits.sol).
inline constexpr uint64_t voucher_life_s_min = 600;
inline constexpr uint64_t voucher_life_s_max = 30 * 24 * 3600;

/// What became of openings since the start.
struct VoucherOpeningCounts {
    /// Transactions that are in the chain.
    uint64_t opened = 0;
    /// Requests that no transaction was sent for, and transactions that came to nothing.
    std::map<ErrorCode, uint64_t> refused{};
    std::map<ErrorCode, uint64_t> failed{};
};

/// The vouchers that an entry opens for their payers with its own wallet, so that they send no
/// transaction: for which, how many, and how far each is. What would cost gas for nothing is
/// refused: vouchers of other pools, without settled credits behind them, worth little beside the
/// gas, too many. Pure; the caller has each looked at by the contract before it is sent, and sends.
///
/// An opening is one intent, named by the voucher's id and how often it was tried: asked for twice
/// it is one transaction, and after a restart the sender knows whether it is on its way.
class VoucherOpenings {
  public:
    explicit VoucherOpenings(const VoucherOpeningOptions& options) : options_(options) {}

    Digest id_of(const SignedVoucher& asked) const {
        return chain::voucher_digest(options_.deployment, asked.voucher);
    }
    /// What an opened voucher must have; nullopt where that depends on gas that is not known.
    std::optional<Credits> ceiling_min(const std::optional<GasTerms>& gas) const;

    /// nullopt: it is not in the chain, and nothing of ours is on its way that this process has
    /// sent. Errors: field_invalid (not of this pool), voucher_ended.
    Result<std::optional<VoucherState>> state_of(const SignedVoucher& asked,
                                                 const chain::MoneyView& view,
                                                 uint64_t unix_now) const;

    /// What an entry's wallet can do.
    struct Wallet {
        std::optional<GasTerms> gas{};
        /// Wei; nullopt: not known.
        std::optional<chain::U256> balance{};
        /// As of when.
        Instant balance_at{};
    };
    /// Of one that nothing has become of: it is to be looked at by the contract, and then send or
    /// drop MUST be called. Errors: field_invalid, signature_invalid, payment_required (credits),
    /// overloaded, fee_too_high, rpc_unavailable (what gas costs, or the wallet has, is not known).
    Result<void> begin(Instant now, uint64_t unix_now, const SignedVoucher& asked,
                       const chain::MoneyView& view, const Wallet& wallet);
    /// The contract would take it. `is_used` says of an intent's key that the sender has, or had,
    /// one of it, so that this is another one. Error: overloaded; it is dropped then.
    Result<chain::SendIntent> send(Instant now, const Digest& id,
                                   const std::function<bool(std::string_view)>& is_used);
    /// Of all intents that open it, also of those of a process before this.
    static std::string key_beginning(const Digest& id);
    void drop(const Digest& id) { openings_.erase(id); }
    /// Of an intent that opens a voucher; others are not its business.
    void on_outcome(Instant now, const chain::SendOutcome& outcome);

    size_t under_way() const;
    const VoucherOpeningCounts& counts() const { return counts_; }
    void count_refusal(ErrorCode code) { ++counts_.refused[code]; }

  private:
    enum class Stage { looking, sending, sent, failed };
    struct Opening {
        SignedVoucher asked;
        Stage stage = Stage::looking;
        /// The next one's number.
        unsigned attempt = 1;
        std::string key{};
        Instant changed_at{};
        /// The block that it was in when it was sent.
        uint64_t block = 0;
    };

    void forget(Instant now);
    Result<void> ensure_wanted(uint64_t unix_now, const SignedVoucher& asked,
                               const chain::MoneyView& view, const Wallet& wallet) const;
    Result<void> ensure_affordable(const Wallet& wallet) const;
    size_t unpaid(Instant balance_at) const;

    VoucherOpeningOptions options_;
    std::map<Digest, Opening> openings_;
    TokenBucket all_;
    std::map<crypto::Address, TokenBucket> payers_;
    TokenBucket simulations_;
    VoucherOpeningCounts counts_;
};

}  // namespace teetee::billing
