// SPDX-License-Identifier: Apache-2.0
#include "cli/registration_command.hpp"

#include <fmt/format.h>

#include "chain/limits.hpp"
#include "cli/amount_text.hpp"
#include "cli/evidence_file.hpp"
#include "cli/registration_call.hpp"
#include "crypto/hash.hpp"

namespace teetee::cli {
namespace {

namespace calls = chain::tee_tee;

Result<CheckedRegistration> check(const RegistrationOption& options, const Wallet& wallet,
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

Result<void> add_fee(const RegistrationOption& options, Order& order) {
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

/// What was begun before goes on, whatever the file says of today.
template <class MakeOrder>
Result<Order> order_of(std::string_view verb, const RegistrationOption& options, Wallet& wallet,
                       chain::RegistrationFile file, const MakeOrder& make) {
    TT_TRY(const bool is_begun, wallet.is_begun(words_of(verb, file)));
    if (is_begun) return Order{};
    return make(options, wallet, std::move(file));
}

Result<Order> order_registration(const RegistrationOption& options, const Wallet& wallet,
                                 chain::RegistrationFile file) {
    TT_TRY(const CheckedRegistration checked, check(options, wallet, std::move(file), false));
    const chain::Address& key = checked.statement.receipt_address;
    if (const uint64_t node = wallet.chain().state().node_id_of_key(key); node != 0) {
        return fail(ErrorCode::call_reverted,
                    fmt::format("receipt key {} is node {} already: teetee renew; of a node that "
                                "left, start it with another --state, which makes a new key",
                                chain::to_checksum_text(key), node));
    }
    Order order{.summary =
                    fmt::format("register a node for slot {} of pool {} at {}", checked.file.slot,
                                checked.file.pool, quote_foreign(checked.file.endpoint))};
    TT_TRY(order.data, encode_registration_call(checked));
    TT_CHECK(add_fee(options, order));
    return order;
}

Result<Order> order_renewal(const RegistrationOption& options, const Wallet& wallet,
                            chain::RegistrationFile file) {
    TT_TRY(const CheckedRegistration checked, check(options, wallet, std::move(file), true));
    const chain::ContractState& state = wallet.chain().state();
    const uint64_t id = state.node_id_of_key(checked.statement.receipt_address);
    const chain::NodeRecord* node = state.node(id);
    if (node == nullptr || node->left) {
        return fail(
            ErrorCode::call_reverted,
            fmt::format("receipt key {} {}",
                        chain::to_checksum_text(checked.statement.receipt_address),
                        node == nullptr ? "is of no node yet: teetee register"
                                        : "is of a node that left: start it with another --state, "
                                          "which makes a new key, then teetee register"));
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

/// What the caller adds.
boost::json::object joined(boost::json::object own, const boost::json::object& more) {
    for (const auto& member : more) own[member.key()] = member.value();
    return own;
}

}  // namespace

void RegistrationOption::add_to(CLI::App& command) {
    command
        .add_option("--verifier-kind", verifier_kind,
                    "Of the pool's verifier, where it is not the deployment's")
        ->check(CLI::IsMember({"dev", "quote", "automata"}));
    command.add_option("--evidence", evidence,
                       "For a verifier of another kind: what it takes (binary or hex), as it is");
    command.add_option("--verifier-fee", verifier_fee, "ETH that goes to the verifier with it");
}

Result<void> register_node_of(const RegistrationOption& option, Wallet& wallet,
                              chain::RegistrationFile file, boost::json::object details,
                              Session& session) {
    TT_TRY(const auto order,
           order_of("register", option, wallet, std::move(file), order_registration));
    TT_TRY(const auto paid, wallet.pay(order, session));
    if (!paid) return {};
    TT_TRY(const auto event, wallet.event_of<calls::NodeRegisteredEvent>(paid->inclusion));
    wallet.tell(*paid,
                fmt::format("node {} is registered for slot {} of pool {}, until {}", event.node,
                            event.slot, event.pool, time_text(event.expiry)),
                joined({{"node", event.node},
                        {"pool", event.pool},
                        {"slot", event.slot},
                        {"receipt_key", chain::to_checksum_text(event.receipt_key)},
                        {"measurement", "0x" + to_hex(event.measurement)},
                        {"expiry", event.expiry}},
                       details),
                session);
    return {};
}

Result<void> renew_node_of(const RegistrationOption& option, Wallet& wallet,
                           chain::RegistrationFile file, boost::json::object details,
                           Session& session) {
    TT_TRY(const auto order, order_of("renew", option, wallet, std::move(file), order_renewal));
    TT_TRY(const auto paid, wallet.pay(order, session));
    if (!paid) return {};
    TT_TRY(const auto event, wallet.event_of<calls::NodeRenewedEvent>(paid->inclusion));
    wallet.tell(
        *paid, fmt::format("node {} is renewed, until {}", event.node, time_text(event.expiry)),
        joined({{"node", event.node}, {"pool", event.pool}, {"expiry", event.expiry}}, details),
        session);
    return {};
}

}  // namespace teetee::cli
