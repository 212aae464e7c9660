// SPDX-License-Identifier: Apache-2.0
#include "api/api_keys.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

namespace teetee::api {
namespace {

class SteppedClock final : public Clock {
  public:
    Instant now() const override { return Instant{} + std::chrono::seconds(time); }
    UnixSeconds unix_now() const override { return time; }
    UnixSeconds time = 1000;
};

class SilentLog final : public Log {
  public:
    void write(LogLevel, std::string_view) override {}
};

class api_keys : public testing::Test {
  protected:
    static ErrorCode error(const Result<ApiKeys::Grant>& grant) {
        return grant ? ErrorCode{} : grant.error().code;
    }

    SteppedClock clock;
    SystemRng rng;
    SilentLog log;
    ApiKeys open_to_all{{clock, rng}};
};

TEST_F(api_keys, of_a_file_let_in_who_has_one) {
    const std::string path =
        testing::TempDir() + "teetee_grants_" + std::to_string(getpid()) + ".json";
    const std::string key = net::make_api_key(rng);
    ASSERT_TRUE(net::write_file_atomic(
        path, as_bytes(net::encode_api_keys({{"app", net::hash_of_api_key(key), 0}}))));
    auto file = net::ApiKeyFile::open({clock, log}, path);
    ASSERT_TRUE(file) << file.error().message();
    ApiKeys keys({clock, rng, &*file});
    ASSERT_TRUE(keys.admit(key));
    EXPECT_FALSE(keys.admit(key)->payment);
    EXPECT_EQ(error(keys.admit(std::nullopt)), ErrorCode::api_key_invalid);
    EXPECT_EQ(error(keys.admit("sk-anything")), ErrorCode::api_key_invalid);
    EXPECT_EQ(error(keys.admit(net::make_api_key(rng))), ErrorCode::api_key_invalid);
    // One that pays lets in as well.
    EXPECT_TRUE(keys.admit(keys.issue(billing::HostUse{{0x11}}, 60)->key));
    unlink(path.c_str());
}

TEST_F(api_keys, without_a_file_any_token_will_do_but_a_lost_key) {
    EXPECT_TRUE(open_to_all.admit(std::nullopt));
    EXPECT_TRUE(open_to_all.admit("sk-anything"));
    EXPECT_EQ(error(open_to_all.admit(net::make_api_key(rng))), ErrorCode::api_key_invalid);
}

TEST_F(api_keys, made_for_a_payer_pay_until_they_end) {
    const billing::Payment host = billing::HostUse{{0x11}};
    const auto issued = open_to_all.issue(host, 60);
    ASSERT_TRUE(issued);
    EXPECT_EQ(issued->expires, clock.time + 60);
    const auto grant = open_to_all.admit(issued->key);
    ASSERT_TRUE(grant);
    EXPECT_EQ(std::get<billing::HostUse>(*grant->payment).wallet, (crypto::Address{0x11}));
    const auto lasting = open_to_all.issue(host, 1'000'000'000);
    ASSERT_TRUE(lasting);
    EXPECT_EQ(lasting->expires, clock.time + 90 * 86400);
    clock.time += 60;
    EXPECT_EQ(error(open_to_all.admit(issued->key)), ErrorCode::api_key_invalid);
    EXPECT_TRUE(open_to_all.revoke(lasting->key));
    EXPECT_FALSE(open_to_all.revoke(lasting->key));
    EXPECT_EQ(error(open_to_all.admit(lasting->key)), ErrorCode::api_key_invalid);
}

TEST_F(api_keys, one_payer_cannot_have_all_of_them) {
    const billing::Payment greedy = billing::KeyedVoucher{{.voucher = {1}}};
    for (int i = 0; i < 16; ++i) ASSERT_TRUE(open_to_all.issue(greedy, 60));
    EXPECT_EQ(open_to_all.issue(greedy, 60).error().code, ErrorCode::overloaded);
    EXPECT_TRUE(open_to_all.issue(billing::KeyedVoucher{{.voucher = {2}}}, 60));
    clock.time += 60;
    EXPECT_TRUE(open_to_all.issue(greedy, 60));
}

}  // namespace
}  // namespace teetee::api
