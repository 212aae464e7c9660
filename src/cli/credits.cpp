// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/amount_text.hpp"
#include "cli/chain_commands.hpp"
#include "cli/wallet.hpp"

namespace teetee::cli {
namespace {

using chain::U256;
namespace calls = chain::tee_tee;

struct BuyOptions : WalletOptions {
    std::string amount;
    std::string eth;
    std::string account;
};

struct RefundOptions : WalletOptions {
    std::string amount;
    std::string to;
    bool is_all = false;
    bool is_cancel = false;
};

boost::json::object account_json(const ChainSession& chain, const chain::Address& account) {
    const chain::AccountRecord record = chain.state().account(account);
    const U256& price = chain.facts().wei_per_credit;
    const auto worth = record.balance.times(price);
    return {{"account", chain::to_checksum_text(account)},
            {"credits", record.balance.to_decimal()},
            {"worth_wei", worth ? worth->to_decimal() : ""},
            {"refund", record.refund.to_decimal()},
            {"refund_ready_at", record.refund.is_zero() ? 0 : record.refund_ready_at},
            {"wei_per_credit", price.to_decimal()}};
}

// ------------------------------------------------------------------------------------------ buy

/// Of what is given: credits, or ETH for as many as it buys to the wei.
Result<U256> credits_to_buy(const BuyOptions& options, const U256& wei_per_credit) {
    if (options.amount.empty() == options.eth.empty())
        return fail(ErrorCode::invalid_argument, "need either a number of credits or --eth");
    if (!options.amount.empty()) return parse_credits(options.amount);
    TT_TRY(const U256 wei, parse_eth(options.eth));
    TT_TRY(const auto parts, wei.divided_by(wei_per_credit));
    if (parts.remainder.is_zero() && !parts.quotient.is_zero()) return parts.quotient;
    return fail(ErrorCode::invalid_argument, "--eth: have " + eth_text(wei) +
                                                 ", need a multiple of " +
                                                 eth_text(wei_per_credit) + ", the price of one");
}

Result<void> buy(const BuyOptions& options, Session& session) {
    if (!options.amount.empty()) TT_CHECK(parse_credits(options.amount));
    TT_TRY(const auto wallet, Wallet::open(options));
    TT_TRY(const U256 credits, credits_to_buy(options, wallet->wei_per_credit()));
    const bool is_gift = !options.account.empty();
    chain::Address account = wallet->account();
    if (is_gift) {
        TT_TRY(account, parse_account(options.account, "--for"));
    }
    const std::string whose = chain::to_checksum_text(account);
    TT_CHECK(wallet->is_begun(fmt::format("credits buy {} for {}", credits.to_decimal(), whose)));
    Order order;
    order.summary = "buy " + wallet->worth(credits) + (is_gift ? " for " + whose : "");
    TT_TRY(order.value, credits.times(wallet->wei_per_credit()));
    TT_TRY(order.data,
           is_gift ? calls::BuyForCall{.account = account}.encode() : calls::BuyCall{}.encode());
    TT_TRY(const auto paid, wallet->pay(order, session));
    if (!paid) return {};
    boost::json::object details = account_json(wallet->chain(), account);
    details["bought"] = credits.to_decimal();
    details["paid_wei"] = order.value.to_decimal();
    wallet->tell(*paid,
                 fmt::format("bought {}; {} has {} now", wallet->worth(credits), whose,
                             wallet->worth(wallet->chain().state().account(account).balance)),
                 std::move(details), session);
    return {};
}

// -------------------------------------------------------------------------------------- balance

Result<void> balance(const ViewOptions& options, Session& session) {
    TT_TRY(const auto account, options.account.resolve(options.wallet));
    TT_TRY(const auto chain, open_view(options.chain));
    if (session.json) {
        print_json(account_json(*chain, account));
        return {};
    }
    const chain::AccountRecord record = chain->state().account(account);
    const U256& price = chain->facts().wei_per_credit;
    std::string text = fmt::format("{} has {}\n", chain::to_checksum_text(account),
                                   credits_text(record.balance, price));
    if (!record.refund.is_zero()) {
        TT_TRY(const uint64_t now, chain->time());
        text += fmt::format(
            "on the way back: {}, {}: teetee credits refund\n", credits_text(record.refund, price),
            now >= record.refund_ready_at ? std::string("ready")
                                          : "from " + time_text(record.refund_ready_at));
    }
    print_text(text);
    return {};
}

// --------------------------------------------------------------------------------------- refund

Result<void> request_refund(Wallet& wallet, const RefundOptions& options, Session& session) {
    const chain::AccountRecord before = wallet.chain().state().account(wallet.account());
    U256 amount = before.balance;
    if (!options.is_all) {
        TT_TRY(amount, parse_credits(options.amount));
    }
    TT_TRY(
        const bool is_begun,
        wallet.is_begun("credits refund " + (options.is_all ? "all of it" : amount.to_decimal())));
    if (!is_begun && (before.balance < amount || amount.is_zero())) {
        return fail(ErrorCode::call_reverted,
                    "have " + wallet.worth(before.balance) + ", need " +
                        (amount.is_zero() ? "some" : amount.to_decimal()));
    }
    Order order{.summary = "have " + wallet.worth(amount) + " paid back in a day"};
    TT_TRY(order.data, calls::RequestRefundCall{.amount = amount}.encode());
    TT_TRY(const auto paid, wallet.pay(order, session));
    if (!paid) return {};
    TT_TRY(const auto event, wallet.event_of<calls::RefundRequestedEvent>(paid->inclusion));
    wallet.tell(*paid,
                fmt::format("{} on the way back, ready from {}: then teetee credits refund",
                            wallet.worth(event.amount), time_text(event.ready_at)),
                account_json(wallet.chain(), wallet.account()), session);
    return {};
}

Result<void> cancel_refund(Wallet& wallet, Session& session) {
    TT_TRY(const bool is_begun, wallet.is_begun("credits refund --cancel"));
    const U256 amount = wallet.chain().state().account(wallet.account()).refund;
    if (!is_begun && amount.is_zero())
        return fail(ErrorCode::call_reverted,
                    "no refund was asked for: there is nothing to cancel");
    Order order{.summary = "keep " + wallet.worth(amount) + " instead of having them paid back"};
    TT_TRY(order.data, calls::CancelRefundCall{}.encode());
    TT_TRY(const auto paid, wallet.pay(order, session));
    if (!paid) return {};
    const U256 balance = wallet.chain().state().account(wallet.account()).balance;
    wallet.tell(*paid, "the refund is cancelled; have " + wallet.worth(balance),
                account_json(wallet.chain(), wallet.account()), session);
    return {};
}

Result<void> withdraw_refund(Wallet& wallet, const RefundOptions& options, Session& session) {
    chain::Address to = wallet.account();
    if (!options.to.empty()) {
        TT_TRY(to, parse_account(options.to, "--to"));
    }
    const std::string whom = chain::to_checksum_text(to);
    TT_TRY(const bool is_begun, wallet.is_begun("credits refund to " + whom));
    const chain::AccountRecord record = wallet.chain().state().account(wallet.account());
    if (!is_begun && record.refund.is_zero()) {
        return fail(ErrorCode::call_reverted, "no refund was asked for; have " +
                                                  wallet.worth(record.balance) +
                                                  ": teetee credits refund AMOUNT");
    }
    TT_TRY(const uint64_t now, wallet.chain().time());
    if (!is_begun && now < record.refund_ready_at) {
        return fail(ErrorCode::call_reverted,
                    fmt::format("{} are ready from {}, have {} now; --cancel keeps them",
                                wallet.worth(record.refund), time_text(record.refund_ready_at),
                                time_text(now)));
    }
    Order order{.summary = "take " + wallet.worth(record.refund) + " out to " + whom};
    TT_TRY(order.data, calls::WithdrawRefundCall{.to = to}.encode());
    TT_TRY(const auto paid, wallet.pay(order, session));
    if (!paid) return {};
    TT_TRY(const auto event, wallet.event_of<calls::RefundPaidEvent>(paid->inclusion));
    boost::json::object details = account_json(wallet.chain(), wallet.account());
    details["paid_back"] = event.amount.to_decimal();
    details["to"] = whom;
    wallet.tell(*paid, "paid back " + wallet.worth(event.amount) + " to " + whom,
                std::move(details), session);
    return {};
}

Result<void> refund(const RefundOptions& options, Session& session) {
    const bool is_request = options.is_all || !options.amount.empty();
    const int wishes = int(options.is_all) + int(!options.amount.empty()) + int(options.is_cancel);
    if (wishes > 1 || (!options.to.empty() && wishes > 0)) {
        return fail(ErrorCode::invalid_argument,
                    "need one of AMOUNT, --all and --cancel; or none, and then --to");
    }
    if (!options.amount.empty()) TT_CHECK(parse_credits(options.amount));
    TT_TRY(const auto wallet, Wallet::open(options));
    if (is_request) return request_refund(*wallet, options, session);
    if (options.is_cancel) return cancel_refund(*wallet, session);
    return withdraw_refund(*wallet, options, session);
}

}  // namespace

void add_credits(CLI::App& app, Session& session) {
    CLI::App* group =
        app.add_subcommand("credits", "Buy credits, look at them, have them paid back");
    group->require_subcommand(1);

    auto buy_options = std::make_shared<BuyOptions>();
    CLI::App* command =
        add_command(*group, session, "buy", "Buy credits with ETH", buy_options, buy);
    command->add_option("amount", buy_options->amount, "How many credits");
    command->add_option("--eth", buy_options->eth, "For so much ETH, in place of a number");
    command->add_option("--for", buy_options->account, "For this address; default: your own");
    buy_options->add_to(*command);

    auto balance_options = std::make_shared<ViewOptions>();
    command = add_command(*group, session, "balance", "How many credits an account has",
                          balance_options, balance);
    balance_options->add_to(*command);

    auto refund_options = std::make_shared<RefundOptions>();
    command = add_command(*group, session, "refund",
                          "Ask for credits to be paid back in ETH (AMOUNT or --all); a day later, "
                          "without either, take them out",
                          refund_options, refund);
    command->add_option("amount", refund_options->amount, "How many credits");
    command->add_flag("--all", refund_options->is_all, "All that there are");
    command->add_flag("--cancel", refund_options->is_cancel, "Keep what was to be paid back");
    command->add_option("--to", refund_options->to, "Pay to this address; default: your own");
    refund_options->add_to(*command);
}

}  // namespace teetee::cli
