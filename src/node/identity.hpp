// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attest/collateral_source.hpp"
#include "attest/evidence.hpp"
#include "attest/peer.hpp"
#include "attest/policy.hpp"
#include "attest/statement.hpp"
#include "attest/verdict_cache.hpp"
#include "chain/typed_data.hpp"
#include "crypto/p256.hpp"
#include "crypto/secp256k1.hpp"
#include "crypto/x25519.hpp"
#include "net/link.hpp"
#include "net/tls.hpp"

namespace teetee::node {

/// Who a node is: keys made inside the TEE at start, the statement that names them, the quote over
/// the statement, and the certificate that carries both. Nothing of it outlives the process. The
/// keys stay; statement, quote and certificate are renewed as time goes on.
struct Identity {
    crypto::SecpKey receipt_key;
    crypto::X25519Key hpke_key;
    crypto::P256Key tls_key;
    attest::Statement statement;
    Bytes statement_bytes;
    Bytes quote;
    net::TlsIdentity tls;
    /// Statements before this one, by their hashes: clients hold them until they end.
    struct Former {
        Digest statement_hash{};
        UnixSeconds not_after = 0;
    };
    std::vector<Former> formers{};
};

struct IdentityOptions {
    Digest model_root{};
    Digest shard_root{};
    LayerRange layers;
    /// Where its work is settled, and the pool there; all zero: nowhere.
    chain::Deployment deployment{};
    uint64_t pool = 0;
    Digest policy_hash{};
    /// Where the receipt key is kept (load_sealed_key); empty: a new one.
    std::string receipt_key_path{};
    UnixSeconds now = 0;
    UnixSeconds lifetime_s = 24 * 3600;
};

/// The first second of a statement that is made now: some minutes back, so that a node whose clock
/// is behind takes it too.
UnixSeconds statement_begin(UnixSeconds now, UnixSeconds lifetime_s);

/// Errors: those of the keys, and evidence_unavailable from the provider.
Result<Identity> make_identity(const IdentityOptions& options, attest::EvidenceProvider& evidence,
                               Rng& rng);

/// Takes another statement of the same keys and the quote over it.
/// Errors: of make_ra_certificate; then all stays as it was.
Result<void> adopt_evidence(Identity& identity, const attest::Statement& statement, Bytes quote);

/// Admits the nodes of the same model that serve the expected layers on attested code, and binds
/// each link to the receipt key that the peer's evidence names. Everything that time or new
/// collateral can change is asked again at each recheck. Asks for the collateral of peers to whom
/// nothing else is lacking: they are refused now and may try again.
class PeerAuthenticator final : public net::LinkAuthenticator {
  public:
    /// References MUST outlive it. Without a source of collateral only a policy that demands none
    /// admits anybody.
    PeerAuthenticator(const Identity& identity, const attest::Policy& policy,
                      attest::PeerExpectation expectation, const Clock& clock,
                      attest::CollateralSource* collateral = nullptr)
        : identity_(identity),
          policy_(policy),
          expectation_(std::move(expectation)),
          clock_(clock),
          collateral_(collateral) {}

    Result<net::PeerInfo> verify_certificate(ByteView der) override;
    Bytes prove(ByteView exporter, net::LinkRole own_role) override;
    Result<void> check_proof(const net::PeerInfo& peer, ByteView exporter, net::LinkRole peer_role,
                             ByteView proof) override;
    Result<net::PeerInfo> verify_renewal(const net::PeerInfo& peer, ByteView der) override;
    Result<void> recheck(const net::PeerInfo& peer) override;

  private:
    Result<attest::VerifiedPeer> verify(ByteView der);

    const Identity& identity_;
    const attest::Policy& policy_;
    attest::PeerExpectation expectation_;
    const Clock& clock_;
    attest::CollateralSource* collateral_;
    attest::VerdictCache verdicts_;
};

}  // namespace teetee::node
