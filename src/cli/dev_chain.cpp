// SPDX-License-Identifier: Apache-2.0
#include "cli/dev_chain.hpp"

#include <algorithm>
#include <filesystem>
#include <sys/wait.h>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "billing/payment_header.hpp"
#include "chain/rpc_calls.hpp"
#include "cli/chain_option.hpp"
#include "cli/chain_probe.hpp"
#include "cli/dev_chain_file.hpp"
#include "cli/limits.hpp"
#include "cli/shell_word.hpp"
#include "cli/state_folder.hpp"
#include "crypto/secp256k1.hpp"
#include "net/http_client.hpp"

namespace teetee::cli {
namespace {

// What a network on this machine sells, and what its demo wallet has.
constexpr std::string_view prices = "2,5";
constexpr std::string_view prices_text = "2 credits a token of the prompt, 5 a token of the answer";
constexpr std::string_view fee_bps = "500";
constexpr std::string_view demo_credits = "1000000";
constexpr std::string_view demo_ceiling = "500000";
constexpr std::string_view ceiling_min = "1000";
constexpr std::string_view demo_days = "30";
constexpr std::string_view wallet_wei = "0x56bc75e2d63100000";  // 100 ETH
constexpr std::string_view chain_id = "84532";
constexpr Duration renewal_retry = std::chrono::seconds(60);
constexpr size_t complaint_bytes_max = 64u << 10;

/// Of a checkout, where the program is in build/PRESET.
std::string contracts_folder() {
    const std::string program = program_path();
    return program.substr(0, program.rfind('/')) + "/../../contracts";
}

Error lacks(const std::string& what) {
    return fail(ErrorCode::not_found,
                what + " is missing: 'make contracts' installs it; --no-chain goes without");
}

Result<std::string> find_anvil(const std::string& named) {
    namespace fs = std::filesystem;
    if (!named.empty()) {
        std::error_code failed;
        if (fs::is_regular_file(named, failed)) return named;
        return fail(ErrorCode::not_found, "--anvil: there is no file " + named);
    }
    const std::string scope = contracts_folder() + "/node_modules/@foundry-rs";
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(scope, failed)) {
        // One package for each kind of processor, of which npm installs this machine's.
        const std::string program = entry.path().string() + "/bin/anvil";
        if (entry.path().filename().string().starts_with("anvil-") && fs::exists(program, failed))
            return program;
    }
    return lacks("anvil, the chain for development,");
}

/// Of the endpoint on this machine.
constexpr Duration call_time_max = std::chrono::seconds(1);

Result<DevWallet> make_wallet() {
    SystemRng rng;
    ByteArray<32> secret;
    rng.fill(secret);
    TT_TRY(const auto key, crypto::SecpKey::from_bytes(secret));
    return DevWallet{to_hex(secret), key.address()};
}

/// What the command said last.
std::string complaint_in(const std::string& path) {
    const auto text = net::read_file(path, complaint_bytes_max);
    if (!text) return text.error().message();
    std::string_view rest = as_text(*text);
    while (rest.ends_with('\n')) rest.remove_suffix(1);
    const size_t line = rest.rfind('\n');
    return std::string(line == std::string_view::npos ? rest : rest.substr(line + 1));
}

}  // namespace

Result<std::unique_ptr<DevChain>> DevChain::start(const DevNetwork& network, Options options,
                                                  const Clock& clock, Log& log) {
    TT_TRY(const auto anvil, find_anvil(options.anvil));
    std::unique_ptr<DevChain> out(new DevChain(network, std::move(options), clock, log));
    TT_CHECK(out->open(anvil));
    return out;
}

Result<void> DevChain::forget(const DevNetwork& network) {
    for (const std::string& path : {network.deployment_path(), network.chain_path(),
                                    network.payment_path(), network.chain_folder()}) {
        std::error_code failed;
        std::filesystem::remove_all(path, failed);
        if (failed) return fail(ErrorCode::io_failed, path + ": " + failed.message());
    }
    return {};
}

