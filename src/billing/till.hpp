// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <variant>

#include "attest/receipt.hpp"
#include "billing/ledger.hpp"
#include "billing/request_proofs.hpp"
#include "chain/money_view.hpp"

namespace teetee::billing {

/// Paid from a voucher; without the proof it may say how the voucher stands, and raise it.
struct VoucherPayment {
    SignedSpend spend{};
    std::optional<RequestProof> proof{};
    bool operator==(const VoucherPayment&) const = default;
};
/// Paid by a transaction of its own.
struct QueryPayment {
    uint64_t query = 0;
    bool operator==(const QueryPayment&) const = default;
};
/// A host of the pool, who has shown that the wallet is its own, pays nothing.
struct HostUse {
    crypto::Address wallet{};
};
/// Paid from a voucher whose payer has had the entry make an API key: that stands for the proof.
struct KeyedVoucher {
    SignedSpend spend{};
};
using Payment = std::variant<VoucherPayment, QueryPayment, HostUse, KeyedVoucher>;

/// What a request may come to.
struct Demand {
    uint32_t prompt_tokens = 0;
    uint32_t tokens_max = 0;
    /// SHA-256 of its body.
    Digest request_hash{};
    /// A request may ask for several answers. The first one shows that the request is its payer's;
    /// each needs what those do that are yet to come.
    bool is_first = true;
    uint32_t answers_ahead = 0;
    /// Of their prompts, together.
    uint64_t prompt_tokens_ahead = 0;
    /// Below 2^63, the same for all answers to a request and for no others; 0 where there is one.
    uint64_t request = 0;
};

struct Admission {
    /// Names the request in the till until it is finished or dropped.
    uint64_t hold = 0;
    /// As many tokens as the payment can ever cover.
    uint32_t tokens_max = 0;
};

/// How a voucher stands with this entry.
struct Standing {
    Credits charged = 0;
    /// For answers that are under way.
    Credits held = 0;
    Credits signed_amount = 0;
    /// The most that could be claimed, whatever is signed.
    Credits claimable = 0;
    /// What may be spent yet.
    Credits left() const;
};

/// Why an answer has no more tokens.
enum class AnswerEnd {
    /// It was whole, or is as far as it was paid for.
    regular,
    /// Its client left, did not read, or had set a time or a form that it could not keep.
    by_client,
    /// The network could not go on with it; the client can, at another entry.
    by_network,
};

/// What was computed of an answer, and how it ended.
struct Delivered {
    uint32_t prompt_tokens = 0;
    uint32_t cached_tokens = 0;
    uint32_t completion_tokens = 0;
    /// Of the completion tokens, those that the client was not sent.
    uint32_t unsent_tokens = 0;
    AnswerEnd end = AnswerEnd::regular;

    /// That were computed: without those of the prefix cache.
    uint32_t fresh_prompt_tokens() const {
        return prompt_tokens - std::min(prompt_tokens, cached_tokens);
    }
    uint32_t sent_tokens() const {
        return completion_tokens - std::min(completion_tokens, unsent_tokens);
    }
};

/// What an answer comes to, for the ledger and for its receipt.
struct Bill {
    /// Request, receipt and nodes are left to the caller.
    Charge charge{};
    attest::ReceiptPayment payment{};
    /// What was computed for its client's sake and is not charged.
    Credits forfeit = 0;
};

struct TillOptions {
    chain::Deployment deployment{};
    uint64_t pool = 0;
    /// Receipt key of this entry.
    crypto::Address entry{};
    /// What is signed must cover the prompt and so many tokens of the answer when it begins.
    uint32_t lead_tokens = 16;
    /// Of one host that uses the pool free of charge.
    size_t host_requests_max = 4;
    uint64_t host_tokens_per_hour = 500'000;
    /// How often what a query paid for may be begun and ended by its client without a token.
    uint32_t query_tries_max = 3;
};

/// An entry's cash desk: whether a request is paid for, whether its answer may go on, what it comes
/// to. An answer costs its tokens at the prices that held when it began; prompt tokens of the
/// prefix cache are free, and so are those that its client was not sent. What is charged is never
/// more than what was signed, nor than what the contract holds for it. Not threadsafe; no I/O but
/// the store's.
///
/// A client that ends its answer pays for the prompt and for what it was sent, as far as stages
/// sign for it; before the first token they do not. What it has had computed beyond that is charged
/// to nobody, but stays held of its voucher until the hour is over: else one voucher could have
/// prompts computed without end. An answer that the network ended costs the tokens that were sent,
/// since the prompt is computed again elsewhere; one of a query costs nothing, and may be asked for
/// again.
class Till {
  public:
    /// References MUST outlive it.
    Till(const TillOptions& options, LedgerStore& store, const Clock& clock)
        : options_(options), store_(store), clock_(clock) {}

    /// What the store has, at the start. Error: ledger_failed.
    Result<void> load();

