// SPDX-License-Identifier: Apache-2.0
#include "node/policy_file.hpp"

#include "attest/limits.hpp"
#include "crypto/hash.hpp"
#include "net/file.hpp"

namespace teetee::node {

Result<PolicyFile> PolicyFile::load(const std::string& path) {
    TT_TRY(const auto bytes, net::read_file(path, attest::policy_bytes_max));
    auto policy = attest::parse_policy(as_text(bytes));
    if (!policy) return in_context(path, std::move(policy).error());
    return PolicyFile{std::move(policy).value(), std::string(as_text(bytes)),
                      crypto::sha256(bytes)};
}

}  // namespace teetee::node
