// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>

#include "billing/settlement_plan.hpp"
#include "billing/settlement_worth.hpp"
#include "chain/sender_state.hpp"

namespace teetee::billing {

struct SettlerOptions {
    chain::Deployment deployment{};
    uint64_t pool = 0;
    /// Receipt key of the entry.
    crypto::Address entry{};
    /// A charge is settled when it is so old, whatever the gas.
    UnixSeconds age_max = 24 * 3600;
    /// Sooner when charges come to so many credits, and gas takes so many hundredths of them at
    /// most; 0 each: whatever they come to, and whatever the gas.
    Credits worth_min = 0;
    uint64_t gas_percent = 0;
    /// A charge is settled without waiting for others when the contract takes it for so much longer
    /// only.
    UnixSeconds urgency = 12 * 3600;
    UnixSeconds interval = 60;
    /// How long nodes may take to sign, and their records to be read before.
    Duration sign_time_max = std::chrono::minutes(2);
    /// How often it is looked whether something is due; `interval` where that is less.
    UnixSeconds look_interval = 10;
    /// How long a node that did not sign is not asked: at first, doubling up to the second.
    Duration absence_min = std::chrono::seconds(2);
    Duration absence = std::chrono::minutes(10);
    /// What waits for a node that has not signed for so long is settled without it, when that was
    /// announced for as long as the contract wants; with what clocks may differ by, and what an
    /// announcement may take.
    UnixSeconds absent_after = 6 * 3600;
    UnixSeconds notice = chain::absence_delay_s + 600;
    /// When the contract says that it is too soon.
    UnixSeconds notice_more = 3600;
    /// After a settlement that the contract refused.
    Duration refused_pause = std::chrono::minutes(1);
    /// How long a charge is left alone that the contract or a node refuses by itself, or whose
    /// receipt cannot be read: at first, doubling up to the second.
    Duration aside = std::chrono::hours(1);
    Duration aside_max = std::chrono::hours(24);
    /// Settlements that were begun since then are looked for again where the settled chain turns
    /// out to be another one.
    UnixSeconds recheck = 30 * 24 * 3600;
};

/// All that nodes are to sign.
struct SignOrder {
    uint64_t number = 0;
    chain::tee_tee::Batch batch{};
    /// Of batch.work, in its order.
    std::vector<crypto::Address> signers{};
    std::vector<Charge> charges{};
    /// Whoever signs it: the rest is done without.
    bool is_last_call = false;
    /// Of one that was announced; 0: of none.
    uint64_t record = 0;
};

struct NodeSignature {
    crypto::Address signer{};
    Result<crypto::RecoverableSignature> signature;
};

/// What came of an order.
struct SignReply {
    std::vector<NodeSignature> signatures{};
    /// Charges whose receipts could not be read; nobody was asked then.
    std::vector<RequestId> unreadable{};
};

struct SettlerEffects {
    std::optional<SignOrder> order{};
    std::vector<chain::SendIntent> submits{};
    /// For the operator's log.
    std::vector<std::string> notes{};
};

/// Brings an entry's charges to the contract: one settlement at a time, planned, signed by all its
/// nodes, kept in the ledger, sent, and over when its anchor is settled in the chain. What was
/// begun goes on after a restart. A settlement that the contract refuses is taken apart, and its
/// charges are planned anew, half as many at a time, until the one is found that is at fault.
///
/// No charge is claimed twice, though anybody who has seen the call of a settlement can bring it to
/// the contract whenever it likes: a settlement that was taken apart is looked for as long as any
/// of its charges is not settled, and they are its own as soon as its anchor is settled. Until then
/// nothing of its vouchers and queries is planned, for what it changed is seen before it is settled
/// (MoneyView::claimed). docs/decisions/0027 has the argument.
///
/// Where a node does not sign for hours, what it worked on is planned once more, kept with the
/// signatures that there are, and announced. From then on it is one settlement with one root, which
/// the contract takes once: signed by all, if the node comes back, or after the notice without it.
/// Nothing else is claimed from its vouchers meanwhile. Pure but for the store.
class Settler {
  public:
    /// References MUST outlive it.
    Settler(const SettlerOptions& options, LedgerStore& store) : options_(options), store_(store) {}

    /// Whatever was on its way is sent again: the sender knows it by its key. Error: ledger_failed.
    Result<void> start(SettlerEffects& effects);
    /// From time to time, and when the chain is another. Error: ledger_failed.
    Result<void> on_time(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                         SettlerEffects& effects);
    /// What came of an order, for all its signers at once.
    Result<void> on_signed(Instant now, uint64_t unix_now, uint64_t order, const SignReply& reply,
                           SettlerEffects& effects);
    /// Of an intent of this settler's; others are not its business.
    void on_outcome(Instant now, const chain::SendOutcome& outcome);
    /// As they are now; nullopt: not known, and nothing counts as worth its gas.
    void set_gas(std::optional<GasTerms> terms) { gas_ = std::move(terms); }
    /// Settle now, whatever it is worth.
    void hurry() {
        is_hurried_ = true;
        look_soon();
    }

    /// Nothing is being signed or sent; settlements may wait for their notice.
    bool is_idle() const { return !order_ && sending_.empty(); }
    uint64_t settlements() const { return settlements_; }
    size_t announced() const { return announced_.size(); }

