// SPDX-License-Identifier: Apache-2.0
#include "attest/peer.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "attest/certificate_builder.hpp"
#include "attest/dev_node.hpp"
#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

// Fill in what differs from a good peer, then ask for the verdict.
struct Case {
    test::DevNode node = test::make_node();
    DevTee tee = test::make_tee();
    PeerExpectation expectation = test::make_expectation();
    Policy policy = test::make_policy();
    UnixSeconds now = test::now;

    Result<VerifiedPeer> verify() {
        return verify_peer(node.certificate(tee), expectation, policy, now);
    }
    ErrorCode code() { return verify().error().code; }
};

TEST(peer, accepts_an_attested_node) {
    const auto peer = Case().verify();
    ASSERT_TRUE(peer) << peer.error().message();
    EXPECT_TRUE(peer->simulated);
    EXPECT_EQ(peer->statement, test::make_node().statement);
    EXPECT_EQ(peer->node_id, test::make_node().receipt_key.address());
    EXPECT_EQ(peer->quote.td_report()->mrtd, test::measurements().mrtd);
}

TEST(peer, rejects_a_simulated_node_under_a_production_policy) {
    Case intel_only;
    intel_only.policy.roots = TrustedRoots::intel();
    intel_only.policy.allow_simulated = false;
    EXPECT_EQ(intel_only.code(), ErrorCode::root_untrusted);
    Case not_allowed;
    not_allowed.policy.allow_simulated = false;
    EXPECT_EQ(not_allowed.code(), ErrorCode::simulated_rejected);
}

TEST(peer, rejects_another_measurement) {
    Case c;
    DevMeasurements other = test::measurements();
    other.rtmr[2][0] = 0;
    c.tee = test::make_tee(other);
    EXPECT_EQ(c.code(), ErrorCode::measurement_rejected);
}

TEST(peer, rejects_a_debug_td) {
    Case c;
    DevMeasurements debug = test::measurements();
    debug.tdattributes |= td_attribute_debug;
    c.tee = test::make_tee(debug);
    EXPECT_EQ(c.code(), ErrorCode::attributes_rejected);
}

// The thief has the evidence of another node, but only a TLS key of its own.
TEST(peer, rejects_stolen_evidence_under_another_tls_key) {
    const auto victim = test::make_node();
    auto thief = test::make_node(2);
    const Bytes stolen_quote = victim.quote();
    const auto with_statement_of = [&](const Bytes& statement) {
        const Bytes der = make_ra_certificate(thief.tls_key,
                                              {.statement = thief.encoded(), .quote = stolen_quote})
                              .value();
        auto ra = parse_ra_certificate(der).value();
        // Splice the victim's statement into the certificate; both encodings have one length.
        Bytes changed = der;
        const auto at = std::search(changed.begin(), changed.end(), ra.evidence.statement.begin(),
                                    ra.evidence.statement.end());
        std::copy(statement.begin(), statement.end(), at);
        return changed;
    };
    const Case c;
    // As it is, the certificate's own signature is broken by the splice.
    EXPECT_EQ(verify_peer(with_statement_of(victim.encoded()), c.expectation, c.policy, c.now)
                  .error()
                  .code,
              ErrorCode::certificate_chain_invalid);
    // With its own statement the signature holds, but the quote is over another statement.
    EXPECT_EQ(verify_peer(with_statement_of(thief.encoded()), c.expectation, c.policy, c.now)
                  .error()
                  .code,
              ErrorCode::report_data_mismatch);
}

