// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/measurement_option.hpp"
#include "cli/pool.hpp"
#include "cli/pool_text.hpp"
#include "cli/wallet.hpp"
#include "model/limits.hpp"
#include "model/manifest.hpp"
#include "node/policy_file.hpp"

namespace teetee::cli {
namespace {

namespace calls = chain::tee_tee;

// contracts/src/Limits.sol.
constexpr uint64_t fee_bps_max = 2000;

struct CreateOptions : WalletOptions {
    std::string manifest;
    std::string manifest_uri;
    std::string prices;
    uint64_t fee_bps = 0;
    std::string policy;
    std::string policy_uri;
    std::string verifier;
    MeasurementOption code;
};

Result<model::Manifest> read_manifest(const std::string& path) {
    TT_TRY(const Bytes text, net::read_file(path, model::manifest_bytes_max));
    auto manifest = model::parse_manifest(as_text(text));
    if (!manifest) return in_context(path, std::move(manifest).error());
    return manifest;
}

Result<chain::Address> verifier_of(const CreateOptions& options, const ChainTarget& target) {
    if (!options.verifier.empty()) return parse_account(options.verifier, "--verifier");
    if (target.record) return target.record->verifier;
    return fail(ErrorCode::invalid_argument,
                "need --verifier ADDRESS, the contract that decides over evidence; a --deployment "
                "names one");
}

/// Everything but the verifier, which the deployment may name.
Result<calls::PoolConfig> config_of(const CreateOptions& options) {
    calls::PoolConfig config{.manifest_uri = options.manifest_uri,
                             .fee_bps = options.fee_bps,
                             .policy_uri = options.policy_uri};
    TT_TRY(const auto manifest, read_manifest(options.manifest));
    config.model_root = manifest.model_root;
    for (const model::ManifestShard& shard : manifest.shards)
        config.slot_layers.push_back(shard.layers.end - shard.layers.begin);
    TT_TRY(const chain::Prices prices, parse_prices(options.prices));
    config.prices = {.prompt = prices.prompt, .completion = prices.completion};
    TT_TRY(const auto policy, node::PolicyFile::load(options.policy));
    config.policy_hash = policy.hash;
    TT_TRY(config.measurements,
           options.code.is_empty() ? measurements_of(policy.policy) : options.code.resolve());
    return config;
}

Result<void> create(const CreateOptions& options, Session& session) {
    TT_TRY(auto config, config_of(options));
    TT_TRY(const auto wallet, Wallet::open(options));
    TT_TRY(config.verifier, verifier_of(options, wallet->chain().target()));
    Order order;
    TT_TRY(order.data, calls::CreatePoolCall{.config = config}.encode());
    const std::string model = "0x" + to_hex(config.model_root);
    // The call says all of it; the same call is the same pool.
    TT_CHECK(wallet->is_begun("pool create 0x" + to_hex(crypto::sha256(order.data))));
    order.summary = fmt::format(
        "offer model {} in {} slots for {}, fee {}.{:02} %", model, config.slot_layers.size(),
        prices_text({config.prices.prompt, config.prices.completion}, wallet->wei_per_credit()),
        config.fee_bps / 100, config.fee_bps % 100);
    TT_TRY(const auto paid, wallet->pay(order, session));
    if (!paid) return {};
    TT_TRY(const auto event, wallet->event_of<calls::PoolCreatedEvent>(paid->inclusion));
    wallet->tell(*paid, fmt::format("pool {} offers model {}", event.pool, model),
                 {{"pool", event.pool},
                  {"model_root", model},
                  {"verifier", chain::to_checksum_text(config.verifier)}},
                 session);
    return {};
}

}  // namespace

Result<chain::Prices> parse_prices(const std::string& text) {
    const size_t comma = text.find(',');
    const auto number = [](std::string_view part) -> std::optional<uint64_t> {
        const auto credits = chain::U256::from_decimal(part);
        return credits ? credits->to_u64() : std::nullopt;
    };
    if (comma != std::string::npos) {
        const auto prompt = number(std::string_view(text).substr(0, comma));
        const auto completion = number(std::string_view(text).substr(comma + 1));
        if (prompt && completion) return chain::Prices{*prompt, *completion};
    }
    return fail(ErrorCode::invalid_argument,
                "prices: have " + quote_foreign(text) +
                    ", need credits for a prompt token and a completion token, such as 2,5");
}

void add_pool_create(CLI::App& pool, Session& session) {
    auto options = std::make_shared<CreateOptions>();
    CLI::App* command =
        add_command(pool, session, "create", "Offer a model to hosts", options, create);
    command
        ->add_option("--manifest", options->manifest,
                     "The model's manifest.json; its shards are the slots")
        ->required();
    command->add_option("--manifest-uri", options->manifest_uri, "Where hosts find the manifest");
    command
        ->add_option("--prices", options->prices,
                     "Credits for a prompt token and a completion token: 2,5")
        ->required();
    command
        ->add_option("--fee-bps", options->fee_bps,
                     "Your part of the revenue, in hundredths of a percent")
        ->check(CLI::Range(uint64_t(0), fee_bps_max));
    command
        ->add_option("--policy", options->policy,
                     "What nodes hold each other against; without --measurement and --quote it "
                     "also says which code may serve")
        ->required();
    command->add_option("--policy-uri", options->policy_uri, "Where others find that file");
    command->add_option("--verifier", options->verifier,
                        "Contract that decides over evidence, for ever; default: the deployment's");
    options->code.add_to(*command);
    options->add_to(*command);
}

}  // namespace teetee::cli
