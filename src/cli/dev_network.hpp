// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "attest/dev_tee.hpp"
#include "base/world.hpp"
#include "cli/command.hpp"
#include "model/manifest.hpp"

namespace teetee::cli {

/// The files of a network of simulated TEEs on this machine.
struct DevNetwork {
    std::string folder;
    /// One a shard, in order.
    std::vector<std::string> shard_paths;

    std::string manifest_path() const { return folder + "/manifest.json"; }
    std::string policy_path() const { return folder + "/policy.json"; }
    std::string seed_path() const { return folder + "/dev-tee.seed"; }
    std::string collateral_folder() const { return folder + "/collateral"; }
    // Of a network with a chain, which begin anew with it (DevChain).
    std::string deployment_path() const { return folder + "/deployment.json"; }
    std::string chain_path() const { return folder + "/chain.json"; }
    std::string payment_path() const { return folder + "/payment.json"; }
    std::string chain_folder() const { return folder + "/dev-chain"; }
};

/// Where `teetee up` on this port keeps its files: $XDG_STATE_HOME (or
/// ~/.local/state)/teetee/up-PORT.
std::string default_network_folder(uint16_t port);

/// Cuts the model, writes manifest, shards, a dev TEE seed (kept if there is one), its collateral
/// and the policy that accepts this program under the seed's root.
Result<DevNetwork> prepare_dev_network(const std::string& model_path,
                                       std::span<const LayerRange> cut, const std::string& folder);

/// Collateral of the network's dev TEE: written anew unless what is there is good for two weeks
/// yet. Running nodes take it over.
Result<void> refresh_dev_collateral(const DevNetwork& network, UnixSeconds now);

/// Writes the shard files and manifest.json into an existing or new folder.
Result<model::Manifest> write_shards(const std::string& model_path, std::span<const LayerRange> cut,
                                     const std::string& folder);

/// The simulated TEE of a seed file, measuring the running program.
Result<std::unique_ptr<attest::DevTee>> open_dev_tee(const std::string& seed_path, UnixSeconds now);

/// What stands for Intel behind the simulated TEEs of a seed file.
Result<attest::DevPki> open_dev_pki(const std::string& seed_path);

/// The running program's file: what a dev TEE measures and `up` starts.
std::string program_path();

}  // namespace teetee::cli
