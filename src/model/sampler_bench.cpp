// SPDX-License-Identifier: Apache-2.0
// What picking one token costs, for vocabularies of 32,000 and of 152,000 tokens.
#include <random>

#include <benchmark/benchmark.h>

#include "model/sampler.hpp"

namespace teetee::model {
namespace {

std::vector<float> logits_of(int64_t count) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 2.5F);
    std::vector<float> logits(static_cast<size_t>(count));
    for (float& v : logits) v = normal(random);
    for (size_t i = 0; i < 20; ++i) logits[random() % logits.size()] += 14.0F;
    return logits;
}

void run(benchmark::State& state, const SamplingOptions& options) {
    const auto logits = logits_of(state.range(0));
    Sampler sampler;
    TokenHistory history(options, 0);
    for (TokenId id = 0; id < 1000; ++id) history.push(id);
    Position position = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            sampler.sample(logits, options, {.position = position++, .history = &history}));
    }
}

void logprobs(benchmark::State& state) {
    const auto logits = logits_of(state.range(0));
    for (auto _ : state) benchmark::DoNotOptimize(logprobs_of(logits, 3, 20));
}

void sizes(benchmark::internal::Benchmark* bench) {
    bench->Arg(32000)->Arg(152000)->Unit(benchmark::kMicrosecond);
}

BENCHMARK_CAPTURE(run, greedy, {})->Apply(sizes);
BENCHMARK_CAPTURE(run, temperature, {.temperature = 1})->Apply(sizes);
BENCHMARK_CAPTURE(run, top_p, {.temperature = 0.7F, .top_p = 0.9F})->Apply(sizes);
BENCHMARK_CAPTURE(run, top_k, {.temperature = 0.8F, .top_k = 40, .top_p = 0.95F})->Apply(sizes);
BENCHMARK_CAPTURE(run, min_p, {.temperature = 1, .min_p = 0.05F})->Apply(sizes);
BENCHMARK_CAPTURE(run, typical, {.temperature = 1, .typical_p = 0.95F})->Apply(sizes);
BENCHMARK_CAPTURE(
    run, penalties,
    {.temperature = 1, .top_p = 0.9F, .repetition_penalty = 1.1F, .frequency_penalty = 0.5F})
    ->Apply(sizes);
BENCHMARK(logprobs)->Apply(sizes);

}  // namespace
}  // namespace teetee::model
