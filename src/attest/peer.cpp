// SPDX-License-Identifier: Apache-2.0
#include "attest/peer.hpp"

#include <algorithm>

#include "attest/limits.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

struct Window {
    UnixSeconds not_before = 0;
    UnixSeconds not_after = 0;
};

Result<void> verify_window(std::string_view field, const Window& window, UnixSeconds now,
                           ErrorCode code) {
    if (now >= window.not_before - clock_skew_s_max && now <= window.not_after + clock_skew_s_max) {
        return {};
    }
    return fail(code, std::string(field) + ": have time " + std::to_string(now) + ", need " +
                          std::to_string(window.not_before) + " to " +
                          std::to_string(window.not_after));
}

Result<void> verify_statement_time(const Statement& statement, UnixSeconds now) {
    TT_CHECK(verify_window("statement", {statement.not_before, statement.not_after}, now,
                           ErrorCode::statement_expired));
    const UnixSeconds lifetime_s = statement.not_after - statement.not_before;
    if (lifetime_s > statement_lifetime_s_max) {
        return fail(ErrorCode::statement_expired,
                    "statement: have a lifetime of " + std::to_string(lifetime_s) +
                        " s, need at most " + std::to_string(statement_lifetime_s_max));
    }
    return {};
}

Error mismatch(std::string_view field, std::string_view have, std::string_view need) {
    return fail(ErrorCode::statement_mismatch,
                std::string(field) + ": have " + std::string(have) + ", need " + std::string(need));
}

Result<void> verify_expected(const Statement& statement, const PeerExpectation& expectation) {
    if (statement.chain_id != expectation.chain_id) {
        return mismatch("chain_id", std::to_string(statement.chain_id),
                        std::to_string(expectation.chain_id));
    }
    if (statement.contract != expectation.contract) {
        return mismatch("contract", to_hex(statement.contract), to_hex(expectation.contract));
    }
    if (statement.pool != expectation.pool) {
        return mismatch("pool", std::to_string(statement.pool), std::to_string(expectation.pool));
    }
    if (statement.model_root != expectation.model_root) {
        return mismatch("model_root", to_hex(statement.model_root), to_hex(expectation.model_root));
    }
    if (statement.policy_hash != expectation.policy_hash) {
        return mismatch("policy_hash", to_hex(statement.policy_hash),
                        to_hex(expectation.policy_hash) +
                            " (the SHA-256 of the policy file; all nodes of a network have one)");
    }
    const bool accepted = std::any_of(
        expectation.shards.begin(), expectation.shards.end(), [&](const AcceptedShard& shard) {
            return shard.shard_root == statement.shard_root && shard.layers == statement.layers;
        });
    if (!accepted) {
        return fail(ErrorCode::shard_rejected,
                    "shard: have layers " + std::to_string(statement.layers.begin) + ".." +
                        std::to_string(statement.layers.end) + " root " +
                        to_hex(statement.shard_root) + ", need one of " +
                        std::to_string(expectation.shards.size()) + " expected shards");
    }
    return {};
}

QuoteVerifier with_collateral(const VerifiedCollateral* collateral) {
    return [collateral](ByteView quote, const TrustedRoots& roots, UnixSeconds now) {
        return verify_quote({.quote = quote, .collateral = collateral}, roots, now);
    };
}

Result<VerifiedPeer> verify_evidence(const EvidenceView& evidence,
                                     const PeerExpectation& expectation, const Policy& policy,
                                     UnixSeconds now, const QuoteVerifier& judge) {
    TT_TRY(const Statement statement, decode_statement(evidence.statement));
    TT_TRY(const VerifiedQuote quote, judge(evidence.quote, policy.roots, now));
    // A node is a TD.
    const TdReport* report = quote.td_report();
    if (report == nullptr) {
        return fail(ErrorCode::quote_unsupported, "TEE: have SGX, need TDX");
    }
    const auto need = report_data(evidence.statement, evidence.nonce);
    if (report->report_data != need) {
        return fail(ErrorCode::report_data_mismatch,
                    "report data: have " + to_hex(report->report_data) + ", need " + to_hex(need) +
                        " of this statement and nonce");
    }
    TT_CHECK(check_policy(quote, policy, now));
    TT_CHECK(verify_statement_time(statement, now));
    TT_CHECK(verify_expected(statement, expectation));
    return VerifiedPeer{.statement = statement,
                        .quote = quote,
                        .simulated = quote.simulated,
                        .node_id = statement.receipt_address};
}

}  // namespace

Result<VerifiedPeer> verify_evidence(const EvidenceView& evidence,
                                     const PeerExpectation& expectation, const Policy& policy,
                                     UnixSeconds now, const VerifiedCollateral* collateral) {
    return verify_evidence(evidence, expectation, policy, now, with_collateral(collateral));
}

Result<VerifiedPeer> verify_peer(ByteView certificate_der, const PeerExpectation& expectation,
                                 const Policy& policy, UnixSeconds now,
                                 const VerifiedCollateral* collateral) {
    return verify_peer(certificate_der, expectation, policy, now, with_collateral(collateral));
}

Result<VerifiedPeer> verify_peer(ByteView certificate_der, const PeerExpectation& expectation,
                                 const Policy& policy, UnixSeconds now,
                                 const QuoteVerifier& judge) {
    TT_TRY(const RaCertificate ra, parse_ra_certificate(certificate_der));
    const Certificate& certificate = ra.certificate;
    TT_CHECK(verify_issued({.subject = certificate, .issuer = certificate}));
    TT_CHECK(verify_window("certificate",
                           {certificate.validity.not_before, certificate.validity.not_after}, now,
                           ErrorCode::certificate_expired));
    TT_TRY(const Statement statement, decode_statement(ra.evidence.statement));
    if (statement.tls_spki != certificate.spki_der) {
        return mismatch("SHA-256 of tls_spki", to_hex(crypto::sha256(statement.tls_spki)),
                        to_hex(crypto::sha256(certificate.spki_der)) + " of the certificate");
    }
    return verify_evidence(
        {.statement = ra.evidence.statement, .quote = ra.evidence.quote, .nonce = std::nullopt},
        expectation, policy, now, judge);
}

Result<void> verify_succession(const Statement& earlier, const Statement& later) {
    if (later.receipt_address != earlier.receipt_address) {
        return mismatch("receipt_address", to_hex(later.receipt_address),
                        to_hex(earlier.receipt_address));
    }
    if (later.tls_spki != earlier.tls_spki) {
        return mismatch("SHA-256 of tls_spki", to_hex(crypto::sha256(later.tls_spki)),
                        to_hex(crypto::sha256(earlier.tls_spki)));
    }
    if (later.not_before < earlier.not_before) {
        return mismatch("not_before", std::to_string(later.not_before),
                        std::to_string(earlier.not_before) + " or later");
    }
    Statement moved = later;
    moved.not_before = earlier.not_before;
    moved.not_after = earlier.not_after;
    if (moved != earlier) {
        return mismatch("statement", "one that differs in more than its time", "the same node's");
    }
    return {};
}

}  // namespace teetee::attest
