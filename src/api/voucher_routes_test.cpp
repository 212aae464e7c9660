// SPDX-License-Identifier: Apache-2.0
#include "api/voucher_routes.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "api/limits.hpp"

namespace teetee::api {
namespace {

boost::json::object voucher() {
    return {{"payer", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"},
            {"pool", 3},
            {"session_key", "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"},
            {"ceiling", "18446744073709551615"},
            {"expiry", 1'800'000'000},
            {"salt", "0x" + std::string(62, '0') + "07"},
            {"signature", "0x" + std::string(130, 'a')}};
}

TEST(voucher_routes, a_signed_voucher_is_read) {
    const auto read = parse_signed_voucher(boost::json::serialize(voucher()));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(chain::to_checksum_text(read->voucher.payer), voucher().at("payer").as_string());
    EXPECT_EQ(read->voucher.pool, 3u);
    EXPECT_EQ(read->voucher.ceiling, UINT64_MAX);
    EXPECT_EQ(read->voucher.expiry, 1'800'000'000u);
    EXPECT_EQ(read->voucher.salt.back(), 7);
    EXPECT_EQ(read->signature, Bytes(65, 0xaa));
    // Large numbers come as strings, if a reader must not round them.
    auto other = voucher();
    other["pool"] = "3";
    other["ceiling"] = 5;
    EXPECT_EQ(parse_signed_voucher(boost::json::serialize(other))->voucher.pool, 3u);
}

TEST(voucher_routes, what_is_none_is_refused_by_name) {
    using Value = boost::json::value;
    const std::pair<const char*, Value> cases[] = {
        {"payer", 7},
        {"payer", "0x70997970c51812dc3A010C7d01b50e0d17dc79C8"},
        {"payer", "70997970c51812dc3a010c7d01b50e0d17dc79c8"},
        {"session_key", "0x00"},
        {"session_key", nullptr},
        {"pool", -1},
        {"pool", 1.5},
        {"pool", 3.0},
        {"pool", "0x3"},
        {"pool", ""},
        {"pool", "+3"},
        {"pool", " 3"},
        {"pool", Value(boost::json::array{3})},
        {"ceiling", "18446744073709551616"},
        {"ceiling", 0},
        {"ceiling", "1e3"},
        {"expiry", true},
        {"salt", "0x07"},
        {"salt", Value(std::string(64, '0'))},
        {"salt", Value("0x" + std::string(64, 'g'))},
        {"salt", Value("0X" + std::string(64, '0'))},
        {"salt", Value("0x" + std::string(63, '0') + std::string(1, '\0'))},
        {"signature", Value("0x" + std::string(128, 'a'))},
        {"signature", Value("0x" + std::string(4098, 'a'))},
        {"signature", nullptr}};
    for (const auto& [name, value] : cases) {
        auto body = voucher();
        body[name] = value;
        const auto read = parse_signed_voucher(boost::json::serialize(body));
        ASSERT_FALSE(read) << name << ": " << boost::json::serialize(value);
        EXPECT_EQ(read.error().code, ErrorCode::field_invalid) << name;
        EXPECT_TRUE(read.error().detail.starts_with("'" + std::string(name) + "'"))
            << read.error().detail;
        body.erase(name);
        EXPECT_EQ(parse_signed_voucher(boost::json::serialize(body)).error().code,
                  ErrorCode::field_invalid);
    }
    auto more = voucher();
    more["memo"] = "x";
    EXPECT_EQ(parse_signed_voucher(boost::json::serialize(more)).error().code,
              ErrorCode::field_invalid);
    for (const char* body : {"", "[]", "{", "\"x\"", "\xff"})
        EXPECT_FALSE(parse_signed_voucher(body)) << body;
    const std::string whole = boost::json::serialize(voucher());
    const std::string behind[] = {"x", "{}", std::string(1, '\0')};
    for (const std::string& more_text : behind)
        EXPECT_FALSE(parse_signed_voucher(whole + more_text));
    // However it is filled up.
    EXPECT_TRUE(parse_signed_voucher(whole + std::string(voucher_bytes_max - whole.size(), ' ')));
    EXPECT_FALSE(
        parse_signed_voucher(whole + std::string(voucher_bytes_max - whole.size() + 1, ' ')));
    EXPECT_FALSE(parse_signed_voucher(std::string(voucher_bytes_max, '[')));
    const std::string twice = R"({"pool":1,)" + boost::json::serialize(voucher()).substr(1);
    EXPECT_EQ(parse_signed_voucher(twice).error().code, ErrorCode::invalid_json);
}

TEST(voucher_routes, an_entry_without_a_wallet_opens_none) {
    Result<boost::json::object> said = boost::json::object{};
    const auto keep = [&](Result<boost::json::object> body) { said = std::move(body); };
    open_voucher(nullptr, boost::json::serialize(voucher()), keep);
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().code, ErrorCode::route_unknown);
}

}  // namespace
}  // namespace teetee::api
