// SPDX-License-Identifier: Apache-2.0
#include "net/api_key_file.hpp"

#include <filesystem>
#include <unistd.h>

#include <gtest/gtest.h>

namespace teetee::net {
namespace {

class SteppedClock final : public Clock {
  public:
    Instant now() const override { return Instant{} + std::chrono::seconds(time); }
    UnixSeconds unix_now() const override { return time; }
    UnixSeconds time = 1000;
};

class CountingLog final : public Log {
  public:
    void write(LogLevel level, std::string_view text) override {
        if (level != LogLevel::warn) return;
        ++warnings;
        last = text;
    }
    int warnings = 0;
    std::string last;
};

class api_key_file : public testing::Test {
  protected:
    api_key_file() {
        path = testing::TempDir() + "teetee_api_keys_" + std::to_string(getpid()) + ".json";
        std::filesystem::remove(path);
    }
    ~api_key_file() override { std::filesystem::remove(path); }
    void write(std::string_view text) {
        ASSERT_TRUE(write_file_atomic(path, as_bytes(text)));
        clock.time += 2;
    }
    Result<ApiKeyFile> open() { return ApiKeyFile::open({clock, log}, path); }

    std::string path;
    SteppedClock clock;
    SystemRng rng;
    CountingLog log;
};

TEST_F(api_key_file, lists_keys_until_they_end_or_are_taken_out) {
    const std::string key = make_api_key(rng);
    const std::string brief = make_api_key(rng);
    const UnixSeconds end = clock.time + 100;
    write(encode_api_keys(
        {{"app", hash_of_api_key(key), 0}, {"brief", hash_of_api_key(brief), end}}));
    auto keys = open();
    ASSERT_TRUE(keys) << keys.error().message();
    EXPECT_TRUE(is_api_key(key));
    EXPECT_TRUE(keys->lists(hash_of_api_key(key)));
    EXPECT_TRUE(keys->lists(hash_of_api_key(brief)));
    EXPECT_FALSE(keys->lists(hash_of_api_key(key.substr(1))));
    EXPECT_FALSE(keys->lists(hash_of_api_key(make_api_key(rng))));
    clock.time = end;
    EXPECT_FALSE(keys->lists(hash_of_api_key(brief)));
    EXPECT_TRUE(keys->lists(hash_of_api_key(key)));
    write(encode_api_keys({}));
    EXPECT_FALSE(keys->lists(hash_of_api_key(key)));
}

TEST_F(api_key_file, that_cannot_be_read_any_more_changes_nothing_and_is_told_once) {
    const std::string key = make_api_key(rng);
    write(encode_api_keys({{"app", hash_of_api_key(key), 0}}));
    auto keys = open();
    ASSERT_TRUE(keys);
    write("{");
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(keys->lists(hash_of_api_key(key)));
        clock.time += 2;
    }
    EXPECT_EQ(log.warnings, 1);
    EXPECT_NE(log.last.find("revoked or made since are NOT seen"), std::string::npos) << log.last;
    std::filesystem::remove(path);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(keys->lists(hash_of_api_key(key)));
        clock.time += 2;
    }
    EXPECT_EQ(log.warnings, 2);
    write(encode_api_keys({}));
    EXPECT_FALSE(keys->lists(hash_of_api_key(key)));
}

TEST_F(api_key_file, that_cannot_be_read_at_first_is_an_error) {
    EXPECT_EQ(open().error().code, ErrorCode::not_found);
    write("key\n");
    EXPECT_EQ(open().error().code, ErrorCode::config_invalid);
}

TEST(api_keys, is_read_as_it_is_written) {
    const std::vector<ListedKey> keys = {{"app", {1}, 0}, {"other", {2}, 1'800'000'000}};
    const auto read = parse_api_keys(encode_api_keys(keys));
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
        EXPECT_FALSE(parse_api_keys(text)) << text;
    }
}

TEST(bearer_token, is_what_stands_behind_the_word) {
    const auto token_in = [](const char* value) -> std::optional<std::string> {
        const HttpHeaders headers = {{"authorization", value}};
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
}  // namespace teetee::net
