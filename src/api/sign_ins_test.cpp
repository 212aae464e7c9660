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
    SignIns entry{{.deployment = {84532, {0xc0}},
                   .entry = {0x4e},
                   .names = {"chat.example:5002", "a"},
                   .tokens_max = 3,
                   .tokens_per_host_max = 2},
                  clock,
                  rng};
    bool are_hosts = true;

    Result<SignIns::Token> sign_in(const std::string& message, ByteView signature) {
        return entry.sign_in(message, signature, [&](const crypto::Address&, UnixSeconds) {
            return Result<bool>(are_hosts);
        });
    }
    Result<SignIns::Token> sign_in(const std::string& message) {
        return sign_in(message, key.sign_recoverable(chain::personal_digest(message)));
    }
    std::string challenge() { return entry.challenge(key.address(), "a").value(); }
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
    EXPECT_FALSE(sign_in(message, Bytes(65)));
    const auto other = crypto::SecpKey::from_bytes(Bytes(32, 8)).value();
    EXPECT_FALSE(sign_in(message, other.sign_recoverable(chain::personal_digest(message))));
    EXPECT_FALSE(sign_in(message + " "));
    EXPECT_TRUE(sign_in(message));
    EXPECT_FALSE(sign_in(message));
    const std::string late = entry.challenge(key.address(), "a").value();
    clock.time += 300;
    EXPECT_FALSE(sign_in(late));
    EXPECT_FALSE(entry.wallet_of({1}));
}

TEST_F(sign_ins, none_that_was_made_before_one_that_was_used_counts) {
    const std::string first = challenge();
    const std::string second = challenge();
    EXPECT_TRUE(sign_in(second));
    EXPECT_FALSE(sign_in(first));
    EXPECT_TRUE(sign_in(challenge()));
}

TEST_F(sign_ins, a_message_is_its_entrys_to_the_letter) {
    const std::string message = challenge();
    for (size_t at = 0; at < message.size(); ++at) {
        std::string changed = message;
        changed[at] = changed[at] == '0' ? '1' : '0';
        EXPECT_FALSE(sign_in(changed)) << at;
    }
    SignIns other{{.deployment = {84532, {0xc0}}, .entry = {0x4e}, .names = {"a"}}, clock, rng};
    EXPECT_FALSE(sign_in(other.challenge(key.address(), "a").value()));
    EXPECT_TRUE(sign_in(message));
}

TEST_F(sign_ins, who_asks_without_end_takes_no_place_of_a_host) {
    const std::string message = challenge();
    for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(entry.challenge(key.address(), "a"));
    const auto token = sign_in(message);
    ASSERT_TRUE(token);
    // Nor does who signs with wallets that host nothing.
    are_hosts = false;
    for (uint8_t i = 10; i < 20; ++i) {
        const auto other = crypto::SecpKey::from_bytes(Bytes(32, i)).value();
        const std::string text = entry.challenge(other.address(), "a").value();
        const auto refused = sign_in(text, other.sign_recoverable(chain::personal_digest(text)));
        EXPECT_EQ(refused.error().code, ErrorCode::host_unknown);
    }
    EXPECT_TRUE(entry.wallet_of(token->token));
}

TEST_F(sign_ins, a_host_has_so_many_tokens_and_takes_none_of_the_others) {
    const auto other = crypto::SecpKey::from_bytes(Bytes(32, 8)).value();
    const std::string text = entry.challenge(other.address(), "a").value();
    const auto foreign =
        sign_in(text, other.sign_recoverable(chain::personal_digest(text))).value();
    const auto first = sign_in(challenge()).value();
    for (int i = 0; i < 5; ++i) {
        ++clock.time;
        ASSERT_TRUE(sign_in(challenge()));
    }
    EXPECT_FALSE(entry.wallet_of(first.token));
    EXPECT_TRUE(entry.wallet_of(foreign.token));
    const auto third = crypto::SecpKey::from_bytes(Bytes(32, 9)).value();
    const std::string late = entry.challenge(third.address(), "a").value();
    EXPECT_EQ(sign_in(late, third.sign_recoverable(chain::personal_digest(late))).error().code,
              ErrorCode::overloaded);
    clock.time += 3600;
    EXPECT_TRUE(sign_in(challenge()));
}

TEST_F(sign_ins, a_message_bears_a_name_of_the_entry) {
    EXPECT_TRUE(entry.challenge(key.address(), "Chat.Example:5002"));
    EXPECT_TRUE(entry.challenge(key.address(), "").value().starts_with("teetee wants"));
    for (const char* host : {"evil.example", "chat.example", "a b", "a\nURI: b"})
        EXPECT_EQ(entry.challenge(key.address(), host).error().code, ErrorCode::field_invalid);
}

}  // namespace
}  // namespace teetee::api
