// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include <fmt/format.h>

#include "base/strict_json.hpp"
#include "billing/payment_header.hpp"
#include "cli/chain_commands.hpp"
#include "cli/entry_option.hpp"
#include "cli/wallet_option.hpp"
#include "client/entry_terms.hpp"
#include "client/host_payer.hpp"
#include "client/json_numbers.hpp"
#include "client/limits.hpp"
#include "net/rest.hpp"

namespace teetee::cli {
namespace {

struct SettleOptions : NetworkFiles {
    WalletOption wallet;
    EntryOption entry;
    int64_t wait_s = 300;
};

/// Credits of the answers that the entry was paid for.
struct Totals {
    uint64_t charges = 0;
    uint64_t unsettled = 0;
    uint64_t settling = 0;
    uint64_t settled = 0;
    uint64_t given_up = 0;

    bool is_done() const { return unsettled == 0 && settling == 0; }
};

Result<Totals> parse_totals(std::string_view body) {
    TT_TRY(const auto value, parse_strict_json(body, {client::payment_answer_bytes_max, 4}));
    TT_TRY(const auto fields, chain::JsonFields::of(value, "totals", ErrorCode::invalid_json));
    Totals out;
    TT_TRY(out.charges, fields.number("charges", UINT64_MAX));
    TT_TRY(out.unsettled, client::big_number(fields, "unsettled"));
    TT_TRY(out.settling, client::big_number(fields, "settling"));
    TT_TRY(out.settled, client::big_number(fields, "settled"));
    TT_TRY(out.given_up, client::big_number(fields, "given_up"));
    return out;
}

void show(const Totals& totals, Session& session) {
    if (session.json) {
        print_json({{"charges", totals.charges},
                    {"unsettled", std::to_string(totals.unsettled)},
                    {"settling", std::to_string(totals.settling)},
                    {"settled", std::to_string(totals.settled)},
                    {"given_up", std::to_string(totals.given_up)},
                    {"done", totals.is_done()}});
        return;
    }
    print_text(fmt::format(
        "{} answers charged: {} credits settled, {} on their way, {} wait{}\n", totals.charges,
        totals.settled, totals.settling, totals.unsettled,
        totals.given_up == 0 ? "" : fmt::format(", {} came too late", totals.given_up)));
}

Result<void> settle(const SettleOptions& options, Session& session) {
    TT_TRY(const auto key, options.wallet.open());
    TT_TRY(const auto terms, NetworkTerms::load(options));
    TT_TRY(const auto entry, options.entry.open(options, terms));
    TT_TRY(const auto token, client::sign_in(entry, key));
    const net::HttpHeaders headers = {{std::string(billing::payment_header_name),
                                       billing::encode_payment(billing::HostToken{token})}};
    const Instant give_up_at = SystemClock().now() + std::chrono::seconds(options.wait_s);
    Totals last;
    while (true) {
        TT_TRY(const auto body, client::post_for_json(entry, "/v1/payment/settle", "", headers));
        TT_TRY(const auto totals, parse_totals(body));
        const bool is_late = SystemClock().now() >= give_up_at;
        if (!totals.is_done() && !is_late) {
            if (!session.json && totals.settling != last.settling && totals.settling != 0)
                std::cerr << fmt::format("{} credits are on their way\n", totals.settling);
            last = totals;
            net::rest(std::chrono::seconds(1));
            continue;
        }
        show(totals, session);
        if (totals.is_done()) return {};
        return fail(ErrorCode::timed_out,
                    "not all is settled; the entry goes on with it, and its "
                    "log says what it waits for");
    }
}

}  // namespace

void add_settle(CLI::App& app, Session& session) {
    auto options = std::make_shared<SettleOptions>();
    CLI::App* command = add_command(
        app, session, "settle",
        "Have an entry of yours bring to the contract now what its clients owe, and wait for it",
        options, settle);
    options->add_to(*command);
    options->collateral.add_services_to(*command);
    options->wallet.add_to(*command);
    options->entry.add_to(*command);
    command
        ->add_option("--wait-seconds", options->wait_s, "How long it is waited for; 0: not at all")
        ->capture_default_str()
        ->check(CLI::Range(0, 86400));
}

}  // namespace teetee::cli