// Signed by the thief's key from the start: only the comparison of keys stands against it.
TEST(peer, rejects_a_certificate_whose_key_is_not_the_statements) {
    const auto victim = test::make_node();
    const auto thief = test::make_node(2);
    CertificateFields fields =
        test::certificate_fields(victim, {.statement = victim.encoded(), .quote = victim.quote()});
    fields.spki_der = thief.tls_key.spki_der();
    const Bytes der = build_certificate(fields, thief.tls_key, SignatureMode::random).value();
    const Case c;
    EXPECT_EQ(verify_peer(der, c.expectation, c.policy, c.now).error().code,
              ErrorCode::statement_mismatch);
    // And one that claims the victim's key cannot sign for it.
    fields.spki_der = victim.tls_key.spki_der();
    const Bytes forged = build_certificate(fields, thief.tls_key, SignatureMode::random).value();
    EXPECT_EQ(verify_peer(forged, c.expectation, c.policy, c.now).error().code,
              ErrorCode::certificate_chain_invalid);
}

TEST(peer, rejects_the_replayed_quote_of_another_node) {
    const auto node = test::make_node();
    const Bytes quote = test::make_node(2).quote();
    const Bytes der =
        make_ra_certificate(node.tls_key, {.statement = node.encoded(), .quote = quote}).value();
    const Case c;
    EXPECT_EQ(verify_peer(der, c.expectation, c.policy, c.now).error().code,
              ErrorCode::report_data_mismatch);
}

TEST(peer, rejects_another_shard_root_or_layer_range) {
    Case root;
    root.node.statement.shard_root[0] = 0;
    EXPECT_EQ(root.code(), ErrorCode::shard_rejected);
    Case layers;
    layers.node.statement.layers.end = 9;
    EXPECT_EQ(layers.code(), ErrorCode::shard_rejected);
    // The root of one expected shard with the layers of the other.
    Case crossed;
    crossed.node.statement.layers = {.begin = 0, .end = 4};
    EXPECT_EQ(crossed.code(), ErrorCode::shard_rejected);
    Case none;
    none.expectation.shards.clear();
    EXPECT_EQ(none.code(), ErrorCode::shard_rejected);
}

TEST(peer, rejects_another_chain_contract_pool_or_model) {
    Case chain;
    chain.expectation.chain_id = 8453;
    EXPECT_EQ(chain.code(), ErrorCode::statement_mismatch);
    Case contract;
    contract.expectation.contract[19] = 0;
    EXPECT_EQ(contract.code(), ErrorCode::statement_mismatch);
    Case pool;
    pool.expectation.pool = 8;
    EXPECT_EQ(pool.code(), ErrorCode::statement_mismatch);
    Case model;
    model.expectation.model_root[0] = 0;
    EXPECT_EQ(model.code(), ErrorCode::statement_mismatch);
}

// Attested code that was given another policy may have let anything in behind it.
TEST(peer, rejects_a_node_that_holds_its_peers_against_another_policy) {
    Case c;
    c.expectation.policy_hash[31] ^= 1;
    const auto peer = c.verify();
    ASSERT_FALSE(peer);
    EXPECT_EQ(peer.error().code, ErrorCode::statement_mismatch);
    EXPECT_NE(peer.error().detail.find("policy_hash: have f8f8"), std::string::npos)
        << peer.error().detail;
}

TEST(peer, rejects_a_certificate_out_of_date_beyond_the_skew) {
    const Statement statement = test::make_node().statement;
    Case c;
    c.now = statement.not_after + clock_skew_s_max;
    EXPECT_TRUE(c.verify());
    c.now = statement.not_after + clock_skew_s_max + 1;
    EXPECT_EQ(c.code(), ErrorCode::certificate_expired);
    c.now = statement.not_before - clock_skew_s_max;
    EXPECT_TRUE(c.verify());
    c.now = statement.not_before - clock_skew_s_max - 1;
    EXPECT_EQ(c.code(), ErrorCode::certificate_expired);
}

TEST(peer, rejects_a_statement_that_lives_too_long) {
    Case c;
    c.node.statement.not_after = c.node.statement.not_before + statement_lifetime_s_max;
    EXPECT_TRUE(c.verify());
    c.node.statement.not_after += 1;
    EXPECT_EQ(c.code(), ErrorCode::statement_expired);
}

