// SPDX-License-Identifier: Apache-2.0
#include "sim/trust.hpp"

#include "attest/limits.hpp"
#include "base/assert.hpp"
#include "crypto/p256.hpp"

namespace teetee::sim {
namespace {

constexpr UnixSeconds backdated_s = 600;
constexpr ByteArray<32> pki_seed{0x51};
constexpr size_t known_max = 4096;

attest::DevMeasurements measurements_of(Build build) {
    attest::DevMeasurements out;
    out.mrtd.fill(build == Build::lasting ? 0xa0 : 0xa1);
    return out;
}

/// The same in every world; making one takes milliseconds. Certificates of platforms are in date
/// for a year, whatever the nodes' clocks say.
attest::DevTee& tee_of(Build build) {
    static constexpr UnixSeconds made = 1'800'000'000;
    static attest::DevTee lasting =
        attest::DevTee::create(pki_seed, measurements_of(Build::lasting), made).value();
    static attest::DevTee revocable =
        attest::DevTee::create(pki_seed, measurements_of(Build::revocable), made).value();
    return build == Build::lasting ? lasting : revocable;
}

/// TLS is not simulated, so all nodes may have one key for it.
const crypto::P256Key& tls_key() {
    static const crypto::P256Key key = crypto::P256Key::derive(ByteArray<32>{0x52}).value();
    return key;
}

attest::Policy policy_for(const std::vector<Build>& builds) {
    attest::Policy out;
    TT_ASSERT(out.roots.add_pem(tee_of(Build::lasting).root_pem()));
    out.allow_simulated = true;
    out.require_collateral = false;
    for (const Build build : builds) {
        attest::AcceptedMeasurement accepted;
        accepted.mrtd = measurements_of(build).mrtd;
        out.measurements.push_back(accepted);
    }
    return out;
}

}  // namespace

Trust::Trust(std::vector<LayerRange> slots)
    : policy_(policy_for({Build::lasting, Build::revocable})),
      later_policy_(policy_for({Build::lasting})) {
    expectation_.model_root = {0x53};
    expectation_.policy_hash = {0x54};
    for (const LayerRange& layers : slots)
        expectation_.shards.push_back({Digest{static_cast<uint8_t>(layers.begin)}, layers});
}

Identity Trust::make_identity(const Digest& secret, uint32_t slot, Build build, UnixSeconds now) {
    Identity out{.receipt_key = crypto::SecpKey::from_bytes(secret).value()};
    attest::Statement statement;
    statement.software_version = "sim";
    statement.model_root = expectation_.model_root;
    statement.policy_hash = expectation_.policy_hash;
    statement.shard_root = expectation_.shards[slot].shard_root;
    statement.layers = expectation_.shards[slot].layers;
    statement.tls_spki = tls_key().spki_der();
    statement.receipt_address = out.id();
    out.evidence = prove(std::move(statement), build, now);
    return out;
}

std::shared_ptr<const Evidence> Trust::renew(const Evidence& evidence, UnixSeconds now) {
    return prove(evidence.statement, evidence.build, now);
}

/// The skew that verifiers allow for is part of the lifetime here.
std::shared_ptr<const Evidence> Trust::prove(attest::Statement statement, Build build,
                                             UnixSeconds now) {
    statement.not_before = now - backdated_s;
    statement.not_after = now + evidence_lifetime_s - attest::clock_skew_s_max;
    auto out = std::make_shared<Evidence>();
    out->statement_bytes = encode_statement(statement);
    out->quote = quote(build, attest::report_data(out->statement_bytes, std::nullopt));
    out->certificate =
        attest::make_ra_certificate(tls_key(), {out->statement_bytes, out->quote}).value();
    out->statement = std::move(statement);
    out->build = build;
    out->number = next_number_++;
    return out;
}

Bytes Trust::quote(Build build, const ByteArray<64>& report_data) {
    return tee_of(build).quote(report_data).value();
}

Result<void> Trust::verify(const Evidence& evidence, const Judge& judge) {
    const std::pair key(evidence.number, judge);
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    if (known_.size() >= known_max) known_.clear();
    const auto verified = attest::verify_peer(
        evidence.certificate, expectation_, policy(judge.knows_revocation), judge.now,
        [this](ByteView quote, const attest::TrustedRoots& roots, UnixSeconds now) {
            return verdicts_.verify(quote, nullptr, roots, now);
        });
    const Result<void> verdict = verified ? Result<void>() : Result<void>(verified.error());
    known_.emplace(key, verdict);
    return verdict;
}

bool is_valid(const Evidence& evidence, const Judge& judge) {
    const attest::Statement& statement = evidence.statement;
    return judge.now >= statement.not_before - attest::clock_skew_s_max &&
           judge.now <= statement.not_after + attest::clock_skew_s_max &&
           (evidence.build == Build::lasting || !judge.knows_revocation);
}

}  // namespace teetee::sim
