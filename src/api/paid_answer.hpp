// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>

#include "api/sign_ins.hpp"
#include "attest/receipt.hpp"
#include "billing/payment_header.hpp"
#include "billing/till.hpp"
#include "billing/voucher_openings.hpp"
#include "net/http_message.hpp"

namespace teetee::api {

/// What the header TeeTee-Payment says; nullopt without it. Error: payment_malformed.
Result<std::optional<billing::PaymentClaim>> payment_of(const net::HttpHeaders& headers);

struct Billing;
/// Whose payment a claim is. Error: sign_in_rejected.
Result<billing::Payment> payment_from(const Billing& billing, const billing::PaymentClaim& claim);

/// What an entry needs to be paid. References MUST outlive all answers.
struct Billing {
    chain::Deployment deployment{};
    uint64_t pool = 0;
    /// Receipt key of the entry.
    crypto::Address entry{};
    billing::Till& till;
    billing::LedgerStore& ledger;
    SignIns& sign_ins;
    /// Errors: what keeps decisions over money from being made just now.
    std::function<Result<chain::MoneyView>()> view;
    /// Brings what was charged to the contract, whatever gas it takes.
    std::function<void()> settle_now;
    Log& log;
    /// Opens a voucher for its payer, and says how far that is, once; empty: this entry opens none.
    using VoucherDone = std::function<void(Result<billing::VoucherState>)>;
    std::function<void(billing::SignedVoucher, VoucherDone)> open_voucher{};
    /// What a voucher must have to be opened; nullopt while that is not known.
    std::function<std::optional<billing::Credits>()> voucher_ceiling_min{};
};

/// The payment of one answer, from its admission to its charge. Of an entry that is not paid, all
/// calls say yes. Lets go of what it holds when it goes.
class PaidAnswer {
  public:
    PaidAnswer() = default;
    explicit PaidAnswer(const Billing* billing) : billing_(billing) {}
    ~PaidAnswer() { drop({}); }
    PaidAnswer(const PaidAnswer&) = delete;
    PaidAnswer& operator=(const PaidAnswer&) = delete;

    /// How many tokens the answer may have. Errors: of Till::admit, payment_required without a
    /// payment; of Billing::view.
    Result<uint32_t> admit(const std::optional<billing::Payment>& payment,
                           const billing::Demand& demand);
    /// Whether the answer may have one more token than these.
    bool may_go_on(uint32_t completion_tokens);
    /// Of a voucher whose answer is under way.
    std::optional<billing::Standing> standing() const;

    /// Before the receipt is signed. `delivered` is what drop() would be told.
    void put_into(attest::Receipt& receipt, const billing::Delivered& delivered);
    /// When it is: charges it. Error: ledger_failed; the answer is then free, and its receipt,
    /// which says otherwise, MUST NOT be handed out.
    Result<void> charge(const attest::Receipt& receipt, std::string_view encoded);
    /// It comes to nothing, or a host had it.
    void drop(const billing::Delivered& delivered);

  private:
    const Billing* billing_ = nullptr;
    /// 0: none.
    uint64_t hold_ = 0;
    std::optional<billing::Bill> bill_;
    billing::Delivered delivered_;
};

}  // namespace teetee::api
