// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "attest/policy.hpp"
#include "attest/ra_certificate.hpp"
#include "attest/statement.hpp"

namespace teetee::attest {

/// A shard that may be behind a peer: the hash of its weights and the layers they are.
struct AcceptedShard {
    Digest shard_root{};
    LayerRange layers;
};

/// What a peer's statement must say.
struct PeerExpectation {
    uint64_t chain_id = 0;
    crypto::Address contract{};
    uint64_t pool = 0;
    Digest model_root{};
    /// SHA-256 of the policy file that the peer must hold its own peers against: else one whose
    /// host gave it a looser one would let that host's programs into the route behind it.
    Digest policy_hash{};
    std::vector<AcceptedShard> shards;
};

/// A peer whose evidence has been verified. Only verify_peer and verify_evidence make one.
struct VerifiedPeer {
    Statement statement;
    VerifiedQuote quote;
    /// The quote is none of real hardware; say so wherever the peer is shown.
    bool simulated = true;
    /// The statement's receipt address.
    crypto::Address node_id{};
};

/// Documents that come without a TLS certificate, over HTTP say. With `nonce` the quote must have
/// been made for it.
struct EvidenceView {
    ByteView statement;
    ByteView quote;
    std::optional<ByteView> nonce;
};

/// Statement and quote belong together, the quote leads to a pinned root, the policy accepts it,
/// the statement is in date and says what is expected. `policy.roots` are the pinned roots;
/// `collateral` is what was verified for the peer's platform, if anything was.
/// Errors, in the order of the checks: statement_malformed; those of verify_quote;
/// report_data_mismatch; those of check_policy; statement_expired (also: not valid yet, or for
/// longer than statement_lifetime_s_max); statement_mismatch; shard_rejected.
Result<VerifiedPeer> verify_evidence(const EvidenceView& evidence,
                                     const PeerExpectation& expectation, const Policy& policy,
                                     UnixSeconds now,
                                     const VerifiedCollateral* collateral = nullptr);

/// The same for the certificate of a TLS peer (DER), which must be self-signed, in date, and hold
/// the TLS key that the statement names. That the peer has the key, TLS itself proves.
/// Errors before those of verify_evidence: certificate_malformed, evidence_missing,
/// certificate_chain_invalid, certificate_expired, statement_malformed, statement_mismatch.
Result<VerifiedPeer> verify_peer(ByteView certificate_der, const PeerExpectation& expectation,
                                 const Policy& policy, UnixSeconds now,
                                 const VerifiedCollateral* collateral = nullptr);

/// What judges the quote in a certificate: verify_quote with the collateral of its platform, or a
/// VerdictCache in front of it.
using QuoteVerifier =
    std::function<Result<VerifiedQuote>(ByteView quote, const TrustedRoots&, UnixSeconds now)>;

/// The same with a quote verifier of the caller's.
Result<VerifiedPeer> verify_peer(ByteView certificate_der, const PeerExpectation& expectation,
                                 const Policy& policy, UnixSeconds now, const QuoteVerifier& judge);

/// A statement that may take the place of an earlier one: of the same node in every word, keys
/// included, but for the time, which does not go back. Error: statement_mismatch.
Result<void> verify_succession(const Statement& earlier, const Statement& later);

}  // namespace teetee::attest
