// SPDX-License-Identifier: Apache-2.0
#include "attest/advert.hpp"

#include <gtest/gtest.h>

#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

const crypto::SecpKey& key() {
    static const auto made = crypto::SecpKey::from_bytes(ByteArray<32>{7}).value();
    return made;
}

Advert sample() {
    Advert advert{.node_id = key().address(),
                  .layers = {0, 12},
                  .url = "tls://[2001:db8::1]:6010",
                  .api_url = "https://entry.example",
                  .api_tls_url = "https://entry.example:5003",
                  .number = 1'800'000'000'123,
                  .issued_at = 1'800'000'000,
                  .not_after = 1'800'000'030,
                  .draining = true,
                  .load = {3, 4096, 5, 700}};
    advert.model_root.fill(0xab);
    return advert;
}

ErrorCode code_of(const Advert& advert) {
    const auto decoded = decode_advert(encode_advert(advert));
    // What may be encoded is exactly what decodes.
    EXPECT_EQ(decoded.has_value(), validate(advert).has_value());
    return decoded ? ErrorCode{} : decoded.error().code;
}

TEST(advert, round_trip_is_byte_identical) {
    const SignedAdvert sent = sign_advert(key(), sample());
    const Advert opened = open_advert(sent).value();
    EXPECT_EQ(opened, sample());
    EXPECT_EQ(encode_advert(opened), sent.encoded);
}

// The layout is a wire format: an advert of fixed fields has fixed bytes.
TEST(advert, encoding_is_as_documented) {
    const Advert advert{.layers = {1, 2},
                        .url = "tls://h:1",
                        .number = 3,
                        .issued_at = 4,
                        .not_after = 5,
                        .draining = true,
                        .load = {6, 7, 8, 9}};
    EXPECT_EQ(to_hex(encode_advert(advert)),
              "10000000" + to_hex(as_bytes("teetee advert v1")) + std::string(40, '0') +
                  std::string(64, '0') + "01000000" + "02000000" + "09000000" +
                  to_hex(as_bytes("tls://h:1")) + "00000000" + "00000000" + "0300000000000000" +
                  "0400000000000000" + "0500000000000000" + "01" + "06000000" + "0700000000000000" +
                  "08000000" + "09000000");
}

TEST(advert, one_bit_changed_anywhere_is_refused) {
    const SignedAdvert sent = sign_advert(key(), sample());
    size_t unsigned_count = 0;
    for (size_t bit = 0; bit < 8 * sent.encoded.size(); ++bit) {
        SignedAdvert changed = sent;
        changed.encoded[bit / 8] = static_cast<uint8_t>(changed.encoded[bit / 8] ^ 1 << bit % 8);
        const auto opened = open_advert(changed);
        ASSERT_FALSE(opened) << "bit " << bit;
        if (opened.error().code == ErrorCode::signature_invalid) {
            ++unsigned_count;
            EXPECT_EQ(encode_advert(decode_advert(changed.encoded).value()), changed.encoded);
        } else {
            EXPECT_EQ(opened.error().code, ErrorCode::advert_malformed);
        }
    }
    EXPECT_GT(unsigned_count, 8u * 52);
    for (size_t bit = 0; bit < 8 * sent.signature.size(); ++bit) {
        SignedAdvert changed = sent;
        changed.signature[bit / 8] =
            static_cast<uint8_t>(changed.signature[bit / 8] ^ 1 << bit % 8);
        EXPECT_EQ(open_advert(changed).error().code, ErrorCode::signature_invalid) << bit;
    }
}

TEST(advert, another_nodes_signature_is_refused) {
    const auto other = crypto::SecpKey::from_bytes(ByteArray<32>{8}).value();
    Advert advert = sample();
    advert.node_id = other.address();
    const SignedAdvert theirs = sign_advert(other, advert);
    ASSERT_TRUE(open_advert(theirs));
    const SignedAdvert mixed{encode_advert(sample()), theirs.signature};
    EXPECT_EQ(open_advert(mixed).error().code, ErrorCode::signature_invalid);
}

