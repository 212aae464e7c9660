// SPDX-License-Identifier: Apache-2.0
// That the contracts take the evidence that is made of a registration. Skipped where they, or
// anvil, are not built.
#include <gtest/gtest.h>

#include "attest/chain_measurement.hpp"
#include "attest/dev_tee.hpp"
#include "chain/evidence.hpp"
#include "chain/registration_file.hpp"
#include "cli/registration_check.hpp"
#include "crypto/hash.hpp"
#include "node/test_anvil.hpp"

namespace teetee::cli {
namespace {

namespace calls = chain::tee_tee;
using node::test::Anvil;

constexpr uint64_t chain_id = 84532;

attest::Statement statement_for(const chain::Address& contract, const chain::Address& receipt_key) {
    attest::Statement statement;
    statement.software_version = "1.0";
    statement.chain_id = chain_id;
    statement.contract = contract;
    statement.pool = 1;
    statement.model_root = {0x70};
    statement.shard_root = {0x71};
    statement.layers = {4, 10};
    statement.policy_hash = {0x90};
    statement.tls_spki = Bytes(91, 1);
    statement.receipt_address = receipt_key;
    statement.not_before = SystemClock().unix_now() - 10;
    statement.not_after = statement.not_before + 3600;
    return statement;
}

calls::PoolConfig pool_of(const chain::Address& verifier, const Digest& code) {
    return {.model_root = {0x70},
            .slot_layers = {4, 6},
            .prices = {.prompt = 2, .completion = 5},
            .policy_hash = {0x90},
            .verifier = verifier,
            .measurements = {code}};
}

Digest measurement_of(const Bytes& quote) {
    const auto parsed = attest::parse_quote(quote).value();
    return attest::chain_measurement(std::get<attest::TdReport>(parsed.report));
}

TEST(registration_on_chain, the_dev_verifier_takes_the_dev_tees_evidence) {
    // Verifiers of before had evidence of another form.
    for (const std::string& path :
         {node::test::anvil_path, node::test::artifact_path("Evidence", "Evidence")}) {
        if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent: make contracts";
    }
    const Anvil anvil(chain_id);
    const auto contract = anvil.deploy(
        "TeeTee", "TeeTee", calls::ConstructorArguments{.wei_per_credit = 1}.encode().value());
    const auto verifier = anvil.deploy("DevVerifier", "DevVerifier");
    const auto receipt_key = crypto::SecpKey::from_bytes(Bytes(32, 9)).value();
    auto tee = attest::DevTee::create({7}, {}, SystemClock().unix_now()).value();

    chain::RegistrationFile file{.deployment = {chain_id, contract},
                                 .pool = 1,
                                 .slot = 1,
                                 .host = node::test::anvil_key().address(),
                                 .endpoint = "tls://node.example:7000"};
    file.statement = attest::encode_statement(statement_for(contract, receipt_key.address()));
    file.quote = tee.quote(attest::report_data(file.statement, std::nullopt)).value();
    const Digest statement_hash = crypto::sha256(file.statement);
    file.signature = receipt_key.sign_recoverable(chain::registration_digest(
        file.deployment, {file.host, file.pool, file.slot, statement_hash, file.endpoint}));

    const Digest code = measurement_of(file.quote);
    anvil.send(contract, calls::CreatePoolCall{pool_of(verifier, code)}.encode().value());
    const auto evidence = chain::encode_evidence(chain::VerifierKind::dev,
                                                 {.statement = file.statement, .quote = file.quote})
                              .value();
    const calls::RegisterNodeCall call{
        .registration = {.pool = file.pool,
                         .slot = file.slot,
                         .receipt_key = receipt_key.address(),
                         .statement_hash = statement_hash,
                         .endpoint = file.endpoint,
                         .evidence = evidence,
                         .signature_ = Bytes(file.signature.begin(), file.signature.end())}};
    const chain::Receipt receipt = anvil.send(contract, call.encode().value());
    ASSERT_EQ(receipt.logs.size(), 1u);
    const auto event = calls::NodeRegisteredEvent::decode(receipt.logs[0].event());
    ASSERT_TRUE(event) << event.error().message();
    EXPECT_EQ(event->measurement, code);
    EXPECT_EQ(event->host, file.host);
    EXPECT_EQ(event->slot, 1u);
}

}  // namespace
}  // namespace teetee::cli
