// SPDX-License-Identifier: Apache-2.0
#include "chain/deployment_file.hpp"

#include <gtest/gtest.h>

namespace teetee::chain {
namespace {

const DeploymentFile sample = {.deployment = {.chain_id = 84532, .contract = {0xc0}},
                               .block = 17,
                               .verifier = {0xee},
                               .kind = VerifierKind::quote,
                               .wei_per_credit = U256(1'000'000)};

std::string refused(std::string text) {
    const auto file = parse_deployment_file(text);
    if (file) return "";
    EXPECT_EQ(file.error().code, ErrorCode::config_invalid);
    return file.error().detail;
}

std::string replaced(std::string_view what, std::string_view with) {
    std::string text = encode_deployment_file(sample);
    const size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), with);
}

TEST(deployment_file, comes_back_as_it_was_written) {
    EXPECT_EQ(parse_deployment_file(encode_deployment_file(sample)).value(), sample);
    DeploymentFile other = sample;
    other.wei_per_credit.reset();
    EXPECT_EQ(parse_deployment_file(encode_deployment_file(other)).value(), other);
}

TEST(deployment_file, passes_over_what_it_does_not_know) {
    EXPECT_EQ(
        parse_deployment_file(replaced("{", R"({"gas": 1, "contracts": [{"a": 1}],)")).value(),
        sample);
}

TEST(deployment_file, refuses_what_is_wrong_by_name) {
    EXPECT_NE(refused("[]").find("need an object"), std::string::npos);
    EXPECT_NE(refused("{").find("deployment: "), std::string::npos);
    EXPECT_NE(refused(replaced(R"("version":1)", R"("version":2)")).find("version: have 2"),
              std::string::npos);
    EXPECT_NE(refused(replaced("84532", "0")).find("chain_id: have 0"), std::string::npos);
    EXPECT_NE(refused(replaced("84532", "\"84532\"")).find("chain_id"), std::string::npos);
    EXPECT_NE(refused(replaced("0xc0", "0xc")).find("contract"), std::string::npos);
    EXPECT_NE(refused(replaced("0xee", "ee")).find("verifier"), std::string::npos);
    EXPECT_NE(refused(replaced("\"quote\"", "\"other\"")).find("kind"), std::string::npos);
    EXPECT_NE(refused(replaced("17", "-1")).find("block"), std::string::npos);
    EXPECT_NE(refused(replaced("\"1000000\"", "\"0\"")).find("wei_per_credit"), std::string::npos);
    EXPECT_NE(refused(replaced("\"1000000\"", "1000000")).find("wei_per_credit"),
              std::string::npos);
}

}  // namespace
}  // namespace teetee::chain
