// SPDX-License-Identifier: Apache-2.0
#include "proxy/answer_editor.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "proxy/limits.hpp"

namespace teetee::proxy {
namespace {

namespace json = boost::json;
using client::AnswerShape;

json::object object(std::string_view text) {
    return json::parse(text).as_object();
}

std::string edited(AnswerEditor& editor, std::string_view event) {
    const auto out = editor.edit(object(event));
    return out ? json::serialize(*out) : "nothing";
}

TEST(asked_answer, is_read_of_bodies_that_can_be_gone_on_with) {
    const auto asked = read_asked_answer("/v1/chat/completions",
                                         object(R"({"stream":true,"return_token_ids":true})"));
    ASSERT_TRUE(asked);
    EXPECT_TRUE(asked->is_stream && asked->wants_token_ids && !asked->wants_usage);
    EXPECT_TRUE(read_asked_answer("/v1/completions", object("{}"))->wants_usage);
    EXPECT_TRUE(read_asked_answer("/generate?attest=quote", object("{}")));
    for (const char* body : {"[]", "1", R"({"stream":"yes"})", R"({"return_token_ids":1})",
                             R"({"stream_options":7})", R"({"answer_token_ids":[1]})"})
        EXPECT_FALSE(read_asked_answer("/generate", json::parse(body))) << body;
    EXPECT_FALSE(read_asked_answer("/v1/embeddings", object("{}")));
}

TEST(asked_answer, is_asked_for_as_a_stream_with_its_usage) {
    const AskedAnswer chat = {.shape = AnswerShape::chat};
    EXPECT_EQ(json::serialize(entry_request(
                  chat, object(R"({"n":2,"stream_options":{"include_usage":false,"other":1}})"))),
              R"({"n":2,"stream_options":{"include_usage":true,"other":1},"stream":true})");
    EXPECT_EQ(json::serialize(entry_request({.shape = AnswerShape::generate}, {})),
              R"({"stream":true})");
}

TEST(answer_editor, leaves_out_what_the_application_did_not_ask_for) {
    AnswerEditor editor({.shape = AnswerShape::chat, .is_stream = true});
    EXPECT_EQ(
        edited(editor, R"({"id":"a","created":5,"seed":9,"activations":"f32",)"
                       R"("choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})"),
        R"({"id":"a","created":5,)"
        R"("choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})");
    EXPECT_EQ(
        edited(editor, R"({"id":"a","choices":[{"index":0,"delta":{"content":"Hi"},)"
                       R"("token_ids":[1],"finish_reason":null}]})"),
        R"({"id":"a","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]})");
    EXPECT_EQ(edited(editor, R"({"id":"a","choices":[{"index":0,"delta":{"content":""},)"
                             R"("token_ids":[2],"finish_reason":null}]})"),
              "nothing")
        << "a token that lets out no text";
    EXPECT_EQ(edited(editor, R"({"id":"a","choices":[],"usage":{"prompt_tokens":1}})"), "nothing");
    EXPECT_EQ(editor.seed(), 9);
}

TEST(answer_editor, keeps_what_it_asked_for) {
    AnswerEditor editor({.shape = AnswerShape::completion,
                         .is_stream = true,
                         .wants_token_ids = true,
                         .wants_usage = true});
    const std::string event =
        R"({"id":"a","seed":9,"choices":[{"index":0,"text":"","token_ids":[2],)"
        R"("finish_reason":null}]})";
    EXPECT_EQ(edited(editor, event), event);
    const std::string usage = R"({"id":"a","choices":[],"usage":{"prompt_tokens":1}})";
    EXPECT_EQ(edited(editor, usage), usage);
    AnswerEditor bare({.shape = AnswerShape::completion, .is_stream = true});
    EXPECT_NE(edited(bare, R"({"choices":[{"text":"","token_ids":[2],)"
                           R"("logprobs":{"tokens":["x"]}}]})"),
              "nothing")
        << "log-probabilities of a token without text";
}

TEST(answer_editor, makes_one_answer_of_the_parts_of_several_entries) {
    AnswerEditor editor({.shape = AnswerShape::chat, .is_stream = true, .wants_usage = true});
    editor.on_part(0);
    edited(editor,
           R"({"id":"a","created":5,"choices":[{"delta":{"role":"assistant","content":""}}]})");
    editor.on_part(7);
    EXPECT_EQ(edited(editor, R"({"id":"b","created":8,"choices":[{"delta":)"
                             R"({"role":"assistant","content":""}}]})"),
              "nothing");
    EXPECT_EQ(edited(editor, R"({"id":"b","created":8,"choices":[{"delta":{"content":"x"}}]})"),
              R"({"id":"a","created":5,"choices":[{"delta":{"content":"x"}}]})");
    EXPECT_EQ(edited(editor, R"({"id":"b","choices":[],"usage":{"prompt_tokens":10,)"
                             R"("completion_tokens":4,"total_tokens":14,)"
                             R"("prompt_tokens_details":{"cached_tokens":9}}})"),
              R"({"id":"a","choices":[],"usage":{"prompt_tokens":3,)"
              R"("completion_tokens":11,"total_tokens":14,)"
              R"("prompt_tokens_details":{"cached_tokens":3}}})");
}

