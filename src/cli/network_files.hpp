// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "attest/peer.hpp"
#include "model/manifest.hpp"

namespace teetee::cli {

/// Where policy and manifest of a network are: named, or those of `teetee up` on a port.
struct NetworkFiles {
    uint16_t port = 5002;
    std::string policy;
    /// The nodes' own; empty: the same as `policy`.
    std::string node_policy;
    std::string manifest;

    void add_to(CLI::App& command);
};

/// What a client holds a network against.
struct NetworkTerms {
    attest::Policy policy;
    /// Of the policy that every node must hold its peers against.
    Digest node_policy_hash{};
    model::Manifest manifest;

    /// Errors: of reading and parsing; they say which flags name other files.
    static Result<NetworkTerms> load(const NetworkFiles& files);

    /// Any node of the model.
    attest::PeerExpectation expectation() const;
};

}  // namespace teetee::cli
