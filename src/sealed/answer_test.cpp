// SPDX-License-Identifier: Apache-2.0
#include "sealed/answer.hpp"

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "crypto/hkdf.hpp"
#include "sealed/limits.hpp"
#include "sealed/test_support.hpp"

namespace teetee::sealed {
namespace {

using Last = AnswerSealer::Last;

constexpr size_t salt_bytes = 32;
/// Header, least plaintext, tag.
constexpr size_t least_record_bytes = 5 + 512 + 16;

AnswerSecret secret() {
    AnswerSecret out;
    std::ranges::fill(out.writable(), uint8_t{7});
    return out;
}

class sealed_answer : public testing::Test {
  protected:
    void SetUp() override {
        start = sealer.begin({200, {{"content-type", "text/event-stream"}}}).value();
    }
    Bytes seal(std::string_view content, Last last = Last::no) {
        return sealer.seal(as_bytes(content), last).value();
    }
    static Bytes joined(std::initializer_list<Bytes> parts) {
        Bytes out;
        for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
        return out;
    }
    /// The error of an answer that a client gets so, or cancelled where it gets it whole.
    static ErrorCode outcome(ByteView bytes) {
        AnswerOpener opener(secret());
        if (const auto fed = opener.feed(bytes); !fed) return fed.error().code;
        const auto ended = opener.feed_end();
        return ended ? ErrorCode::cancelled : ended.error().code;
    }

