// SPDX-License-Identifier: Apache-2.0
// Guest interfaces that answer what real ones have answered, from the shared data folder.
#include <boost/json.hpp>

#include "attest/quote.hpp"
#include "net/configfs_tsm.hpp"
#include "net/dstack_agent.hpp"
#include "net/guest_fakes.hpp"

namespace teetee::net {
namespace {

namespace json = boost::json;

const std::string folder = std::string(TEETEE_SHARED_DATA) + "/attestation/";

std::string read_text(const std::string& name) {
    std::ifstream file(folder + name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

ByteArray<64> report_data_of(const Bytes& quote) {
    return std::get<attest::TdReport>(attest::parse_quote(quote).value().report).report_data;
}

void expect_captured_quote(attest::DstackApi api, const std::string& route,
                           const std::string& captured) {
    const json::value answer = json::parse(captured);
    const Bytes quote = from_hex(std::string(answer.at("quote").as_string())).value();
    const auto report_data = report_data_of(quote);
    const TestFolder here;
    const std::string socket = here.path() + "/agent.sock";
    const FakeAgent agent(socket, [&](const std::string& line, const std::string& body) {
        const bool asked = line == "POST " + route &&
                           json::parse(body).at("report_data").as_string() == to_hex(report_data);
        return asked ? http_answer(200, captured) : http_answer(400, R"({"error":"no"})");
    });
    const auto got = DstackAgent({.socket = socket, .api = api}).quote(report_data);
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_TRUE(attest::parse_quote(*got));
    EXPECT_TRUE(std::equal(got->begin(), got->end(), quote.begin()));
    auto other = report_data;
    other[63] ^= 1;
    EXPECT_FALSE(DstackAgent({.socket = socket, .api = api}).quote(other));
}

TEST(shared_guest, quotes_of_real_dstack_agents) {
    const std::string current = read_text("dstack/verifier-fixture-quote-report.json");
    if (current.empty()) GTEST_SKIP() << "no shared data";
    using attest::DstackApi;
    for (const char* name : {"verifier-fixture-quote-report", "nearai-getquote-response",
                             "verifier-fixture-tdx-lite-getquote"}) {
        SCOPED_TRACE(name);
        expect_captured_quote(DstackApi::current, "/GetQuote",
                              read_text(std::string("dstack/") + name + ".json"));
    }
    expect_captured_quote(DstackApi::legacy, "/prpc/Tappd.TdxQuote",
                          read_text("dstack/example-rtmr3-report.json"));
}

TEST(shared_guest, a_quote_of_a_real_kernel) {
    const std::string text = read_text("ccel/gcp-cos113-quote.dat");
    if (text.empty()) GTEST_SKIP() << "no shared data";
    const Bytes padded(text.begin(), text.end());
    const auto report_data = report_data_of(padded);
    const TestFolder reports;
    const auto provider = ConfigfsTsm::open(reports.path()).value();
    const FakeKernel kernel(provider->folder(), {.quote = [&](const ByteArray<64>& asked) {
                                EXPECT_EQ(asked, report_data);
                                return padded;
                            }});
    const auto quote = provider->quote(report_data);
    ASSERT_TRUE(quote) << quote.error().message();
    EXPECT_LT(quote->size(), padded.size());
    EXPECT_TRUE(std::equal(quote->begin(), quote->end(), padded.begin()));
}

}  // namespace
}  // namespace teetee::net
