// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/amount_text.hpp"
#include "cli/chain_commands.hpp"
#include "cli/wallet.hpp"

namespace teetee::cli {
namespace {

using chain::U256;
namespace calls = chain::tee_tee;

struct WithdrawOptions : WalletOptions {
    std::string to;
};

struct HostNode {
    uint64_t id = 0;
    chain::NodeRecord record;
    bool is_live = false;
};

std::vector<HostNode> nodes_of(const ChainSession& chain, const chain::Address& host,
                               uint64_t now) {
    std::vector<HostNode> out;
    for (const auto& [id, node] : chain.state().nodes())
        if (node.host == host && !node.left)
            out.push_back({id, node, chain.state().is_live(id, now)});
    return out;
}

std::string text_of(const HostNode& node) {
    return fmt::format("node {}: pool {}, slot {}, {}, {} {}\n", node.id, node.record.pool,
                       node.record.slot, node.is_live ? "live" : "not live",
                       node.is_live ? "until" : "evidence until", time_text(node.record.expiry));
}

boost::json::object to_json(const HostNode& node) {
    return {{"node", node.id},
            {"pool", node.record.pool},
            {"slot", node.record.slot},
            {"live", node.is_live},
            {"expiry", node.record.expiry}};
}

Result<void> earnings(const ViewOptions& options, Session& session) {
    TT_TRY(const auto account, options.account.resolve(options.wallet));
    TT_TRY(const auto chain, open_view(options.chain));
    TT_TRY(const uint64_t now, chain->time());
    const U256 earned = chain->state().account(account).earnings;
    const U256& price = chain->facts().wei_per_credit;
    const auto nodes = nodes_of(*chain, account, now);
    if (session.json) {
        boost::json::array list;
        for (const HostNode& node : nodes) list.push_back(to_json(node));
        const auto worth = earned.times(price);
        print_json({{"account", chain::to_checksum_text(account)},
                    {"earnings", earned.to_decimal()},
                    {"worth_wei", worth ? worth->to_decimal() : ""},
                    {"nodes", std::move(list)}});
        return {};
    }
    std::string text =
        fmt::format("{} has earned {}{}\n", chain::to_checksum_text(account),
                    credits_text(earned, price), earned.is_zero() ? "" : ": teetee withdraw");
    for (const HostNode& node : nodes) text += text_of(node);
    print_text(text);
    return {};
}

Result<void> withdraw(const WithdrawOptions& options, Session& session) {
    TT_TRY(const auto wallet, Wallet::open(options));
    chain::Address to = wallet->account();
    if (!options.to.empty()) {
        TT_TRY(to, parse_account(options.to, "--to"));
    }
    const std::string whom = chain::to_checksum_text(to);
    TT_TRY(const bool is_begun, wallet->is_begun("withdraw to " + whom));
    const U256 earned = wallet->chain().state().account(wallet->account()).earnings;
    if (!is_begun && earned.is_zero()) {
        return fail(ErrorCode::call_reverted, chain::to_checksum_text(wallet->account()) +
                                                  " has earned nothing that is not withdrawn");
    }
    Order order{.summary = "withdraw " + wallet->worth(earned) + " to " + whom};
    TT_TRY(order.data, calls::WithdrawToCall{.to = to}.encode());
    TT_TRY(const auto paid, wallet->pay(order, session));
    if (!paid) return {};
    TT_TRY(const auto event, wallet->event_of<calls::EarningsWithdrawnEvent>(paid->inclusion));
    TT_TRY(const U256 wei, event.amount.times(wallet->wei_per_credit()));
    wallet->tell(*paid, "withdrew " + wallet->worth(event.amount) + " to " + whom,
                 {{"withdrawn", event.amount.to_decimal()},
                  {"withdrawn_wei", wei.to_decimal()},
                  {"to", whom}},
                 session);
    return {};
}

}  // namespace

void add_earnings(CLI::App& app, Session& session) {
    auto options = std::make_shared<ViewOptions>();
    CLI::App* command =
        add_command(app, session, "earnings", "What a host or creator has earned, and its nodes",
                    options, earnings);
    options->add_to(*command);

    auto withdraw_options = std::make_shared<WithdrawOptions>();
    command = add_command(app, session, "withdraw", "Take all earnings out, in ETH",
                          withdraw_options, withdraw);
    command->add_option("--to", withdraw_options->to, "Pay to this address; default: your own");
    withdraw_options->add_to(*command);
}

}  // namespace teetee::cli
