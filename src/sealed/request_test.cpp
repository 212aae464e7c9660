// SPDX-License-Identifier: Apache-2.0
#include "sealed/request.hpp"

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "crypto/hpke.hpp"
#include "sealed/limits.hpp"
#include "sealed/test_support.hpp"

namespace teetee::sealed {
namespace {

constexpr Target chat{.method = "POST", .path = "/v1/chat/completions"};
constexpr size_t statement_hash_offset = 7;
constexpr size_t encapsulated_key_offset = 39;
constexpr size_t ciphertext_offset = 71;

class sealed_request : public testing::Test {
  protected:
    static Request request_of(std::string body) {
        return {.sent_at = 1'764'128'347,
                .headers = {{"authorization", "Bearer abc"}, {"content-type", "application/json"}},
                .body = std::move(body)};
    }
    SealedRequest seal(const Request& request) {
        return seal_request(recipient, chat, request, rng).value();
    }
    Result<OpenedRequest> open(ByteView body, const Target& target = chat) const {
        TT_TRY(const auto envelope, parse_envelope(body));
        return open_request(envelope, target, key);
    }
    /// A request whose plaintext is given, for what seal_request does not write.
    Bytes seal_plain(ByteView plain) {
        const Bytes model = seal(request_of("")).body;
        ByteWriter info;
        info.length_prefixed(as_bytes("teetee sealed request v1"));
        info.bytes(recipient.statement_hash);
        auto context = crypto::HpkeSender::setup(
                           {.aead = crypto::AeadAlgorithm::aes_256_gcm, .info = info.view()},
                           recipient.hpke_key, crypto::X25519Key::generate(rng).value())
                           .value();
        ByteWriter body;
        body.bytes(ByteView(model).first(encapsulated_key_offset));
        body.bytes(context.encapsulated_key());
        ByteWriter aad;
        aad.bytes(body.view());
        aad.length_prefixed(as_bytes(chat.method));
        aad.length_prefixed(as_bytes(chat.path));
        body.bytes(context.seal({.aad = aad.view(), .text = plain}).value());
        return body.take();
    }

