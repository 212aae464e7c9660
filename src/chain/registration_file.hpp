// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "chain/typed_data.hpp"

namespace teetee::chain {

/// What a node hands its host, so that the host's wallet can register it, or renew its evidence.
/// Parsed here; believed nowhere.
struct RegistrationFile {
    Deployment deployment{};
    uint64_t pool = 0;
    uint64_t slot = 0;
    /// The wallet that the node's receipt key has signed for.
    Address host{};
    /// Where the node is reached; printable ASCII.
    std::string endpoint{};
    /// As attest::encode_statement writes it.
    Bytes statement{};
    /// Over the statement, without a nonce.
    Bytes quote{};
    /// Registration by the statement's receipt key.
    crypto::RecoverableSignature signature{};
    /// See EvidenceParts; empty where the pool's verifier takes none.
    Bytes platform_verdict{};
    bool operator==(const RegistrationFile&) const = default;
};

/// One JSON object, bytes as 0x-hex: {"version": 1, "chain_id", "contract", "pool", "slot", "host",
/// "endpoint", "statement", "quote", "signature"}, and "platform_verdict" where there is one. No
/// other member. Errors: config_invalid naming the member, what it has and what it needs.
Result<RegistrationFile> parse_registration_file(std::string_view text);
std::string encode_registration_file(const RegistrationFile& file);

}  // namespace teetee::chain
