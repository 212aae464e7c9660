// SPDX-License-Identifier: Apache-2.0
#include "chain/keystore.hpp"

#include <gtest/gtest.h>

#include "chain/address.hpp"
#include "chain/test_vectors.hpp"

namespace teetee::chain {
namespace {

namespace json = boost::json;

constexpr KeystoreCost cheap = {.n = 1024, .r = 8, .p = 1};

const ByteView password = as_bytes("correct horse");

crypto::Secret<32> secret_of(uint8_t last) {
    ByteArray<32> bytes{};
    bytes[31] = last;
    return crypto::Secret<32>(bytes);
}

json::object sealed_object() {
    SystemRng rng;
    return json::parse(seal_keystore(secret_of(7), password, rng, cheap).value()).as_object();
}

ErrorCode open_error(const json::object& file, ByteView with = password) {
    const auto opened = open_keystore(json::serialize(file), with);
    return opened ? ErrorCode{} : opened.error().code;
}

TEST(keystore, opens_what_it_seals) {
    const auto file = sealed_object();
    const auto key = open_keystore(json::serialize(file), password);
    ASSERT_TRUE(key) << key.error().message();
    EXPECT_EQ(key->address(), crypto::SecpKey::from_bytes(secret_of(7).view())->address());
    EXPECT_EQ(text_of(file.at("address")), to_hex(key->address()));
    EXPECT_NE(json::serialize(sealed_object()), json::serialize(file));
}

TEST(keystore, says_whose_it_is_without_a_password) {
    auto file = sealed_object();
    const auto address = [&] { return keystore_address(json::serialize(file)); };
    EXPECT_EQ(address().value(), crypto::SecpKey::from_bytes(secret_of(7).view())->address());
    file["address"] = "";
    EXPECT_EQ(address().value(), std::nullopt);
    file["address"] = "abcd";
    EXPECT_EQ(address().error().code, ErrorCode::keystore_malformed);
    file.erase("address");
    EXPECT_EQ(address().value(), std::nullopt);
    EXPECT_EQ(keystore_address("[").error().code, ErrorCode::keystore_malformed);
}

TEST(keystore, another_password_opens_nothing) {
    const auto file = sealed_object();
    EXPECT_EQ(open_error(file, as_bytes("correct horsf")), ErrorCode::keystore_locked);
    EXPECT_EQ(open_error(file, {}), ErrorCode::keystore_locked);
}

TEST(keystore, a_changed_file_opens_nothing) {
    for (const char* key : {"ciphertext", "mac"}) {
        auto file = sealed_object();
        auto& digits = file.at("crypto").at(key).as_string();
        digits[0] = digits[0] == '0' ? '1' : '0';
        EXPECT_EQ(open_error(file), ErrorCode::keystore_locked) << key;
        digits.pop_back();
        EXPECT_EQ(open_error(file), ErrorCode::keystore_malformed) << key;
        digits.pop_back();
        EXPECT_EQ(open_error(file), ErrorCode::keystore_malformed) << key;
    }
    auto file = sealed_object();
    file.at("address") = std::string(40, '1');
    EXPECT_EQ(open_error(file), ErrorCode::keystore_malformed);
    file.at("address") = "";
    EXPECT_EQ(open_error(file), ErrorCode{});
    file.erase("address");
    EXPECT_EQ(open_error(file), ErrorCode{});
    // The counter is not in the MAC: another one gives another key, which the address betrays.
    file = sealed_object();
    file.at("crypto").at("cipherparams").at("iv") = std::string(32, '1');
    EXPECT_EQ(open_error(file), ErrorCode::keystore_malformed);
}

TEST(keystore, refuses_what_it_does_not_know) {
    const auto with = [](auto change) {
        auto file = sealed_object();
        change(file, file.at("crypto").as_object(), file.at("crypto").at("kdfparams").as_object());
        return open_error(file);
    };
    using Object = json::object&;
    constexpr auto unsupported = ErrorCode::keystore_unsupported;
    EXPECT_EQ(with([](Object f, Object, Object) { f["version"] = 1; }), unsupported);
    EXPECT_EQ(with([](Object, Object c, Object) { c["cipher"] = "aes-128-cbc"; }), unsupported);
    EXPECT_EQ(with([](Object, Object c, Object) { c["kdf"] = "argon2"; }), unsupported);
    EXPECT_EQ(with([](Object, Object, Object k) { k["dklen"] = 64; }), unsupported);
    EXPECT_EQ(with([](Object, Object, Object k) { k["n"] = 1000; }), unsupported);
    EXPECT_EQ(with([](Object, Object, Object k) { k["n"] = uint64_t{0}; }), unsupported);
    EXPECT_EQ(with([](Object, Object, Object k) { k["n"] = 1u << 20; }), unsupported);
    EXPECT_EQ(with([](Object, Object, Object k) { k["n"] = uint64_t{1} << 63; }), unsupported);
    EXPECT_EQ(with([](Object, Object, Object k) { k["r"] = uint64_t{0}; }), unsupported);
    EXPECT_EQ(with([](Object, Object, Object k) { k["r"] = UINT64_MAX; }), unsupported);
    EXPECT_EQ(with([](Object, Object, Object k) { k["p"] = uint64_t{0}; }), unsupported);
    EXPECT_EQ(with([](Object, Object, Object k) { k["p"] = 17; }), unsupported);
    const auto with_pbkdf2 = [&](uint64_t iterations, const char* prf) {
        return with([&](Object, Object c, Object k) {
            k["c"] = iterations;
            k["prf"] = prf;
            // Last, for it may move the other object elsewhere.
            c["kdf"] = "pbkdf2";
        });
    };
    EXPECT_EQ(with_pbkdf2(10'000'001, "hmac-sha256"), unsupported);
    EXPECT_EQ(with_pbkdf2(0, "hmac-sha256"), unsupported);
    EXPECT_EQ(with_pbkdf2(1, "hmac-sha512"), unsupported);
    EXPECT_EQ(with_pbkdf2(1, "hmac-sha256"), ErrorCode::keystore_locked);
}

TEST(keystore, refuses_another_shape) {
    const auto file = sealed_object();
    for (const char* key : {"version", "crypto"}) {
        auto changed = file;
        changed.erase(key);
        EXPECT_EQ(open_error(changed), ErrorCode::keystore_malformed) << key;
        changed[key] = true;
        EXPECT_EQ(open_error(changed), ErrorCode::keystore_malformed) << key;
    }
    for (const auto& member : file.at("crypto").as_object()) {
        auto changed = file;
        changed.at("crypto").as_object().erase(member.key());
        EXPECT_EQ(open_error(changed), ErrorCode::keystore_malformed) << member.key();
    }
    for (const auto& member : file.at("crypto").at("kdfparams").as_object()) {
        auto changed = file;
        changed.at("crypto").at("kdfparams").as_object()[member.key()] = json::array();
        EXPECT_EQ(open_error(changed), ErrorCode::keystore_malformed) << member.key();
    }
    for (const char* text : {"", "[]", "{", "{\"version\":3,\"version\":3}"}) {
        EXPECT_EQ(open_keystore(text, password).error().code, ErrorCode::keystore_malformed);
    }
    EXPECT_EQ(open_keystore(std::string(20'000, ' '), password).error().code,
              ErrorCode::keystore_malformed);
}

TEST(keystore, seals_keys_that_are_some) {
    SystemRng rng;
    EXPECT_EQ(seal_keystore(secret_of(0), password, rng, cheap).error().code,
              ErrorCode::key_invalid);
    EXPECT_EQ(seal_keystore(secret_of(1), password, rng, {.n = 3}).error().code,
              ErrorCode::keystore_unsupported);
}

TEST(keystore_vectors, ethereum_tests) {
    TT_REQUIRE_SHARED_VECTORS();
    size_t count = 0;
    const auto vectors = read_vectors("ethereum-tests/KeyStoreTests/basic_tests.json");
    for (const auto& [name, vector] : vectors.as_object()) {
        SCOPED_TRACE(std::string(name));
        const std::string pass = text_of(vector.at("password"));
        const auto key = open_keystore(json::serialize(vector.at("json")), as_bytes(pass));
        // Its n of 2^18 with r of 1 is outside of what scrypt allows (RFC 7914, section 2).
        if (name == "test2") {
            EXPECT_EQ(key.error().code, ErrorCode::keystore_unsupported);
            continue;
        }
        ASSERT_TRUE(key) << key.error().message();
        EXPECT_EQ(key->address(),
                  crypto::SecpKey::from_bytes(bytes_of(vector.at("priv")))->address());
        ++count;
    }
    EXPECT_EQ(count + 1, vectors.as_object().size());
}

TEST(keystore_vectors, ethers) {
    TT_REQUIRE_SHARED_VECTORS();
    size_t count = 0;
    const auto vectors = read_packed_vectors("ethers-testcases/wallets.json.gz");
    for (const auto& vector : vectors.as_array()) {
        // Wallets of Ethereum's sale in 2014 are another format.
        if (text_of(vector.at("type")) == "crowdsale") continue;
        SCOPED_TRACE(text_of(vector.at("name")));
        const auto key =
            open_keystore(text_of(vector.at("content")), bytes_of(vector.at("password")));
        ASSERT_TRUE(key) << key.error().message();
        EXPECT_EQ(to_checksum_text(key->address()), text_of(vector.at("address")));
        ++count;
    }
    EXPECT_EQ(count, 7u);
}

}  // namespace
}  // namespace teetee::chain
