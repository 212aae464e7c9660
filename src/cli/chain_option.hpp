// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "chain/deployment_file.hpp"

namespace teetee::cli {

/// Which contract on which chain, and who is asked about it.
struct ChainTarget {
    std::vector<std::string> rpc_urls{};
    chain::Deployment deployment{};
    uint64_t start_block = 0;
    /// As recorded when it was deployed.
    std::optional<chain::DeploymentFile> record{};
};

/// What contracts/tools/deploy wrote. Errors: of net::read_file and parse_deployment_file.
Result<chain::DeploymentFile> read_deployment(const std::string& path);

/// --rpc, --deployment, --contract, --chain-id and --from-block: shared by all that touches the
/// chain.
struct ChainOption {
    std::vector<std::string> rpc_urls;
    std::string deployment_path;
    std::string contract;
    uint64_t chain_id = 0;
    uint64_t from_block = 0;

    void add_to(CLI::App& command);
    /// Flags win over the file. Errors: invalid_argument naming the flag that lacks; config_invalid
    /// and those of reading the file.
    Result<ChainTarget> resolve() const;
};

}  // namespace teetee::cli
