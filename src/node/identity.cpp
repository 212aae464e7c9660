// SPDX-License-Identifier: Apache-2.0
#include "node/identity.hpp"

#include <algorithm>

#include "attest/channel.hpp"
#include "attest/ra_certificate.hpp"
#include "crypto/hash.hpp"
#include "crypto/p256.hpp"
#include "node/sealed_key.hpp"

namespace teetee::node {
namespace {

constexpr UnixSeconds backdated_s_max = 600;
constexpr std::string_view software_version = "teetee " TEETEE_VERSION;

attest::ChannelRole channel_role(net::LinkRole role) {
    return role == net::LinkRole::dialer ? attest::ChannelRole::dialer
                                         : attest::ChannelRole::listener;
}

Result<attest::Statement> statement_in(ByteView certificate_der) {
    TT_TRY(const auto certificate, attest::parse_ra_certificate(certificate_der));
    return attest::decode_statement(certificate.evidence.statement);
}

}  // namespace

UnixSeconds statement_begin(UnixSeconds now, UnixSeconds lifetime_s) {
    return now - std::min(backdated_s_max, lifetime_s / 8);
}

Result<Identity> make_identity(const IdentityOptions& options, attest::EvidenceProvider& evidence,
                               Rng& rng) {
    TT_TRY(auto receipt_key,
           options.receipt_key_path.empty()
               ? crypto::SecpKey::generate(rng)
               : load_sealed_key(options.receipt_key_path, receipt_key_purpose, evidence, rng));
    TT_TRY(auto hpke_key, crypto::X25519Key::generate(rng));
    TT_TRY(auto tls_key, crypto::P256Key::generate());
    TT_TRY(const auto pem, tls_key.to_pem());
    attest::Statement statement;
    statement.software_version = software_version;
    statement.chain_id = options.deployment.chain_id;
    statement.contract = options.deployment.contract;
    statement.pool = options.pool;
    statement.model_root = options.model_root;
    statement.shard_root = options.shard_root;
    statement.layers = options.layers;
    statement.policy_hash = options.policy_hash;
    statement.tls_spki = tls_key.spki_der();
    statement.hpke_key = hpke_key.public_key();
    statement.receipt_address = receipt_key.address();
    statement.not_before = statement_begin(options.now, options.lifetime_s);
    statement.not_after = statement.not_before + options.lifetime_s;
    TT_TRY(Bytes quote,
           evidence.quote(attest::report_data(attest::encode_statement(statement), std::nullopt)));
    Identity identity{.receipt_key = std::move(receipt_key),
                      .hpke_key = std::move(hpke_key),
                      .tls_key = std::move(tls_key),
                      .statement = {},
                      .statement_bytes = {},
                      .quote = {},
                      .tls = {}};
    identity.tls.private_key_pem.assign(pem.begin(), pem.end());
    TT_CHECK(adopt_evidence(identity, statement, std::move(quote)));
    return identity;
}

Result<void> adopt_evidence(Identity& identity, const attest::Statement& statement, Bytes quote) {
    Bytes statement_bytes = attest::encode_statement(statement);
    TT_TRY(identity.tls.certificate_der,
           attest::make_ra_certificate(identity.tls_key, {statement_bytes, quote}));
    std::erase_if(identity.formers, [&](const Identity::Former& former) {
        return former.not_after < statement.not_before;
    });
    if (!identity.statement_bytes.empty()) {
        identity.formers.push_back(
            {crypto::sha256(identity.statement_bytes), identity.statement.not_after});
    }
    identity.statement = statement;
    identity.statement_bytes = std::move(statement_bytes);
    identity.quote = std::move(quote);
    return {};
}

Result<net::PeerInfo> PeerAuthenticator::verify_certificate(ByteView der) {
    TT_TRY(const auto peer, verify(der));
    net::PeerInfo info;
    info.node_id = peer.node_id;
    info.certificate_der.assign(der.begin(), der.end());
    info.description = "node 0x" + to_hex(peer.node_id) + ", layers " +
                       std::to_string(peer.statement.layers.begin) + " to " +
                       std::to_string(peer.statement.layers.end - 1) +
                       (peer.simulated ? ", SIMULATED TEE" : ", TEE verified");
    info.layers = peer.statement.layers;
    info.evidence_ends = peer.statement.not_after;
    return info;
}

Bytes PeerAuthenticator::prove(ByteView exporter, net::LinkRole own_role) {
    return attest::sign_channel(identity_.receipt_key, exporter, channel_role(own_role));
}

Result<void> PeerAuthenticator::check_proof(const net::PeerInfo& peer, ByteView exporter,
                                            net::LinkRole peer_role, ByteView proof) {
    // The certificate was verified at the beginning of this handshake.
    TT_TRY(const auto statement, statement_in(peer.certificate_der));
    return attest::verify_channel(statement, exporter, channel_role(peer_role), proof);
}

Result<net::PeerInfo> PeerAuthenticator::verify_renewal(const net::PeerInfo& peer, ByteView der) {
    TT_TRY(auto info, verify_certificate(der));
    TT_TRY(const auto earlier, statement_in(peer.certificate_der));
    TT_TRY(const auto later, statement_in(der));
    TT_CHECK(attest::verify_succession(earlier, later));
    return info;
}

Result<void> PeerAuthenticator::recheck(const net::PeerInfo& peer) {
    TT_CHECK(verify(peer.certificate_der));
    return {};
}

Result<attest::VerifiedPeer> PeerAuthenticator::verify(ByteView der) {
    auto verified = attest::verify_peer(
        der, expectation_, policy_, clock_.unix_now(),
        [this](ByteView quote, const attest::TrustedRoots& roots, UnixSeconds now) {
            return verdicts_.verify(quote, attest::find_collateral(collateral_, quote), roots, now);
        });
    if (verified) return verified;
    if (const auto shown = attest::parse_ra_certificate(der))
        attest::want_missing(collateral_, shown->evidence.quote, verified.error());
    return verified;
}

}  // namespace teetee::node
