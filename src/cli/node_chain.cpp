// SPDX-License-Identifier: Apache-2.0
#include "cli/node_chain.hpp"

#include "chain/registration_file.hpp"
#include "crypto/hash.hpp"
#include "node/sealed_key.hpp"

namespace teetee::cli {
namespace {

constexpr const char* group = "Chain";

Error lacks(std::string detail) {
    return fail(ErrorCode::invalid_argument, std::move(detail));
}

}  // namespace

void NodeChainOption::add_to(CLI::App& command) {
    chain.add_to(command);
    wallet.add_to(command);
    command
        .add_option("--pool", pool,
                    "Pool of the contract that this node serves; 0: none, and answers are free")
        ->envname("TEETEE_POOL")
        ->group(group);
    command
        .add_option(
            "--state", state_folder,
            "Folder for the ledger, the receipt key and what is known of the chain: what was "
            "earned and not settled is lost with it")
        ->envname("TEETEE_STATE")
        ->group(group);
    command
        .add_option("--host", host, "Wallet that is to register this node: it signs for no other")
        ->envname("TEETEE_HOST")
        ->group(group);
    command
        .add_option("--registration", registration_path,
                    "File to write for that wallet: teetee register FILE")
        ->envname("TEETEE_REGISTRATION")
        ->group(group);
    command
        .add_flag("--self-register", is_self_registering,
                  "Register this node and renew it: the key in TEETEE_KEY or --keystore is its "
                  "host's")
        ->envname("TEETEE_SELF_REGISTER")
        ->group(group);
    command
        .add_option("--verifier-kind", verifier_kind,
                    "For --self-register, of a pool whose verifier is not the deployment's")
        ->check(CLI::IsMember({"dev", "quote", "automata"}))
        ->group(group);
    command
        .add_flag(
            "--tee-wallet", is_tee_wallet,
            "Entry: send settlements with a key that this TEE makes and keeps in --state; the "
            "log says which account to give some ETH for gas")
        ->group(group);
    command.add_option("--settle-seconds", settle_s, "Entry: least time between two settlements")
        ->capture_default_str()
        ->check(CLI::Range(0, 86400))
        ->group(group);
    command
        .add_option("--settle-credits", settle_credits,
                    "Entry: what must have come together for one, unless it is a day old")
        ->capture_default_str()
        ->group(group);
    command
        .add_option("--settle-gas-percent", settle_gas_percent,
                    "Entry: the most that gas may take of it, likewise; 0: whatever it takes")
        ->capture_default_str()
        ->check(CLI::Range(0, 100))
        ->group(group);
    command
        .add_option("--settle-absent-hours", settle_absent_hours,
                    "Entry: how long a node may not sign before its absence is announced; a day "
                    "later it is settled without")
        ->capture_default_str()
        ->check(CLI::Range(0, 96))
        ->group(group);
    command
        .add_flag(
            "--no-open-vouchers", opens_no_vouchers,
            "Entry: open no vouchers for payers that ask for it (POST /v1/vouchers); else its "
            "wallet pays the gas of that")
        ->envname("TEETEE_NO_OPEN_VOUCHERS")
        ->group(group);
    command
        .add_option("--voucher-ceiling-min", voucher_ceiling_min,
                    "Entry: credits that a voucher must have to be opened; 0: so many that the gas "
                    "takes a twentieth of them at most")
        ->capture_default_str()
        ->group(group);
    command
        .add_option("--vouchers-per-hour", vouchers_per_hour,
                    "Entry: vouchers that it opens in an hour at most")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000))
        ->group(group);
    command
        .add_option("--voucher-gas-reserve", settlements_reserved,
                    "Entry: settlements that its wallet keeps gas for, and opens no vouchers from")
        ->capture_default_str()
        ->check(CLI::Range(0, 1000))
        ->group(group);
    command
        .add_option("--confirmations", confirmations,
                    "Blocks that settle what is seen on the chain, and own transactions")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000))
        ->group(group);
}

NodeChain::NodeChain(const World& world, NodeChainOption option, ChainTarget target)
    : world_(world), option_(std::move(option)), target_(std::move(target)) {}

NodeChain::~NodeChain() = default;

Result<std::unique_ptr<NodeChain>> NodeChain::start(const World& world,
                                                    const NodeChainOption& option) {
    if (option.state_folder.empty()) return lacks("need --state FOLDER, for what must not be lost");
    TT_TRY(auto target, option.chain.resolve());
    std::unique_ptr<NodeChain> out(new NodeChain(world, option, std::move(target)));
    TT_CHECK(out->open());
    return out;
}

