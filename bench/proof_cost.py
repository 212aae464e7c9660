#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What attested channels and receipts cost a decoded token, of a route of two stages.

Measured with and without: a row of activations to the next node and a token back, over TLS and over
plain streams (stream_bench); leaves of all rows and tokens of both stages, and the stages' signatures
under an answer (sequence_trace_bench), which without receipts are not there at all. Processor time
of both nodes together, held against the time that one token takes (teetee bench), in one run.

  cmake --preset bench && cmake --build --preset bench
  bench/proof_cost.py --benches build/bench --teetee build/release/teetee --models q8_0=F.gguf ..
"""
import argparse
import json
import pathlib
import statistics
import subprocess

ANSWER_TOKENS = 128
REPETITIONS = 5
BAR = 0.01


def run_json(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def microseconds(benches, program):
    """Median of each benchmark, by its name."""
    report = run_json(benches / program, "--benchmark_format=json", f"--benchmark_repetitions={REPETITIONS}")
    return {entry["run_name"]: entry["cpu_time"] for entry in report["benchmarks"]
            if entry.get("aggregate_name") == "median"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benches", type=pathlib.Path, default=pathlib.Path("build/bench"))
    parser.add_argument("--teetee", type=pathlib.Path, default=pathlib.Path("build/release/teetee"))
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME=F.gguf", help="rows of 2,048 values")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    stream = microseconds(options.benches, "stream_bench")
    trace = microseconds(options.benches, "sequence_trace_bench")
    channel = stream["tls/8192"] - stream["plain/8192"]
    leaves = trace["token_leaves/8192"]
    signatures = 2 * trace[f"answer_signature/{ANSWER_TOKENS}"] / ANSWER_TOKENS
    cost = channel + leaves + signatures
    rows = {}
    for name, path in (model.split("=", 1) for model in options.models):
        speeds = [run_json(options.teetee, "bench", "--model", path, "--threads", 2, "--shards", 2, "--prompt-tokens", 1,
                           "--gen-tokens", 32, "--json")["decode_tokens_per_s"] for _ in range(REPETITIONS)]
        token = 1e6 / statistics.median(speeds)
        rows[name] = {"token_us": token, "share": cost / token}
    if options.json:
        print(json.dumps({"channel_us": channel, "leaves_us": leaves, "signatures_us": signatures, "models": rows}))
        return
    print(f"a token: {channel:.1f} us of TLS, {leaves:.1f} us of leaves, {signatures:.1f} us of signatures\n")
    print("| weights | a token without | the proof adds |\n|---|---|---|")
    for name, row in rows.items():
        verdict = "met" if row["share"] <= BAR else "missed"
        print(f"| {name} | {row['token_us'] / 1e3:.1f} ms | **{row['share']:.2%}** (<= {BAR:.0%}: {verdict}) |")


if __name__ == "__main__":
    main()
