// SPDX-License-Identifier: Apache-2.0
#include "api/api_keys.hpp"

#include <filesystem>

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
    void write(LogLevel, std::string_view) override { ++lines; }
    int lines = 0;
};

class api_keys : public testing::Test {
  protected:
    api_keys() {
        path = testing::TempDir() + "teetee_api_keys_" + std::to_string(getpid()) + ".json";
        std::filesystem::remove(path);
    }
    ~api_keys() override { std::filesystem::remove(path); }
    void write(std::string_view text) {
        ASSERT_TRUE(net::write_file_atomic(path, as_bytes(text)));
        clock.time += 2;
    }
    static ErrorCode error(const Result<ApiKeys::Grant>& grant) {
        return grant ? ErrorCode{} : grant.error().code;
    }

    std::string path;
    SteppedClock clock;
    SystemRng rng;
    SilentLog log;
    ApiKeys open_to_all{{clock, rng, log}, {}};
};

TEST_F(api_keys, of_a_file_let_in_who_has_one) {
    ApiKeys keys({clock, rng, log}, {.path = path});
    EXPECT_EQ(error(keys.admit(std::nullopt)), ErrorCode::api_key_invalid);
    const std::string key = make_api_key(rng);
    const std::string brief = make_api_key(rng);
    write(encode_key_file(
        {{"app", hash_of_key(key), 0}, {"brief", hash_of_key(brief), clock.time + 100}}));
    EXPECT_TRUE(keys.admit(key));
    EXPECT_FALSE(keys.admit(key)->payment);
    EXPECT_TRUE(keys.admit(brief));
    EXPECT_EQ(error(keys.admit(std::nullopt)), ErrorCode::api_key_invalid);
    EXPECT_EQ(error(keys.admit(key.substr(1))), ErrorCode::api_key_invalid);
    EXPECT_EQ(error(keys.admit(make_api_key(rng))), ErrorCode::api_key_invalid);
    clock.time += 100;
    EXPECT_EQ(error(keys.admit(brief)), ErrorCode::api_key_invalid);
}

TEST_F(api_keys, a_file_that_cannot_be_read_changes_nothing) {
    ApiKeys keys({clock, rng, log}, {.path = path});
    const std::string key = make_api_key(rng);
    write(encode_key_file({{"app", hash_of_key(key), 0}}));
    EXPECT_TRUE(keys.admit(key));
    write("{");
    EXPECT_TRUE(keys.admit(key));
    std::filesystem::remove(path);
    clock.time += 2;
    EXPECT_TRUE(keys.admit(key));
    write(encode_key_file({}));
    EXPECT_EQ(error(keys.admit(key)), ErrorCode::api_key_invalid);
}

TEST_F(api_keys, without_a_file_any_token_will_do_but_a_lost_key) {
    EXPECT_TRUE(open_to_all.admit(std::nullopt));
    EXPECT_TRUE(open_to_all.admit("sk-anything"));
    EXPECT_EQ(error(open_to_all.admit(make_api_key(rng))), ErrorCode::api_key_invalid);
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

TEST(key_file, is_read_as_it_is_written) {
    const std::vector<ListedKey> keys = {{"app", {1}, 0}, {"other", {2}, 1'800'000'000}};
    const auto read = parse_key_file(encode_key_file(keys));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(*read, keys);
    const std::string hash = "\"0x" + std::string(64, 'a') + "\"";
    for (const std::string& text : std::vector<std::string>{
             "", "[]", "{}", "{\"keys\":[7]}", "{\"keys\":[{\"name\":\"a\"}]}",
             "{\"keys\":[{\"name\":\"a\",\"sha256\":\"0xaa\"}]}",
             "{\"keys\":[{\"name\":\"a\",\"sha256\":" + hash + ",\"key\":\"tt-1\"}]}",
             "{\"keys\":[{\"name\":\"a\",\"sha256\":" + hash + ",\"expires\":-1}]}",
             "{\"keys\":[{\"name\":\"a\",\"sha256\":" + hash +
                 "},{\"name\":\"a\",\"sha256\":" + hash + "}]}",
             "{\"keys\":[{\"name\":\"" + std::string(65, 'a') + "\",\"sha256\":" + hash + "}]}"}) {
        EXPECT_FALSE(parse_key_file(text)) << text;
    }
}

TEST(bearer_token, is_what_stands_behind_the_word) {
    const auto token_in = [](const char* value) -> std::optional<std::string> {
        const net::HttpHeaders headers = {{"authorization", value}};
        const auto token = bearer_token(headers);
        return token ? std::optional(std::string(*token)) : std::nullopt;
    };
    EXPECT_EQ(token_in("Bearer abc-._~+/="), "abc-._~+/=");
    EXPECT_EQ(token_in("bEARER x"), "x");
    for (const char* none :
         {"", "Bearer", "Bearer ", "Basic abc", "Bearer a, Bearer b", "Bearer a b"})
        EXPECT_EQ(token_in(none), std::nullopt) << none;
    EXPECT_EQ(bearer_token({}), std::nullopt);
}

}  // namespace
}  // namespace teetee::api