Result<void> NodeChain::open() {
    // Before anything is read of it: another process may still be at the end of its work.
    TT_TRY(folder_, LockedFolder::try_open(option_.state_folder));
    if (!folder_) {
        return fail(ErrorCode::config_invalid,
                    "--state " + option_.state_folder + ": another process works with it");
    }
    TT_CHECK(open_key());
    node::ChainClient::Options options;
    for (const std::string& url : target_.rpc_urls) options.endpoints.push_back({.url = url});
    options.folder = option_.state_folder;
    options.view.contract = target_.deployment.contract;
    options.view.start_block = target_.start_block;
    options.view.panel.chain_id = target_.deployment.chain_id;
    options.view.panel.use_finalized = false;
    options.view.finality_depth = option_.confirmations;
    options.sender.confirmations = option_.confirmations;
    TT_TRY(client_, node::ChainClient::start({world_.loop, world_.clock, world_.log},
                                             std::move(options), key_ ? &*key_ : nullptr,
                                             {.on_change =
                                                  [this] {
                                                      if (money_) money_->on_chain();
                                                  },
                                              .on_outcome =
                                                  [this](const chain::SendOutcome& outcome) {
                                                      if (money_) money_->on_outcome(outcome);
                                                      if (opener_) opener_->on_outcome(outcome);
                                                      if (registrar_)
                                                          registrar_->on_outcome(outcome);
                                                  }}));
    registry_.emplace(*client_, world_.clock, option_.pool, world_.beside);
    return {};
}

Result<void> NodeChain::open_key() {
    TT_TRY(const auto bare, key_from_environment());
    const bool has_wallet = bare || !option_.wallet.keystore.empty();
    if (option_.is_tee_wallet) {
        // Whose earnings it would be nobody could take out.
        if (has_wallet || option_.is_self_registering)
            return lacks("--tee-wallet goes without --keystore, TEETEE_KEY and --self-register");
        TT_TRY(auto key, node::load_sealed_key(option_.state_folder + "/gas.key",
                                               node::gas_key_purpose, world_.tee, world_.rng));
        key_.emplace(std::move(key));
        world_.log.info("settlements are sent, and their gas is paid, by " +
                        chain::to_checksum_text(key_->address()));
    } else if (has_wallet) {
        TT_TRY(auto key, option_.wallet.open());
        key_.emplace(std::move(key));
    }
    if (!option_.host.empty()) {
        TT_TRY(host_, parse_account(option_.host, "--host"));
    }
    if (!option_.is_self_registering) return {};
    if (!key_) return lacks("--self-register needs the host's key, in TEETEE_KEY or --keystore");
    if (option_.host.empty()) host_ = key_->address();
    if (host_ == key_->address()) return {};
    return lacks("--self-register: have the key of " + chain::to_checksum_text(key_->address()) +
                 ", need that of the --host");
}

void NodeChain::put_into(node::NodeOptions& options) const {
    options.deployment = target_.deployment;
    options.pool = option_.pool;
    options.receipt_key_path = option_.state_folder + "/receipt.key";
}

Result<void> NodeChain::attach(node::Node& node, const std::vector<std::string>& names) {
    node_ = &node;
    if (node.is_entry()) TT_CHECK(open_till(names));
    if (option_.is_self_registering) {
        registrar_.emplace(
            SelfRegistration::World{world_.loop, world_.clock, world_.log},
            SelfRegistration::Options{.target = target_,
                                      .verifier_kind = option_.verifier_kind,
                                      .host = host_,
                                      .receipt_key = node.statement().receipt_address},
            *client_, [this] { return registration(); });
    }
    if (option_.registration_path.empty()) return {};
    if (host_ == chain::Address{})
        return lacks("--registration needs --host ADDRESS, the wallet's");
    TT_CHECK(write_registration());
    node.on_new_statement([this] {
        if (auto written = write_registration(); !written)
            world_.log.error("the registration is not written: " + written.error().message());
    });
    return {};
}