  private:
    struct Sending {
        SettlementRecord record;
        /// The sender has said that it is in the chain: in which block.
        std::optional<uint64_t> block{};
        /// The sender has given it up, and why; until that is settled too.
        std::optional<Error> refusal{};
        std::optional<uint64_t> refused_by_block{};
    };
    struct Announced {
        SettlementRecord record;
        /// With the signatures that there are.
        chain::tee_tee::Batch batch{};
        Digest digest{};
        std::vector<Charge> charges{};
        /// When its nodes are asked again.
        Instant ask_at{};
        /// Announcing is tried again from then on, with another transaction.
        std::optional<Instant> again_at{};
        unsigned tries = 1;
        /// The sender has said that the announcement is in the chain: in which block.
        std::optional<uint64_t> block{};
        /// And that is settled, or the contract knows it by somebody else.
        bool is_known = false;
    };
    /// Of a charge that is at fault by itself, as it seems.
    struct Setback {
        Instant until{};
        Duration pause{};
        unsigned count = 0;
        /// Since when a node has refused to sign it.
        std::optional<Instant> unsigned_since{};
    };

    Result<void> watch(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                       SettlerEffects& effects);
    Result<void> recheck(uint64_t unix_now, const chain::MoneyView& view, SettlerEffects& effects);
    void submit(const SettlementRecord& record, SettlerEffects& effects) const;
    std::string key_of(const SettlementRecord& record) const;
    Result<bool> watch_one(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                           Sending& sending, SettlerEffects& effects);
    Result<bool> end_if_anchored(const SettlementRecord& record, const chain::MoneyView& view,
                                 SettlerEffects& effects);
    Result<void> watch_dissolved(const chain::MoneyView& view, SettlerEffects& effects);
    Result<void> send_again(Sending& sending, SettlerEffects& effects);
    Result<void> dissolve(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                          const Sending& sending, SettlerEffects& effects);
    struct Taken {
        /// Everybody has signed.
        bool is_whole = true;
        /// A node finds the settlement wrong.
        bool is_rejected = false;
    };
    Taken take_signatures(Instant now, SignOrder& order,
                          const std::vector<NodeSignature>& signatures, SettlerEffects& effects);
    void note_absence(Instant now, const crypto::Address& signer, const std::string& why,
                      SettlerEffects& effects);
    void begin_order(Instant now, SignOrder order, SettlerEffects& effects);
    Result<void> send(uint64_t unix_now, const SignOrder& order, SettlerEffects& effects);

    // settler_rounds.cpp
    Result<void> plan(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                      SettlerEffects& effects);
    bool is_due(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                std::span<const Charge> charges, bool begins) const;
    bool is_aside(Instant now, const Charge& charge) const;
    Setback& set_back(Instant now, const RequestId& request);
    /// The charges of a settlement that was refused: what is planned next are fewer of them.
    void narrow(Instant now, std::span<const Charge> charges);
    /// What waits is looked at from its beginning.
    void begin_round();
    void end_round(Instant now);
    void look_soon() { look_at_ = {}; }
    void look_later(Instant now);
    Result<std::vector<SpendAccount>> accounts_of(std::span<const Charge> charges);
    Result<void> leave_out(std::span<const LeftOut> left_out, SettlerEffects& effects);
    Result<bool> plan_step(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                           SettlerEffects& effects);
    Result<std::vector<Charge>> next_charges(Instant now, bool begins);

    // settler_absent.cpp
    static bool is_signed_by_all(const chain::tee_tee::Batch& batch);
    Result<void> keep_announced(SettlementRecord record);
    Result<void> announce(uint64_t unix_now, const SignOrder& order, SettlerEffects& effects);
    void submit_notice(Announced& announced, SettlerEffects& effects) const;
    std::string notice_key(const Announced& announced) const;
    Result<void> watch_announced(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                                 SettlerEffects& effects);
    Result<bool> watch_announced_one(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                                     Announced& announced, SettlerEffects& effects);
    Result<void> wait_on(uint64_t unix_now, const Sending& sending, SettlerEffects& effects);
    Result<bool> order_absent(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                              SettlerEffects& effects);
    Result<bool> order_last_call(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                                 SettlerEffects& effects);
    bool is_overdue(Instant now, uint64_t unix_now, const chain::MoneyView& view,
                    const Charge& charge) const;
    std::set<Digest> held_vouchers() const;
    Result<void> on_absent_signed(const SignOrder& order, SettlerEffects& effects);
    void on_notice(Instant now, const chain::SendOutcome& outcome);
    void note_left_out(const LeftOut& left_out, SettlerEffects& effects);

    SettlerOptions options_;
    LedgerStore& store_;
    std::optional<SignOrder> order_;
    Instant order_ends_{};
    uint64_t next_order_ = 1;
    std::vector<Sending> sending_;
    std::vector<Announced> announced_;
    /// What the contract may have all the same.
    std::vector<SettlementRecord> dissolved_;
    Instant absent_look_at_{};
    /// The last one that was looked at for who is absent; nullopt: none yet.
    std::optional<RequestId> absent_passed_;
    /// Nodes that did not sign when they were last asked.
    struct Absence {
        Instant since{};
        Instant until{};
        Duration pause{};
    };
    std::map<crypto::Address, Absence> absences_;
    // A round goes once through all that is unsettled: what has to wait is passed over, so that
    // nothing waits behind it.
    /// The last one that had its turn in this round; nullopt: at its beginning.
    std::optional<RequestId> passed_;
    /// Something of this round waits for what may pass.
    bool has_waiting_ = false;
    uint64_t round_at_ = 0;
    /// A round may begin then, though the interval is not over.
    std::optional<Instant> retry_at_;
    Duration retry_pause_{};
    Instant look_at_{};
    Instant not_before_{};
    /// Halved with each refusal, doubled with each success.
    size_t charges_max_ = settlement_charges_max;
    std::map<RequestId, Setback> setbacks_;
    /// Restarts of the view that were taken account of.
    std::optional<uint64_t> restarts_;
    bool is_hurried_ = false;
    std::optional<GasTerms> gas_;
    uint64_t settlements_ = 0;
    /// Told of once.
    std::set<RequestId> told_;
};

}  // namespace teetee::billing
