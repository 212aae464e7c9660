// SPDX-License-Identifier: Apache-2.0
#include "api/paid_answer.hpp"

#include <utility>

#include "attest/statement.hpp"

namespace teetee::api {

Result<std::optional<billing::PaymentClaim>> payment_of(const net::HttpHeaders& headers) {
    const auto found = headers.find(billing::payment_header_name);
    if (found == headers.end()) return std::optional<billing::PaymentClaim>();
    TT_TRY(auto claim, billing::parse_payment(found->second));
    return std::optional(std::move(claim));
}

Result<billing::Payment> payment_from(const Billing& billing, const billing::PaymentClaim& claim) {
    if (const auto* voucher = std::get_if<billing::VoucherPayment>(&claim)) return {*voucher};
    if (const auto* query = std::get_if<billing::QueryPayment>(&claim)) return {*query};
    TT_TRY(const auto wallet,
           billing.sign_ins.wallet_of(std::get<billing::HostToken>(claim).token));
    return {billing::HostUse{wallet}};
}

Result<uint32_t> PaidAnswer::admit(const std::optional<billing::Payment>& payment,
                                   const billing::Demand& demand) {
    if (billing_ == nullptr) return demand.tokens_max;
    if (!payment) {
        return fail(ErrorCode::payment_required,
                    "this model is paid for: send a TeeTee-Payment header (/v1/payment says the "
                    "prices), or an API key that pays (/v1/api-keys)");
    }
    TT_TRY(const auto view, billing_->view());
    TT_TRY(const auto admission, billing_->till.admit(view, *payment, demand));
    hold_ = admission.hold;
    return admission.tokens_max;
}

bool PaidAnswer::may_go_on(uint32_t completion_tokens) {
    return hold_ == 0 || billing_->till.may_go_on(hold_, completion_tokens);
}

std::optional<billing::Standing> PaidAnswer::standing() const {
    return hold_ == 0 ? std::nullopt : billing_->till.standing(hold_);
}

void PaidAnswer::put_into(attest::Receipt& receipt, const billing::Delivered& delivered) {
    delivered_ = delivered;
    // What the stages have signed for is what counts.
    delivered_.prompt_tokens = receipt.prompt_tokens;
    delivered_.cached_tokens = receipt.cached_tokens;
    delivered_.completion_tokens = receipt.completion_tokens;
    if (hold_ == 0) return;
    bill_ = billing_->till.bill_for(hold_, delivered_);
    if (bill_) receipt.payment = bill_->payment;
}

Result<void> PaidAnswer::charge(const attest::Receipt& receipt, std::string_view encoded) {
    if (!bill_) {
        drop(delivered_);
        return {};
    }
    billing::Bill bill = *std::exchange(bill_, {});
    bill.charge.request = receipt.request;
    bill.charge.receipt = attest::receipt_digest(receipt);
    for (const attest::ReceiptStage& stage : receipt.stages) {
        const auto statement = attest::decode_statement(stage.statement);
        bill.charge.nodes.push_back(statement ? statement->receipt_address : crypto::Address{});
    }
    auto kept = billing_->till.finish(std::exchange(hold_, 0), bill.charge, as_bytes(encoded),
                                      bill.forfeit);
    if (!kept) billing_->log.error("an answer was not charged: " + kept.error().message());
    return kept;
}

void PaidAnswer::drop(const billing::Delivered& delivered) {
    if (hold_ != 0) billing_->till.drop(std::exchange(hold_, 0), delivered);
}

}  // namespace teetee::api