    CountingRng rng;
    crypto::X25519Key key = crypto::X25519Key::generate(rng).value();
    Recipient recipient{.hpke_key = key.public_key(),
                        .statement_hash = crypto::sha256(as_bytes("a statement"))};
};

TEST_F(sealed_request, comes_out_as_it_went_in_with_one_secret_on_both_sides) {
    for (const size_t length : {0u, 1u, 5000u, 900'000u}) {
        const Request request = request_of(std::string(length, 'x'));
        const SealedRequest sealed = seal(request);
        const auto opened = open(sealed.body);
        ASSERT_TRUE(opened) << opened.error().message();
        EXPECT_EQ(opened->request.sent_at, request.sent_at);
        EXPECT_EQ(opened->request.headers, request.headers);
        EXPECT_EQ(opened->request.body, request.body);
        EXPECT_EQ(to_hex(opened->answer_secret.view()), to_hex(sealed.answer_secret.view()));
        EXPECT_NE(to_hex(sealed.answer_secret.view()), to_hex(seal(request).answer_secret.view()));
    }
}

// Made by tests/e2e/sealed_reference.py.
TEST_F(sealed_request, has_the_bytes_of_another_implementation) {
    const SealedRequest sealed = seal(request_of(R"({"messages":[]})"));
    EXPECT_EQ(to_hex(crypto::sha256(sealed.body)),
              "235c4f37f1f134ad135b5e4cb881aeb9b545561b12fce76cfcb8328e03cdf4ae");
    EXPECT_EQ(to_hex(sealed.answer_secret.view()),
              "ec90ef90ef96db9c42358ed78e2519bdca389fc03d18c324fc9fc45e39a1a1b9");
}

TEST_F(sealed_request, tells_only_the_class_of_its_length) {
    EXPECT_EQ(seal(request_of("")).body.size(), 4096u);
    EXPECT_EQ(seal(request_of(std::string(3900, 'x'))).body.size(), 4096u);
    EXPECT_EQ(seal(request_of(std::string(4000, 'x'))).body.size(), 8192u);
    EXPECT_EQ(seal(request_of(std::string(600'000, 'x'))).body.size(), request_bytes_max);
    const auto too_long =
        seal_request(recipient, chat, request_of(std::string(request_bytes_max, 'x')), rng);
    EXPECT_EQ(too_long.error().code, ErrorCode::limit_exceeded);
}

TEST_F(sealed_request, shows_nothing_of_what_is_inside) {
    const SealedRequest sealed = seal(request_of("a secret prompt"));
    for (const std::string_view inside : {"secret", "Bearer", "json"})
        EXPECT_EQ(as_text(sealed.body).find(inside), std::string_view::npos);
}

TEST_F(sealed_request, is_refused_with_any_byte_changed) {
    const Bytes body = seal(request_of("hello")).body;
    for (size_t i = 0; i < body.size(); ++i) {
        Bytes changed = body;
        changed[i] ^= 0x80;
        EXPECT_FALSE(open(changed)) << i;
    }
}

TEST_F(sealed_request, is_for_one_target_one_key_and_one_statement) {
    const Bytes body = seal(request_of("hello")).body;
    EXPECT_EQ(open(body, {"POST", "/generate"}).error().code, ErrorCode::decrypt_failed);
    EXPECT_EQ(open(body, {"PUT", chat.path}).error().code, ErrorCode::decrypt_failed);
    Bytes other_statement = body;
    other_statement[statement_hash_offset] ^= 1;
    EXPECT_EQ(open(other_statement).error().code, ErrorCode::decrypt_failed);
    const auto other_key = crypto::X25519Key::generate(rng).value();
    EXPECT_EQ(open_request(parse_envelope(body).value(), chat, other_key).error().code,
              ErrorCode::decrypt_failed);
}

TEST_F(sealed_request, is_refused_with_an_encapsulated_key_of_low_order) {
    Bytes body = seal(request_of("hello")).body;
    std::fill_n(body.begin() + encapsulated_key_offset, 32, uint8_t{0});
    EXPECT_EQ(open(body).error().code, ErrorCode::key_invalid);
}

TEST_F(sealed_request, of_another_version_or_suite_is_named_so) {
    const Bytes body = seal(request_of("hello")).body;
    for (const size_t offset : {0u, 1u, 2u, 3u, 5u, 6u}) {
        Bytes changed = body;
        changed[offset] ^= 3;
        EXPECT_EQ(parse_envelope(changed).error().code, ErrorCode::version_unsupported) << offset;
    }
    EXPECT_EQ(parse_envelope({}).error().code, ErrorCode::version_unsupported);
}

TEST_F(sealed_request, of_a_length_between_the_classes_is_refused) {
    Bytes body = seal(request_of("hello")).body;
    for (const size_t length : {1u, 71u, 87u, 2048u, 4095u, 4097u, 12288u, 2u << 20}) {
        body.resize(length);
        EXPECT_EQ(parse_envelope(body).error().code, ErrorCode::sealed_malformed) << length;
    }
}

TEST_F(sealed_request, sends_no_header_that_would_be_refused) {
    const Headers wrong[] = {{{"Upper", "x"}},
                             {{"", "x"}},
                             {{"a", "line\r\nbreak"}},
                             {{"a", std::string(header_value_bytes_max + 1, 'x')}},
                             {{std::string(header_name_bytes_max + 1, 'x'), ""}}};
    for (const Headers& headers : wrong) {
        Request request = request_of("");
        request.headers = headers;
        EXPECT_EQ(seal_request(recipient, chat, request, rng).error().code,
                  ErrorCode::invalid_argument);
    }
}

TEST_F(sealed_request, with_a_wrong_inside_is_refused) {
    constexpr size_t plain_bytes = 4096 - ciphertext_offset - 16;
    const auto refused = [&](const ByteWriter& inside) {
        Bytes plain = inside.view();
        plain.resize(plain_bytes);
        const auto opened = open(seal_plain(plain));
        return !opened && opened.error().code == ErrorCode::sealed_malformed;
    };
    const auto begin = [](uint16_t header_count) {
        ByteWriter out;
        out.u64(7);
        out.u16(header_count);
        return out;
    };
    const auto with_headers = [&](const std::vector<std::string>& texts) {
        ByteWriter out = begin(static_cast<uint16_t>(texts.size() / 2));
        for (const std::string& text : texts) out.length_prefixed(as_bytes(text));
        out.length_prefixed({});
        return out;
    };
    EXPECT_FALSE(refused(with_headers({"a", "1", "b", "2"}))) << "this one is right";
    EXPECT_TRUE(refused(with_headers({"b", "1", "a", "2"})));
    EXPECT_TRUE(refused(with_headers({"a", "1", "a", "2"})));
    EXPECT_TRUE(refused(with_headers({"A", "1"})));
    EXPECT_TRUE(refused(with_headers({"a", "\n"})));
    EXPECT_TRUE(refused(begin(headers_max + 1)));
    ByteWriter body_too_long = begin(0);
    body_too_long.u32(plain_bytes);
    EXPECT_TRUE(refused(body_too_long));
    ByteWriter text_in_the_padding = begin(0);
    text_in_the_padding.length_prefixed(as_bytes("x"));
    text_in_the_padding.u8(1);
    EXPECT_TRUE(refused(text_in_the_padding));
}

}  // namespace
}  // namespace teetee::sealed