Result<void> NodeChain::open_till(const std::vector<std::string>& names) {
    const crypto::Address entry = node_->statement().receipt_address;
    node::Money::Options options;
    options.pool = option_.pool;
    options.entry = entry;
    options.folder = option_.state_folder;
    TT_TRY(options.ledger_key, world_.tee.sealing_key("teetee ledger v1"));
    options.settler.interval = option_.settle_s;
    options.settler.worth_min = option_.settle_credits;
    options.settler.absent_after = option_.settle_absent_hours * 3600;
    options.settler.gas_percent = option_.settle_gas_percent;
    if (target_.record) options.gas.wei_per_credit = target_.record->wei_per_credit;
    TT_TRY(money_, node::Money::start({world_.loop, world_.clock, world_.rng, world_.log},
                                      std::move(options), *client_,
                                      [this](const billing::SignOrder& order, const auto& done) {
                                          signers_->ask(order, done);
                                      }));
    signers_.emplace(world_.loop, *node_, money_->ledger());
    sign_ins_.emplace(
        api::SignIns::Options{.deployment = target_.deployment, .entry = entry, .names = names},
        world_.clock, world_.rng);
    billing_.emplace(api::Billing{.deployment = target_.deployment,
                                  .pool = option_.pool,
                                  .entry = entry,
                                  .till = money_->till(),
                                  .ledger = money_->ledger(),
                                  .sign_ins = *sign_ins_,
                                  .view = [this] { return client_->money(); },
                                  .settle_now = [this] { money_->settle_now(); },
                                  .log = world_.log});
    if (client_->sender() != nullptr && !option_.opens_no_vouchers) open_vouchers();
    return {};
}

void NodeChain::open_vouchers() {
    opener_.emplace(
        node::VoucherOpener::World{world_.clock, world_.log},
        billing::VoucherOpeningOptions{.deployment = target_.deployment,
                                       .pool = option_.pool,
                                       .ceiling_min = option_.voucher_ceiling_min,
                                       .per_hour_max = option_.vouchers_per_hour,
                                       .settlements_reserved = option_.settlements_reserved},
        *client_, money_->gas());
    billing_->open_voucher = [this](billing::SignedVoucher asked, auto done) {
        opener_->open(std::move(asked), std::move(done));
    };
    billing_->voucher_ceiling_min = [this] { return opener_->ceiling_min(); };
}

node::MoneyReport NodeChain::report() const {
    const chain::ChainViewStatus status = client_->view().status();
    node::MoneyReport out{.is_following = client_->money().has_value(),
                          .head_block = status.head,
                          .settled_block = status.settled ? status.settled->number : 0,
                          .reorganisations = status.reorganisations};
    if (status.confirmed_at) out.unconfirmed = world_.clock.now() - *status.confirmed_at;
    if (const chain::Sender* sender = client_->sender()) {
        out.transactions_in_flight = sender->in_flight().size();
        out.are_transactions_stuck = client_->sender_trouble().has_value();
    }
    if (money_) out.till = money_->report();
    if (opener_) out.till->voucher_openings = opener_->counts();
    return out;
}

api::ChainWindow NodeChain::window(std::vector<std::string> rpc_urls) const {
    return {.deployment = target_.deployment,
            .from_block = target_.start_block,
            .pool = option_.pool,
            .rpc_urls = std::move(rpc_urls),
            .state = [this]() -> const chain::ContractState& { return client_->view().latest(); },
            .block =
                [this] {
                    const auto latest = client_->view().status().latest;
                    return latest ? latest->number : 0;
                }};
}

chain::RegistrationFile NodeChain::registration() const {
    const attest::Evidence evidence = node_->evidence();
    chain::RegistrationFile file = {.deployment = target_.deployment,
                                    .pool = option_.pool,
                                    .slot = node_->slot(),
                                    .host = host_,
                                    .endpoint = node_->url(),
                                    .statement = evidence.statement,
                                    .quote = evidence.quote};
    file.signature = node_->sign_registration({.host = host_,
                                               .pool = file.pool,
                                               .slot = file.slot,
                                               .statement_hash = crypto::sha256(file.statement),
                                               .endpoint = file.endpoint});
    return file;
}

std::optional<std::string> NodeChain::registration_text() const {
    if (node_ == nullptr || host_ == chain::Address{}) return std::nullopt;
    return chain::encode_registration_file(registration());
}

Result<void> NodeChain::write_registration() {
    TT_CHECK(net::write_file_atomic(option_.registration_path,
                                    as_bytes(chain::encode_registration_file(registration()))));
    world_.log.info("registration for " + chain::to_checksum_text(host_) + " in " +
                    option_.registration_path);
    return {};
}

}  // namespace teetee::cli