    /// Errors: payment_required (nothing covers it, but it could), voucher_unknown, voucher_ended,
    /// voucher_exhausted, signature_invalid, query_unknown, query_mismatch, payment_in_use,
    /// host_unknown, overloaded, amount_overflow, not_ready (there is no such pool, or the ledger
    /// could not be written just now).
    Result<Admission> admit(const chain::MoneyView& view, const Payment& payment,
                            const Demand& demand);
    /// A higher sum, or the same to see how the voucher stands. Errors: as above.
    Result<Standing> raise(const chain::MoneyView& view, const SignedSpend& spend);
    /// The chain is another than it was.
    void on_view(const chain::MoneyView& view);

    /// Whether one more token than these is covered; that an answer has all that was asked for is
    /// no reason to say no.
    bool may_go_on(uint64_t hold, uint32_t completion_tokens);
    /// Of a voucher's hold, or of a voucher that was seen; nullopt for others.
    std::optional<Standing> standing(uint64_t hold) const;
    std::optional<Standing> standing(const Digest& voucher) const;

    /// nullopt where nothing is to be paid: the hold is then to be dropped.
    std::optional<Bill> bill_for(uint64_t hold, const Delivered& delivered) const;
    /// Keeps the charge, and ends the hold. Error: ledger_failed; nothing is charged then, and for
    /// a while nothing is admitted.
    Result<void> finish(uint64_t hold, const Charge& charge, ByteView receipt, Credits forfeit = 0);
    /// Ends a hold that comes to nothing; no matter if there is none.
    void drop(uint64_t hold, const Delivered& delivered = {});

    size_t holds() const { return holds_.size(); }
    /// Of all vouchers, for answers that are under way.
    Credits held() const;
    /// Vouchers that answers were paid from, or are, and that may still be claimed from.
    size_t open_vouchers(const chain::MoneyView& view) const;
    uint32_t lead_tokens() const { return options_.lead_tokens; }
    /// Of answers that begin now.
    std::optional<chain::Prices> prices(const chain::MoneyView& view) const {
        return view.prices(options_.pool, now());
    }

  private:
    struct Hold {
        Payment payment;
        chain::Prices prices{};
        uint32_t prompt_tokens = 0;
        uint32_t tokens_max = 0;
        /// Demand::request, or what names this hold alone.
        uint64_t request = 0;
        /// That is less than was asked for.
        bool is_short = false;
        uint64_t tokens_at_most() const { return uint64_t{prompt_tokens} + tokens_max; }
        Credits held = 0;
        /// Of a query: what it has locked.
        Credits locked = 0;
    };
    struct Account {
        SpendAccount kept{};
        Credits held = 0;
        Credits claimable = 0;
        size_t holds = 0;
        /// Of the hour that began then.
        Credits forfeited = 0;
        Instant hour_began{};
    };
    struct Host {
        /// How many answers each of its requests has under way.
        std::map<uint64_t, size_t> running{};
        Instant hour_began{};
        uint64_t tokens = 0;
        /// The most that answers under way may come to.
        uint64_t under_way = 0;
    };

    Result<Hold> admit_voucher(const chain::MoneyView& view, const VoucherPayment& payment,
                               const Demand& demand, Hold hold);
    Result<Hold> admit_keyed(const chain::MoneyView& view, const KeyedVoucher& payment,
                             const Demand& demand, Hold hold);
    Result<void> cover(Account& account, Hold& hold, const Demand& demand) const;
    Result<Hold> admit_query(const chain::MoneyView& view, const QueryPayment& payment,
                             const Demand& demand, Hold hold);
    Result<Hold> admit_host(const chain::MoneyView& view, const HostUse& use, Hold hold);
    Result<Account*> take_spend(const chain::MoneyView& view, const SignedSpend& spend);
    Credits claimable(const chain::VoucherRecord& voucher) const;
    Standing standing_of(const Account& account) const;
    void forfeit(Account& account, Credits amount) const;
    Credits forfeited(const Account& account) const;
    void end(std::map<uint64_t, Hold>::iterator hold, const Delivered& delivered, Credits forfeit);
    uint64_t now() const { return static_cast<uint64_t>(clock_.unix_now()); }

    TillOptions options_;
    LedgerStore& store_;
    const Clock& clock_;
    uint64_t next_hold_ = 1;
    std::map<uint64_t, Hold> holds_;
    std::map<Digest, Account> accounts_;
    std::map<crypto::Address, Host> hosts_;
    RequestProofs proofs_;
    /// Charged before.
    std::set<uint64_t> served_;
    std::set<uint64_t> serving_;
    /// How often those that were not charged were begun for nothing.
    std::map<uint64_t, uint32_t> query_tries_;
    /// The ledger could not be written, so what is served could not be charged.
    std::optional<Instant> unwritable_since_;
};

}  // namespace teetee::billing
