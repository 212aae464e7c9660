// SPDX-License-Identifier: Apache-2.0
#include "node/identity.hpp"

#include "attest/channel.hpp"
#include "attest/ra_certificate.hpp"
#include "crypto/p256.hpp"

namespace teetee::node {
namespace {

constexpr std::string_view software_version = "teetee " TEETEE_VERSION;

attest::ChannelRole channel_role(net::LinkRole role) {
    return role == net::LinkRole::dialer ? attest::ChannelRole::dialer
                                         : attest::ChannelRole::listener;
}

}  // namespace

Result<Identity> make_identity(const IdentityOptions& options, attest::EvidenceProvider& evidence,
                               Rng& rng) {
    TT_TRY(auto receipt_key, crypto::SecpKey::generate(rng));
    TT_TRY(auto hpke_key, crypto::X25519Key::generate(rng));
    TT_TRY(const auto tls_key, crypto::P256Key::generate());
    attest::Statement statement;
    statement.software_version = software_version;
    statement.model_root = options.model_root;
    statement.shard_root = options.shard_root;
    statement.layers = options.layers;
    statement.policy_hash = options.policy_hash;
    statement.tls_spki = tls_key.spki_der();
    statement.hpke_key = hpke_key.public_key();
    statement.receipt_address = receipt_key.address();
    statement.not_before = options.now;
    statement.not_after = options.now + options.lifetime_s;
    Bytes statement_bytes = attest::encode_statement(statement);
    TT_TRY(Bytes quote, evidence.quote(attest::report_data(statement_bytes, std::nullopt)));
    net::TlsIdentity tls;
    TT_TRY(tls.certificate_der, attest::make_ra_certificate(tls_key, {statement_bytes, quote}));
    TT_TRY(const auto pem, tls_key.to_pem());
    tls.private_key_pem.assign(pem.begin(), pem.end());
    return Identity{std::move(receipt_key),     std::move(hpke_key), std::move(statement),
                    std::move(statement_bytes), std::move(quote),    std::move(tls)};
}

Result<net::PeerInfo> PeerAuthenticator::verify_certificate(ByteView der) {
    TT_TRY(const auto ra, attest::parse_ra_certificate(der));
    const auto collateral = attest::find_collateral(collateral_, ra.evidence.quote);
    auto verified =
        attest::verify_peer(der, expectation_, policy_, clock_.unix_now(), collateral.get());
    if (!verified) {
        attest::want_missing(collateral_, ra.evidence.quote, verified.error());
        return std::move(verified).error();
    }
    const attest::VerifiedPeer& peer = *verified;
    net::PeerInfo info;
    info.node_id = peer.node_id;
    info.certificate_der.assign(der.begin(), der.end());
    info.description = "node 0x" + to_hex(peer.node_id) + ", layers " +
                       std::to_string(peer.statement.layers.begin) + " to " +
                       std::to_string(peer.statement.layers.end - 1) +
                       (peer.simulated ? ", SIMULATED TEE" : ", TEE verified");
    return info;
}

Bytes PeerAuthenticator::prove(ByteView exporter, net::LinkRole own_role) {
    return attest::sign_channel(identity_.receipt_key, exporter, channel_role(own_role));
}

Result<void> PeerAuthenticator::check_proof(const net::PeerInfo& peer, ByteView exporter,
                                            net::LinkRole peer_role, ByteView proof) {
    // The certificate was verified at the beginning of this handshake; here only its statement is
    // needed again.
    TT_TRY(const auto certificate, attest::parse_ra_certificate(peer.certificate_der));
    TT_TRY(const auto statement, attest::decode_statement(certificate.evidence.statement));
    return attest::verify_channel(statement, exporter, channel_role(peer_role), proof);
}

}  // namespace teetee::node
