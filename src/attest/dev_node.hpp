// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: a node with real keys and the evidence of a dev TEE.

#include <algorithm>

#include "attest/certificate_builder.hpp"
#include "attest/der.hpp"
#include "attest/dev_tee.hpp"
#include "attest/peer.hpp"
#include "crypto/hash.hpp"
#include "crypto/x25519.hpp"

namespace teetee::attest::test {

inline constexpr UnixSeconds now = 1'800'000'000;

inline DevMeasurements measurements() {
    DevMeasurements out;
    out.mrtd.fill(0xa0);
    for (size_t i = 0; i < 4; ++i) out.rtmr[i].fill(static_cast<uint8_t>(0xb0 + i));
    out.mrconfigid.fill(0xc0);
    return out;
}

inline DevTee make_tee(const DevMeasurements& claimed = measurements(), uint8_t seed = 1) {
    return DevTee::create(ByteArray<32>{seed}, claimed, now).value();
}

/// A policy that accepts the dev TEE of this seed, and only measurements().
inline Policy make_policy(uint8_t seed = 1) {
    Policy policy;
    (void)policy.roots.add_pem(make_tee({}, seed).root_pem());
    policy.allow_simulated = true;
    policy.require_collateral = false;
    AcceptedMeasurement accepted;
    accepted.mrtd = measurements().mrtd;
    for (size_t i = 0; i < 4; ++i) accepted.rtmr[i] = measurements().rtmr[i];
    accepted.mrconfigid = measurements().mrconfigid;
    policy.measurements = {accepted};
    return policy;
}

struct DevNode {
    crypto::P256Key tls_key;
    crypto::SecpKey receipt_key;
    Statement statement;

    Bytes encoded() const { return encode_statement(statement); }
    Bytes quote(DevTee& tee) const {
        return tee.quote(report_data(encoded(), std::nullopt)).value();
    }
    Bytes quote() const {
        DevTee tee = make_tee();
        return quote(tee);
    }
    Bytes certificate(DevTee& tee) const {
        return make_ra_certificate(tls_key, {.statement = encoded(), .quote = quote(tee)}).value();
    }
    Bytes certificate() const {
        DevTee tee = make_tee();
        return certificate(tee);
    }
};

inline DevNode make_node(uint8_t seed = 1) {
    DevNode node{.tls_key = crypto::P256Key::derive(ByteArray<32>{seed, 1}).value(),
                 .receipt_key = crypto::SecpKey::from_bytes(ByteArray<32>{seed, 2}).value(),
                 .statement = {}};
    Statement& s = node.statement;
    s.software_version = "0.1.0";
    s.chain_id = 84532;
    s.contract.fill(0xd0);
    s.pool = 7;
    s.model_root.fill(0xe0);
    s.shard_root.fill(0xf0);
    s.policy_hash.fill(0xf8);
    s.layers = {.begin = 4, .end = 8};
    s.tls_spki = node.tls_key.spki_der();
    s.hpke_key = crypto::X25519Key::from_bytes(ByteArray<32>{seed, 3}).value().public_key();
    s.receipt_address = node.receipt_key.address();
    s.not_before = now - 60;
    s.not_after = now + 24 * 3600;
    return node;
}

/// What this node's certificate is made of, for one that make_ra_certificate would not make.
inline CertificateFields certificate_fields(const DevNode& node, const Evidence& evidence) {
    const auto extension = [](const char* oid, const Bytes& contents) {
        return CertificateExtension{.oid = from_hex(oid).value(),
                                    .value = der_encode(DerTag::octet_string, {contents})};
    };
    CertificateFields fields;
    fields.subject_name = "TeeTee node";
    fields.issuer_name = "TeeTee node";
    fields.not_before = node.statement.not_before;
    fields.not_after = node.statement.not_after;
    fields.spki_der = node.tls_key.spki_der();
    fields.extensions = {extension("2b0601040183e73d0101", evidence.quote),
                         extension("6983b1aa9c8c81e5fa8afb91dedbb9a2b0fd874d", evidence.statement)};
    return fields;
}

inline PeerExpectation make_expectation() {
    const Statement s = make_node().statement;
    return {.chain_id = s.chain_id,
            .contract = s.contract,
            .pool = s.pool,
            .model_root = s.model_root,
            .policy_hash = s.policy_hash,
            .shards = {{.shard_root = Digest{}, .layers = {.begin = 0, .end = 4}},
                       {.shard_root = s.shard_root, .layers = s.layers}}};
}

}  // namespace teetee::attest::test
