// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "attest/policy.hpp"
#include "base/request.hpp"

namespace teetee::cli {

/// --measurement HEX and --quote FILE: which code a pool's list on chain names
/// (attest::chain_measurement).
struct MeasurementOption {
    std::vector<std::string> digests;
    std::vector<std::string> quotes;

    void add_to(CLI::App& command);
    bool is_empty() const { return digests.empty() && quotes.empty(); }
    /// Errors: invalid_argument; those of reading and parsing a quote.
    Result<std::vector<Digest>> resolve() const;
};

/// Those of every build that a policy accepts, with the TD attributes of a guest that is neither
/// debugged nor anything else special. Error: config_invalid where the policy leaves registers
/// open.
Result<std::vector<Digest>> measurements_of(const attest::Policy& policy);

}  // namespace teetee::cli
