// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "api/errors.hpp"
#include "api/generation_request.hpp"
#include "api/limits.hpp"
#include "api/stop_matcher.hpp"

namespace teetee::api {
namespace {

std::string feed_all(StopMatcher& matcher, std::string_view text, size_t piece, bool& stopped) {
    std::string out;
    stopped = false;
    for (size_t i = 0; i < text.size() && !stopped; i += piece) {
        const StopMatcher::Output output = matcher.feed(text.substr(i, piece));
        out += output.text;
        stopped = output.stopped;
    }
    return stopped ? out : out + matcher.finish();
}

TEST(stop_matcher, finds_a_stop_string_wherever_it_is_cut) {
    for (size_t piece = 1; piece < 12; ++piece) {
        StopMatcher matcher({"\nUser:", "<end>"});
        bool stopped = false;
        EXPECT_EQ(feed_all(matcher, "Hello <en d>\nUs\nUser: hi", piece, stopped),
                  "Hello <en d>\nUs");
        EXPECT_TRUE(stopped);
    }
}

TEST(stop_matcher, gives_back_what_was_no_stop_string) {
    StopMatcher matcher({"abcd"});
    bool stopped = false;
    EXPECT_EQ(feed_all(matcher, "xxabcabc", 1, stopped), "xxabcabc");
    EXPECT_FALSE(stopped);
}

TEST(stop_matcher, takes_the_first_of_several) {
    StopMatcher matcher({"later", "now"});
    const StopMatcher::Output output = matcher.feed("do it now or later");
    EXPECT_TRUE(output.stopped);
    EXPECT_EQ(output.text, "do it ");
}

Error refused(Dialect dialect, std::string_view body) {
    auto request = parse_generation_request(dialect, body);
    EXPECT_FALSE(request) << body;
    return request ? Error{} : request.error();
}

TEST(generation_request, reads_the_three_dialects) {
    const auto story =
        parse_generation_request(Dialect::generate, R"({"prompt":"Once","seed":-3,"stop":"x"})");
    ASSERT_TRUE(story);
    EXPECT_EQ(story->prompts, std::vector<Prompt>{"Once"});
    EXPECT_TRUE(story->has_seed);
    EXPECT_FLOAT_EQ(story->sampling.temperature, 0.6F);
    EXPECT_EQ(story->stops, std::vector<std::string>{"x"});
    const auto chat = parse_generation_request(Dialect::chat,
                                               R"({"messages":[{"role":"system","content":"a"},
                        {"role":"user","content":[{"type":"text","text":"b"}]}],
            "max_completion_tokens":7,"stream":true,
            "stream_options":{"include_usage":true},"unknown":[1]})");
    ASSERT_TRUE(chat);
    EXPECT_EQ(chat->messages[1].at("content"), "b");
    EXPECT_EQ(chat->tokens_max, 7u);
    EXPECT_TRUE(chat->stream && chat->stream_usage);
    EXPECT_FLOAT_EQ(chat->sampling.temperature, 1.0F);
    EXPECT_TRUE(parse_generation_request(Dialect::completion,
                                         R"({"prompt":"","temperature":0,"max_tokens":null})"));
}

