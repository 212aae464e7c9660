// SPDX-License-Identifier: Apache-2.0
#include "api/reply_format.hpp"

#include <limits>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "api/embeddings_format.hpp"
#include "base/bytes.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

const ReplyHead head = {.id = "0123456789abcdef0123456789abcdef",
                        .created = 7,
                        .model = "m",
                        .fingerprint = "fp_1",
                        .activations = "f32",
                        .context_length = 512};

GenerationRequest request_of(Dialect dialect, uint32_t choices = 1) {
    GenerationRequest request;
    request.dialect = dialect;
    request.choices = choices;
    if (!is_chat(dialect)) request.prompts = {"a"};
    return request;
}

Ending ending_of(bool has_calls = false) {
    Ending ending;
    ending.reason = pipeline::FinishReason::stop;
    ending.has_calls = has_calls;
    ending.usage = {.prompt_tokens = 5, .cached_tokens = 2, .completion_tokens = 3};
    ending.receipt = "/v1/receipts/1";
    return ending;
}

Piece piece_of(std::string text, std::vector<NamedCall> calls = {}) {
    Piece piece;
    piece.text = std::move(text);
    piece.calls = std::move(calls);
    return piece;
}

/// The "data" of each event, "[DONE]" as a string; that each is written as an event is checked.
std::vector<json::value> events(std::string_view text) {
    std::vector<json::value> out;
    while (!text.empty()) {
        const size_t end = text.find("\n\n");
        EXPECT_NE(end, std::string_view::npos);
        std::string_view event = text.substr(0, end);
        text.remove_prefix(end + 2);
        std::string_view name;
        if (event.starts_with("event: ")) {
            name = event.substr(7, event.find('\n') - 7);
            event.remove_prefix(event.find('\n') + 1);
        }
        EXPECT_TRUE(event.starts_with("data: ")) << event;
        event.remove_prefix(6);
        out.push_back(event == "[DONE]" ? json::value("[DONE]") : json::parse(event));
        if (!name.empty() && out.back().as_object().contains("type")) {
            EXPECT_EQ(out.back().at("type").as_string(), name);
        }
    }
    return out;
}

TEST(chat_format, streams_text_and_calls_of_each_choice) {
    GenerationRequest request = request_of(Dialect::chat, 2);
    request.stream_usage = true;
    const auto format = make_format(request, head);
    EXPECT_EQ(events(format->begin()).size(), 2u);
    const auto text = events(format->piece(1, piece_of("hi")));
    EXPECT_EQ(text[0].at("choices").at(0), json::parse(R"({"index":1,"finish_reason":null,
        "delta":{"content":"hi"}})"));
    const NamedCall first = {"call_1", {"f", "{}"}};
    const NamedCall second = {"call_2", {"g", "{\"a\":1}"}};
    const auto calls = events(format->piece(0, piece_of("", {first})));
    EXPECT_EQ(calls[0].at("choices").at(0).at("delta"), json::parse(R"({"tool_calls":[
        {"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"},"index":0}]})"));
    const auto last = events(format->ending(0, piece_of("", {second}), ending_of(true)));
    EXPECT_EQ(last[0].at("choices").at(0).at("finish_reason"), "tool_calls");
    EXPECT_EQ(last[0].at("choices").at(0).at("delta").at("tool_calls").at(0).at("index"), 1);
    EXPECT_EQ(last[0].at("choices").at(0).at("receipt"), "/v1/receipts/1");
    const auto end = events(format->finish({.prompt_tokens = 9, .completion_tokens = 4}));
    ASSERT_EQ(end.size(), 2u);
    EXPECT_EQ(end[0].at("usage").at("total_tokens"), 13);
    EXPECT_EQ(end[1], "[DONE]");
}

/// The one answer of a reply that is not streamed.
json::value whole_of(const GenerationRequest& request, const WholeAnswer& answer) {
    return json::parse(make_format(request, head)->whole({answer}, answer.ending.usage));
}

TEST(chat_format, has_no_content_where_only_tools_are_called) {
    const GenerationRequest request = request_of(Dialect::chat);
    const auto whole =
        whole_of(request, {piece_of("", {{"call_1", {"f", "{}"}}}), ending_of(true)});
    const auto& choice = whole.at("choices").at(0);
    EXPECT_EQ(choice.at("finish_reason"), "tool_calls");
    EXPECT_TRUE(choice.at("message").at("content").is_null());
    EXPECT_EQ(choice.at("message").at("tool_calls").at(0).at("function").at("name"), "f");
    EXPECT_EQ(whole.at("receipt"), "/v1/receipts/1");
    EXPECT_EQ(whole.at("usage").at("prompt_tokens_details").at("cached_tokens"), 2);
    EXPECT_EQ(whole.at("timings").at("prompt_n"), 3);
}

