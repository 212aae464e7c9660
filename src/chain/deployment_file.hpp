// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "chain/evidence.hpp"
#include "chain/typed_data.hpp"

namespace teetee::chain {

/// Where the contract is, as contracts/tools/deploy records it (docs/contracts.md).
struct DeploymentFile {
    Deployment deployment{};
    /// The contract's events begin in it.
    uint64_t block = 0;
    /// What was deployed beside it; a pool may name another.
    Address verifier{};
    VerifierKind kind{};
    std::optional<U256> wei_per_credit{};
    bool operator==(const DeploymentFile&) const = default;
};

/// One JSON object: {"version": 1, "chain_id", "contract", "verifier", "kind", "block"}, and
/// "wei_per_credit" as a decimal string where it is known. Other members are passed over.
/// Errors: config_invalid naming the member, what it has and what it needs.
Result<DeploymentFile> parse_deployment_file(std::string_view text);
/// The members above.
std::string encode_deployment_file(const DeploymentFile& file);

}  // namespace teetee::chain
