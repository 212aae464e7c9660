// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/payment_option.hpp"
#include "cli/voucher_commands.hpp"

namespace teetee::cli {
namespace {

struct HeaderOptions : NetworkFiles {
    PaymentOption payment;
    std::string entry;
    std::string body;
    uint64_t tokens = 256;
};

Result<void> header(const HeaderOptions& options, Session& session) {
    TT_TRY(const Payment payment, options.payment.open(options));
    if (!payment.voucher)
        return fail(ErrorCode::invalid_argument,
                    "need --payment FILE: teetee voucher open makes one");
    TT_TRY(auto terms, NetworkTerms::load(options));
    payment.complete(terms);
    TT_TRY(auto client_terms, terms.for_client());
    TT_TRY(auto entry,
           client::VerifiedEntry::open(
               {.url = options.entry.empty() ? fmt::format("https://127.0.0.1:{}", options.port + 1)
                                             : options.entry,
                .privacy = client::Privacy::attested_tls,
                .terms = std::make_shared<client::Terms>(std::move(client_terms))}));
    TT_CHECK(entry.verify_route());
    TT_TRY(auto payer,
           client::VoucherPayer::open(*payment.session, {.spend_max = options.payment.spend_max,
                                                         .tokens_ahead = options.tokens}));
    Result<billing::PaymentClaim> claim = payer.pay(entry, {options.body, options.body.size()});
    while (!claim && payer.tries_again(claim.error().code))
        claim = payer.pay(entry, {options.body, options.body.size()});
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
    CLI::App* command = add_command(
        group, session, "header",
        "The HTTP header by which a voucher pays for one request, for curl and the like: good for "
        "this very body, at this entry, for five minutes",
        options, header);
    options->add_to(*command);
    options->collateral.add_services_to(*command);
    options->payment.add_session_to(*command);
    command
        ->add_option("--entry", options->entry,
                     "URL of the entry's attested API, https://HOST:PORT, which is verified first")
        ->envname("TEETEE_ENTRY");
    command->add_option("-d,--data", options->body, "The request's body, to the byte")->required();
    command->add_option("-n,--tokens", options->tokens, "Tokens of an answer that are signed for")
        ->capture_default_str()
        ->check(CLI::Range(1, 1 << 20));
}

}  // namespace teetee::cli
