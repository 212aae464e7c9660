// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "attest/policy.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace teetee::node {

/// The policy that a node holds others against, read once: what its statement names is the hash of
/// the very bytes that it judges by.
struct PolicyFile {
    attest::Policy policy;
    /// The file's bytes, and their SHA-256.
    std::string text;
    Digest hash{};

    /// Errors: of the file; policy_malformed.
    static Result<PolicyFile> load(const std::string& path);
};

}  // namespace teetee::node
