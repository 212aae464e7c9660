// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/bytes.hpp"

namespace teetee::chain {

/// Which contract decides over a pool's evidence (docs/contracts-attestation.md).
enum class VerifierKind {
    /// The dev TEE's quote, on dev chains only.
    dev,
    /// A quote, and a quorum's word on its platform.
    quote,
    /// A quote, and Automata's contracts.
    automata,
};

std::string_view to_string(VerifierKind kind);
/// "dev", "quote" or "automata". Error: config_invalid.
Result<VerifierKind> parse_verifier_kind(std::string_view text);

struct EvidenceParts {
    /// As attest::encode_statement writes it.
    ByteView statement{};
    ByteView quote{};
    /// Of kind quote alone: the ABI-encoded PlatformVerdict, u8 count of signatures, the signatures
    /// of 65 bytes.
    ByteView platform_verdict{};
};

/// What registerNode takes for that verifier: abi.encode(bytes statement, bytes proof), the proof
/// being the quote, behind the verdict on its platform for kind quote.
/// Error: config_invalid for a verdict that lacks, is too much, or has another length than it says;
/// or for more than contracts/src/Limits.sol allows.
Result<Bytes> encode_evidence(VerifierKind kind, const EvidenceParts& parts);

}  // namespace teetee::chain
