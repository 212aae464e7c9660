// SPDX-License-Identifier: Apache-2.0
#include "net/dstack_agent.hpp"

#include <boost/json.hpp>

#include "attest/dev_node.hpp"
#include "net/guest_fakes.hpp"

namespace teetee::net {
namespace {

namespace json = boost::json;

using attest::DstackApi;

ByteArray<64> filled(uint8_t value) {
    ByteArray<64> out;
    out.fill(value);
    return out;
}

/// An agent as documented, whose TEE is the dev TEE.
std::string answer(const std::string& line, const std::string& body) {
    const json::object asked = json::parse(body).as_object();
    if (line == "POST /GetQuote" || line == "POST /prpc/Tappd.TdxQuote") {
        const bool legacy = line != "POST /GetQuote";
        EXPECT_EQ(legacy, asked.contains("hash_algorithm"));
        attest::DevTee tee = attest::test::make_tee();
        const auto data =
            array_from_hex<64>(std::string(asked.at("report_data").as_string())).value();
        const std::string quote = (legacy ? "0x" : "") + to_hex(tee.quote(data).value());
        return http_answer(
            200, json::serialize(json::object{
                     {"quote", quote}, {"event_log", "[]"}, {"report_data", to_hex(data)}}));
    }
    if (line == "POST /GetKey") {
        // The path alone decides, as in dstack.
        const Digest key = crypto::sha256(as_bytes(std::string(asked.at("path").as_string())));
        return http_answer(200, json::serialize(json::object{{"key", to_hex(key)},
                                                             {"signature_chain", json::array()}}));
    }
    return http_answer(400, R"({"error":"Service not found"})");
}

struct Fixture {
    TestFolder folder;
    std::string socket = folder.path() + "/dstack.sock";
    DstackAgentOptions options = {.socket = socket};
};

TEST(dstack_agent, quotes_over_the_statement) {
    Fixture fixture;
    const FakeAgent agent(fixture.socket, answer);
    for (const DstackApi api : {DstackApi::current, DstackApi::legacy}) {
        fixture.options.api = api;
        DstackAgent provider(fixture.options);
        EXPECT_FALSE(provider.simulated());
        attest::DevTee tee = attest::test::make_tee();
        const auto quote = provider.quote(filled(0x5a));
        ASSERT_TRUE(quote) << quote.error().message();
        EXPECT_EQ(*quote, tee.quote(filled(0x5a)).value());
    }
}

TEST(dstack_agent, derives_sealing_keys_apart_and_again) {
    const Fixture fixture;
    const FakeAgent agent(fixture.socket, answer);
    const auto key = [&](std::string_view purpose) {
        return to_hex(DstackAgent(fixture.options).sealing_key(purpose).value().view());
    };
    EXPECT_EQ(key("weights"), key("weights"));
    EXPECT_NE(key("weights"), key("other"));
}

std::string refusal(DstackAgentOptions options) {
    const auto quote = DstackAgent(std::move(options)).quote(filled(1));
    if (quote) return "accepted";
    EXPECT_EQ(quote.error().code, ErrorCode::evidence_unavailable);
    return quote.error().detail;
}

TEST(dstack_agent, a_missing_socket_says_what_to_mount) {
    const Fixture fixture;
    const std::string detail = refusal(fixture.options);
    EXPECT_TRUE(detail.starts_with("dstack guest agent: " + fixture.socket)) << detail;
    EXPECT_NE(detail.find("volumes: [\"" + fixture.socket + ":" + fixture.socket + "\"]"),
              std::string::npos)
        << detail;
}

TEST(dstack_agent, a_socket_that_nobody_serves_is_told_apart) {
    const Fixture fixture;
    { const FakeAgent agent(fixture.socket, answer); }
    EXPECT_NE(refusal(fixture.options).find("is the agent running"), std::string::npos);
    EXPECT_NE(refusal({.socket = "/" + std::string(200, 'x')}).find("need below"),
              std::string::npos);
}

TEST(dstack_agent, refuses_what_is_no_quote_over_the_data) {
    struct BadAnswer {
        std::string answer;
        std::string part;
    };
    attest::DevTee tee = attest::test::make_tee();
    const std::string other = to_hex(tee.quote(filled(2)).value());
    const std::vector<BadAnswer> cases = {
        {http_answer(500, R"({"error":"Failed to get quote"})"), "HTTP status 500"},
        {http_answer(500, R"({"error":"Failed to get quote"})"), "Failed to get quote"},
        {http_answer(404, "<html>"), "HTTP status 404"},
        {http_answer(200, "{}"), "have no text \"quote\""},
        {http_answer(200, R"({"quote":"00"})"), "no TDX quote"},
        {http_answer(200, R"({"quote":")" + other + "\"}"), "report data of the quote"},
        {http_answer(200, std::string(5 << 20, ' ')), "need at most"},
        {"nonsense", "dstack guest agent"}};
    for (const BadAnswer& bad : cases) {
        const Fixture fixture;
        const FakeAgent agent(fixture.socket,
                              [&](const std::string&, const std::string&) { return bad.answer; });
        const std::string detail = refusal(fixture.options);
        EXPECT_NE(detail.find(bad.part), std::string::npos) << detail;
        EXPECT_NE(detail.find(fixture.socket), std::string::npos) << detail;
        const auto key = DstackAgent(fixture.options).sealing_key("weights");
        EXPECT_EQ(key.error().code, ErrorCode::evidence_unavailable);
    }
}

TEST(dstack_agent, does_not_wait_for_ever) {
    Fixture fixture;
    const FakeAgent agent(fixture.socket,
                          [](const std::string&, const std::string&) { return std::string(); });
    fixture.options.time_max = std::chrono::milliseconds(50);
    EXPECT_NE(refusal(fixture.options).find("no complete answer in time"), std::string::npos);
}

}  // namespace
}  // namespace teetee::net
