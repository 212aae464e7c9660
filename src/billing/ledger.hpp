// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/request.hpp"
#include "base/world.hpp"
#include "chain/contract_records.hpp"
#include "chain/typed_data.hpp"

namespace teetee::billing {

/// Of a pool's contract; what one is worth in wei is the contract's to say.
using Credits = uint64_t;

/// What that many tokens cost. Error: amount_overflow.
Result<Credits> price_of(const chain::Prices& prices, uint64_t prompt_tokens,
                         uint64_t completion_tokens);

/// By a voucher's session key: all that one entry may claim so far.
struct SignedSpend {
    Digest voucher{};
    Credits amount = 0;
    crypto::RecoverableSignature signature{};
    bool operator==(const SignedSpend&) const = default;
};

/// What an entry knows of a voucher that it is paid from.
struct SpendAccount {
    /// The highest that it was shown.
    SignedSpend signed_spend{};
    /// For all answers so far.
    Credits charged = 0;
    bool operator==(const SpendAccount&) const = default;
};

/// The price of one answer that was given, which a settlement is to claim.
struct Charge {
    RequestId request{};
    /// What it is paid from: a voucher, or a query if that is not 0.
    Digest voucher{};
    uint64_t query = 0;
    Credits amount = 0;
    /// That were computed for it: without those that the prefix cache had.
    uint64_t prompt_tokens = 0;
    uint64_t completion_tokens = 0;
    /// receipt_digest of its receipt.
    Digest receipt{};
    /// Receipt keys of the nodes that worked on it, in the order of their slots.
    std::vector<crypto::Address> nodes{};
    UnixSeconds charged_at = 0;

    uint64_t tokens() const { return prompt_tokens + completion_tokens; }
    bool operator==(const Charge&) const = default;
};

enum class SettlementStage : uint8_t {
    /// Signed by all its nodes, and on its way to the contract.
    whole = 1,
    /// Signed by its entry and not by all: it waits for the rest, or until the contract does
    /// without.
    announced = 4,
    /// On its way as it was announced.
    after_notice = 5,
};

/// A settlement whose charges are in no other one.
struct SettlementRecord {
    /// Given by the store.
    uint64_t id = 0;
    uint64_t entry_node = 0;
    Digest receipts_root{};
    SettlementStage stage = SettlementStage::whole;
    /// SettleCall, encoded, with the signatures that there are.
    Bytes call{};
    /// Where it was announced: since when the contract is taken to know.
    UnixSeconds begun_at = 0;
    /// Names it to the sender of transactions, with the root and the id.
    uint64_t attempt = 1;
    bool operator==(const SettlementRecord&) const = default;
};

enum class ChargeState : uint8_t {
    unsettled = 0,
    /// Of a settlement that is on its way.
    settling = 1,
    settled = 2,
    /// It came too late, or nothing was left to claim.
    given_up = 3,
};

/// Where a receipt stands.
struct ChargePlace {
    ChargeState state = ChargeState::unsettled;
    Charge charge{};
    /// Of the settlement that it belongs to, if it does.
    uint64_t entry_node = 0;
    Digest receipts_root{};
    /// receipt_digest of all receipts under the root, in the order of the leaves.
    std::vector<Digest> receipts{};
};

struct LedgerTotals {
    uint64_t charges = 0;
    /// Sums of credits by state.
    Credits unsettled = 0;
    Credits settling = 0;
    Credits settled = 0;
    Credits given_up = 0;
};

/// What an entry MUST NOT forget while the contract owes for it. Everything is durable when a call
/// returns; each call is done whole or not at all. Errors of all: ledger_failed.
class LedgerStore {
  public:
    virtual ~LedgerStore() = default;

    virtual Result<std::vector<SpendAccount>> accounts() = 0;
    /// nullopt where nothing was charged to the voucher.
    virtual Result<std::optional<SpendAccount>> account(const Digest& voucher) = 0;
    /// Queries that were charged.
    virtual Result<std::vector<uint64_t>> queries() = 0;

    /// A charge with its receipt, in whatever form; `account` as it is with it, null for a query.
    /// A request that was charged before is an error.
    virtual Result<void> keep(const Charge& charge, const SpendAccount* account,
                              ByteView receipt) = 0;
    /// The oldest first; those that came after that one.
    virtual Result<std::vector<Charge>> unsettled(size_t count_max,
                                                  const std::optional<RequestId>& after = {}) = 0;
    /// Empty where there is none.
    virtual Result<Bytes> receipt(const RequestId& request) = 0;
    /// nullopt where it was not charged.
    virtual Result<std::optional<ChargePlace>> place_of(const RequestId& request) = 0;
    virtual Result<LedgerTotals> totals() = 0;

    /// The charges, which MUST be unsettled, are the settlement's from now on, in the order of its
    /// leaves. Returns its id.
    virtual Result<uint64_t> begin_settlement(const SettlementRecord& record,
                                              std::span<const Charge> charges) = 0;
    virtual Result<std::vector<SettlementRecord>> open_settlements() = 0;
    /// Those that came to nothing, so far, and of whose charges one at least is not settled: who
    /// has seen such a call can bring it to the contract at any time. Without their calls.
    virtual Result<std::vector<SettlementRecord>> dissolved_settlements() = 0;
    /// Those that were begun then or later, and have ended well. Without their calls.
    virtual Result<std::vector<SettlementRecord>> settled_settlements(UnixSeconds since) = 0;
    /// By its id: stage, call, begun_at and attempt are others now.
    virtual Result<void> update_settlement(const SettlementRecord& record) = 0;
    /// All that were ever put into it, in the order of its leaves.
    virtual Result<std::vector<Charge>> charges_of(uint64_t settlement) = 0;
    /// The contract has it, though it was dissolved perhaps. All charges that were put into it are
    /// settled by it, wherever they were now.
    virtual Result<void> end_settlement(uint64_t settlement) = 0;
    /// It came to nothing: its charges are unsettled again.
    virtual Result<void> dissolve_settlement(uint64_t settlement) = 0;
    /// The contract has it no more: it is open again, for another attempt, and so are the charges
    /// that it had settled.
    virtual Result<SettlementRecord> reopen_settlement(uint64_t settlement) = 0;
    /// An unsettled charge that never will be.
    virtual Result<void> give_up(const RequestId& request) = 0;
};

}  // namespace teetee::billing
