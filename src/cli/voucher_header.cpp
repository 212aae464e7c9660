// SPDX-License-Identifier: Apache-2.0
#include "cli/entry_option.hpp"
#include "cli/payment_option.hpp"
#include "cli/voucher_commands.hpp"

namespace teetee::cli {
namespace {

struct HeaderOptions : NetworkFiles {
    PaymentOption payment;
    EntryOption entry;
    std::string body;
};

Result<void> header(const HeaderOptions& options, Session& session) {
    TT_TRY(const Payment payment, options.payment.open(options));
    if (!payment.voucher)
        return fail(ErrorCode::invalid_argument,
                    "need --payment FILE: teetee voucher open makes one");
    TT_TRY(auto terms, NetworkTerms::load(options));
    payment.complete(terms);
    TT_TRY(const auto entry, options.entry.open(options, terms));
    const auto answer = payment.voucher->begin();
    const client::Purchase purchase = {options.body, options.body.size()};
    Result<billing::PaymentClaim> claim = answer->pay(entry, purchase);
    while (!claim && answer->tries_again(claim.error().code)) claim = answer->pay(entry, purchase);
    if (!claim) return claim.error();
    const std::string value = billing::encode_payment(*claim);
    if (session.json) {
        print_json({{"header", "TeeTee-Payment"}, {"value", value}});
    } else {
        print_text("TeeTee-Payment: " + value + "\n");
    }
    return {};
}

}  // namespace

void add_voucher_header(CLI::App& group, Session& session) {
    auto options = std::make_shared<HeaderOptions>();
    options->payment.tokens_ahead = 256;
    CLI::App* command = add_command(
        group, session, "header",
        "The HTTP header by which a voucher pays for one request, for curl and the like: good for "
        "this very body, at this entry, for five minutes",
        options, header);
    options->add_to(*command);
    options->collateral.add_services_to(*command);
    options->payment.add_session_to(*command);
    options->entry.add_to(*command);
    command->add_option("-d,--data", options->body, "The request's body, to the byte")->required();
    command
        ->add_option("-n,--tokens", options->payment.tokens_ahead,
                     "Tokens of an answer that are signed for")
        ->capture_default_str()
        ->check(CLI::Range(1, 1 << 20));
}

}  // namespace teetee::cli
