// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "chain/limits.hpp"
#include "cli/amount_text.hpp"
#include "cli/chain_commands.hpp"
#include "cli/evidence_file.hpp"
#include "cli/registration_call.hpp"
#include "cli/wallet.hpp"
#include "crypto/hash.hpp"

namespace teetee::cli {
namespace {

namespace calls = chain::tee_tee;

struct RegisterOptions : WalletOptions {
    std::string file;
    std::string verifier_kind;
    std::string evidence;
    std::string verifier_fee;
};

struct LeaveOptions : WalletOptions {
    uint64_t node = 0;
};

Result<chain::RegistrationFile> read_registration(const std::string& path) {
    TT_TRY(const Bytes text, net::read_file(path, chain::registration_file_bytes_max));
    auto file = chain::parse_registration_file(as_text(text));
    if (!file) return in_context(path, std::move(file).error());
    return file;
}

Result<CheckedRegistration> check(const RegisterOptions& options, const Wallet& wallet,
                                  chain::RegistrationFile file, bool is_renewal) {
    const ChainTarget& target = wallet.chain().target();
    RegistrationNeeds needs{.deployment = target.deployment,
                            .wallet = wallet.account(),
                            .pool = wallet.chain().state().pool(file.pool),
                            .is_renewal = is_renewal};
    TT_TRY(needs.now, wallet.chain().time());
    if (options.evidence.empty())
        return checked_registration(std::move(file), needs, options.verifier_kind, target);
    TT_TRY(auto statement, check_registration(file, needs));
    TT_TRY(auto evidence, read_evidence_file(options.evidence, chain::evidence_bytes_max));
    return CheckedRegistration{std::move(file), std::move(statement), std::move(evidence)};
}

Result<void> add_fee(const RegisterOptions& options, Order& order) {
    if (options.verifier_fee.empty()) return {};
    TT_TRY(order.value, parse_eth(options.verifier_fee));
    order.summary += ", with " + eth_text(order.value) + " for the verifier";
    return {};
}

/// The same file is the same registration, or renewal.
std::string words_of(std::string_view what, const chain::RegistrationFile& file) {
    return fmt::format("{} 0x{}", what,
                       to_hex(crypto::sha256(as_bytes(chain::encode_registration_file(file)))));
}

// -------------------------------------------------------------------------------------- register

/// What was begun before goes on, whatever the file says of today.
template <class MakeOrder>
Result<Order> order_of(std::string_view verb, const RegisterOptions& options, Wallet& wallet,
                       chain::RegistrationFile file, const MakeOrder& make) {
    TT_TRY(const bool is_begun, wallet.is_begun(words_of(verb, file)));
    if (is_begun) return Order{};
    return make(options, wallet, std::move(file));
}

Result<Order> order_registration(const RegisterOptions& options, const Wallet& wallet,
                                 chain::RegistrationFile file) {
    TT_TRY(const CheckedRegistration checked, check(options, wallet, std::move(file), false));
    const chain::Address& key = checked.statement.receipt_address;
    if (const uint64_t node = wallet.chain().state().node_id_of_key(key); node != 0) {
        return fail(ErrorCode::call_reverted,
                    fmt::format("receipt key {} is node {} already: teetee renew, or start the "
                                "node anew, which makes a new key",
                                chain::to_checksum_text(key), node));
    }
    Order order{.summary =
                    fmt::format("register a node for slot {} of pool {} at {}", checked.file.slot,
                                checked.file.pool, quote_foreign(checked.file.endpoint))};
    TT_TRY(order.data, encode_registration_call(checked));
    TT_CHECK(add_fee(options, order));
    return order;
}

Result<void> register_node(const RegisterOptions& options, Session& session) {
    TT_TRY(auto file, read_registration(options.file));
    TT_TRY(const auto wallet, Wallet::open(options));
    TT_TRY(const auto order,
           order_of("register", options, *wallet, std::move(file), order_registration));
    TT_TRY(const auto paid, wallet->pay(order, session));
    if (!paid) return {};
    TT_TRY(const auto event, wallet->event_of<calls::NodeRegisteredEvent>(paid->inclusion));
    wallet->tell(*paid,
                 fmt::format("node {} is registered for slot {} of pool {}, until {}", event.node,
                             event.slot, event.pool, time_text(event.expiry)),
                 {{"node", event.node},
                  {"pool", event.pool},
                  {"slot", event.slot},
                  {"receipt_key", chain::to_checksum_text(event.receipt_key)},
                  {"measurement", "0x" + to_hex(event.measurement)},
                  {"expiry", event.expiry}},
                 session);
    return {};
}

// ----------------------------------------------------------------------------------------- renew

Result<Order> order_renewal(const RegisterOptions& options, const Wallet& wallet,
                            chain::RegistrationFile file) {
    TT_TRY(const CheckedRegistration checked, check(options, wallet, std::move(file), true));
    const chain::ContractState& state = wallet.chain().state();
    const uint64_t id = state.node_id_of_key(checked.statement.receipt_address);
    const chain::NodeRecord* node = state.node(id);
    if (node == nullptr || node->left) {
        return fail(ErrorCode::call_reverted,
                    fmt::format("receipt key {} {}: teetee register",
                                chain::to_checksum_text(checked.statement.receipt_address),
                                node == nullptr ? "is of no node yet" : "is of a node that left"));
    }
    if (node->pool != checked.file.pool || node->slot != checked.file.slot) {
        return fail(ErrorCode::statement_mismatch,
                    fmt::format("registration: have slot {} of pool {}, need slot {} of pool {}",
                                checked.file.slot, checked.file.pool, node->slot, node->pool));
    }
    Order order{.summary = fmt::format("renew the evidence of node {}", id)};
    TT_TRY(order.data, encode_renewal_call(checked, id));
    TT_CHECK(add_fee(options, order));
    return order;
}

Result<void> renew_node(const RegisterOptions& options, Session& session) {
    TT_TRY(auto file, read_registration(options.file));
    TT_TRY(const auto wallet, Wallet::open(options));
    TT_TRY(const auto order, order_of("renew", options, *wallet, std::move(file), order_renewal));
    TT_TRY(const auto paid, wallet->pay(order, session));
    if (!paid) return {};
    TT_TRY(const auto event, wallet->event_of<calls::NodeRenewedEvent>(paid->inclusion));
    wallet->tell(*paid,
                 fmt::format("node {} is renewed, until {}", event.node, time_text(event.expiry)),
                 {{"node", event.node}, {"pool", event.pool}, {"expiry", event.expiry}}, session);
    return {};
}

// ----------------------------------------------------------------------------------------- leave

Result<void> ensure_own_node(const Wallet& wallet, uint64_t id) {
    const chain::NodeRecord* node = wallet.chain().state().node(id);
    if (node == nullptr) {
        return fail(ErrorCode::call_reverted,
                    fmt::format("there is no node {}: teetee earnings lists yours", id));
    }
    if (node->host != wallet.account()) {
        return fail(ErrorCode::call_reverted,
                    fmt::format("node {}: have wallet {}, need its host's, {}", id,
                                chain::to_checksum_text(wallet.account()),
                                chain::to_checksum_text(node->host)));
    }
    if (node->left) return fail(ErrorCode::call_reverted, fmt::format("node {} has left", id));
    return {};
}

Result<void> leave(const LeaveOptions& options, Session& session) {
    TT_TRY(const auto wallet, Wallet::open(options));
    TT_TRY(const bool is_begun, wallet->is_begun(fmt::format("leave {}", options.node)));
    if (!is_begun) TT_CHECK(ensure_own_node(*wallet, options.node));
    Order order{.summary = fmt::format("take node {} out of service, for good", options.node)};
    TT_TRY(order.data, calls::LeaveNodeCall{.id = options.node}.encode());
    TT_TRY(const auto paid, wallet->pay(order, session));
    if (!paid) return {};
    wallet->tell(*paid,
                 fmt::format("node {} has left; its work is settled for a week", options.node),
                 {{"node", options.node}}, session);
    return {};
}

void add_registration_options(CLI::App& command, RegisterOptions& options) {
    command.add_option("file", options.file, "The registration that the node wrote")->required();
    command
        .add_option("--verifier-kind", options.verifier_kind,
                    "Of the pool's verifier, where it is not the deployment's")
        ->check(CLI::IsMember({"dev", "quote", "automata"}));
    command.add_option("--evidence", options.evidence,
                       "For a verifier of another kind: what it takes (binary or hex), as it is");
    command.add_option("--verifier-fee", options.verifier_fee,
                       "ETH that goes to the verifier with it");
    options.add_to(command);
}

}  // namespace

void add_register(CLI::App& app, Session& session) {
    auto register_options = std::make_shared<RegisterOptions>();
    add_registration_options(
        *add_command(app, session, "register", "Register your node for a slot of a pool",
                     register_options, register_node),
        *register_options);
    auto renew_options = std::make_shared<RegisterOptions>();
    add_registration_options(
        *add_command(app, session, "renew", "Give a registered node's new evidence to the contract",
                     renew_options, renew_node),
        *renew_options);
    auto leave_options = std::make_shared<LeaveOptions>();
    CLI::App* command = add_command(app, session, "leave", "Take your node out of a pool, for good",
                                    leave_options, leave);
    command->add_option("node", leave_options->node, "The node's number")->required();
    leave_options->add_to(*command);
}

}  // namespace teetee::cli
