// SPDX-License-Identifier: Apache-2.0
#include "client/partial_answer.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "client/limits.hpp"

namespace teetee::client {
namespace {

std::string event(std::string_view json) {
    return "data: " + std::string(json) + "\n\n";
}

std::string token(std::string_view text, std::string_view ids) {
    return event(R"({"id":"chatcmpl-07","created":5,"seed":9,"choices":[{"index":0,)"
                 R"("finish_reason":null,"delta":{"content":")" +
                 std::string(text) + R"("},"token_ids":)" + std::string(ids) + "}]}");
}

const std::string begin = event(R"({"id":"chatcmpl-07","created":5,"seed":9,"choices":[{"index":0,)"
                                R"("delta":{"role":"assistant","content":""}}]})");
const std::string closing =
    event(R"({"id":"chatcmpl-07","created":5,"seed":9,"choices":[{"index":0,)"
          R"("finish_reason":"length","delta":{"content":"!"},"token_ids":[]}],)"
          R"("receipt":"/v1/receipts/07"})") +
    event(R"({"id":"chatcmpl-07","choices":[],"usage":{"prompt_tokens":1}})");
const std::string done = "data: [DONE]\n\n";

struct Read {
    PartialAnswer known;
    std::string text;
    std::string receipt;
    std::vector<boost::json::object> events;
    std::vector<std::string> comments;
    Result<void> outcome;
    bool is_of_request = false;
};

Read read(std::string_view stream, size_t piece = 7, AnswerReader::Options options = {}) {
    Read out;
    AnswerReader reader(
        out.known,
        {.on_text = [&](std::string_view text) { out.text += text; },
         .on_event = [&](const boost::json::object& one) { out.events.push_back(one); },
         .on_comment = [&](std::string_view line) { out.comments.emplace_back(line); }},
        options);
    for (size_t at = 0; at < stream.size() && reader.feed(stream.substr(at, piece)); at += piece) {
    }
    out.outcome = reader.finish();
    out.is_of_request = reader.refusal() && reader.refusal()->is_of_request;
    out.receipt = reader.receipt_path();
    return out;
}

TEST(answer_reader, reads_an_answer_however_it_is_cut) {
    const std::string stream =
        begin + token("Hi", "[1]") + token("", "[2]") + token(" you", "[3,4]") + closing + done;
    for (size_t piece = 1; piece <= stream.size(); ++piece) {
        const Read whole = read(stream, piece);
        ASSERT_TRUE(whole.outcome) << whole.outcome.error().message();
        EXPECT_EQ(whole.text, "Hi you!");
        EXPECT_EQ(whole.known.token_ids, (std::vector<TokenId>{1, 2, 3, 4}));
        EXPECT_EQ(whole.known.seed, 9);
        EXPECT_EQ(whole.known.created, 5);
        EXPECT_EQ(whole.receipt, "/v1/receipts/07");
    }
}

TEST(timeout, is_of_the_request_and_not_of_each_entry) {
    const Read over = read(begin + token("Hi", "[1]") +
                           event(R"({"error":{"message":"m","type":"server_error",)"
                                 R"("code":"deadline_exceeded"}})"));
    EXPECT_EQ(over.outcome.error().code, ErrorCode::deadline_exceeded);
    EXPECT_TRUE(over.is_of_request);
    using std::chrono::milliseconds;
    boost::json::object body = {{"timeout", 2}};
    ASSERT_TRUE(spend_timeout(body, milliseconds(500)));
    EXPECT_DOUBLE_EQ(body["timeout"].as_double(), 1.5);
    EXPECT_EQ(spend_timeout(body, milliseconds(1500)).error().code, ErrorCode::deadline_exceeded);
    // What says nothing stays as it is, also where the entry will refuse it.
    for (const char* text :
         {"{}", R"({"timeout":"2"})", R"({"timeout":-1})", R"({"timeout":1e300})"}) {
        boost::json::object other = boost::json::parse(text).as_object();
        EXPECT_TRUE(spend_timeout(other, milliseconds(500)));
        EXPECT_EQ(other, boost::json::parse(text).as_object()) << text;
        EXPECT_FALSE(timeout_of(other));
    }
}