TEST(responses_format, tells_of_items_in_the_order_of_their_text) {
    GenerationRequest request = request_of(Dialect::responses);
    const auto format = make_format(request, head);
    std::string stream = format->begin();
    stream += format->piece(0, piece_of("Let me see."));
    stream += format->piece(0, piece_of("", {{"call_1", {"f", "{\"a\":1}"}}}));
    stream += format->ending(0, piece_of("Done"), ending_of(true));
    stream += format->finish(ending_of().usage);
    const auto all = events(stream);
    std::vector<std::string> types;
    for (size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].at("sequence_number"), i);
        types.emplace_back(all[i].at("type").as_string());
    }
    const std::string r = "response.";
    EXPECT_EQ(types, (std::vector<std::string>{
                         r + "created", r + "in_progress", r + "output_item.added",
                         r + "content_part.added", r + "output_text.delta", r + "output_text.done",
                         r + "content_part.done", r + "output_item.done", r + "output_item.added",
                         r + "function_call_arguments.delta", r + "function_call_arguments.done",
                         r + "output_item.done", r + "output_item.added", r + "content_part.added",
                         r + "output_text.delta", r + "output_text.done", r + "content_part.done",
                         r + "output_item.done", r + "completed"}));
    const auto& response = all.back().at("response");
    ASSERT_EQ(response.at("output").as_array().size(), 3u);
    EXPECT_EQ(response.at("output").at(0).at("content").at(0).at("text"), "Let me see.");
    EXPECT_EQ(response.at("output").at(1).at("arguments"), "{\"a\":1}");
    EXPECT_EQ(response.at("output").at(2).at("content").at(0).at("text"), "Done");
    EXPECT_EQ(response.at("usage").at("output_tokens"), 3);
    EXPECT_EQ(response.at("status"), "completed");
}

TEST(responses_format, says_why_an_answer_is_not_complete) {
    GenerationRequest request = request_of(Dialect::responses);
    request.echoed = {{"instructions", "be kind"}};
    Ending cut = ending_of();
    cut.reason = pipeline::FinishReason::length;
    const auto whole = whole_of(request, {piece_of("ab"), cut});
    EXPECT_EQ(whole.at("status"), "incomplete");
    EXPECT_EQ(whole.at("incomplete_details").at("reason"), "max_output_tokens");
    EXPECT_EQ(whole.at("instructions"), "be kind");
    const auto failed = events(
        make_format(request, head)
            ->failure({{"error",
                        {{"message", "no"}, {"type", "t"}, {"param", nullptr}, {"code", "c"}}}}));
    EXPECT_EQ(failed[0].at("response").at("status"), "failed");
    EXPECT_EQ(failed[1].at("type"), "error");
}

TEST(responses_format, tells_of_a_tokens_logprobs_once) {
    GenerationRequest request = request_of(Dialect::responses);
    Piece piece = piece_of("ab");
    piece.logprobs = json::array{{{"token", "ab"}, {"logprob", -0.5}}};
    const auto whole = whole_of(request, {piece, ending_of()});
    EXPECT_EQ(whole.at("output").at(0).at("content").at(0).at("logprobs").as_array().size(), 1u);
    request.stream = true;
    const auto format = make_format(request, head);
    const std::string stream = format->begin() + format->piece(0, piece) +
                               format->ending(0, Piece{}, ending_of()) +
                               format->finish(ending_of().usage);
    const size_t told = stream.find("\"logprob\"");
    EXPECT_NE(told, std::string::npos);
    EXPECT_EQ(stream.find("\"logprob\"", told + 1), std::string::npos);
}

TEST(embeddings_format, writes_numbers_that_are_these_floats) {
    GenerationRequest request = request_of(Dialect::embeddings);
    Piece piece;
    piece.embedding = {0.1F, -1.0F, 3e-10F, 16777216.0F};
    const auto numbers = whole_of(request, {piece, ending_of()}).at("data").at(0).at("embedding");
    ASSERT_EQ(numbers.as_array().size(), piece.embedding.size());
    for (size_t i = 0; i < piece.embedding.size(); ++i)
        EXPECT_EQ(numbers.at(i).to_number<float>(), piece.embedding[i]);
    request.wants_base64 = true;
    const auto encoded = whole_of(request, {piece, ending_of()}).at("data").at(0).at("embedding");
    EXPECT_EQ(std::string(encoded.as_string()), to_base64(embedding_bytes(piece.embedding)));
    request.wants_base64 = false;
    Piece nothing;
    nothing.embedding = {std::numeric_limits<float>::quiet_NaN()};
    EXPECT_TRUE(
        whole_of(request, {nothing, ending_of()}).at("data").at(0).at("embedding").at(0).is_null());
}

TEST(llama_format, says_what_stopped_it) {
    GenerationRequest request = request_of(Dialect::llama);
    request.sampling.temperature = 0.8F;
    const auto stop_type = [&](const Ending& ending) {
        return whole_of(request, {piece_of("b"), ending}).at("stop_type");
    };
    Ending ending = ending_of();
    EXPECT_EQ(stop_type(ending), "eos");
    ending.stop_found = "x";
    EXPECT_EQ(stop_type(ending), "word");
    ending.stop_found = "";
    ending.reason = pipeline::FinishReason::length;
    EXPECT_EQ(stop_type(ending), "limit");
    const auto format = make_format(request, head);
    EXPECT_EQ(events(format->piece(0, piece_of("b")))[0].at("stop"), false);
    const auto last = events(format->ending(0, piece_of("c"), ending));
    EXPECT_EQ(last[0].at("stop"), true);
    EXPECT_EQ(last[0].at("tokens_evaluated"), 5);
    EXPECT_EQ(last[0].at("generation_settings").at("temperature").as_double(), 0.8);
}

}  // namespace
}  // namespace teetee::api
