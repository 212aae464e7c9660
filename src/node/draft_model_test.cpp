// SPDX-License-Identifier: Apache-2.0
#include "node/draft_model.hpp"

#include <gtest/gtest.h>

#include "model/tokenizer.hpp"
#include "node/model_engine.hpp"
#include "node/test_network.hpp"

namespace teetee::node {
namespace {

using test::story_model;

std::string story_path() {
    return std::string(TEETEE_SOURCE_DIR) + "/models/story/story-q8_0.gguf";
}

model::Vocabulary story_vocabulary() {
    const Bytes file = story_model();
    return model::vocabulary_from(model::Gguf::parse(file).value()).value();
}

std::unique_ptr<DraftModel> story_drafter(Position kv_positions = 4096) {
    return DraftModel::load({.path = story_path(), .kv_budget = {.positions = kv_positions}},
                            story_vocabulary())
        .value();
}

std::vector<TokenId> prompt_of(std::string_view text) {
    return model::Tokenizer::build(story_vocabulary())
        .value()
        .encode(text, {.add_special = true})
        .value();
}

pipeline::DraftJob job_of(uint8_t id, std::vector<TokenId> text, SamplingOptions sampling,
                          size_t count) {
    return {.request = {.bytes = {id}},
            .text = std::move(text),
            .sampling = std::move(sampling),
            .positions_max = 256,
            .count = count};
}

/// Prompt and answer as an entry that serves all layers would give them, token by token.
std::vector<TokenId> plain(std::vector<TokenId> text, const SamplingOptions& sampling,
                           size_t count) {
    const Bytes file = story_model();
    model::ModelOptions options;
    options.kv_positions_max = 4096;
    ModelEngine engine(model::ShardModel::load(model::Gguf::parse(file).value(), options).value(),
                       {.positions_max = 4096});
    pipeline::ComputeJob job;
    job.opens.push_back({.epoch = 1,
                         .sampling = sampling,
                         .positions_max = 256,
                         .prompt_positions = static_cast<Position>(text.size())});
    const size_t end = text.size() + count;
    for (size_t at = 0; text.size() < end; ++at) {
        const bool wants_token = at + 1 == text.size();
        job.rows = {{.position = static_cast<Position>(at), .wants_token = wants_token}};
        job.tokens = {text[at]};
        const auto result = engine.compute(std::exchange(job, {}));
        if (wants_token) text.push_back(result.tokens.at(0).token);
    }
    return text;
}

TEST(draft_model, draws_what_the_model_itself_would) {
    for (const float temperature : {0.0F, 0.8F}) {
        const SamplingOptions sampling{.temperature = temperature, .seed = 7};
        const auto prompt = prompt_of("Once upon a time there was a");
        const auto all = plain(prompt, sampling, 40);
        const auto drafter = story_drafter();
        for (size_t place = prompt.size(); place + 8 <= all.size(); place += 5) {
            const std::vector<TokenId> text(all.begin(), all.begin() + static_cast<long>(place));
            const auto result = drafter->draft(job_of(1, text, sampling, 8));
            ASSERT_TRUE(result);
            EXPECT_TRUE(result->is_ready);
            EXPECT_EQ(result->place, place);
            EXPECT_EQ(result->tokens,
                      std::vector<TokenId>(all.begin() + static_cast<long>(place),
                                           all.begin() + static_cast<long>(place) + 8))
                << place;
        }
    }
}

// What was drafted and did not come is forgotten, wherever the text parts from it.
TEST(draft_model, follows_a_text_that_goes_another_way) {
    const auto drafter = story_drafter();
    auto text = prompt_of("Once upon a time there was a little");
    for (const size_t cut : {0u, 1u, 3u, 6u}) {
        const auto drafted = drafter->draft(job_of(1, text, {}, 8));
        text.insert(text.end(), drafted->tokens.begin(),
                    drafted->tokens.begin() + static_cast<long>(cut));
        text.push_back(100 + static_cast<TokenId>(cut));
        const auto kept = drafter->draft(job_of(1, text, {}, 5));
        EXPECT_EQ(kept->tokens, story_drafter()->draft(job_of(2, text, {}, 5))->tokens) << cut;
    }
}

TEST(draft_model, takes_long_texts_in_several_jobs) {
    const auto drafter =
        DraftModel::load({.path = story_path(), .rows_max = 8}, story_vocabulary()).value();
    const auto text = plain(prompt_of("Once upon a time"), {}, 16);
    const size_t jobs = (text.size() + 7) / 8;
    for (size_t i = 1; i < jobs; ++i) {
        const auto result = drafter->draft(job_of(1, text, {}, 3));
        EXPECT_FALSE(result->is_ready) << i;
        EXPECT_TRUE(result->tokens.empty());
    }
    const auto result = drafter->draft(job_of(1, text, {}, 3));
    EXPECT_TRUE(result->is_ready);
    EXPECT_EQ(result->tokens, story_drafter()->draft(job_of(1, text, {}, 3))->tokens);
}

TEST(draft_model, has_room_again_once_requests_are_over) {
    const auto drafter = story_drafter(256);
    const auto prompt = prompt_of("Once upon a time");
    EXPECT_EQ(drafter->draft(job_of(1, prompt, {}, 2))->tokens.size(), 2u);
    const auto refused = drafter->draft(job_of(2, prompt, {}, 2));
    EXPECT_FALSE(refused->is_ready);
    EXPECT_TRUE(refused->tokens.empty());
    EXPECT_FALSE(drafter->draft({.closes = {{.bytes = {1}}, {.bytes = {2}}}}));
    EXPECT_EQ(drafter->draft(job_of(2, prompt, {}, 2))->tokens.size(), 2u);
}

TEST(draft_model, survives_what_it_cannot_compute) {
    const auto drafter = story_drafter();
    const auto prompt = prompt_of("Once upon a time");
    auto strange = prompt;
    strange.push_back(0xffffffff);
    EXPECT_FALSE(drafter->draft(job_of(1, strange, {}, 2))->is_ready);
    auto longer = job_of(1, std::vector<TokenId>(100, 50), {}, 2);
    longer.positions_max = 99;
    EXPECT_FALSE(drafter->draft(longer)->is_ready);
    auto full = job_of(1, prompt, {}, 8);
    full.positions_max = static_cast<Position>(prompt.size()) + 2;
    EXPECT_EQ(drafter->draft(full)->tokens.size(), 3u) << "behind each position that there is";
    EXPECT_EQ(drafter->draft(job_of(2, prompt, {}, 2))->tokens.size(), 2u);
}

TEST(draft_model, needs_the_served_vocabulary) {
    model::Vocabulary other = story_vocabulary();
    other.tokens[300].text += "x";
    auto loaded = DraftModel::load({.path = story_path()}, other);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::config_invalid);
    EXPECT_NE(loaded.error().detail.find("token 300"), std::string::npos) << loaded.error().detail;
    other.tokens.pop_back();
    loaded = DraftModel::load({.path = story_path()}, other);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::config_invalid);
}

TEST(draft_model, is_a_whole_model_at_an_entry) {
    const test::TestNetwork network(2);
    net::Loop loop;
    const SystemClock clock;
    SystemRng rng;
    test::RecordingLog log;
    attest::DevTee tee = attest::test::make_tee();
    for (const uint32_t shard : {0u, 1u}) {
        NodeOptions options = network.options(shard);
        options.listen = {"127.0.0.1", 0};
        options.draft_model.path = shard == 0 ? options.shard.path : story_path();
        const auto node = Node::start({loop, clock, rng, log, tee}, options);
        ASSERT_FALSE(node);
        EXPECT_EQ(node.error().code, ErrorCode::config_invalid);
        EXPECT_NE(node.error().detail.find(shard == 0 ? "whole model" : "layer 0"),
                  std::string::npos)
            << node.error().detail;
    }
}

}  // namespace
}  // namespace teetee::node