TEST(answer_reader, has_the_text_of_its_tokens_wherever_the_stream_ends) {
    const std::string stream =
        begin + token("Hi", "[1]") + token("", "[2]") + token(" you", "[3]") + closing + done;
    const std::string texts[] = {"", "Hi", "Hi", "Hi you"};
    for (size_t end = 0; end < stream.size() - 2; ++end) {
        const Read part = read(std::string_view(stream).substr(0, end));
        ASSERT_EQ(part.outcome.error().code, ErrorCode::connection_closed) << end;
        EXPECT_EQ(part.text, texts[part.known.token_ids.size()]) << end;
    }
}

TEST(answer_reader, asks_for_the_rest_in_the_format_of_its_tokens) {
    const auto with_format = [](std::string_view name, std::string_view ids) {
        return event(R"({"activations":")" + std::string(name) +
                     R"(","choices":[{"finish_reason":null,"delta":{},"token_ids":)" +
                     std::string(ids) + "}]}");
    };
    const auto asked = [](const PartialAnswer& known) {
        return boost::json::serialize(request_for_rest({}, known));
    };
    PartialAnswer known = read(event(R"({"activations":"q8","choices":[]})")).known;
    EXPECT_EQ(asked(known).find("activations"), std::string::npos)
        << "nothing was computed with it";
    known = read(with_format("q8", "[1]") + with_format("q8", "[2]")).known;
    EXPECT_NE(asked(known).find(R"("activations":"q8")"), std::string::npos) << asked(known);
    EXPECT_EQ(read(with_format("q4", "[1]")).outcome.error().code, ErrorCode::invalid_json);
}

TEST(answer_reader, says_whether_another_entry_would_refuse_as_well) {
    const Read failed =
        read(begin + token("Hi", "[1]") +
             "event: error\ndata: "
             "{\"error\":{\"type\":\"server_error\",\"code\":\"stage_failed\"}}\n\n");
    EXPECT_EQ(failed.outcome.error().code, ErrorCode::stage_failed);
    EXPECT_FALSE(failed.is_of_request);
    EXPECT_EQ(failed.receipt, "/v1/receipts/chatcmpl-07");
    const Read stuck =
        read(begin + "event: error\ndata: {\"error\":{\"type\":\"invalid_request_error\"}}\n\n");
    EXPECT_TRUE(stuck.is_of_request);
    EXPECT_TRUE(
        read_entry_error(R"({"error":{"type":"invalid_request_error","code":"x"}})").is_of_request);
    for (const char* body : {"", "{", "[]", "{\"error\":1}", "{\"error\":{}}", "<html>"})
        EXPECT_FALSE(read_entry_error(body).is_of_request) << body;
}

