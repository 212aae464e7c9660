// SPDX-License-Identifier: Apache-2.0
#include "cli/registration_check.hpp"

#include <gtest/gtest.h>

#include "attest/chain_measurement.hpp"
#include "attest/dev_tee.hpp"
#include "crypto/hash.hpp"

namespace teetee::cli {
namespace {

constexpr uint64_t now = 1'800'000'000;

crypto::SecpKey key_of(uint8_t byte) {
    return crypto::SecpKey::from_bytes(Bytes(32, byte)).value();
}

/// A node of slot 1 of pool 3, its pool, and what its host runs.
class registration_check : public testing::Test {
  protected:
    registration_check() {
        pool.model_root = {0x70};
        pool.slot_layers = {4, 6};
        pool.policy = {.before = {{0x90}, ""}, .next = {{0x91}, ""}, .from = now + 100};
        needs = {.deployment = {.chain_id = 31337, .contract = {0xc0}},
                 .wallet = key_of(1).address(),
                 .pool = &pool,
                 .now = now};
        statement.software_version = "1.0";
        statement.chain_id = 31337;
        statement.contract = {0xc0};
        statement.pool = 3;
        statement.model_root = {0x70};
        statement.layers = {4, 10};
        statement.policy_hash = {0x90};
        statement.tls_spki = {1};
        statement.receipt_address = receipt_key.address();
        statement.not_before = now - 10;
        statement.not_after = now + 1000;
        sign();
    }

    /// The file of the statement as it is.
    void sign() {
        file.deployment = needs.deployment;
        file.pool = 3;
        file.slot = 1;
        file.host = needs.wallet;
        file.endpoint = "tls://node.example:7000";
        file.statement = attest::encode_statement(statement);
        file.quote = dev_tee().quote(attest::report_data(file.statement, std::nullopt)).value();
        file.signature = receipt_key.sign_recoverable(chain::registration_digest(
            file.deployment,
            {file.host, file.pool, file.slot, crypto::sha256(file.statement), file.endpoint}));
    }

    static attest::DevTee dev_tee() { return attest::DevTee::create({7}, {}, now).value(); }

    std::string refused(ErrorCode code = ErrorCode::statement_mismatch) const {
        const auto checked = check_registration(file, needs);
        if (checked) return "accepted";
        EXPECT_EQ(checked.error().code, code) << checked.error().message();
        return checked.error().detail;
    }
    void expect_refused(std::string_view part, ErrorCode code = ErrorCode::statement_mismatch) {
        const std::string why = refused(code);
        EXPECT_NE(why.find(part), std::string::npos) << why << "\nneeds: " << part;
    }

    crypto::SecpKey receipt_key = key_of(2);
    chain::PoolRecord pool;
    attest::Statement statement;
    RegistrationNeeds needs;
    chain::RegistrationFile file;
};

TEST_F(registration_check, accepts_a_node_that_fits_its_slot) {
    const auto checked = check_registration(file, needs);
    ASSERT_TRUE(checked) << checked.error().message();
    EXPECT_EQ(*checked, statement);
}

TEST_F(registration_check, is_of_one_contract_and_wallet) {
    const auto good = needs;
    needs.deployment.chain_id = 84532;
    expect_refused("registration.chain_id: have 31337, need 84532");
    needs = good;
    needs.deployment.contract = {0xc1};
    expect_refused("registration.contract");
    needs = good;
    needs.wallet = key_of(3).address();
    expect_refused("registration.host");
}

TEST_F(registration_check, needs_a_slot_of_an_open_pool) {
    pool.closed = true;
    expect_refused("registration.pool: have 3, which is closed");
    needs.is_renewal = true;
    EXPECT_EQ(refused(), "accepted");
    pool.closed = false;
    pool.slot_layers = {10};
    expect_refused("registration.slot: have 1, need one below 1");
    needs.pool = nullptr;
    expect_refused("registration.pool: have 3, need one of teetee pool list");
}

TEST_F(registration_check, needs_the_statement_that_the_slot_needs) {
    const auto good = statement;
    const auto changed = [&](auto change, std::string_view why) {
        statement = good;
        change(statement);
        sign();
        expect_refused(why);
    };
    changed([](auto& s) { s.chain_id = 1; }, "statement.chain_id: have 1, need 31337");
    changed([](auto& s) { s.contract = {1}; }, "statement.contract");
    changed([](auto& s) { s.pool = 4; }, "statement.pool: have 4, need 3");
    changed([](auto& s) { s.model_root = {1}; }, "statement.model_root");
    changed([](auto& s) { s.layers = {0, 4}; }, "statement.layers: have 0-3, need 4-9");
    changed([](auto& s) { s.policy_hash = {0x91}; }, "statement.policy_hash");
    // What was announced comes into force.
    needs.now = now + 100;
    EXPECT_EQ(refused(), "accepted");
    file.statement.pop_back();
    expect_refused("", ErrorCode::statement_malformed);
}

TEST_F(registration_check, needs_a_statement_of_today) {
    needs.now = now + 1000;
    pool.policy.next = pool.policy.before;
    expect_refused("let the node make a new one", ErrorCode::statement_expired);
    needs.now = now - 200;
    expect_refused("let the node make a new one", ErrorCode::statement_expired);
    needs.now = now - 100;
    EXPECT_EQ(refused(), "accepted");
}

TEST_F(registration_check, needs_the_receipt_keys_signature_over_this_file) {
    file.endpoint += "1";
    expect_refused("registration.signature", ErrorCode::signature_invalid);
    sign();
    receipt_key = key_of(4);
    sign();
    expect_refused(chain::to_checksum_text(key_of(2).address()), ErrorCode::signature_invalid);
    file.signature.fill(0xff);
    expect_refused("", ErrorCode::signature_invalid);
}

TEST_F(registration_check, needs_a_quote_over_the_statement) {
    EXPECT_EQ(check_registration_quote(file, needs).error().code, ErrorCode::measurement_rejected);
    const auto quote = attest::parse_quote(file.quote).value();
    const Digest code = attest::chain_measurement(std::get<attest::TdReport>(quote.report));
    pool.measurements[code] = {.from = now};
    EXPECT_TRUE(check_registration_quote(file, needs));
    pool.measurements[code].revoked = true;
    EXPECT_NE(check_registration_quote(file, needs).error().detail.find(to_hex(code)),
              std::string::npos);
    file.quote = dev_tee().quote({}).value();
    EXPECT_EQ(check_registration_quote(file, needs).error().code, ErrorCode::report_data_mismatch);
    file.quote.resize(100);
    EXPECT_EQ(check_registration_quote(file, needs).error().code, ErrorCode::quote_malformed);
}

}  // namespace
}  // namespace teetee::cli
