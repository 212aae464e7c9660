// SPDX-License-Identifier: Apache-2.0
#include "client/payment_session.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace teetee::client {
namespace {

std::string example() {
    return R"({"version":1,"chain_id":84532,"contract":"0x)" + std::string(40, 'c') +
           R"(","pool":3,"voucher":"0x)" + std::string(64, 'a') + R"(","session_key":"0x)" +
           std::string(63, '0') + R"(7","ceiling":"20000","expiry":1700000000})" + "\n";
}

std::string with(std::string text, std::string_view part, std::string_view other) {
    return text.replace(text.find(part), part.size(), other);
}

TEST(payment_session, is_read_as_it_was_written) {
    const auto session = parse_payment_session(example()).value();
    EXPECT_EQ(session.deployment.chain_id, 84532u);
    EXPECT_EQ(session.pool, 3u);
    EXPECT_EQ(session.key.view()[31], 7);
    EXPECT_EQ(session.ceiling, 20000u);
    EXPECT_EQ(session.expiry, 1700000000u);
    EXPECT_EQ(as_text(encode_payment_session(session)), example());
}

TEST(payment_session, whose_members_are_wrong_is_refused_by_name) {
    const std::string zero_key = std::string(64, '0');
    const std::pair<std::string, std::string> cases[] = {
        {with(example(), R"("version":1)", R"("version":2)"), "version"},
        {with(example(), "84532", "0"), "chain_id"},
        {with(example(), R"("pool":3)", R"("pool":0)"), "pool"},
        {with(example(), R"("pool":3)", R"("pool":-3)"), "pool"},
        {with(example(), "0xaa", "0xa"), "voucher"},
        {with(example(), "0xcc", "0xzz"), "contract"},
        {with(example(), std::string(63, '0') + "7", zero_key), "session_key"},
        {with(example(), std::string(63, '0') + "7", "f00d"), "session_key"},
        {with(example(), R"("20000")", "20000"), "ceiling"},
        {with(example(), "20000", "18446744073709551616"), "ceiling"},
        {with(example(), "1700000000", "1e9"), "expiry"},
        {with(example(), R"("pool")", R"("more":1,"pool")"), "more"},
        {with(example(), R"("pool":3,)", ""), "pool"},
    };
    for (const auto& [text, member] : cases) {
        const auto session = parse_payment_session(text);
        ASSERT_FALSE(session) << text;
        EXPECT_EQ(session.error().code, ErrorCode::config_invalid);
        EXPECT_NE(session.error().detail.find(member), std::string::npos) << session.error().detail;
        EXPECT_EQ(session.error().detail.find("f00d"), std::string::npos);
    }
    EXPECT_FALSE(parse_payment_session(""));
    EXPECT_FALSE(parse_payment_session("[]"));
    EXPECT_FALSE(parse_payment_session(std::string(1 << 20, ' ')));
}

}  // namespace
}  // namespace teetee::client