TEST(answer_reader, refuses_what_is_no_such_stream) {
    const std::string cases[] = {
        event("{"),
        event("[]"),
        done,
        event(R"({"choices":[1]})"),
        event(R"({"choices":[{}]})"),
        event(R"({"choices":[{"delta":{"content":"text without its tokens"}}]})"),
        event(R"({"seed":"9"})"),
        token("Hi", "7"),
        token("Hi", "[-1]"),
        token("Hi", "[4294967296]"),
        closing + token("behind the end", "[1]"),
        event(R"({"choices":[{"finish_reason":"stop","delta":{}}],"receipt":"//elsewhere"})")};
    for (const std::string& stream : cases) {
        const Read refused = read(stream + begin + done);
        ASSERT_FALSE(refused.outcome) << stream;
        EXPECT_EQ(refused.outcome.error().code, ErrorCode::invalid_json) << stream;
        EXPECT_EQ(refused.text, "") << stream;
        EXPECT_TRUE(refused.known.token_ids.empty()) << stream;
    }
    EXPECT_EQ(read(std::string(event_bytes_max + 1, 'x'), 65536).outcome.error().code,
              ErrorCode::limit_exceeded);
}

TEST(answer_reader, reads_completions_and_what_generate_answers) {
    const auto ended = [](std::string_view last) {
        return std::string("data: ") + std::string(last) + "\n\n" + done;
    };
    const Read completion = read(
        event(R"({"id":"cmpl-1","choices":[{"text":"a","token_ids":[1],"finish_reason":null}]})") +
            ended(R"({"choices":[{"text":"b","token_ids":[],"finish_reason":"stop"}]})"),
        7, {.shape = AnswerShape::completion});
    ASSERT_TRUE(completion.outcome) << completion.outcome.error().message();
    EXPECT_EQ(completion.text, "ab");
    EXPECT_EQ(completion.known.token_ids, (std::vector<TokenId>{1}));
    const Read generated =
        read(event(R"({"id":"gen-1","text":"a","token_ids":[1],"finish_reason":null})") +
                 event(R"({"text":"b","token_ids":[],"finish_reason":"stop"})") +
                 ended(R"({"usage":{"prompt_tokens":1}})"),
             7, {.shape = AnswerShape::generate});
    ASSERT_TRUE(generated.outcome) << generated.outcome.error().message();
    EXPECT_EQ(generated.text, "ab");
    EXPECT_EQ(generated.events.size(), 3u);
    EXPECT_EQ(read(event(R"({"choices":[{"delta":{},"finish_reason":null}]})"), 7,
                   {.shape = AnswerShape::completion})
                  .outcome.error()
                  .code,
              ErrorCode::invalid_json);
}

TEST(answer_reader, gives_out_the_end_only_when_it_has_come) {
    const std::string stream = begin + token("Hi", "[1]") + ":\n\n" + closing;
    const Read cut = read(stream);
    EXPECT_EQ(cut.events.size(), 2u) << "a reason that another entry will give again";
    EXPECT_EQ(cut.comments, std::vector<std::string>{":"});
    EXPECT_EQ(read(stream + done).events.size(), 4u);
}

TEST(answer_reader, passes_on_what_nobody_can_go_on_with) {
    const std::string two =
        event(R"({"choices":[{"index":1,"delta":{"content":"b"},"finish_reason":null}]})") +
        event(R"({"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]})") +
        event(R"({"choices":[{"index":1,"delta":{"content":"c"},"finish_reason":"stop"}]})");
    const AnswerReader::Options options = {.is_resumable = false};
    EXPECT_EQ(read(two, 7, options).outcome.error().code, ErrorCode::connection_closed);
    const Read whole = read(two + done, 7, options);
    ASSERT_TRUE(whole.outcome) << whole.outcome.error().message();
    EXPECT_EQ(whole.events.size(), 3u);
    const Read tool =
        read(begin + event(R"({"choices":[{"delta":{"tool_calls":[]},"finish_reason":null}]})"));
    EXPECT_TRUE(tool.known.is_lost);
    EXPECT_FALSE(read(begin + token("Hi", "[1]")).known.is_lost);
}

TEST(request_for_rest, is_the_request_and_what_is_known) {
    const boost::json::object body = {{"temperature", 1}, {"seed", 3}};
    EXPECT_EQ(boost::json::serialize(request_for_rest(body, {})),
              R"({"temperature":1,"seed":3,"stream":true,"return_token_ids":true})");
    EXPECT_EQ(
        boost::json::serialize(
            request_for_rest({}, {.token_ids = {4, 2}, .seed = 9, .created = 5})),
        R"({"stream":true,"return_token_ids":true,"seed":9,"created":5,"answer_token_ids":[4,2]})");
}

}  // namespace
}  // namespace teetee::client