TEST(peer, rejects_a_flipped_bit_anywhere_in_the_certificate) {
    Case c;
    const Bytes der = c.node.certificate(c.tee);
    for (size_t i = 0; i < der.size(); i += 5) {
        Bytes changed = der;
        changed[i] = static_cast<uint8_t>(changed[i] ^ (1u << (i % 8)));
        EXPECT_FALSE(verify_peer(changed, c.expectation, c.policy, c.now)) << "byte " << i;
        ASSERT_EQ(ERR_peek_error(), 0u) << "byte " << i;
    }
}

TEST(peer, a_later_statement_may_differ_in_its_time_only) {
    const Statement earlier = test::make_node().statement;
    const auto code = [&](const std::function<void(Statement&)>& change) {
        Statement later = earlier;
        change(later);
        const auto verified = verify_succession(earlier, later);
        return verified ? ErrorCode{} : verified.error().code;
    };
    EXPECT_EQ(code([](Statement&) {}), ErrorCode{});
    EXPECT_EQ(code([](Statement& s) {
                  s.not_before += 9;
                  s.not_after += 7;
              }),
              ErrorCode{});
    EXPECT_EQ(code([](Statement& s) { s.not_before -= 1; }), ErrorCode::statement_mismatch);
    for (const auto& change : std::initializer_list<void (*)(Statement&)>{
             [](Statement& s) { s.receipt_address[0] ^= 1; },
             [](Statement& s) { s.tls_spki.back() ^= 1; }, [](Statement& s) { s.hpke_key[0] ^= 1; },
             [](Statement& s) { s.software_version += "1"; }, [](Statement& s) { s.pool += 1; },
             [](Statement& s) { s.shard_root[0] ^= 1; }, [](Statement& s) { s.layers.end += 1; }}) {
        EXPECT_EQ(code(change), ErrorCode::statement_mismatch);
    }
}

TEST(evidence, verifies_without_a_certificate) {
    const Case c;
    const Bytes statement = c.node.encoded();
    const Bytes quote = c.node.quote();
    EXPECT_TRUE(verify_evidence({.statement = statement, .quote = quote, .nonce = std::nullopt},
                                c.expectation, c.policy, c.now));
    const UnixSeconds late = c.node.statement.not_after + clock_skew_s_max + 1;
    EXPECT_EQ(verify_evidence({.statement = statement, .quote = quote, .nonce = std::nullopt},
                              c.expectation, c.policy, late)
                  .error()
                  .code,
              ErrorCode::statement_expired);
    const UnixSeconds early = c.node.statement.not_before - clock_skew_s_max - 1;
    EXPECT_EQ(verify_evidence({.statement = statement, .quote = quote, .nonce = std::nullopt},
                              c.expectation, c.policy, early)
                  .error()
                  .code,
              ErrorCode::statement_expired);
    EXPECT_EQ(verify_evidence({.statement = {}, .quote = quote, .nonce = std::nullopt},
                              c.expectation, c.policy, c.now)
                  .error()
                  .code,
              ErrorCode::statement_malformed);
}

TEST(evidence, with_a_nonce_only_a_fresh_quote_will_do) {
    Case c;
    const Bytes statement = c.node.encoded();
    const Bytes nonce(32, 9);
    const Bytes fresh = c.tee.quote(report_data(statement, ByteView(nonce))).value();
    const Bytes stale = c.node.quote();
    const auto verify = [&](ByteView quote, std::optional<ByteView> asked) {
        return verify_evidence({.statement = statement, .quote = quote, .nonce = asked},
                               c.expectation, c.policy, c.now);
    };
    EXPECT_TRUE(verify(fresh, nonce));
    EXPECT_EQ(verify(stale, nonce).error().code, ErrorCode::report_data_mismatch);
    EXPECT_EQ(verify(fresh, std::nullopt).error().code, ErrorCode::report_data_mismatch);
    EXPECT_EQ(verify(fresh, ByteView(nonce).first(31)).error().code,
              ErrorCode::report_data_mismatch);
}

}  // namespace
}  // namespace teetee::attest