Result<void> DevChain::open(const std::string& anvil) {
    TT_CHECK(make_private_folder(network_.chain_folder()));
    TT_CHECK(make_wallets());
    for (size_t i = 0; i < options_.nodes(); ++i)
        nodes_.push_back({.registration_path = path_of(fmt::format("registration-{}.json", i + 1)),
                          .handled = {}});
    anvil_.emplace(ChildOptions{
        .arguments = {anvil, "--host", "127.0.0.1", "--port", std::to_string(options_.port),
                      "--network", "optimism", "--chain-id", std::string(chain_id), "--block-time",
                      "1", "--silent"},
        .output_path = path_of("anvil.log"),
        .error_path = path_of("anvil.log")});
    return anvil_->start();
}

Result<void> DevChain::make_wallets() {
    TT_TRY(deployer_, make_wallet());
    TT_TRY(payer_, make_wallet());
    for (size_t i = 0; i < options_.entry_urls.size(); ++i) {
        TT_TRY(auto sender, make_wallet());
        senders_.push_back(std::move(sender));
    }
    for (size_t i = 0; i < options_.shards; ++i) {
        TT_TRY(auto host, make_wallet());
        hosts_.push_back({.wallet = std::move(host), .lane = {}});
    }
    return {};
}

Result<void> DevChain::fund() {
    std::vector<const DevWallet*> wallets = {&deployer_, &payer_};
    for (const DevWallet& sender : senders_) wallets.push_back(&sender);
    for (const Host& host : hosts_) wallets.push_back(&host.wallet);
    for (const DevWallet* wallet : wallets) {
        const chain::RpcCall give = {
            "anvil_setBalance",
            {chain::to_checksum_text(wallet->address), std::string(wallet_wei)}};
        TT_CHECK(ask_endpoint(rpc_url(), give, call_time_max));
    }
    return {};
}

std::string DevChain::rpc_url() const {
    return "http://127.0.0.1:" + std::to_string(options_.port);
}

std::string DevChain::path_of(const std::string& name) const {
    return network_.chain_folder() + "/" + name;
}

// -------------------------------------------------------------------------------------- commands

Result<void> DevChain::run(Lane& lane, const std::string& name, const DevWallet& wallet,
                           std::vector<std::string> arguments) const {
    lane.emplace(Command{
        .name = name,
        .process = ChildProcess(
            {.arguments = std::move(arguments),
             // Commands of the user's own wallets keep their notes elsewhere.
             .variables = {{"TEETEE_KEY", wallet.key}, {"XDG_STATE_HOME", path_of("wallet")}},
             .output_path = path_of(name + ".out"),
             .error_path = path_of(name + ".err")})});
    return lane->process.start();
}

Result<void> DevChain::run_own(Lane& lane, const std::string& name, const DevWallet& wallet,
                               std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), program_path());
    arguments.insert(arguments.end(),
                     {"--rpc", rpc_url(), "--deployment", network_.deployment_path(), "--json"});
    return run(lane, name, wallet, std::move(arguments));
}

Result<bool> DevChain::has_done(Lane& lane) const {
    int status = 0;
    if (!lane || !lane->process.reap(status)) return false;
    const std::string name = lane->name;
    lane.reset();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    const std::string errors = path_of(name + ".err");
    return fail(ErrorCode::not_ready,
                fmt::format("the chain's '{}' ended with {}: {} (all of it: {})", name,
                            exit_text(status), complaint_in(errors), errors));
}

std::vector<DevChain::Lane*> DevChain::lanes() {
    std::vector<Lane*> out = {&setup_, &purchase_lane_};
    for (Host& host : hosts_) out.push_back(&host.lane);
    return out;
}

void DevChain::stop_commands() {
    for (const Lane* lane : lanes()) {
        if (*lane) (*lane)->process.stop();
    }
}

bool DevChain::is_quiet() {
    return std::ranges::none_of(lanes(), [](Lane* lane) {
        int status = 0;
        if (*lane) (*lane)->process.reap(status);
        return *lane && (*lane)->process.is_running();
    });
}

void DevChain::end_commands() {
    for (Lane* lane : lanes()) lane->reset();
}

bool DevChain::has_ended() {
    int status = 0;
    anvil_->reap(status);
    return !anvil_->is_running();
}

// ------------------------------------------------------------------------------------- in stages

