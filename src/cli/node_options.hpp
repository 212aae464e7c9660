// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/activations_option.hpp"
#include "cli/collateral_option.hpp"
#include "cli/kv_options.hpp"
#include "cli/node_chain.hpp"
#include "cli/tee_option.hpp"
#include "cli/weights_cache.hpp"
#include "node/node.hpp"

namespace teetee::cli {

/// What 'teetee node' takes, and 'teetee doctor' looks at.
struct NodeCommandOptions {
    node::NodeOptions node;
    std::string policy_path;
    std::string listen = "127.0.0.1:5010";
    std::vector<std::string> next;
    std::string registry_path;
    std::string api = "127.0.0.1:5002";
    std::string api_tls;
    /// Where /metrics is served apart from the API: HOST:PORT, or a port of loopback; "" for none.
    std::string metrics;
    /// The same for what anybody may know of it.
    std::string status;
    std::vector<std::string> cors_origins{"*"};
    bool no_api_metrics = false;
    std::string api_key_file;
    /// Folder of the page's files; "" for none.
    std::string web_folder;
    /// Where pages are told to read the chain.
    std::vector<std::string> web_rpc_urls;
    TeeOption tee;
    CollateralOption collateral;
    KvOptions kv;
    std::string name;
    WeightsCacheOption weights_cache;
    int64_t recheck_s = 30;
    int64_t reroute_s = 10;
    int64_t request_s_max = 0;
    int64_t drain_s = 30;
    std::string replay_memory = "64MiB";
    std::string draft_kv_memory;
    ActivationsOption activations;
    NodeChainOption chain;

    void add_to(CLI::App& command);
    /// Of `metrics`; nullopt where it is none. Error: address_invalid.
    Result<std::optional<net::Address>> metrics_address() const;
    Result<std::optional<net::Address>> status_address() const;
    /// All but what is opened for the node. Errors: of the options, config_invalid,
    /// address_invalid, invalid_argument; of the policy's file.
    Result<node::NodeOptions> node_options() const;
};

}  // namespace teetee::cli