TEST(generation_request, refuses_wrong_types_by_name) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({})", "prompt"},
        {R"({"prompt":1})", "prompt"},
        {R"({"prompt":"a","temperature":"hot"})", "temperature"},
        {R"({"prompt":"a","temperature":-1})", "temperature"},
        {R"({"prompt":"a","temperature":1e99})", "temperature"},
        {R"({"prompt":"a","top_p":0})", "top_p"},
        {R"({"prompt":"a","max_tokens":0})", "max_tokens"},
        {R"({"prompt":"a","max_tokens":1.5})", "max_tokens"},
        {R"({"prompt":"a","max_tokens":-1})", "max_tokens"},
        {R"({"prompt":"a","stream":1})", "stream"},
        {R"({"prompt":"a","stop":[1]})", "stop"},
        {R"({"prompt":"a","stop":""})", "stop"},
        {R"({"prompt":"a","n":2})", "n"},
        {R"({"prompt":"a","seed":1.5})", "seed"},
        {R"({"prompt":"a","model":7})", "model"},
        {R"({"prompt":"a","min_p":1.5})", "min_p"},
        {R"({"prompt":"a","typical_p":0})", "typical_p"},
        {R"({"prompt":"a","repetition_penalty":"x"})", "repetition_penalty"},
        {R"({"prompt":"a","presence_penalty":2.5})", "presence_penalty"},
        {R"({"prompt":"a","frequency_penalty":-3})", "frequency_penalty"},
        {R"({"prompt":"a","logit_bias":[1]})", "logit_bias"},
        {R"({"prompt":"a","logit_bias":{"01":1}})", "logit_bias"},
        {R"({"prompt":"a","logit_bias":{"1":"x"}})", "logit_bias"},
        {R"({"prompt":"a","logit_bias":{"1":101}})", "logit_bias"},
        {R"({"prompt":"a","response_format":"json"})", "response_format"},
        {R"({"prompt":"a","response_format":{"type":"json_schema"}})", "response_format"},
        {R"({"prompt":"a","grammar":1})", "grammar"},
        {R"({"prompt":"a","attest":"quotes"})", "attest"},
        {R"({"prompt":"a","attest":""})", "attest"},
        {R"({"prompt":"a","attest":true})", "attest"},
        {R"({"prompt":"a","return_token_ids":1})", "return_token_ids"},
        {R"({"prompt":"a","created":-1})", "created"},
        {R"({"prompt":"a","created":"now"})", "created"},
        {R"({"prompt":"a","answer_token_ids":7})", "answer_token_ids"},
        {R"({"prompt":"a","answer_token_ids":["7"]})", "answer_token_ids"},
        {R"({"prompt":"a","answer_token_ids":[-1]})", "answer_token_ids"},
        {R"({"prompt":"a","answer_token_ids":[1.5]})", "answer_token_ids"},
        {R"({"prompt":"a","answer_token_ids":[4294967296]})", "answer_token_ids"},
        {R"({"prompt":"a","grammar":"root ::= \"a\"","response_format":{"type":"json_object"}})",
         "grammar"}};
    for (const auto& [body, field] : cases) {
        const Error error = refused(Dialect::generate, body);
        EXPECT_EQ(error.code, ErrorCode::field_invalid) << body;
        EXPECT_NE(error.detail.find(field), std::string::npos) << body << " -> " << error.detail;
    }
    for (const char* body :
         {R"({"messages":[]})", R"({"messages":"hi"})", R"({"messages":[{"content":"x"}]})",
          R"({"messages":[{"role":"root","content":"x"}]})", R"({"messages":[{"role":"user"}]})",
          R"({"messages":[{"role":"user","content":[{"type":"image_url"}]}]})"}) {
        EXPECT_EQ(refused(Dialect::chat, body).code, ErrorCode::field_invalid) << body;
    }
}

TEST(generation_request, asks_for_fresh_quotes_by_one_word) {
    const auto wants = [](std::string_view body) {
        return parse_generation_request(Dialect::completion, body)->wants_fresh_quotes;
    };
    EXPECT_TRUE(wants(R"({"prompt":"a","attest":"quote"})"));
    EXPECT_FALSE(wants(R"({"prompt":"a","attest":null})"));
    EXPECT_FALSE(wants(R"({"prompt":"a"})"));
}

TEST(generation_request, takes_up_an_answer_at_its_tokens) {
    const auto request = parse_generation_request(Dialect::completion, R"({"prompt":"a",
        "answer_token_ids":[0,4294967295,7],"return_token_ids":true,"created":5})");
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(request->answer_token_ids, (std::vector<TokenId>{0, 4294967295, 7}));
    EXPECT_TRUE(request->return_token_ids);
    EXPECT_EQ(request->created, 5);
    const auto plain = parse_generation_request(
        Dialect::completion, R"({"prompt":"a","answer_token_ids":null,"return_token_ids":null})");
    ASSERT_TRUE(plain);
    EXPECT_TRUE(plain->answer_token_ids.empty() && !plain->return_token_ids && !plain->created);
    std::string many = R"({"prompt":"a","answer_token_ids":[0)";
    for (size_t i = 0; i < token_ids_max; ++i) many += ",0";
    EXPECT_EQ(refused(Dialect::completion, many + "]}").code, ErrorCode::field_invalid);
}

TEST(generation_request, reads_how_long_it_may_take) {
    const auto timeout_of = [](const std::string& value) {
        return parse_generation_request(Dialect::generate,
                                        R"({"prompt":"a","timeout":)" + value + "}");
    };
    EXPECT_EQ(timeout_of("2.5")->timeout, std::chrono::milliseconds(2500));
    EXPECT_EQ(timeout_of("30")->timeout, std::chrono::seconds(30));
    EXPECT_EQ(timeout_of("null")->timeout, std::nullopt);
    for (const char* bad : {"0", "-1", "0.0001", "86401", "1e300", "\"5\"", "true", "[1]"}) {
        const auto refused = timeout_of(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().code, ErrorCode::field_invalid) << bad;
    }
}