json::object collected(AnswerShape shape, std::initializer_list<std::string_view> events,
                       std::optional<int64_t> seed = {}) {
    AnswerCollector collector(shape);
    for (const auto event : events) EXPECT_TRUE(collector.add(object(event)));
    return collector.whole(seed);
}

TEST(answer_collector, puts_a_chat_together) {
    const auto whole = collected(
        AnswerShape::chat,
        {R"({"id":"a","object":"chat.completion.chunk","choices":[{"index":0,"delta":)"
         R"({"role":"assistant","content":""},"finish_reason":null}]})",
         R"({"choices":[{"index":0,"delta":{"content":"H"},"logprobs":{"content":[1]},)"
         R"("token_ids":[4],"finish_reason":null}]})",
         R"({"choices":[{"index":1,"delta":{"content":"other"},"finish_reason":"stop"}]})",
         R"({"choices":[{"index":0,"delta":{"content":"i"},"logprobs":{"content":[2]},)"
         R"("token_ids":[5],"finish_reason":"length"}],"receipt":"/v1/receipts/a"})",
         R"({"choices":[],"usage":{"prompt_tokens":1}})"});
    EXPECT_EQ(json::serialize(whole),
              R"({"id":"a","object":"chat.completion","receipt":"/v1/receipts/a",)"
              R"("usage":{"prompt_tokens":1},"choices":[)"
              R"({"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},)"
              R"("finish_reason":"length",)"
              R"("logprobs":{"content":[1,2]},"token_ids":[4,5]},)"
              R"({"index":1,"message":{"content":"other","refusal":null},"finish_reason":"stop",)"
              R"("logprobs":null}]})");
}

TEST(answer_collector, joins_the_pieces_of_calls) {
    const auto whole = collected(
        AnswerShape::chat,
        {R"({"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})",
         R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function",)"
         R"("function":{"name":"find","arguments":""}}]}}]})",
         R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,)"
         R"("function":{"arguments":"{\"a\":"}}]}}]})",
         R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,)"
         R"("function":{"arguments":"1}"}},{"index":1,"id":"c2","type":"function",)"
         R"("function":{"name":"go","arguments":"{}"}}]},"finish_reason":"tool_calls"}]})"});
    EXPECT_EQ(
        whole.at("choices").as_array()[0].at("message"),
        json::parse(
            R"({"role":"assistant","content":null,"refusal":null,"tool_calls":[)"
            R"({"id":"c1","type":"function","function":{"name":"find","arguments":"{\"a\":1}"}},)"
            R"({"id":"c2","type":"function","function":{"name":"go","arguments":"{}"}}]})"));
}

TEST(answer_collector, puts_completions_and_stories_together) {
    const auto completion = collected(
        AnswerShape::completion,
        {R"({"object":"text_completion","choices":[{"index":0,"text":"a","finish_reason":null,)"
         R"("logprobs":{"tokens":["a"],"top_logprobs":null}}]})",
         R"({"choices":[{"index":0,"text":"b","finish_reason":"stop",)"
         R"("logprobs":{"tokens":["b"],"top_logprobs":null}}]})"});
    EXPECT_EQ(json::serialize(completion),
              R"({"object":"text_completion","choices":[{"index":0,"text":"ab",)"
              R"("finish_reason":"stop","logprobs":{"tokens":["a","b"],"top_logprobs":null}}]})");
    const auto story =
        collected(AnswerShape::generate,
                  {R"({"id":"gen-1","text":"a","finish_reason":null})",
                   R"({"id":"gen-1","text":"b","finish_reason":"stop","receipt":"/v1/receipts/1"})",
                   R"({"id":"gen-1","usage":{"prompt_tokens":1}})"},
                  9);
    EXPECT_EQ(json::serialize(story),
              R"({"id":"gen-1","receipt":"/v1/receipts/1","usage":{"prompt_tokens":1},)"
              R"("text":"ab","finish_reason":"stop","seed":9})");
}

TEST(answer_collector, has_a_limit_of_choices) {
    AnswerCollector collector(AnswerShape::chat);
    for (int64_t i = 0; i < int64_t{choices_max}; ++i) {
        ASSERT_TRUE(collector.add({{"choices", json::array{json::object{{"index", i}}}}}));
    }
    EXPECT_EQ(collector.add({{"choices", json::array{json::object{{"index", -1}}}}}).error().code,
              ErrorCode::limit_exceeded);
}

}  // namespace
}  // namespace teetee::proxy
