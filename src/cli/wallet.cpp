// SPDX-License-Identifier: Apache-2.0
#include "cli/wallet.hpp"

#include <cstdio>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "chain/rpc_calls.hpp"
#include "chain/rpc_results.hpp"
#include "cli/amount_text.hpp"
#include "cli/limits.hpp"
#include "cli/revert_hint.hpp"

namespace teetee::cli {
namespace {

constexpr const char* group = "Sending";
constexpr std::chrono::milliseconds lock_retry{200};

std::string contract_folder(const chain::Deployment& deployment) {
    return fmt::format("{}/chain/{}-0x{}", state_home(), deployment.chain_id,
                       to_hex(deployment.contract));
}

// A chain that begins anew knows nothing of what was sent on the one before. Only dev chains do so:
// elsewhere it is an endpoint's mistake or a lie, and forgetting would be paying twice.
Result<void> ensure_same_chain(const std::string& folder, const ChainFacts& facts) {
    const std::string path = folder + "/genesis";
    const std::string have = "0x" + to_hex(facts.genesis);
    const auto before = net::read_file(path, 128);
    if (before && as_text(*before) == have) return {};
    if (before && !facts.is_dev) {
        return fail(ErrorCode::chain_mismatch, "the chain's first block is " + have +
                                                   ", it was another one before (" + path + ")");
    }
    if (!before && before.error().code != ErrorCode::not_found) return before.error();
    if (before)
        std::fprintf(stderr, "the dev chain has begun anew: what was under way is dropped\n");
    for (const char* name : {"/sender.state", "/commands.json", "/chain.journal"}) {
        std::error_code failed;
        if (before) std::filesystem::rename(folder + name, folder + name + ".old", failed);
    }
    return net::write_file_atomic(path, as_bytes(have), {.mode = 0600});
}

Result<std::optional<chain::U256>> max_fee_of(const SendOption& options) {
    if (options.max_fee_gwei.empty()) return std::optional<chain::U256>();
    const auto gwei = chain::U256::from_decimal(options.max_fee_gwei);
    const auto wei = gwei ? gwei->times(1'000'000'000) : gwei;
    if (!wei || wei->is_zero()) {
        return fail(ErrorCode::invalid_argument, "--max-fee-gwei: have " +
                                                     quote_foreign(options.max_fee_gwei) +
                                                     ", need a whole number above 0");
    }
    return std::optional(*wei);
}

Result<PendingCommands> read_pending(const std::string& path) {
    const auto text = net::read_file(path, pending_file_bytes_max);
    if (!text && text.error().code == ErrorCode::not_found) return PendingCommands();
    if (!text) return text.error();
    auto pending = PendingCommands::parse(as_text(*text));
    if (!pending) return in_context(path, std::move(pending).error());
    return pending;
}

}  // namespace

void SendOption::add_to(CLI::App& command) {
    command
        .add_flag("--dry-run", is_dry_run, "Say what would be sent and what it costs; send nothing")
        ->group(group);
    command.add_flag("--yes", is_agreed, "Do not ask before money moves")->group(group);
    command
        .add_option("--once", once,
                    "A name for this very command: under one name it happens once, however often "
                    "it is run")
        ->group(group);
    command
        .add_option("--confirmations", confirmations,
                    "Blocks that a transaction must be deep; default: 3, on a dev chain 1")
        ->check(CLI::Range(1, 1000))
        ->group(group);
    command
        .add_option("--wait-seconds", wait_seconds,
                    "How long to wait for the chain; afterwards the same command goes on with it")
        ->capture_default_str()
        ->check(CLI::Range(1, 86400))
        ->group(group);
    command
        .add_option("--max-fee-gwei", max_fee_gwei,
                    "The most that a transaction may offer for a unit of gas; default: 500")
        ->group(group);
}

void WalletOptions::add_to(CLI::App& command) {
    chain.add_to(command);
    wallet.add_to(command);
    send.add_to(command);
}

void ViewOptions::add_to(CLI::App& command) {
    account.add_to(command);
    chain.add_to(command);
    wallet.add_to(command);
}

Result<std::unique_ptr<Wallet>> Wallet::open(const WalletOptions& options) {
    if (options.send.once.size() > once_name_bytes_max)
        return fail(ErrorCode::invalid_argument, "--once: need a name of at most 64 bytes");
    std::unique_ptr<Wallet> out(new Wallet(options.send));
    TT_CHECK(out->load(options));
    return out;
}

Result<void> Wallet::load(const WalletOptions& options) {
    ChainSession::Options session{.wait_max = std::chrono::seconds(options.send.wait_seconds)};
    session.confirmations = options.send.confirmations;
    TT_TRY(session.target, options.chain.resolve());
    TT_TRY(session.max_fee, max_fee_of(options.send));
    TT_TRY(session.facts, probe_chain(session.target));
    if (options.send.is_dry_run && !options.is_signing) {
        TT_TRY(account_, options.wallet.address());
    } else {
        TT_TRY(session.key, options.wallet.open());
        account_ = session.key->address();
    }
    folder_path_ = contract_folder(session.target.deployment) + "/0x" + to_hex(account_);
    if (!options.send.is_dry_run) {
        TT_TRY(session.folder, lock(session.target, session.facts));
    }
    TT_TRY(pending_, read_pending(pending_path()));
    TT_TRY(session_, ChainSession::open(std::move(session)));
    return session_->catch_up();
}

Result<LockedFolder> Wallet::lock(const ChainTarget& target, const ChainFacts& facts) const {
    const SystemClock clock;
    const Instant deadline = clock.now() + std::chrono::seconds(options_.wait_seconds);
    for (bool is_told = false;; is_told = true) {
        TT_TRY(auto folder, LockedFolder::try_open(folder_path_));
        if (folder) {
            TT_CHECK(ensure_same_chain(folder_path_, facts));
            return std::move(*folder);
        }
        if (clock.now() >= deadline) {
            return fail(ErrorCode::not_ready, "another command uses this wallet on chain " +
                                                  std::to_string(target.deployment.chain_id) +
                                                  " (" + folder_path_ + ")");
        }
        if (!is_told) std::fprintf(stderr, "waiting: another command uses this wallet\n");
        std::this_thread::sleep_for(lock_retry);
    }
}

std::string Wallet::worth(const chain::U256& credits) const {
    return credits_text(credits, wei_per_credit());
}

Result<void> Wallet::save() const {
    return net::write_file_atomic(pending_path(), as_bytes(pending_.encode()), {.mode = 0600});
}

// The sender goes on with all that was under way, whichever command is run.
void Wallet::note_outcomes() {
    for (const auto& [key, result] : session_->outcomes()) {
        PendingCommand* command = pending_.of_key(key);
        if (command == nullptr || key == key_) continue;
        if (result) {
            command->inclusion = *result;
        } else {
            std::fprintf(stderr, "an earlier '%s' has failed: %s\n", command->command.c_str(),
                         result.error().message().c_str());
            pending_.erase(key);
        }
    }
}

Result<bool> Wallet::is_begun(std::string command) {
    command_ = std::move(command);
    for (const PendingCommand& other : pending_.all()) {
        if (!other.name.empty() || other.inclusion || other.command == command_) continue;
        std::fprintf(stderr, "an earlier '%s' has not told how it ended; run it again to see\n",
                     other.command.c_str());
    }
    SystemRng rng;
    key_ = fresh_key(rng);
    const PendingCommand* known =
        options_.once.empty() ? pending_.unfinished(command_) : pending_.named(options_.once);
    is_begun_ = known != nullptr;
    if (!is_begun_) return false;
    if (known->command != command_) {
        return fail(ErrorCode::invalid_argument, "--once " + quote_foreign(options_.once) +
                                                     " was '" + known->command +
                                                     "', need another name");
    }
    key_ = known->intent.key;
    return true;
}

Result<std::optional<Paid>> Wallet::pay(const Order& order, Session& session) {
    if (!is_begun_) {
        TT_TRY(const bool is_agreed, agree(order, session));
        if (!is_agreed) return std::optional<Paid>();
        pending_.add({.command = command_,
                      .intent = {.key = key_,
                                 .to = session_->target().deployment.contract,
                                 .value = order.value,
                                 .data = order.data,
                                 .gas_limit = {}},
                      .name = options_.once,
                      .inclusion = {}});
        TT_CHECK(save());
    } else {
        std::fprintf(stderr, "an earlier run of this command goes on; nothing is sent anew\n");
        if (options_.is_dry_run) {
            if (session.json)
                print_json({{"dry_run", true}, {"resumes", true}, {"summary", command_}});
            return std::optional<Paid>();
        }
    }
    const PendingCommand* command = pending_.of_key(key_);
    if (command->inclusion) return std::optional(Paid{*command->inclusion, true});
    TT_TRY(const auto inclusion, send(chain::SendIntent(command->intent)));
    TT_CHECK(session_->catch_up(inclusion.block_number));
    return std::optional(Paid{inclusion, is_begun_});
}

Result<chain::Inclusion> Wallet::send(const chain::SendIntent& intent) {
    ChainSession::Sent sent = session_->send(intent);
    note_outcomes();
    PendingCommand* command = pending_.of_key(intent.key);
    if (sent.result) {
        command->inclusion = *sent.result;
    } else if (!sent.is_open) {
        pending_.erase(intent.key);
    }
    TT_CHECK(save());
    if (!sent.result) return with_hint(std::move(sent.result).error());
    return std::move(sent.result).value();
}

void Wallet::tell(const Paid& paid, const std::string& text, boost::json::object details,
                  Session& session) {
    const chain::Inclusion& inclusion = paid.inclusion;
    if (session.json) {
        details["transaction"] = "0x" + to_hex(inclusion.transaction_hash);
        details["block"] = inclusion.block_number;
        details["gas_used"] = inclusion.gas_used;
        details["gas_cost_wei"] = inclusion.cost.to_decimal();
        details["resumed"] = paid.is_resumed;
        print_json(details);
    } else {
        print_text(fmt::format("{}\n{}transaction 0x{} in block {}, gas for {}\n", text,
                               paid.is_resumed ? "by an earlier run: " : "",
                               to_hex(inclusion.transaction_hash), inclusion.block_number,
                               eth_text(inclusion.cost)));
    }
    const PendingCommand* command = pending_.of_key(key_);
    if (command == nullptr || !command->name.empty()) return;
    pending_.erase(key_);
    if (auto saved = save(); !saved)
        std::fprintf(stderr, "teetee: %s\n", saved.error().message().c_str());
}

Result<std::vector<chain::Log>> Wallet::logs_of(const chain::Inclusion& inclusion) {
    TT_TRY(const auto answer, session_->ask(chain::call_receipt(inclusion.transaction_hash)));
    TT_TRY(auto receipt, chain::parse_rpc_receipt(answer));
    if (receipt) return std::move(receipt->logs);
    return fail(ErrorCode::rpc_malformed, "the transaction's receipt is missing");
}

Result<std::unique_ptr<ChainSession>> open_view(const ChainOption& option) {
    ChainSession::Options options;
    TT_TRY(options.target, option.resolve());
    TT_TRY(options.facts, probe_chain(options.target));
    // Where another command is reading, this one reads for itself and keeps nothing.
    TT_TRY(options.folder, LockedFolder::try_open(contract_folder(options.target.deployment)));
    if (options.folder) TT_CHECK(ensure_same_chain(options.folder->path(), options.facts));
    TT_TRY(auto session, ChainSession::open(std::move(options)));
    TT_CHECK(session->catch_up());
    return session;
}

}  // namespace teetee::cli
