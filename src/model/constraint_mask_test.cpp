// SPDX-License-Identifier: Apache-2.0
#include "model/constraint_mask.hpp"

#include <random>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "model/test_model.hpp"

namespace teetee::model {
namespace {

struct Story {
    Tokenizer tokenizer;
    std::shared_ptr<const ConstraintVocabulary> vocabulary;
};

Story story() {
    const Bytes file = read_file(std::string(TEETEE_SOURCE_DIR) + "/models/story/story-q8_0.gguf");
    auto tokenizer = Tokenizer::build(vocabulary_from(Gguf::parse(file).value()).value()).value();
    auto vocabulary = ConstraintVocabulary::build(tokenizer, {*tokenizer.vocabulary().eos});
    return {std::move(tokenizer), std::move(vocabulary)};
}

constexpr const char* person_schema =
    R"({"type":"object","properties":{"name":{"type":"string","maxLength":8},
        "age":{"type":"integer","minimum":0,"maximum":150},"child":{"type":"boolean"}},
        "required":["name","age"],"additionalProperties":false})";

TEST(constraint_mask, answers_over_random_logits_fit_the_schema) {
    const Story model = story();
    const size_t token_count = model.tokenizer.vocabulary().tokens.size();
    const Constraint constraint{.kind = ConstraintKind::json_schema, .source = person_schema};
    std::mt19937 random(3);
    std::vector<float> logits(token_count);
    Sampler sampler;
    int ended = 0;
    for (uint64_t seed = 0; seed < 40; ++seed) {
        const SamplingOptions options{.temperature = seed % 4 == 0 ? 0.0F : 1.0F, .seed = seed};
        auto mask = ConstraintMask::begin(constraint, model.vocabulary);
        ASSERT_TRUE(mask);
        std::vector<TokenId> answer;
        for (Position position = 0; position < 300; ++position) {
            for (float& logit : logits) logit = static_cast<float>(random() % 1000) * 0.01F;
            const auto allowed = mask->allowed();
            ASSERT_TRUE(allowed) << allowed.error().message();
            const TokenId token =
                sampler.sample(logits, options, {.position = position, .allowed = *allowed});
            if (model.tokenizer.is_end_of_generation(token)) {
                const std::string text =
                    model.tokenizer.decode(answer, {.continues_text = true}).value();
                boost::system::error_code malformed;
                const auto value = boost::json::parse(text, malformed);
                ASSERT_FALSE(malformed) << text;
                ASSERT_TRUE(value.as_object().at("name").is_string()) << text;
                const int64_t age = value.as_object().at("age").as_int64();
                EXPECT_TRUE(age >= 0 && age <= 150) << text;
                ++ended;
                break;
            }
            answer.push_back(token);
            ASSERT_TRUE(mask->push(token));
        }
    }
    EXPECT_GT(ended, 20);
}

TEST(constraint_mask, is_what_trying_every_token_gives) {
    const Story model = story();
    const Constraint constraint{
        .kind = ConstraintKind::gbnf,
        .source = "root ::= \" Once\" [a-z ,.]{0,12} (\"!\" | \"\xc3\xa9\")"};
    auto mask = ConstraintMask::begin(constraint, model.vocabulary);
    ASSERT_TRUE(mask);
    std::vector<TokenId> answer;
    std::mt19937 random(9);
    for (int made = 0; made < 6; ++made) {
        const TokenMask allowed = **mask->allowed();
        std::vector<TokenId> choices;
        for (TokenId id = 0; id < model.vocabulary->texts.size(); ++id) {
            auto tried = ConstraintMask::begin(constraint, model.vocabulary);
            for (const TokenId token : answer) ASSERT_TRUE(tried->push(token));
            if (model.tokenizer.is_end_of_generation(id)) continue;
            EXPECT_EQ(tried->push(id).has_value(), allowed.contains(id)) << id;
            if (allowed.contains(id)) choices.push_back(id);
        }
        if (choices.empty()) break;
        answer.push_back(choices[random() % choices.size()]);
        ASSERT_TRUE(mask->push(answer.back()));
    }
    EXPECT_GE(answer.size(), 2u);
}

TEST(constraint_mask, an_end_token_only_where_the_text_is_whole) {
    const Story model = story();
    const TokenId eos = *model.tokenizer.vocabulary().eos;
    auto mask = ConstraintMask::begin(
        {.kind = ConstraintKind::gbnf, .source = R"(root ::= " a" "b"?)"}, model.vocabulary);
    ASSERT_TRUE(mask);
    EXPECT_FALSE((*mask->allowed())->contains(eos));
    const TokenId a = model.tokenizer.encode("a").value().back();
    ASSERT_EQ(model.vocabulary->texts[a], " a");
    ASSERT_TRUE(mask->push(a));
    EXPECT_TRUE((*mask->allowed())->contains(eos));
    EXPECT_EQ(mask->push(eos).error().code, ErrorCode::grammar_stuck);
}

TEST(constraint_mask, a_dead_end_is_an_error) {
    auto vocabulary = std::make_shared<ConstraintVocabulary>();
    vocabulary->texts = {"", "a"};
    vocabulary->trie = grammar::TokenTrie::build(vocabulary->texts);
    vocabulary->end_tokens = {0};
    auto mask = ConstraintMask::begin({.kind = ConstraintKind::gbnf, .source = R"(root ::= "ab")"},
                                      vocabulary);
    ASSERT_TRUE(mask && mask->allowed() && mask->push(1));
    EXPECT_EQ(mask->allowed().error().code, ErrorCode::grammar_stuck);
}

}  // namespace
}  // namespace teetee::model