TEST(advert, rejects_every_truncation_any_trailing_byte_and_what_is_too_large) {
    Bytes encoded = encode_advert(sample());
    for (size_t size = 0; size < encoded.size(); ++size) {
        EXPECT_EQ(decode_advert(ByteView(encoded).first(size)).error().code,
                  ErrorCode::advert_malformed);
    }
    encoded.push_back(0);
    EXPECT_EQ(decode_advert(encoded).error().detail,
              "advert: end: have 1 bytes behind it, need none");
    EXPECT_EQ(decode_advert(Bytes(advert_bytes_max + 1)).error().detail,
              "advert: have 1025 bytes, need at most 1024");
}

TEST(advert, the_largest_one_fits) {
    Advert advert = sample();
    advert.url.resize(advert_url_bytes_max, 'x');
    advert.api_url.resize(advert_url_bytes_max, 'x');
    advert.api_tls_url.resize(advert_url_bytes_max, 'x');
    advert.number = UINT64_MAX;
    advert.load = {UINT32_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX};
    advert.not_after = advert.issued_at + advert_lifetime_s_max;
    EXPECT_EQ(open_advert(sign_advert(key(), advert)).value(), advert);
}

TEST(advert, rejects_urls_outside_their_limits) {
    const std::string too_long(advert_url_bytes_max, 'x');
    for (const std::string& url :
         {std::string(), std::string("host:1"), std::string("tls://"), std::string("https://h:1"),
          std::string("tls://a b"), std::string("tls://a\n"), std::string("tls://\x7f"),
          std::string("tls://\xc3\xa9"), std::string("tls://\0a", 8), "tls://" + too_long}) {
        Advert advert = sample();
        advert.url = url;
        EXPECT_EQ(code_of(advert), ErrorCode::advert_malformed) << url;
    }
    for (const std::string& url :
         {std::string("javascript:alert(1)"), std::string("tls://h:1"), std::string("https://"),
          std::string("https://a b"), "https://" + too_long}) {
        Advert advert = sample();
        advert.api_url = url;
        EXPECT_EQ(code_of(advert), ErrorCode::advert_malformed) << url;
        advert.api_url.clear();
        advert.api_tls_url = url;
        EXPECT_EQ(code_of(advert), ErrorCode::advert_malformed) << url;
    }
    Advert advert = sample();
    for (const char* url : {"", "http://127.0.0.1:5002"}) {
        advert.api_url = url;
        EXPECT_EQ(code_of(advert), ErrorCode{});
    }
    advert.api_tls_url = "http://127.0.0.1:5002";
    EXPECT_EQ(code_of(advert), ErrorCode::advert_malformed) << "no certificate there";
}

TEST(advert, only_an_entry_has_an_api) {
    Advert advert = sample();
    advert.layers = {1, 12};
    EXPECT_EQ(code_of(advert), ErrorCode::advert_malformed);
    advert.api_url.clear();
    EXPECT_EQ(code_of(advert), ErrorCode::advert_malformed);
    advert.api_tls_url.clear();
    EXPECT_EQ(code_of(advert), ErrorCode{});
}

TEST(advert, rejects_layers_and_times_outside_their_limits) {
    Advert advert = sample();
    advert.layers = {4, 4};
    EXPECT_EQ(code_of(advert), ErrorCode::advert_malformed);
    const auto with_times = [](UnixSeconds issued_at, UnixSeconds not_after) {
        Advert changed = sample();
        changed.issued_at = issued_at;
        changed.not_after = not_after;
        return code_of(changed);
    };
    EXPECT_EQ(with_times(100, 101), ErrorCode{});
    EXPECT_EQ(with_times(100, 100), ErrorCode::advert_malformed);
    EXPECT_EQ(with_times(100, 99), ErrorCode::advert_malformed);
    EXPECT_EQ(with_times(100, 221), ErrorCode::advert_malformed);
    EXPECT_EQ(with_times(-1, 100), ErrorCode::advert_malformed);
    EXPECT_EQ(with_times(unix_seconds_max, unix_seconds_max + 1), ErrorCode::advert_malformed);
}

TEST(advert, rejects_a_flag_that_is_neither_on_nor_off) {
    Bytes encoded = encode_advert(sample());
    uint8_t& draining = encoded[encoded.size() - 21];
    ASSERT_EQ(draining, 1);
    draining = 2;
    EXPECT_EQ(decode_advert(encoded).error().detail, "advert: draining: have 2, need 0 or 1");
}

}  // namespace
}  // namespace teetee::attest
