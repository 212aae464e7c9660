// SPDX-License-Identifier: Apache-2.0
#include <random>

#include <benchmark/benchmark.h>

#include "grammar/json_schema.hpp"
#include "grammar/matcher.hpp"

namespace teetee::grammar {
namespace {

/// Words of letters, half of them after a blank, with the pieces of JSON among them.
TokenTrie vocabulary(size_t token_count) {
    std::mt19937 random(1);
    std::vector<std::string> pieces;
    for (int byte = 0; byte < 256; ++byte) pieces.emplace_back(1, static_cast<char>(byte));
    for (const char* piece : {"{\"", "\":", "\",\"", "\"}", "\": \"", "[{", "}]", "true", "null"})
        pieces.emplace_back(piece);
    while (pieces.size() < token_count) {
        std::string word(random() % 2, ' ');
        for (size_t left = 2 + random() % 9; left > 0; --left)
            word += static_cast<char>('a' + random() % 26);
        pieces.push_back(std::move(word));
    }
    return TokenTrie::build(pieces);
}

/// The mask inside a string of a schema, where most of the vocabulary is allowed: a new place each
/// time, so that no mask is known already.
void mask_in_string(benchmark::State& state) {
    const TokenTrie trie = vocabulary(static_cast<size_t>(state.range(0)));
    const auto grammar = std::make_shared<const Grammar>(
        parse_json_schema(R"({"type":"object","properties":{"a":{"type":"string",
                             "maxLength":20000}},"required":["a"]})")
            .value());
    auto matcher = Matcher::begin(grammar).value();
    matcher.advance("{\"a\":\"").value();
    for (auto _ : state) {
        matcher.advance("x").value();
        benchmark::DoNotOptimize(matcher.allowed(trie).value().data());
    }
}
BENCHMARK(mask_in_string)->Arg(32000)->Arg(150000)->Unit(benchmark::kMicrosecond)->Iterations(500);

/// The first mask of a text: the automaton is not there yet.
void first_mask(benchmark::State& state) {
    const TokenTrie trie = vocabulary(static_cast<size_t>(state.range(0)));
    const auto grammar = std::make_shared<const Grammar>(any_json_object().value());
    for (auto _ : state) {
        auto matcher = Matcher::begin(grammar).value();
        matcher.advance("{\"a").value();
        benchmark::DoNotOptimize(matcher.allowed(trie).value().data());
    }
}
BENCHMARK(first_mask)->Arg(32000)->Arg(150000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace teetee::grammar
