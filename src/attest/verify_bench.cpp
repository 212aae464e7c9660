// SPDX-License-Identifier: Apache-2.0
// What a verdict on a quote costs, on one core: cold, from the collateral's JSON on, and warm, with
// collateral that was verified before.
#include <benchmark/benchmark.h>

#include "attest/test_platform.hpp"

namespace teetee::attest {
namespace {

struct Evidence {
    test::TestPlatform platform;
    Bytes quote;
    std::string collateral_json;
    TrustedRoots roots = platform.roots();

    // As many levels and revoked certificates as Intel's documents have.
    Evidence() {
        for (int pcesvn = 2; pcesvn < 18; ++pcesvn) {
            platform.add_level("UpToDate")["tcb"].as_object()["pcesvn"] = pcesvn;
        }
        for (uint8_t i = 0; i < 100; ++i) {
            platform.pck_crl.revoked_serials.push_back(ByteArray<16>{1, i});
        }
        quote = platform.quote();
        collateral_json = encode_collateral(platform.collateral());
    }
};

void cold(benchmark::State& state) {
    const Evidence evidence;
    for (auto _ : state) {
        const auto parsed = parse_collateral(evidence.collateral_json).value();
        const auto collateral = verify_collateral(parsed, evidence.roots, test::now).value();
        const Verdict verdict =
            verify({.quote = evidence.quote, .collateral = &collateral}, evidence.roots, test::now);
        if (!verdict.accepted()) state.SkipWithError("rejected");
    }
}

void warm(benchmark::State& state) {
    const Evidence evidence;
    const auto parsed = parse_collateral(evidence.collateral_json).value();
    const auto collateral = verify_collateral(parsed, evidence.roots, test::now).value();
    for (auto _ : state) {
        const Verdict verdict =
            verify({.quote = evidence.quote, .collateral = &collateral}, evidence.roots, test::now);
        if (!verdict.accepted()) state.SkipWithError("rejected");
    }
}

BENCHMARK(cold)->Unit(benchmark::kMicrosecond);
BENCHMARK(warm)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace teetee::attest