    CountingRng rng;
    AnswerSealer sealer{secret(), rng};
    Bytes start;
};

TEST_F(sealed_answer, is_opened_however_it_is_cut) {
    const std::string long_piece(150'000, 'y');
    const Bytes all = joined(
        {start, seal("one "), seal(""), seal(long_piece), seal(" end"), seal("", Last::yes)});
    for (const size_t step : {1u, 7u, 531u, 100'000u, 1'000'000u}) {
        AnswerOpener opener(secret());
        std::string body;
        for (size_t i = 0; i < all.size(); i += step) {
            EXPECT_FALSE(opener.complete());
            EXPECT_EQ(opener.feed_end().error().code, ErrorCode::sealed_truncated);
            const auto piece =
                opener.feed(ByteView(all).subspan(i, std::min(step, all.size() - i)));
            ASSERT_TRUE(piece) << piece.error().message();
            body += *piece;
        }
        EXPECT_TRUE(opener.complete());
        EXPECT_TRUE(opener.feed_end());
        EXPECT_EQ(opener.head()->status, 200);
        EXPECT_EQ(opener.head()->headers.at("content-type"), "text/event-stream");
        EXPECT_EQ(body, "one " + long_piece + " end");
    }
}

// Made by tests/e2e/sealed_reference.py.
TEST_F(sealed_answer, has_the_bytes_of_another_implementation) {
    EXPECT_EQ(to_hex(crypto::sha256(joined({start, seal("hello"), seal("", Last::yes)}))),
              "509e96ddc604768f848cf91f570ac4c594dff1c618e32bed234a8827ef9b2f41");
}

TEST_F(sealed_answer, has_records_of_a_few_sizes_only) {
    EXPECT_EQ(start.size(), salt_bytes + least_record_bytes);
    for (const size_t length : {0u, 1u, 300u, 508u})
        EXPECT_EQ(seal(std::string(length, 'x')).size(), least_record_bytes);
    EXPECT_EQ(seal(std::string(509, 'x')).size(), least_record_bytes + 512);
    EXPECT_EQ(seal(std::string(1021, 'x')).size(), least_record_bytes + 512 + 1024);
    const size_t longest = 5 + record_bytes_max + 16;
    EXPECT_EQ(seal(std::string(record_bytes_max - 4, 'x')).size(), longest);
    EXPECT_EQ(seal(std::string(record_bytes_max - 3, 'x')).size(), longest + least_record_bytes);
}

TEST_F(sealed_answer, is_refused_with_any_byte_changed) {
    const Bytes all = joined({start, seal("hello"), seal("", Last::yes)});
    EXPECT_EQ(outcome(all), ErrorCode::cancelled);
    for (size_t i = 0; i < all.size(); ++i) {
        Bytes changed = all;
        changed[i] ^= 1;
        EXPECT_NE(outcome(changed), ErrorCode::cancelled) << i;
    }
}

TEST_F(sealed_answer, with_a_record_lost_doubled_or_out_of_order_is_refused) {
    const Bytes one = seal("one");
    const Bytes two = seal("two");
    const Bytes last = seal("", Last::yes);
    EXPECT_EQ(outcome(joined({start, one, two, last})), ErrorCode::cancelled);
    EXPECT_EQ(outcome(joined({start, two, last})), ErrorCode::decrypt_failed);
    EXPECT_EQ(outcome(joined({start, one, one, two, last})), ErrorCode::decrypt_failed);
    EXPECT_EQ(outcome(joined({start, two, one, last})), ErrorCode::decrypt_failed);
    EXPECT_EQ(outcome(joined({start, one, last})), ErrorCode::decrypt_failed);
    EXPECT_EQ(outcome(joined({start, one, two, last, last})), ErrorCode::sealed_malformed);
}

TEST_F(sealed_answer, without_its_end_is_not_complete) {
    const Bytes one = seal("one");
    const Bytes last = seal("", Last::yes);
    const Bytes all = joined({start, one, last});
    for (const size_t missing : {size_t{1}, last.size() - 1, last.size(), last.size() + 1,
                                 all.size() - salt_bytes, all.size()}) {
        EXPECT_EQ(outcome(ByteView(all).first(all.size() - missing)), ErrorCode::sealed_truncated);
    }
    // The flag that ends it cannot be put on an earlier record.
    Bytes cut = joined({start, one});
    cut[start.size() + 4] = 1;
    EXPECT_EQ(outcome(cut), ErrorCode::decrypt_failed);
}

TEST_F(sealed_answer, of_another_request_opens_nothing) {
    AnswerSecret other = secret();
    other.writable()[0] ^= 1;
    AnswerOpener opener(std::move(other));
    EXPECT_EQ(opener.feed(start).error().code, ErrorCode::decrypt_failed);
    EXPECT_FALSE(opener.head());
    // What has failed stays failed.
    EXPECT_EQ(opener.feed({}).error().code, ErrorCode::decrypt_failed);
    EXPECT_EQ(opener.feed_end().error().code, ErrorCode::decrypt_failed);
}

TEST_F(sealed_answer, has_a_key_of_its_own_even_for_the_same_request) {
    AnswerSealer second(secret(), rng);
    const Bytes other = second.begin({200, {{"content-type", "text/event-stream"}}}).value();
    EXPECT_FALSE(std::equal(start.end() - 528, start.end(), other.end() - 528));
    EXPECT_EQ(outcome(joined({other, seal("", Last::yes)})), ErrorCode::decrypt_failed);
}

TEST_F(sealed_answer, with_lengths_that_are_none_is_refused_before_they_are_waited_for) {
    for (const uint32_t length :
         {0u, 15u, 16u, 17u, 511u + 16, 513u + 16, 256u + 16, (128u << 10) + 16, 0xffffffffu}) {
        ByteWriter record;
        record.u32(length);
        record.u8(0);
        EXPECT_EQ(outcome(joined({start, record.take()})), ErrorCode::sealed_malformed) << length;
    }
    ByteWriter flag;
    flag.u32(512 + 16);
    flag.u8(2);
    EXPECT_EQ(outcome(joined({start, flag.take()})), ErrorCode::sealed_malformed);
}

/// An answer whose one record has this plaintext.
Bytes answer_of(ByteView plain) {
    const Bytes salt(salt_bytes, 9);
    const auto extracted = crypto::hkdf_extract({.salt = salt, .key_material = secret().view()});
    const auto key = crypto::hkdf_expand<32>(
        {.key = extracted.view(), .info = as_bytes("teetee sealed answer key v1")});
    ByteWriter out;
    out.bytes(salt);
    ByteWriter header;
    header.u32(static_cast<uint32_t>(plain.size() + 16));
    header.u8(1);
    out.bytes(header.view());
    out.bytes(crypto::AeadKey::from_bytes(crypto::AeadAlgorithm::aes_256_gcm, key.view())
                  .value()
                  .seal({.nonce = {}, .aad = header.view(), .text = plain})
                  .value());
    return out.take();
}

TEST_F(sealed_answer, with_a_wrong_inside_is_refused) {
    const auto outcome_of = [](std::string_view hex) {
        Bytes plain = from_hex(hex).value();
        plain.resize(512);
        return outcome(answer_of(plain));
    };
    EXPECT_EQ(outcome_of("04000000c8000000"), ErrorCode::cancelled) << "200, no headers";
    EXPECT_EQ(outcome_of("04000000c800000001"), ErrorCode::sealed_malformed) << "padding";
    EXPECT_EQ(outcome_of("05000000c800000000"), ErrorCode::sealed_malformed) << "behind the head";
    EXPECT_EQ(outcome_of("0400000064000000"), ErrorCode::sealed_malformed) << "100 is no answer";
    EXPECT_EQ(outcome_of("04000000c8000100"), ErrorCode::sealed_malformed) << "a header missing";
    EXPECT_EQ(outcome_of("01000000c8"), ErrorCode::sealed_malformed) << "half a status";
    EXPECT_EQ(outcome_of("fd010000c8000000"), ErrorCode::sealed_malformed) << "longer than it is";
}

TEST_F(sealed_answer, begins_with_no_head_that_would_be_refused) {
    EXPECT_EQ(sealer.begin({99, {}}).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(sealer.begin({200, {{"a", "\n"}}}).error().code, ErrorCode::invalid_argument);
    Headers many;
    for (size_t i = 0; i <= headers_max; ++i) many.emplace("h" + std::to_string(i), "");
    EXPECT_EQ(sealer.begin({200, many}).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace teetee::sealed
