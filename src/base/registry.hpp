// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/request.hpp"

namespace teetee {

/// A node that is said to serve the model. Nobody vouches for it: it is dialled, and then shows its
/// evidence like any other.
struct RegistryEntry {
    /// "tls://host:port".
    std::string url{};
    /// Address of its receipt key, where the registry knows it.
    std::optional<ByteArray<20>> node_id{};
    std::optional<LayerRange> layers{};
    bool operator==(const RegistryEntry&) const = default;
};

/// Where the first nodes to dial are found: a file, or a contract.
class Registry {
  public:
    virtual ~Registry() = default;
    /// What it lists now. Errors: those of the file or of the chain.
    virtual Result<std::vector<RegistryEntry>> nodes() = 0;
    /// Whether an entry may send prompts to the node with this receipt key, which serves those
    /// layers. A list of whom to dial says nothing of that: it lets every node in.
    /// Error: not_ready with the reason.
    virtual Result<void> admits(const ByteArray<20>&, LayerRange) { return {}; }
};

}  // namespace teetee
