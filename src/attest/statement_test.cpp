// SPDX-License-Identifier: Apache-2.0
#include "attest/statement.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "attest/dev_node.hpp"
#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

Statement sample() {
    return test::make_node().statement;
}

ErrorCode code_of(const Statement& statement) {
    return decode_statement(encode_statement(statement)).error().code;
}

TEST(statement, round_trip_is_byte_identical) {
    const Bytes encoded = encode_statement(sample());
    const auto decoded = decode_statement(encoded).value();
    EXPECT_EQ(decoded, sample());
    EXPECT_EQ(encode_statement(decoded), encoded);
}

// The layout is a wire format: a statement of fixed fields has a fixed hash.
TEST(statement, encoding_is_as_documented) {
    Statement statement;
    statement.software_version = "v";
    statement.chain_id = 1;
    statement.pool = 2;
    statement.layers = {.begin = 3, .end = 4};
    statement.tls_spki = {0xaa};
    statement.not_before = 5;
    statement.not_after = 6;
    const std::string zeros_20(40, '0');
    const std::string zeros_32(64, '0');
    EXPECT_EQ(to_hex(encode_statement(statement)),
              "13000000" + to_hex(as_bytes("teetee statement v2")) + "01" + "01000000" + "76" +
                  "0100000000000000" + zeros_20 + "0200000000000000" + zeros_32 + zeros_32 +
                  "03000000" + "04000000" + zeros_32 + "01000000" + "aa" + zeros_32 + zeros_20 +
                  "0500000000000000" + "0600000000000000");
}

TEST(statement, rejects_every_truncation_and_any_trailing_byte) {
    Bytes encoded = encode_statement(sample());
    for (size_t size = 0; size < encoded.size(); ++size) {
        EXPECT_EQ(decode_statement(ByteView(encoded).first(size)).error().code,
                  ErrorCode::statement_malformed);
    }
    encoded.push_back(0);
    EXPECT_EQ(decode_statement(encoded).error().code, ErrorCode::statement_malformed);
}

TEST(statement, a_changed_byte_is_refused_or_is_another_statement) {
    const Bytes encoded = encode_statement(sample());
    for (size_t i = 0; i < encoded.size(); ++i) {
        Bytes changed = encoded;
        changed[i] = static_cast<uint8_t>(changed[i] ^ 1);
        const auto decoded = decode_statement(changed);
        if (decoded) {
            EXPECT_EQ(encode_statement(*decoded), changed);
            EXPECT_NE(*decoded, sample());
        } else {
            EXPECT_EQ(decoded.error().code, ErrorCode::statement_malformed);
        }
    }
}

TEST(statement, rejects_what_is_too_large) {
    const auto refused = decode_statement(Bytes(statement_bytes_max + 1));
    EXPECT_EQ(refused.error().code, ErrorCode::statement_malformed);
    EXPECT_EQ(refused.error().detail, "statement: have 2049 bytes, need at most 2048");
}

TEST(statement, rejects_another_tag_or_purpose) {
    Bytes encoded = encode_statement(sample());
    encoded[22] = '1';
    EXPECT_EQ(decode_statement(encoded).error().code, ErrorCode::statement_malformed);
    encoded = encode_statement(sample());
    encoded[23] = 2;
    EXPECT_EQ(decode_statement(encoded).error().code, ErrorCode::statement_malformed);
}

TEST(statement, rejects_fields_outside_their_limits) {
    Statement statement = sample();
    statement.software_version = "";
    EXPECT_EQ(code_of(statement), ErrorCode::statement_malformed);
    for (const char* version : {"a\nb", "a\x7f", "\xc3\xa9"}) {
        statement.software_version = version;
        EXPECT_EQ(code_of(statement), ErrorCode::statement_malformed);
    }
    statement.software_version = std::string(software_version_bytes_max + 1, 'v');
    EXPECT_EQ(code_of(statement), ErrorCode::statement_malformed);

    statement = sample();
    statement.tls_spki.clear();
    EXPECT_EQ(code_of(statement), ErrorCode::statement_malformed);
    statement.tls_spki.resize(tls_spki_bytes_max + 1);
    EXPECT_EQ(code_of(statement), ErrorCode::statement_malformed);

    statement = sample();
    statement.layers = {.begin = 4, .end = 4};
    EXPECT_EQ(code_of(statement), ErrorCode::statement_malformed);

    statement = sample();
    statement.not_after = statement.not_before;
    EXPECT_EQ(code_of(statement), ErrorCode::statement_malformed);
    statement.not_before = -1;
    EXPECT_EQ(code_of(statement), ErrorCode::statement_malformed);
    statement.not_before = 0;
    statement.not_after = unix_seconds_max + 1;
    EXPECT_EQ(code_of(statement), ErrorCode::statement_malformed);
}

TEST(statement, json_view_holds_every_field) {
    const auto view = boost::json::parse(statement_json(sample()));
    EXPECT_EQ(view.at("chain_id").as_string(), "84532");
    EXPECT_EQ(view.at("pool").as_string(), "7");
    EXPECT_EQ(view.at("layers").at("end").as_int64(), 8);
    EXPECT_EQ(std::string(view.at("receipt_address").as_string()),
              "0x" + to_hex(sample().receipt_address));
    EXPECT_EQ(std::string(view.at("policy_hash").as_string()), "0x" + to_hex(sample().policy_hash));
    EXPECT_EQ(view.as_object().size(), 15u);
}

TEST(statement, report_data_separates_statement_and_nonce) {
    const Bytes statement = encode_statement(sample());
    const Bytes empty;
    const Bytes nonce(32, 1);
    const auto without = report_data(statement, std::nullopt);
    EXPECT_EQ(without, report_data(statement, std::nullopt));
    EXPECT_NE(without, report_data(statement, ByteView(empty)));
    EXPECT_NE(without, report_data(statement, ByteView(nonce)));
    // Moving the border between statement and nonce changes the hash.
    Bytes joined = statement;
    joined.push_back(1);
    EXPECT_NE(report_data(joined, ByteView(nonce).first(31)),
              report_data(statement, ByteView(nonce)));
}

}  // namespace
}  // namespace teetee::attest
