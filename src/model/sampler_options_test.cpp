// SPDX-License-Identifier: Apache-2.0
// The sampler against the sentences of docs/numerics.md, written down once more without haste.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "model/candidates.hpp"
#include "model/sampler.hpp"
#include "tensor/math.hpp"

namespace teetee::model {
namespace {

struct Case {
    std::vector<float> logits;
    std::vector<TokenId> prompt, answer;
    SamplingOptions options;
    std::vector<bool> allowed;  // empty: all
};

uint32_t count_of(std::span<const TokenId> tokens, TokenId id) {
    return static_cast<uint32_t>(std::ranges::count(tokens, id));
}

std::vector<float> reference_logits(const Case& c) {
    std::vector<float> out = c.logits;
    for (const LogitBias& b : c.options.logit_bias) out[b.token] += b.bias;
    std::vector<TokenId> all = c.prompt;
    all.insert(all.end(), c.answer.begin(), c.answer.end());
    const size_t window = c.options.repetition_window;
    if (window > 0 && all.size() > window)
        all.erase(all.begin(), all.end() - static_cast<ptrdiff_t>(window));
    for (TokenId id = 0; id < out.size(); ++id) {
        if (c.options.repetition_penalty != 1.0F && count_of(all, id) > 0) {
            out[id] = out[id] > 0 ? out[id] / c.options.repetition_penalty
                                  : out[id] * c.options.repetition_penalty;
        }
        const uint32_t made = count_of(c.answer, id);
        if (made > 0) {
            out[id] = out[id] - static_cast<float>(made) * c.options.frequency_penalty;
            out[id] = out[id] - c.options.presence_penalty;
        }
        if (!c.allowed.empty() && !c.allowed[id]) out[id] = -INFINITY;
    }
    return out;
}

TokenId reference_sample(const Case& c, Position position) {
    const std::vector<float> logits = reference_logits(c);
    std::vector<TokenId> order;
    for (TokenId id = 0; id < logits.size(); ++id) {
        if (c.allowed.empty() || c.allowed[id]) order.push_back(id);
    }
    std::ranges::stable_sort(order, [&](TokenId a, TokenId b) { return logits[a] > logits[b]; });
    if (c.options.temperature == 0 || c.options.top_k == 1) return order[0];
    if (c.options.top_k > 0 && order.size() > c.options.top_k) order.resize(c.options.top_k);
    const auto gap = [&](TokenId id) {
        return (double{logits[id]} - double{logits[order[0]]}) / c.options.temperature;
    };
    if (c.options.typical_p < 1) {
        const auto& exp = tensor::ExpTable::instance();
        double total = 0, entropy = 0;
        std::vector<TokenId> nearest = order;
        std::ranges::sort(nearest);
        for (const TokenId id : nearest) total += exp(gap(id));
        const double log_total = tensor::log_f64(total);
        for (const TokenId id : nearest) entropy += exp(gap(id)) / total * (-gap(id) + log_total);
        std::ranges::stable_sort(nearest, [&](TokenId a, TokenId b) {
            return std::abs(-gap(a) + log_total - entropy) <
                   std::abs(-gap(b) + log_total - entropy);
        });
        double sum = 0;
        std::vector<TokenId> kept;
        for (size_t i = 0; i < nearest.size() && sum < c.options.typical_p * total; ++i) {
            kept.push_back(nearest[i]);
            sum += exp(gap(nearest[i]));
        }
        std::erase_if(order, [&](TokenId id) { return std::ranges::count(kept, id) == 0; });
    }
    std::vector<double> weights;
    double total = 0;
    for (const TokenId id : order) {
        weights.push_back(id == order[0] ? 1.0 : gap(id) > -700 ? tensor::exp_f64(gap(id)) : 0.0);
        total += weights.back();
    }
    size_t kept = 0;
    double mass = 0;
    while (kept < order.size() && (c.options.top_p == 1 || mass < c.options.top_p * total)) {
        mass += weights[kept++];
    }
    if (c.options.min_p > 0) {
        kept = static_cast<size_t>(
            std::ranges::count_if(std::span(weights).first(kept),
                                  [&](double weight) { return weight >= c.options.min_p; }));
        mass =
            std::accumulate(weights.begin(), weights.begin() + static_cast<ptrdiff_t>(kept), 0.0);
    }
    double left = uniform_of(c.options.seed, position) * mass;
    for (size_t i = 0; i < kept; ++i) {
        left -= weights[i];
        if (left < 0) return order[i];
    }
    return order[kept - 1];
}

TokenId sampled(const Case& c, Position position) {
    TokenHistory history(c.options, static_cast<Position>(c.prompt.size()));
    for (const TokenId id : c.prompt) history.push(id);
    for (const TokenId id : c.answer) history.push(id);
    TokenMask mask(c.logits.size());
    for (TokenId id = 0; id < c.allowed.size(); ++id) {
        if (c.allowed[id]) mask.add(id);
    }
    return Sampler().sample(c.logits, c.options,
                            {.position = position,
                             .history = &history,
                             .allowed = c.allowed.empty() ? nullptr : &mask});
}

Case random_case(std::mt19937& random, size_t token_count) {
    const auto chance = [&](double p) { return std::bernoulli_distribution(p)(random); };
    const auto real = [&](double from, double to) {
        return static_cast<float>(std::uniform_real_distribution<double>(from, to)(random));
    };
    const auto token = [&] { return static_cast<TokenId>(random() % token_count); };
    Case c;
    const float spread = real(0.1, 12);
    std::normal_distribution<float> normal(0, spread);
    for (size_t i = 0; i < token_count; ++i) {
        c.logits.push_back(chance(0.1) ? std::round(normal(random)) : normal(random));
    }
    for (size_t i = random() % 40; i > 0; --i) c.prompt.push_back(token());
    for (size_t i = random() % 40; i > 0; --i) c.answer.push_back(token());
    c.options.temperature = chance(0.1) ? 0.0F : real(0.2, 2);
    c.options.seed = random();
    if (chance(0.3)) c.options.top_k = static_cast<uint32_t>(1 + random() % token_count);
    if (chance(0.4)) c.options.top_p = real(0.3, 1);
    if (chance(0.3)) c.options.min_p = real(0.001, 0.5);
    if (chance(0.3)) c.options.typical_p = real(0.2, 1);
    if (chance(0.3)) c.options.repetition_penalty = real(0.5, 2);
    if (chance(0.3)) c.options.repetition_window = static_cast<uint32_t>(random() % 50);
    if (chance(0.3)) c.options.presence_penalty = real(-2, 2);
    if (chance(0.3)) c.options.frequency_penalty = real(-2, 2);
    if (chance(0.2)) c.options.logit_bias = {{1, real(-100, 100)}, {3, real(-5, 5)}};
    if (chance(0.2)) {
        for (size_t i = 0; i < token_count; ++i) c.allowed.push_back(chance(0.3));
        c.allowed[token()] = true;
    }
    return c;
}

TEST(sampler_options, every_combination_gives_the_token_of_the_specification) {
    std::mt19937 random(7);
    for (int i = 0; i < 4000; ++i) {
        const Case c = random_case(random, 5 + random() % 300);
        ASSERT_TRUE(validate(c.options));
        for (Position p = 0; p < 4; ++p) {
            ASSERT_EQ(sampled(c, p), reference_sample(c, p)) << "case " << i << " position " << p;
        }
    }
}

TEST(sampler_options, drawing_without_order_agrees_with_the_ordered_draw) {
    std::mt19937 random(11);
    std::vector<uint8_t> memory;
    size_t answered = 0, asked = 0;
    for (int i = 0; i < 300; ++i) {
        Case c = random_case(random, 2000);
        c.options.typical_p = 1;
        c.options.temperature = std::max(c.options.temperature, 0.1F);
        for (Position p = 0; p < 8; ++p, ++asked) {
            const auto fast = draw_from_all(c.logits, c.options, p, memory);
            if (!fast) continue;
            ++answered;
            const TokenId slow =
                draw(c.logits, top_candidates(c.logits, c.logits.size()), c.options, p);
            ASSERT_EQ(*fast, slow);
        }
    }
    EXPECT_GT(answered, asked * 98 / 100) << "of " << asked;
}

TEST(sampler_options, equal_logits_and_far_ones_are_drawn_as_specified) {
    std::mt19937 random(3);
    for (const float low : {0.0F, -5.0F, -29.9F, -31.0F, -1000.0F, -INFINITY}) {
        Case c;
        for (int i = 0; i < 400; ++i) c.logits.push_back(random() % 3 == 0 ? 2.0F : low);
        for (Position p = 0; p < 50; ++p) {
            for (const float top_p : {1.0F, 0.5F}) {
                c.options = {.temperature = 1, .top_p = top_p, .seed = p};
                ASSERT_EQ(sampled(c, p), reference_sample(c, p)) << low;
            }
        }
    }
}

TEST(sampler_options, only_allowed_tokens_come_out_whatever_the_logits) {
    for (const float temperature : {0.0F, 1.0F}) {
        for (const uint32_t top_k : {0u, 2u, 100u}) {
            Case c{.logits = {9, NAN, -INFINITY, 8, -INFINITY},
                   .prompt = {},
                   .answer = {},
                   .options = {.temperature = temperature, .top_k = top_k},
                   .allowed = {false, false, true, false, true}};
            for (Position p = 0; p < 20; ++p) {
                const TokenId id = sampled(c, p);
                EXPECT_TRUE(id == 2 || id == 4) << id;
            }
        }
    }
}

TEST(sampler_options, typical_prefers_the_expected_surprise) {
    // One likely token and many rare ones of equal weight: the rare are the typical.
    Case c;
    c.logits = {3};
    c.logits.resize(200, 0.0F);
    c.options = {.temperature = 1, .typical_p = 0.5F};
    for (Position p = 0; p < 50; ++p) EXPECT_NE(sampled(c, p), 0u);
}

TEST(sampler_options, a_window_forgets_what_left_it) {
    SamplingOptions options{.repetition_penalty = 2, .repetition_window = 3};
    TokenHistory history(options, 2);
    for (const TokenId id : {5u, 5u, 6u, 7u, 5u}) history.push(id);
    EXPECT_EQ(history.window(), (TokenHistory::Counts{{6, 1}, {7, 1}, {5, 1}}));
    EXPECT_EQ(history.answer(), (TokenHistory::Counts{{6, 1}, {7, 1}, {5, 1}}));
    history.push(8);
    EXPECT_EQ(history.window(), (TokenHistory::Counts{{7, 1}, {5, 1}, {8, 1}}));
    options.repetition_window = 0;
    TokenHistory whole(options, 2);
    for (const TokenId id : {5u, 5u, 6u, 7u, 5u}) whole.push(id);
    EXPECT_EQ(whole.window(), (TokenHistory::Counts{{5, 3}, {6, 1}, {7, 1}}));
}

TEST(sampler_options, logprobs_are_those_of_the_models_own_logits) {
    const std::vector<float> logits = {1, 2, 3, 3, -INFINITY, NAN};
    const TokenLogprobs logprobs = logprobs_of(logits, 1, 3);
    const double lse = std::log(std::exp(1.0) + std::exp(2.0) + 2 * std::exp(3.0));
    EXPECT_NEAR(logprobs.chosen, 2 - lse, 1e-6);
    ASSERT_EQ(logprobs.top.size(), 3u);
    EXPECT_EQ(logprobs.top[0].token, 2u);
    EXPECT_EQ(logprobs.top[1].token, 3u);
    EXPECT_EQ(logprobs.top[2].token, 1u);
    EXPECT_NEAR(logprobs.top[0].logprob, 3 - lse, 1e-6);
    EXPECT_EQ(logprobs_of(logits, 4, 0).chosen, -INFINITY);
    EXPECT_EQ(logprobs_of(logits, 5, 0).chosen, -INFINITY);
    EXPECT_EQ(logprobs_of(std::vector<float>{INFINITY, 1}, 0, 20).top.size(), 2u);
    EXPECT_TRUE(logprobs_of(std::vector<float>{7}, 0, 20).chosen == 0.0F);
}

TEST(sampler_options, the_table_of_exp_is_as_exact_as_it_says) {
    const auto& exp = tensor::ExpTable::instance();
    for (double x = 0; x > -699; x -= 0.0371) EXPECT_NEAR(exp(x) / std::exp(x), 1.0, 1e-15) << x;
    EXPECT_EQ(exp(0.0), 1.0);
}

}  // namespace
}  // namespace teetee::model