Result<void> DevChain::tick() {
    int status = 0;
    if (anvil_->reap(status)) {
        return fail(ErrorCode::not_ready,
                    fmt::format("the chain has ended: anvil, with {}; {} has what it said",
                                exit_text(status), path_of("anvil.log")));
    }
    switch (stage_) {
        case Stage::starting:
            return tick_starting();
        case Stage::deploying:
            return tick_deploying();
        case Stage::offering:
            return tick_offering();
        case Stage::serving:
            break;
    }
    for (size_t shard = 0; shard < hosts_.size(); ++shard) TT_CHECK(tend_host(shard));
    if (is_open_) return {};
    TT_CHECK(tend_purchase());
    is_open_ = purchase_ == Purchase::done && std::ranges::all_of(nodes_, &Node::is_registered) &&
               entries_take_voucher();
    return {};
}

Result<void> DevChain::tick_starting() {
    if (!ask_endpoint(rpc_url(), chain::call_chain_id(), call_time_max)) return {};
    TT_CHECK(fund());
    log_.info("chain: anvil on " + rpc_url() +
              ", deploying (if the contracts must be compiled first, that takes minutes)");
    const std::string deploy = contracts_folder() + "/tools/deploy";
    std::error_code failed;
    if (!std::filesystem::exists(deploy, failed)) return lacks(deploy);
    stage_ = Stage::deploying;
    auto started = run(setup_, "deploy", deployer_,
                       {"node", deploy, "--rpc", rpc_url(), "--key-env", "TEETEE_KEY", "--out",
                        network_.deployment_path(), "--verifier", "dev"});
    if (started) return {};
    Error error = std::move(started).error();
    error.detail += "; Node 20 or later deploys the contract, --no-chain goes without";
    return error;
}

Result<void> DevChain::tick_deploying() {
    TT_TRY(const bool is_deployed, has_done(setup_));
    if (!is_deployed) return {};
    TT_TRY(const auto record, read_deployment(network_.deployment_path()));
    contract_ = chain::to_checksum_text(record.deployment.contract);
    log_.info("chain: the contract is at " + contract_);
    stage_ = Stage::offering;
    return run_own(setup_, "pool", hosts_[0].wallet,
                   {"pool", "create", "--manifest", network_.manifest_path(), "--policy",
                    network_.policy_path(), "--prices", std::string(prices), "--fee-bps",
                    std::string(fee_bps)});
}

Result<void> DevChain::tick_offering() {
    TT_TRY(const bool is_offered, has_done(setup_));
    if (!is_offered) return {};
    TT_TRY(const auto printed, net::read_file(path_of("pool.out"), dev_chain_file_bytes_max));
    TT_TRY(pool_, parse_created_pool(as_text(printed)));
    log_.info(fmt::format("chain: pool {} offers the model: {}", pool_, prices_text));
    stage_ = Stage::serving;
    return write_terms();
}

Result<void> DevChain::write_terms() const {
    TT_CHECK(write_environment("payer", payer_));
    for (size_t i = 0; i < hosts_.size(); ++i)
        TT_CHECK(write_environment(fmt::format("host-{}", i + 1), hosts_[i].wallet));
    const std::string text = encode_dev_chain_file({.rpc_url = rpc_url(), .pool = pool_});
    return net::write_file_atomic(network_.chain_path(), as_bytes(text));
}

Result<void> DevChain::write_environment(const std::string& name, const DevWallet& wallet) const {
    const std::string text = fmt::format(
        "# A wallet of 'teetee up', with the chain it is on. Its key is of no worth elsewhere.\n"
        "export TEETEE_RPC={} TEETEE_DEPLOYMENT={} TEETEE_POOL={} TEETEE_PORT={}\n"
        "export TEETEE_KEY={} TEETEE_PAYMENT={}\n"
        "unset TEETEE_KEYSTORE\n",
        rpc_url(), shell_word(network_.deployment_path()), pool_, options_.network_port, wallet.key,
        shell_word(&wallet == &payer_ ? network_.payment_path() : ""));
    return net::write_file_atomic(wallet_path(name), as_bytes(text), {.mode = 0600});
}

// ----------------------------------------------------------------------------------------- nodes

