// SPDX-License-Identifier: Apache-2.0
#include "chain/evidence.hpp"

#include <gtest/gtest.h>

#include "chain/abi_contract.hpp"
#include "chain/limits.hpp"

namespace teetee::chain {
namespace {

const Bytes statement = {1, 2, 3};
const Bytes quote = {9, 8, 7, 6};

Result<std::vector<AbiValue>> parts_of(const Result<Bytes>& evidence) {
    if (!evidence) return evidence.error();
    return decode_abi(abi_types({"bytes", "bytes"}), *evidence);
}

Bytes verdict_of(uint8_t signature_count) {
    Bytes out(353 + 65 * size_t(signature_count), 5);
    out[352] = signature_count;
    return out;
}

TEST(evidence, has_statement_and_quote_in_words) {
    for (const auto kind : {VerifierKind::dev, VerifierKind::automata}) {
        const auto evidence = encode_evidence(kind, {.statement = statement, .quote = quote});
        ASSERT_TRUE(evidence);
        // Offsets, lengths, and both parts padded: what Evidence.sol takes and nothing else.
        EXPECT_EQ(evidence->size(), 6u * 32);
        const auto parts = parts_of(evidence).value();
        EXPECT_EQ(parts[0].bytes(), statement);
        EXPECT_EQ(parts[1].bytes(), quote);
    }
}

TEST(evidence, has_the_verdict_before_the_quote) {
    const Bytes verdict = verdict_of(2);
    const auto parts = parts_of(
        encode_evidence(VerifierKind::quote,
                        {.statement = statement, .quote = quote, .platform_verdict = verdict}));
    Bytes proof = verdict;
    proof.insert(proof.end(), quote.begin(), quote.end());
    ASSERT_TRUE(parts);
    EXPECT_EQ((*parts)[1].bytes(), proof);
}

TEST(evidence, takes_a_verdict_only_where_one_belongs) {
    const auto encode = [](VerifierKind kind, const Bytes& verdict) {
        const auto evidence = encode_evidence(
            kind, {.statement = statement, .quote = quote, .platform_verdict = verdict});
        return evidence ? ErrorCode{} : evidence.error().code;
    };
    EXPECT_EQ(encode(VerifierKind::dev, verdict_of(1)), ErrorCode::config_invalid);
    EXPECT_EQ(encode(VerifierKind::quote, {}), ErrorCode::config_invalid);
    EXPECT_EQ(encode(VerifierKind::quote, Bytes(352, 1)), ErrorCode::config_invalid);
    Bytes longer = verdict_of(1);
    longer.push_back(0);
    EXPECT_EQ(encode(VerifierKind::quote, longer), ErrorCode::config_invalid);
    EXPECT_EQ(encode(VerifierKind::quote, verdict_of(1)), ErrorCode{});
}

TEST(evidence, is_no_longer_than_the_contract_takes) {
    const auto of = [](size_t quote_bytes) {
        const Bytes long_quote(quote_bytes, 1);
        return encode_evidence(VerifierKind::dev, {.statement = {}, .quote = long_quote});
    };
    EXPECT_TRUE(of(evidence_bytes_max - 4 * 32));
    EXPECT_EQ(of(evidence_bytes_max - 4 * 32 + 1).error().code, ErrorCode::config_invalid);
}

TEST(evidence, kinds_have_names) {
    for (const auto kind : {VerifierKind::dev, VerifierKind::quote, VerifierKind::automata})
        EXPECT_EQ(parse_verifier_kind(to_string(kind)).value(), kind);
    EXPECT_EQ(parse_verifier_kind("Dev").error().code, ErrorCode::config_invalid);
}

}  // namespace
}  // namespace teetee::chain
