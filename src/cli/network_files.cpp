// SPDX-License-Identifier: Apache-2.0
#include "cli/network_files.hpp"

#include "attest/limits.hpp"
#include "cli/chain_option.hpp"
#include "cli/dev_chain_file.hpp"
#include "cli/dev_network.hpp"
#include "cli/limits.hpp"
#include "crypto/hash.hpp"
#include "model/limits.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

Result<void> take_pool(uint64_t pool, const std::string& deployment_path, NetworkTerms& terms) {
    TT_TRY(const auto record, read_deployment(deployment_path));
    terms.pool = pool;
    terms.deployment = record.deployment;
    terms.deployment_path = deployment_path;
    return {};
}

/// Where 'teetee up' says that its network is on a chain.
Result<void> take_pool_of(const DevNetwork& network, NetworkTerms& terms) {
    const auto text = net::read_file(network.chain_path(), dev_chain_file_bytes_max);
    if (!text && text.error().code == ErrorCode::not_found) return {};
    if (!text) return text.error();
    const auto file = parse_dev_chain_file(as_text(*text));
    if (!file) return in_context(network.chain_path(), file.error());
    terms.rpc_url = file->rpc_url;
    return take_pool(file->pool, network.deployment_path(), terms);
}

}  // namespace

void NetworkFiles::add_to(CLI::App& command) {
    command.add_option("--port", port, "The port that 'teetee up' was given")
        ->capture_default_str()
        ->envname("TEETEE_PORT");
    command
        .add_option("--policy", policy, "Which evidence is accepted; default: that of 'teetee up'")
        ->envname("TEETEE_POLICY");
    command
        .add_option("--node-policy", node_policy,
                    "The policy that the nodes hold each other against; default: --policy")
        ->envname("TEETEE_NODE_POLICY");
    command
        .add_option("--manifest", manifest,
                    "The model's manifest.json; default: that of 'teetee up'")
        ->envname("TEETEE_MANIFEST");
    command
        .add_option("--pool", pool,
                    "Pool of the contract that the network serves; needs --deployment. Default: "
                    "that of 'teetee up', or none with another --manifest")
        ->envname("TEETEE_POOL");
    command
        .add_option("--deployment", deployment,
                    "With --pool: the file that contracts/tools/deploy wrote")
        ->envname("TEETEE_DEPLOYMENT");
    collateral.add_folder_to(command);
}

Result<NetworkTerms> NetworkTerms::load(const NetworkFiles& files) {
    const DevNetwork network{default_network_folder(files.port), {}};
    const std::string policy_path = files.policy.empty() ? network.policy_path() : files.policy;
    const std::string manifest_path =
        files.manifest.empty() ? network.manifest_path() : files.manifest;
    auto policy_bytes = net::read_file(policy_path, attest::policy_bytes_max);
    if (!policy_bytes) {
        Error error = std::move(policy_bytes).error();
        error.detail +=
            "; is 'teetee up' running? --policy and --manifest name the files of another network";
        return error;
    }
    NetworkTerms terms;
    TT_TRY(terms.policy, attest::parse_policy(as_text(*policy_bytes)));
    terms.node_policy_hash = crypto::sha256(*policy_bytes);
    if (!files.node_policy.empty()) {
        TT_TRY(const auto bytes, net::read_file(files.node_policy, attest::policy_bytes_max));
        terms.node_policy_hash = crypto::sha256(bytes);
    }
    TT_TRY(const auto manifest_bytes, net::read_file(manifest_path, model::manifest_bytes_max));
    TT_TRY(terms.manifest, model::parse_manifest(as_text(manifest_bytes)));
    if (files.pool != 0) {
        if (files.deployment.empty())
            return fail(ErrorCode::invalid_argument, "--pool needs --deployment FILE");
        TT_CHECK(take_pool(files.pool, files.deployment, terms));
    } else if (files.manifest.empty()) {
        TT_CHECK(take_pool_of(network, terms));
    }
    terms.collateral = files.collateral;
    terms.collateral.complete(policy_path);
    return terms;
}

Result<std::unique_ptr<attest::CollateralSource>> NetworkTerms::open_collateral(
    std::optional<UnixSeconds> time) const {
    TT_TRY(auto opened, CommandCollateral::open(collateral, policy.roots, time));
    return std::unique_ptr<attest::CollateralSource>(std::move(opened));
}

Result<client::Terms> NetworkTerms::for_client() const {
    TT_TRY(auto opened, open_collateral());
    return client::Terms{.expectation = expectation(),
                         .policy = policy,
                         .layer_count = manifest.layer_count,
                         .collateral = std::move(opened)};
}

attest::PeerExpectation NetworkTerms::expectation() const {
    attest::PeerExpectation out;
    out.model_root = manifest.model_root;
    out.policy_hash = node_policy_hash;
    out.chain_id = deployment.chain_id;
    out.contract = deployment.contract;
    out.pool = pool;
    for (const model::ManifestShard& shard : manifest.shards)
        out.shards.push_back({shard.root, shard.layers});
    return out;
}

}  // namespace teetee::cli
