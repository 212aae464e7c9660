// SPDX-License-Identifier: Apache-2.0
#include "api/fresh_quotes.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "api/limits.hpp"

namespace teetee::api {
namespace {

class SetClock final : public Clock {
  public:
    Instant now() const override { return time; }
    UnixSeconds unix_now() const override { return 0; }
    Instant time = std::chrono::hours(5);
};

class fresh_quotes : public testing::Test {
  protected:
    SetClock clock;
    /// What came back, which is at once here.
    Result<std::optional<FreshQuotes::FreshQuote>> make_for(std::string_view query) {
        Result<std::optional<FreshQuotes::FreshQuote>> out =
            fail(ErrorCode::internal, "did not call back");
        quotes.make_for(query, [&](auto made) { out = std::move(made); });
        return out;
    }
    FreshQuotes quotes{{.clock = clock, .quote_for = [](ByteView asked_for, const auto& done) {
                            done(attest::Evidence{{1}, {asked_for.begin(), asked_for.end()}});
                        }}};
    const std::string nonce = std::string(32, 'a');
};

TEST_F(fresh_quotes, are_made_for_the_nonce_that_is_asked_for) {
    for (const std::string& query : {"nonce=" + nonce, "x=1&nonce=" + nonce + "&y"}) {
        const auto made = make_for(query).value();
        ASSERT_TRUE(made) << query;
        EXPECT_EQ(to_hex(made->nonce), nonce);
        EXPECT_EQ(made->quote, made->nonce);
        EXPECT_EQ(made->statement, Bytes{1});
    }
    for (const std::string& query : {std::string(), std::string("&"), "announce=" + nonce})
        EXPECT_FALSE(make_for(query).value()) << query;
}

TEST_F(fresh_quotes, are_refused_for_what_is_no_nonce) {
    for (const std::string& hex : {std::string(), std::string("zz"), nonce.substr(2), nonce + "a",
                                   std::string(2 * nonce_bytes_max + 2, 'a')}) {
        EXPECT_EQ(make_for("nonce=" + hex).error().code, ErrorCode::field_invalid) << hex;
    }
}

TEST_F(fresh_quotes, are_a_few_in_a_second) {
    const std::string query = "nonce=" + nonce;
    for (uint32_t i = 0; i < fresh_quotes_per_second_max; ++i) EXPECT_TRUE(make_for(query));
    EXPECT_EQ(make_for(query).error().code, ErrorCode::overloaded);
    EXPECT_TRUE(make_for("")) << "what is there already costs nothing";
    clock.time += std::chrono::seconds(1);
    EXPECT_TRUE(make_for(query));
}

TEST_F(fresh_quotes, do_not_pile_up_before_a_slow_tee) {
    std::vector<node::Node::OnEvidence> waiting;
    FreshQuotes slow{{.clock = clock, .quote_for = [&](ByteView, node::Node::OnEvidence done) {
                          waiting.push_back(std::move(done));
                      }}};
    std::vector<ErrorCode> codes;
    const auto ask = [&] {
        clock.time += std::chrono::seconds(1);
        slow.make_for("nonce=" + nonce, [&](const auto& made) {
            codes.push_back(made ? ErrorCode{} : made.error().code);
        });
    };
    for (uint32_t i = 0; i < fresh_quotes_pending_max; ++i) ask();
    EXPECT_TRUE(codes.empty());
    ask();
    EXPECT_EQ(codes, std::vector{ErrorCode::overloaded});
    waiting.front()(attest::Evidence{});
    ask();
    EXPECT_EQ(waiting.size(), fresh_quotes_pending_max + 1);
    EXPECT_EQ(codes, (std::vector{ErrorCode::overloaded, ErrorCode{}}));
}

}  // namespace
}  // namespace teetee::api
