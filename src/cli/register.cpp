// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "chain/limits.hpp"
#include "cli/chain_commands.hpp"
#include "cli/registration_command.hpp"

namespace teetee::cli {
namespace {

namespace calls = chain::tee_tee;

struct RegisterOptions : WalletOptions {
    std::string file;
    RegistrationOption registration;
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

Result<void> register_node(const RegisterOptions& options, Session& session) {
    TT_TRY(auto file, read_registration(options.file));
    TT_TRY(const auto wallet, Wallet::open(options));
    return register_node_of(options.registration, *wallet, std::move(file), {}, session);
}

Result<void> renew_node(const RegisterOptions& options, Session& session) {
    TT_TRY(auto file, read_registration(options.file));
    TT_TRY(const auto wallet, Wallet::open(options));
    return renew_node_of(options.registration, *wallet, std::move(file), {}, session);
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
    options.registration.add_to(command);
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
