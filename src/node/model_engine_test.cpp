// SPDX-License-Identifier: Apache-2.0
#include "node/model_engine.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "model/tokenizer.hpp"

namespace teetee::node {
namespace {

using pipeline::ComputeJob;
using pipeline::ComputeResult;

/// The story model, alone on one node.
struct Story {
    Bytes file;
    std::optional<model::Tokenizer> tokenizer;
    std::unique_ptr<ModelEngine> engine;

    Story() {
        std::ifstream in(std::string(TEETEE_SOURCE_DIR) + "/models/story/story-q8_0.gguf",
                         std::ios::binary);
        file = Bytes(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
        const auto gguf = model::Gguf::parse(file).value();
        tokenizer = model::Tokenizer::build(model::vocabulary_from(gguf).value()).value();
        model::ModelOptions options;
        options.kv_positions_max = 4096;
        auto shard = model::ShardModel::load(gguf, options).value();
        engine = std::make_unique<ModelEngine>(
            std::move(shard), ModelEngine::Limits{.positions_max = 4096},
            model::ConstraintVocabulary::build(*tokenizer, {*tokenizer->vocabulary().eos}));
    }
};

struct Sequence {
    SamplingOptions sampling;
    std::vector<TokenId> prompt;
    std::vector<TokenId> answer{};
    std::vector<TokenLogprobs> logprobs{};
    std::optional<ErrorCode> failure{};
};

RequestId id_of(size_t index) {
    RequestId id;
    id.bytes[0] = static_cast<uint8_t>(index + 1);
    return id;
}

/// All in one batch, `chunk` rows of each at a time, until each has ended or has tokens_max.
void generate(Story& story, std::vector<Sequence*> sequences, size_t chunk, size_t tokens_max) {
    ComputeJob job;
    std::vector<size_t> fed(sequences.size());
    for (size_t i = 0; i < sequences.size(); ++i) {
        job.opens.push_back(
            {.request = id_of(i),
             .epoch = 1,
             .sampling = sequences[i]->sampling,
             .positions_max = static_cast<Position>(300),
             .prompt_positions = static_cast<Position>(sequences[i]->prompt.size())});
    }
    const TokenId eos = *story.tokenizer->vocabulary().eos;
    while (true) {
        for (size_t i = 0; i < sequences.size(); ++i) {
            const Sequence& one = *sequences[i];
            if (one.failure || one.answer.size() == tokens_max ||
                (!one.answer.empty() && one.answer.back() == eos))
                continue;
            std::vector<TokenId> all = one.prompt;
            all.insert(all.end(), one.answer.begin(), one.answer.end());
            for (size_t n = 0; n < chunk && fed[i] < all.size(); ++n, ++fed[i]) {
                job.rows.push_back({.request = id_of(i),
                                    .position = static_cast<Position>(fed[i]),
                                    .wants_token = fed[i] + 1 == all.size(),
                                    .token = all[fed[i]]});
                job.tokens.push_back(all[fed[i]]);
            }
        }
        if (job.rows.empty()) break;
        const ComputeResult result = story.engine->compute(std::exchange(job, {}));
        for (const auto& token : result.tokens) {
            Sequence& one = *sequences[token.request.bytes[0] - 1u];
            one.answer.push_back(token.token);
            if (token.logprobs) one.logprobs.push_back(*token.logprobs);
        }
        for (const auto& failure : result.failures)
            sequences[failure.request.bytes[0] - 1u]->failure = failure.error.code;
    }
    for (size_t i = 0; i < sequences.size(); ++i) job.closes.push_back(id_of(i));
    story.engine->compute(std::move(job));
}

std::vector<Sequence> some_sequences(const model::Tokenizer& tokenizer) {
    const auto prompt = tokenizer.encode("Once upon a time", {.add_special = true}).value();
    const Constraint schema{
        .kind = ConstraintKind::json_schema,
        .source = R"({"type":"object","properties":{"name":{"type":"string","maxLength":10},
                      "age":{"type":"integer","minimum":1,"maximum":99}},
                      "required":["name","age"],"additionalProperties":false})"};
    std::vector<Sequence> out;
    out.push_back({{.temperature = 0.8F, .seed = 1, .logprobs = true, .top_logprobs = 3}, prompt});
    out.push_back({{.temperature = 0.8F, .seed = 2, .constraint = schema}, prompt});
    out.push_back({{.repetition_penalty = 1.3F, .presence_penalty = 0.5F}, prompt});
    out.push_back({{.temperature = 1.0F,
                    .seed = 4,
                    .min_p = 0.1F,
                    .frequency_penalty = 0.7F,
                    .constraint = {.kind = ConstraintKind::gbnf,
                                   .source = "root ::= (\" \" [a-z]+){3,6} \".\""}},
                   prompt});
    return out;
}

TEST(model_engine, answers_do_not_depend_on_the_batch) {
    Story story;
    std::vector<Sequence> together = some_sequences(*story.tokenizer);
    std::vector<Sequence> alone = together;
    generate(story, {&together[0], &together[1], &together[2], &together[3]}, 2, 60);
    for (size_t i = 0; i < alone.size(); ++i) {
        generate(story, {&alone[i]}, 100, 60);
        EXPECT_EQ(alone[i].answer, together[i].answer) << i;
        EXPECT_EQ(alone[i].logprobs, together[i].logprobs) << i;
        EXPECT_FALSE(alone[i].failure);
    }
    EXPECT_EQ(together[0].logprobs.size(), together[0].answer.size());
    EXPECT_EQ(together[0].logprobs[0].top.size(), 3u);
}

// Guessed tokens go with the last known one; where they are wrong, the next job goes back.
TEST(model_engine, answers_do_not_depend_on_guesses) {
    Story story;
    std::vector<Sequence> plain = some_sequences(*story.tokenizer);
    Sequence& wanted = plain[0];
    generate(story, {&wanted}, 100, 60);
    const std::vector<TokenId>& prompt = wanted.prompt;
    const auto prompt_count = static_cast<Position>(prompt.size());
    ComputeJob job;
    job.opens.push_back({.request = id_of(0),
                         .epoch = 1,
                         .sampling = wanted.sampling,
                         .positions_max = 300,
                         .prompt_positions = prompt_count});
    std::vector<TokenId> text = prompt;
    size_t fed = 0;
    for (size_t round = 0; text.size() < prompt.size() + 50; ++round) {
        std::vector<TokenId> rows(text.begin() + static_cast<ptrdiff_t>(fed), text.end());
        // Of up to three guesses every other one is wrong.
        for (size_t i = 0; i < round % 4 && fed >= prompt.size(); ++i) {
            const TokenId right = wanted.answer[text.size() - prompt.size() + i];
            rows.push_back((round + i) % 2 == 0 ? right : right + 1);
        }
        for (const TokenId token : rows) {
            const auto position = static_cast<Position>(fed++);
            job.rows.push_back({id_of(0), position, position + 1 >= prompt_count});
            job.tokens.push_back(token);
        }
        const ComputeResult result = story.engine->compute(std::exchange(job, {}));
        ASSERT_TRUE(result.failures.empty());
        size_t at = fed - rows.size();
        for (const TokenId token : rows) {
            if (at >= text.size() || text[at] != token) break;
            if (++at < text.size()) continue;
            const auto picked = std::ranges::find(result.tokens, static_cast<Position>(at - 1),
                                                  &pipeline::SampledToken::position);
            ASSERT_NE(picked, result.tokens.end());
            text.push_back(picked->token);
            ASSERT_EQ(*picked->logprobs, wanted.logprobs[text.size() - prompt.size() - 1]);
        }
        fed = text.size() - 1;
    }
    text.erase(text.begin(), text.begin() + static_cast<ptrdiff_t>(prompt.size()));
    EXPECT_TRUE(std::ranges::equal(text, std::span(wanted.answer).first(text.size())));
}

TEST(model_engine, an_answer_goes_on_from_any_of_its_tokens) {
    Story story;
    for (Sequence whole : some_sequences(*story.tokenizer)) {
        generate(story, {&whole}, 100, 24);
        ASSERT_FALSE(whole.failure);
        for (size_t known = 1; known < whole.answer.size(); ++known) {
            const auto begin = whole.answer.begin();
            const auto middle = begin + static_cast<ptrdiff_t>(known);
            Sequence rest{whole.sampling, whole.prompt};
            rest.prompt.insert(rest.prompt.end(), begin, middle);
            rest.sampling.answer_given = static_cast<uint32_t>(known);
            generate(story, {&rest}, 100, whole.answer.size() - known);
            EXPECT_EQ(rest.answer, std::vector<TokenId>(middle, whole.answer.end())) << known;
            EXPECT_TRUE(std::ranges::equal(
                rest.logprobs,
                std::span(whole.logprobs).last(whole.logprobs.empty() ? 0 : rest.answer.size())));
        }
    }
}

TEST(model_engine, a_constrained_answer_parses) {
    Story story;
    Sequence one = some_sequences(*story.tokenizer)[1];
    for (uint64_t seed = 0; seed < 8; ++seed) {
        one.sampling.seed = seed;
        one.answer.clear();
        generate(story, {&one}, 100, 200);
        ASSERT_FALSE(one.failure);
        ASSERT_EQ(one.answer.back(), *story.tokenizer->vocabulary().eos);
        one.answer.pop_back();
        const std::string text =
            story.tokenizer->decode(one.answer, {.continues_text = true}).value();
        boost::system::error_code malformed;
        const auto value = boost::json::parse(text, malformed);
        ASSERT_FALSE(malformed) << text;
        const int64_t age = value.as_object().at("age").as_int64();
        EXPECT_TRUE(age >= 1 && age <= 99) << text;
    }
}

TEST(model_engine, penalties_and_bias_change_the_answer) {
    Story story;
    const auto prompt = story.tokenizer->encode("Once", {.add_special = true}).value();
    Sequence plain{{}, prompt};
    generate(story, {&plain}, 100, 40);
    Sequence biased = plain;
    biased.answer.clear();
    biased.sampling.logit_bias = {{plain.answer[0], -100.0F}};
    Sequence penalised = plain;
    penalised.answer.clear();
    penalised.sampling.presence_penalty = 2.0F;
    penalised.sampling.repetition_penalty = 100.0F;
    generate(story, {&biased, &penalised}, 100, 40);
    EXPECT_EQ(std::ranges::count(biased.answer, plain.answer[0]), 0);
    const std::set<TokenId> different(penalised.answer.begin(), penalised.answer.end());
    const std::set<TokenId> before(plain.answer.begin(), plain.answer.end());
    EXPECT_GT(different.size(), before.size());
}

TEST(model_engine, a_bad_constraint_fails_its_own_sequence_only) {
    Story story;
    const auto prompt = story.tokenizer->encode("Once", {.add_special = true}).value();
    Sequence good{{}, prompt};
    Sequence bad{{.constraint = {.kind = ConstraintKind::gbnf, .source = "root ::= missing"}},
                 prompt};
    generate(story, {&good, &bad}, 100, 5);
    EXPECT_EQ(good.answer.size(), 5u);
    EXPECT_FALSE(good.failure);
    EXPECT_EQ(bad.failure, ErrorCode::grammar_invalid);
    EXPECT_TRUE(bad.answer.empty());
}

TEST(model_engine, dear_masks_fail_their_own_sequences_only) {
    Story story;
    const auto prompt = story.tokenizer->encode("Once", {.add_special = true}).value();
    // 200 places at a time, at each of which every letter leads on in a way of its own.
    std::string letters = "\"\"";
    for (char c = 'a'; c <= 'z'; ++c) letters += std::string(" | \"") + c + '"';
    for (char c = 'A'; c <= 'Z'; ++c) letters += std::string(" | \"") + c + '"';
    const Constraint dear{.kind = ConstraintKind::gbnf,
                          .source = "root ::= x{0,200}\nx ::= " + letters};
    std::vector<Sequence> sequences(10, {{.constraint = dear}, prompt});
    sequences.push_back(some_sequences(*story.tokenizer)[1]);
    sequences.push_back({{}, prompt});
    std::vector<Sequence*> batch;
    for (Sequence& one : sequences) batch.push_back(&one);
    generate(story, batch, 100, 1);
    size_t refused = 0;
    for (size_t i = 0; i < 10; ++i) {
        if (!sequences[i].failure) continue;
        EXPECT_EQ(sequences[i].failure, ErrorCode::grammar_too_complex);
        ++refused;
    }
    EXPECT_GT(refused, 0u);
    EXPECT_LT(refused, 10u);
    for (size_t i = 10; i < 12; ++i) {
        EXPECT_FALSE(sequences[i].failure) << i;
        EXPECT_EQ(sequences[i].answer.size(), 1u);
    }
}

}  // namespace
}  // namespace teetee::node
