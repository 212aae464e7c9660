// SPDX-License-Identifier: Apache-2.0
#include "attest/dstack_messages.hpp"

#include <gtest/gtest.h>

#include "attest/dev_node.hpp"
#include "attest/fresh_quote.hpp"
#include "attest/limits.hpp"
#include "attest/test_platform.hpp"

namespace teetee::attest {
namespace {

constexpr DstackApi current = DstackApi::current;
constexpr DstackApi legacy = DstackApi::legacy;

std::string refusal(std::string_view answer) {
    const auto quote = parse_dstack_quote(answer);
    if (quote) return "accepted";
    EXPECT_EQ(quote.error().code, ErrorCode::evidence_unavailable);
    return quote.error().detail;
}

TEST(dstack_messages, ask_for_a_quote_over_the_very_bytes) {
    ByteArray<64> data{};
    data[0] = 0xab;
    const std::string hex = "ab" + std::string(126, '0');
    EXPECT_EQ(dstack_quote_request(current, data).path, "/GetQuote");
    EXPECT_EQ(dstack_quote_request(current, data).body, R"({"report_data":")" + hex + "\"}");
    EXPECT_EQ(dstack_quote_request(legacy, data).path, "/prpc/Tappd.TdxQuote");
    EXPECT_EQ(dstack_quote_request(legacy, data).body,
              R"({"report_data":")" + hex + R"(","hash_algorithm":"raw"})");
}

TEST(dstack_messages, read_a_quote_with_or_without_prefix) {
    EXPECT_EQ(to_hex(parse_dstack_quote(R"({"quote":"04ab","event_log":"[]"})").value()), "04ab");
    EXPECT_EQ(to_hex(parse_dstack_quote(R"({"quote":"0x04ab","prefix":""})").value()), "04ab");
}

TEST(dstack_messages, reject_answers_of_another_form) {
    EXPECT_NE(refusal("").find("answer: JSON"), std::string::npos);
    EXPECT_NE(refusal("[]").find("have no text \"quote\""), std::string::npos);
    EXPECT_NE(refusal("{}").find("have no text \"quote\""), std::string::npos);
    EXPECT_NE(refusal(R"({"quote":1})").find("have no text \"quote\""), std::string::npos);
    EXPECT_NE(refusal(R"({"quote":"0"})").find("quote: "), std::string::npos);
    EXPECT_NE(refusal(R"({"quote":"00","quote":"01"})").find("twice"), std::string::npos);
    const std::string long_quote = R"({"quote":")" + std::string(2 * quote_bytes_max + 3, '0');
    EXPECT_NE(refusal(long_quote + "\"}").find("need at most"), std::string::npos);
    EXPECT_NE(refusal(std::string(dstack_answer_bytes_max + 1, ' ')).find("need at most"),
              std::string::npos);
}

TEST(dstack_messages, ask_for_keys_apart_by_their_path) {
    EXPECT_EQ(dstack_key_request(current, "weights").path, "/GetKey");
    EXPECT_EQ(dstack_key_request(current, "weights").body,
              R"({"path":"teetee/weights","purpose":"weights","algorithm":"secp256k1"})");
    EXPECT_EQ(dstack_key_request(legacy, "weights").path, "/prpc/Tappd.DeriveKey");
    EXPECT_EQ(dstack_key_request(legacy, "weights").body, R"({"path":"teetee/weights"})");
}

TEST(dstack_messages, derive_a_key_of_our_own_from_the_apps_key) {
    const std::string answer = R"({"key":")" + std::string(64, '7') + R"(","signature_chain":[]})";
    const auto key = parse_dstack_key(current, answer, "weights").value();
    // HMAC-SHA256, computed with Python's hmac.
    EXPECT_EQ(to_hex(key.view()),
              "9ada8c5722c6b9a870fa1ffed4a5b696b9267346c7cd5d64f8a7e4db28f4c66f");
    EXPECT_NE(to_hex(parse_dstack_key(current, answer, "other").value().view()),
              to_hex(key.view()));
    for (const char* bad : {"{}", R"({"key":"77"})", R"({"key":"zz"})", "no"}) {
        EXPECT_EQ(parse_dstack_key(current, bad, "weights").error().code,
                  ErrorCode::evidence_unavailable)
            << bad;
    }
}

TEST(dstack_messages, derive_the_same_key_from_a_legacy_key_again) {
    const auto answer_with = [](uint8_t seed) {
        const auto key = crypto::P256Key::derive(ByteArray<32>{seed}).value();
        const auto pem = key.to_pem().value();
        std::string escaped;
        for (const char c : as_text(pem)) {
            escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
        }
        return R"({"key":")" + escaped + R"(","certificate_chain":[]})";
    };
    const auto derive = [](const std::string& answer) {
        return to_hex(parse_dstack_key(legacy, answer, "weights").value().view());
    };
    EXPECT_EQ(derive(answer_with(1)), derive(answer_with(1)));
    EXPECT_NE(derive(answer_with(1)), derive(answer_with(2)));
    EXPECT_EQ(parse_dstack_key(legacy, R"({"key":"77"})", "weights").error().code,
              ErrorCode::evidence_unavailable);
}

TEST(dstack_messages, quote_an_agents_error_safely) {
    EXPECT_EQ(dstack_error(R"({"error":"no\nsuch"})"), quote_foreign("no\nsuch"));
    EXPECT_EQ(dstack_error("<html>"), quote_foreign(""));
    EXPECT_EQ(dstack_error("{}"), quote_foreign(""));
}

TEST(fresh_quote, is_over_the_data_asked_for_and_without_padding) {
    DevTee tee = test::make_tee();
    ByteArray<64> data;
    data.fill(0x5a);
    const Bytes quote = tee.quote(data).value();
    Bytes padded = quote;
    padded.resize(8000);
    EXPECT_EQ(take_fresh_quote(padded, data).value(), quote);
    EXPECT_EQ(take_fresh_quote(quote, data).value(), quote);
    data[63] = 0;
    const auto other = take_fresh_quote(quote, data);
    EXPECT_EQ(other.error().code, ErrorCode::evidence_unavailable);
    EXPECT_TRUE(other.error().detail.starts_with("report data of the quote: have 5a5a"));
    EXPECT_EQ(take_fresh_quote(Bytes(100), data).error().code, ErrorCode::evidence_unavailable);
    const auto sgx = take_fresh_quote(test::TestPlatform(3, TeeType::sgx).quote(), data);
    EXPECT_EQ(sgx.error().code, ErrorCode::evidence_unavailable);
    EXPECT_EQ(sgx.error().detail, "have an SGX quote, need a TDX one");
}

}  // namespace
}  // namespace teetee::attest