TEST(generation_request, reads_how_to_pick_tokens) {
    const auto request = parse_generation_request(Dialect::completion, R"({"prompt":"a",
        "min_p":0.1,"typical_p":0.9,"repetition_penalty":1.2,"presence_penalty":-1,
        "frequency_penalty":2,"logit_bias":{"10":-100,"9":5},"logprobs":3,
        "response_format":{"type":"json_schema","json_schema":{"name":"x",
            "schema":{"type":"integer"}}}})");
    ASSERT_TRUE(request) << request.error().message();
    const SamplingOptions& sampling = request->sampling;
    EXPECT_FLOAT_EQ(sampling.min_p, 0.1F);
    EXPECT_FLOAT_EQ(sampling.typical_p, 0.9F);
    EXPECT_FLOAT_EQ(sampling.repetition_penalty, 1.2F);
    EXPECT_FLOAT_EQ(sampling.presence_penalty, -1.0F);
    EXPECT_FLOAT_EQ(sampling.frequency_penalty, 2.0F);
    EXPECT_EQ(sampling.logit_bias, (std::vector<LogitBias>{{9, 5.0F}, {10, -100.0F}}));
    EXPECT_TRUE(sampling.logprobs);
    EXPECT_EQ(sampling.top_logprobs, 3u);
    EXPECT_EQ(sampling.constraint.kind, ConstraintKind::json_schema);
    const auto chat = parse_generation_request(
        Dialect::chat, R"({"messages":[{"role":"user","content":"a"}],"logprobs":true,
                           "top_logprobs":2,"response_format":{"type":"json_object"}})");
    ASSERT_TRUE(chat);
    EXPECT_EQ(chat->sampling.top_logprobs, 2u);
    EXPECT_EQ(chat->sampling.constraint.kind, ConstraintKind::json_object);
    EXPECT_EQ(refused(Dialect::chat, R"({"messages":[{"role":"user","content":"a"}],
                                         "top_logprobs":2})")
                  .code,
              ErrorCode::field_invalid);
}

TEST(generation_request, refuses_a_constraint_that_is_none) {
    const Error grammar =
        refused(Dialect::generate, R"({"prompt":"a","grammar":"root ::= missing"})");
    EXPECT_EQ(grammar.code, ErrorCode::grammar_invalid);
    EXPECT_NE(grammar.detail.find("missing"), std::string::npos) << grammar.detail;
    const Error schema = refused(Dialect::generate, R"({"prompt":"a","response_format":
        {"type":"json_schema","json_schema":{"schema":{"properties":{"a":{"not":{}}}}}}})");
    EXPECT_EQ(schema.code, ErrorCode::grammar_invalid);
    EXPECT_NE(schema.detail.find("'not'"), std::string::npos) << schema.detail;
    EXPECT_NE(schema.detail.find("properties"), std::string::npos) << schema.detail;
}

TEST(generation_request, refuses_what_is_no_json_object) {
    for (const char* body : {"", "[]", "1", "{", "{\"prompt\":}", "{\"prompt\":\"a\"} x", "\xff"}) {
        const ErrorCode code = refused(Dialect::generate, body).code;
        EXPECT_TRUE(code == ErrorCode::invalid_json || code == ErrorCode::invalid_utf8) << body;
    }
    EXPECT_EQ(refused(Dialect::generate, std::string(100000, '[')).code, ErrorCode::invalid_json);
}

TEST(answer, every_status_is_one_a_client_can_act_on) {
    EXPECT_EQ(status_for(ErrorCode::context_exceeded).status, 400);
    EXPECT_EQ(status_for(ErrorCode::grammar_invalid).status, 400);
    EXPECT_EQ(status_for(ErrorCode::grammar_stuck).status, 422);
    EXPECT_EQ(status_for(ErrorCode::overloaded).status, 429);
    EXPECT_EQ(status_for(ErrorCode::route_unavailable).status, 503);
    EXPECT_EQ(status_for(ErrorCode::stage_timeout).status, 504);
    EXPECT_EQ(status_for(ErrorCode::deadline_exceeded).status, 504);
    EXPECT_EQ(status_for(ErrorCode::internal).status, 500);
}

}  // namespace
}  // namespace teetee::api
