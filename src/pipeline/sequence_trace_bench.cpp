// SPDX-License-Identifier: Apache-2.0
// What receipts cost: of each token the leaves of all that goes in and out of two stages, of each
// answer the stages' signatures.
#include <benchmark/benchmark.h>

#include "attest/dev_node.hpp"
#include "pipeline/sequence_trace.hpp"

namespace teetee::pipeline {
namespace {

void token_leaves(benchmark::State& state) {
    const Bytes row(static_cast<size_t>(state.range(0)));
    Position position = 0;
    SequenceTrace first{SequenceOpen{}};
    SequenceTrace tail{SequenceOpen{}};
    for (auto _ : state) {
        first.add_input(TokenId{7});
        first.add_output(position, row);
        tail.add_input(row);
        tail.add_output(position, TokenId{8});
        ++position;
    }
}

void answer_signature(benchmark::State& state) {
    const attest::test::DevNode node = attest::test::make_node();
    const attest::RecordSigner signer(node.receipt_key, node.statement);
    const Bytes row(8192);
    SequenceTrace trace{SequenceOpen{}};
    const auto tokens = static_cast<Position>(state.range(0));
    for (Position position = 0; position < tokens; ++position) {
        trace.add_input(TokenId{7});
        trace.add_output(position, row);
    }
    for (auto _ : state) benchmark::DoNotOptimize(trace.sign(tokens, signer));
}

BENCHMARK(token_leaves)->Arg(8192)->Arg(16384)->Unit(benchmark::kMicrosecond);
BENCHMARK(answer_signature)->Arg(128)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace teetee::pipeline
