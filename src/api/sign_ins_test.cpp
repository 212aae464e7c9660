// SPDX-License-Identifier: Apache-2.0
#include "api/sign_ins.hpp"

#include <gtest/gtest.h>

#include "crypto/hash.hpp"

namespace teetee::api {
namespace {

class FixedClock final : public Clock {
  public:
    Instant now() const override { return {}; }
    UnixSeconds unix_now() const override { return time; }
    UnixSeconds time = 1'800'000'000;
};

class sign_ins : public testing::Test {
  protected:
    crypto::SecpKey key = crypto::SecpKey::from_bytes(Bytes(32, 7)).value();
    FixedClock clock;
    SystemRng rng;
    SignIns entry{{.deployment = {84532, {0xc0}}, .entry = {0x4e}, .count_max = 3}, clock, rng};

    Result<SignIns::Token> sign_in(const std::string& message) {
        return entry.sign_in(message, key.sign_recoverable(chain::personal_digest(message)));
    }
};

TEST_F(sign_ins, a_wallet_that_signs_the_message_is_known_for_an_hour) {
    const std::string message = entry.challenge(key.address(), "chat.example:5002").value();
    EXPECT_TRUE(
        message.starts_with("chat.example:5002 wants you to sign in with your Ethereum account:\n" +
                            chain::to_checksum_text(key.address()) + "\n\n"));
    EXPECT_NE(message.find("\nVersion: 1\nChain ID: 84532\nNonce: "), std::string::npos);
    EXPECT_NE(message.find("\nIssued At: 2027-01-15T08:00:00Z\n"), std::string::npos);
    const auto token = sign_in(message).value();
    EXPECT_EQ(entry.wallet_of(token.token).value(), key.address());
    clock.time += 3600;
    EXPECT_EQ(entry.wallet_of(token.token).error().code, ErrorCode::sign_in_rejected);
}

TEST_F(sign_ins, a_message_counts_once_and_for_its_wallet) {
    const std::string message = entry.challenge(key.address(), "a").value();
    EXPECT_FALSE(entry.sign_in(message, Bytes(65)));
    const auto other = crypto::SecpKey::from_bytes(Bytes(32, 8)).value();
    EXPECT_FALSE(entry.sign_in(message, other.sign_recoverable(chain::personal_digest(message))));
    EXPECT_FALSE(sign_in(message + " "));
    EXPECT_TRUE(sign_in(message));
    EXPECT_FALSE(sign_in(message));
    const std::string late = entry.challenge(key.address(), "a").value();
    clock.time += 300;
    EXPECT_FALSE(sign_in(late));
    EXPECT_FALSE(entry.wallet_of({1}));
}

TEST_F(sign_ins, remembers_so_many) {
    const std::string first = entry.challenge(key.address(), "a").value();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(entry.challenge(key.address(), "a"));
    EXPECT_FALSE(sign_in(first));
}

TEST_F(sign_ins, hosts_are_hosts) {
    EXPECT_TRUE(entry.challenge(key.address(), "[::1]:5002"));
    for (const char* host : {"", "a b", "a\nURI: b", "ä"})
        EXPECT_EQ(entry.challenge(key.address(), host).error().code, ErrorCode::field_invalid);
}

}  // namespace
}  // namespace teetee::api
