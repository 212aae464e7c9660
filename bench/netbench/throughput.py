# SPDX-License-Identifier: Apache-2.0
"""Two shards in two processes beside one process, by the same HTTP API, so that only the cut differs."""
import contextlib
import statistics

from netbench.awake import cores_awake
from netbench.client import rate_together, stream_all
from netbench.nodes import Nodes, run_json
from netbench.output import progress

BAR_SPEED, BAR_MEMORY = 0.95, 1.15
STREAMS = 8
PAGE_POSITIONS = 32
KV_VALUE_BYTES = 2  # F16


def bodies(options, count):
    return [{"prompt": f"Stream {i} of the measurement", "max_tokens": options.tokens, "seed": i, "temperature": 0.8}
            for i in range(count)]


def speed(nodes, options, count):
    answers = stream_all(nodes.api(), bodies(options, count))
    failed = [a.error for a in answers if a.error]
    if failed:
        raise RuntimeError(f"{len(failed)} of {count} streams failed: {failed[0]}")
    return rate_together(answers), max(a.prompt_tokens + a.tokens for a in answers)


def kv_bytes(options, shard, positions):
    """Of `STREAMS` requests on the shard."""
    tensors = run_json(options.teetee, "shard", "info", shard, "--json")["tensors"]
    widths = [int(t["shape"].split(" x ")[-1]) for t in tensors if t["name"].endswith(("attn_k.weight", "attn_v.weight"))]
    pages = -(-positions // PAGE_POSITIONS)
    return sum(widths) * KV_VALUE_BYTES * pages * PAGE_POSITIONS * STREAMS


def memory(nodes, options, positions):
    rows = []
    for i, node in enumerate(nodes.nodes):
        shard = nodes.shard_path(i % nodes.shards)
        need = shard.stat().st_size + kv_bytes(options, shard, positions)
        found = node.memory_bytes()
        rows.append({"node": i, "rss": found["now"], "peak": found["peak"], "shard_and_kv": need,
                     "ratio": found["now"] / need})
    return rows


def engine_speed(options, threads, batch):
    return run_json(options.teetee, "bench", "--model", options.model, "--threads", threads, "--prompt-tokens", 1,
                    "--gen-tokens", options.tokens, "--batch", batch, "--json")["decode_tokens_per_s"]


def measure(options, folder):
    cases = {"one stream": {"count": 1, "alone": 1}, f"{STREAMS} streams": {"count": STREAMS, "alone": 2}}
    found = {name: {"cut": [], "whole": [], "engine": []} for name in cases}
    with contextlib.ExitStack() as stack:
        if options.keep_awake:
            stack.enter_context(cores_awake())
        start = lambda **kwargs: stack.enter_context(Nodes(options.teetee, options.model, folder, **kwargs))
        cut = start(shards=2, threads=1, extra=options.flags)
        whole = {threads: start(shards=1, threads=threads, extra=options.flags) for threads in (1, 2)}
        positions = 0
        for round_number in range(options.rounds):
            for name, case in cases.items():
                pair = [("cut", cut), ("whole", whole[case["alone"]])]
                for side, nodes in pair if round_number % 2 == 0 else reversed(pair):
                    rate, used = speed(nodes, options, case["count"])
                    positions = max(positions, used)
                    found[name][side].append(rate)
                found[name]["engine"].append(engine_speed(options, case["alone"], case["count"]))
                progress(f"throughput round {round_number + 1}/{options.rounds}, {name}: " +
                         ", ".join(f"{side} {rates[-1]:.1f}" for side, rates in found[name].items()))
        rows = {name: summary(sides) for name, sides in found.items()}
        return {"rows": rows, "memory": memory(cut, options, positions)}


def summary(sides):
    medians = {side: statistics.median(rates) for side, rates in sides.items()}
    ratios = [cut / whole for cut, whole in zip(sides["cut"], sides["whole"])]
    return medians | {"ratio": medians["cut"] / medians["whole"], "ratios": sorted(ratios), "all": sides}


def show(result):
    print("\n| tokens/s | two shards, two processes | one process | ratio | rounds' ratios | teetee bench |\n"
          "|---|---|---|---|---|---|")
    for name, row in result["rows"].items():
        verdict = "met" if row["ratio"] >= BAR_SPEED else "missed"
        print(f"| {name} | {row['cut']:.1f} | {row['whole']:.1f} | **{row['ratio']:.2f}** (>= {BAR_SPEED}: {verdict}) | "
              f"{row['ratios'][0]:.2f} to {row['ratios'][-1]:.2f} | {row['engine']:.1f} |")
    print("\n| node | RSS | its shard and KV | ratio |\n|---|---|---|---|")
    for row in result["memory"]:
        verdict = "met" if row["ratio"] <= BAR_MEMORY else "missed"
        print(f"| {row['node']} | {row['rss'] / 1e6:.0f} MB (peak {row['peak'] / 1e6:.0f}) | "
              f"{row['shard_and_kv'] / 1e6:.0f} MB | **{row['ratio']:.2f}** (<= {BAR_MEMORY}: {verdict}) |")
