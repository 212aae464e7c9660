// SPDX-License-Identifier: Apache-2.0
#include "chain/registration_file.hpp"

#include <gtest/gtest.h>

#include "chain/limits.hpp"

namespace teetee::chain {
namespace {

const RegistrationFile sample = {.deployment = {.chain_id = 84532, .contract = {0xc0}},
                                 .pool = 7,
                                 .slot = 2,
                                 .host = {0xab},
                                 .endpoint = "tls://node.example:7000",
                                 .statement = {1, 2, 3},
                                 .quote = {4, 5},
                                 .signature = {0x1f},
                                 .platform_verdict = {6}};

std::string refused(std::string text) {
    const auto file = parse_registration_file(text);
    if (file) return "";
    EXPECT_EQ(file.error().code, ErrorCode::config_invalid);
    return file.error().detail;
}

std::string replaced(std::string_view what, std::string_view with) {
    std::string text = encode_registration_file(sample);
    const size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), with);
}

TEST(registration_file, comes_back_as_it_was_written) {
    EXPECT_EQ(parse_registration_file(encode_registration_file(sample)).value(), sample);
    RegistrationFile other = sample;
    other.platform_verdict.clear();
    EXPECT_EQ(encode_registration_file(other).find("platform_verdict"), std::string::npos);
    EXPECT_EQ(parse_registration_file(encode_registration_file(other)).value(), other);
}

TEST(registration_file, refuses_members_that_lack_or_are_none) {
    for (const char* member : {"version", "chain_id", "contract", "pool", "slot", "host",
                               "endpoint", "statement", "quote", "signature"}) {
        const std::string other = replaced('"' + std::string(member) + '"', "\"x\"");
        EXPECT_NE(refused(other).find("registration.'x': have it, need no such member"),
                  std::string::npos);
        std::string without = other;
        without.erase(without.find("\"x\""),
                      without.find(',', without.find("\"x\"")) - without.find("\"x\"") + 1);
        if (std::string_view(member) != "signature") {
            EXPECT_NE(refused(without).find(member), std::string::npos) << without;
        }
    }
}

TEST(registration_file, refuses_values_that_are_none) {
    EXPECT_NE(refused(replaced("\"version\":1", "\"version\":2")).find("version"),
              std::string::npos);
    EXPECT_NE(refused(replaced("\"slot\":2", "\"slot\":65536")).find("slot"), std::string::npos);
    EXPECT_NE(refused(replaced("0xc0", "0xc")).find("contract"), std::string::npos);
    EXPECT_NE(refused(replaced("0xab", "ab")).find("host"), std::string::npos);
    EXPECT_NE(refused(replaced("0x010203", "0x")).find("statement: have no bytes"),
              std::string::npos);
    EXPECT_NE(refused(replaced("0x0405", "0x040")).find("quote"), std::string::npos);
    EXPECT_NE(refused(replaced("0x1f", "0x1f00")).find("signature"), std::string::npos);
    EXPECT_NE(refused(replaced("tls://", "a b")).find("endpoint"), std::string::npos);
    EXPECT_NE(refused(replaced("tls://node.example:7000", "")).find("endpoint"), std::string::npos);
    EXPECT_NE(refused(replaced("tls://", std::string(registration_endpoint_bytes_max, 'a')))
                  .find("endpoint"),
              std::string::npos);
}

TEST(registration_file, bounds_what_it_holds) {
    RegistrationFile large = sample;
    large.statement.resize(registration_statement_bytes_max);
    large.quote.resize(evidence_bytes_max);
    large.platform_verdict.resize(platform_verdict_bytes_max);
    large.endpoint.resize(registration_endpoint_bytes_max, 'e');
    EXPECT_EQ(parse_registration_file(encode_registration_file(large)).value(), large);
    large.statement.push_back(0);
    EXPECT_NE(refused(encode_registration_file(large)).find("statement"), std::string::npos);
}

}  // namespace
}  // namespace teetee::chain