void DevChain::put_into(ChildOptions& node, size_t index) const {
    const size_t shard = index % options_.shards;
    const std::string state = path_of(fmt::format("node-{}", index + 1));
    node.arguments.insert(
        node.arguments.end(),
        {"--pool", std::to_string(pool_), "--state", state, "--host",
         chain::to_checksum_text(hosts_[shard].wallet.address), "--registration",
         nodes_[index].registration_path, "--rpc", rpc_url(), "--deployment",
         network_.deployment_path(), "--confirmations", "1", "--settle-seconds", "10",
         // A toy's answers are worth less than any gas.
         "--settle-gas-percent", "0"});
    if (shard != 0) return;
    node.arguments.insert(node.arguments.end(), {"--web-rpc", rpc_url(), "--voucher-ceiling-min",
                                                 std::string(ceiling_min)});
    node.variables.emplace_back("TEETEE_KEY", senders_[index / options_.shards].key);
}

Result<void> DevChain::tend_host(size_t shard) {
    Host& host = hosts_[shard];
    if (host.lane) {
        const auto done = has_done(host.lane);
        Node& node = nodes_[host.node];
        if (!done) {
            if (!is_open_) return done.error();
            log_.warn(done.error().message());
            node.handled.reset();
            node.retry_at = clock_.now() + renewal_retry;
        } else if (*done) {
            node.is_registered = true;
        }
    }
    for (size_t i = shard; i < nodes_.size() && !host.lane; i += options_.shards)
        TT_CHECK(begin_registration(host, i));
    return {};
}

// A node writes its registration anew with each statement.
Result<void> DevChain::begin_registration(Host& host, size_t index) {
    Node& node = nodes_[index];
    const auto file = net::File::open(node.registration_path);
    if (!file || node.handled == file->state() || clock_.now() < node.retry_at) return {};
    node.handled = file->state();
    host.node = index;
    const std::string verb = node.is_registered ? "renew" : "register";
    return run_own(host.lane, fmt::format("{}-{}", verb, index + 1), host.wallet,
                   {verb, node.registration_path});
}

// ------------------------------------------------------------------------------------- the payer

Result<void> DevChain::tend_purchase() {
    TT_TRY(const bool is_done, has_done(purchase_lane_));
    switch (purchase_) {
        case Purchase::none:
            purchase_ = Purchase::credits;
            return run_own(purchase_lane_, "credits", payer_,
                           {"credits", "buy", std::string(demo_credits)});
        case Purchase::credits:
            if (!is_done) return {};
            purchase_ = Purchase::voucher;
            return run_own(purchase_lane_, "voucher", payer_,
                           {"voucher", "open", "--pool", std::to_string(pool_), "--ceiling",
                            std::string(demo_ceiling), "--days", std::string(demo_days),
                            "--session", network_.payment_path()});
        case Purchase::voucher: {
            if (!is_done) return {};
            TT_TRY(const auto printed,
                   net::read_file(path_of("voucher.out"), dev_chain_file_bytes_max));
            TT_TRY(voucher_, parse_opened_voucher(as_text(printed)));
            purchase_ = Purchase::done;
            return {};
        }
        case Purchase::done:
            break;
    }
    return {};
}

// An entry looks for the voucher's session key only when it knows the voucher: a signature that
// nobody made is refused in another way then.
bool DevChain::entries_take_voucher() const {
    const std::string header =
        billing::encode_payment(billing::VoucherPayment{{voucher_, 1, {}}, std::nullopt});
    return std::ranges::all_of(options_.entry_urls, [&](const std::string& url) {
        net::HttpClientRequest request;
        request.method = "POST";
        request.url = url + "/v1/payment/raise";
        request.headers.emplace(billing::payment_header_name, header);
        request.connect_time_max = request.time_max = std::chrono::seconds(1);
        const auto response = net::http_fetch(request);
        return response &&
               response->body.find(to_string(ErrorCode::signature_invalid)) != std::string::npos;
    });
}

void DevChain::put_into(boost::json::object& ready) const {
    ready["rpc_url"] = rpc_url();
    ready["contract"] = contract_;
    ready["pool"] = pool_;
    ready["deployment"] = network_.deployment_path();
    ready["payment"] = network_.payment_path();
}

std::string DevChain::to_text() const {
    return fmt::format(
        "  chain    {}  anvil, contract {}, pool {}\n"
        "  prices   {}; a voucher of {} credits is open\n",
        rpc_url(), contract_, pool_, prices_text, demo_ceiling);
}

}  // namespace teetee::cli
