// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "attest/peer.hpp"
#include "chain/deployment_file.hpp"
#include "cli/collateral_option.hpp"
#include "client/verified_entry.hpp"
#include "model/manifest.hpp"

namespace teetee::cli {

/// Where policy, manifest and collateral of a network are: named, or those of `teetee up` on a
/// port.
struct NetworkFiles {
    uint16_t port = 5002;
    std::string policy;
    /// The nodes' own; empty: the same as `policy`.
    std::string node_policy;
    std::string manifest;
    /// Where the contract is, and which of its pools the network serves; 0: what `teetee up` says
    /// of its own, and of another manifest none.
    std::string deployment;
    uint64_t pool = 0;
    CollateralOption collateral;

    void add_to(CLI::App& command);
};

/// What a client holds a network against.
struct NetworkTerms {
    attest::Policy policy;
    /// Of the policy that every node must hold its peers against.
    Digest node_policy_hash{};
    model::Manifest manifest;
    chain::Deployment deployment{};
    uint64_t pool = 0;
    /// Where it was read, and the chain of `teetee up`; "" elsewhere.
    std::string deployment_path;
    std::string rpc_url;
    CollateralOption collateral;

    /// Errors: of reading and parsing; they say which flags name other files.
    static Result<NetworkTerms> load(const NetworkFiles& files);

    /// Any node of the model.
    attest::PeerExpectation expectation() const;
    /// With collateral as of each question. Error: address_invalid (service).
    Result<client::Terms> for_client() const;
    /// As of `time`, or as of the moment of each question. Error: address_invalid (service).
    Result<std::unique_ptr<attest::CollateralSource>> open_collateral(
        std::optional<UnixSeconds> time = {}) const;
};

}  // namespace teetee::cli
