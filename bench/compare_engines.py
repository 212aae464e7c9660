#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed of TeeTee's engine beside llama.cpp's on this machine, in one run, as ratios.

Every round runs TeeTee and each peer once per row of the table, one after the other, so that all see
the same machine; a cell is the ratio of the medians over the rounds. Peers are given by path:
directories with llama-bench and llama-batched-bench, built natively on this machine.

  bench/compare_engines.py --llama DIR --models q8_0=F.gguf q4_0=F.gguf q4_k_m=F.gguf f16=F.gguf
"""
import argparse
import dataclasses
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

THREADS = 2
DEPTH = 1024
PROMPT = 512
STREAMS = (4, 16, 32)
STREAM_TOKENS = 16  # of prompt and of decode, for each of several streams

# Lowest ratio TeeTee / llama.cpp that the project asks for, per weight type; None: only reported.
BARS = {
    "decode": {"q8_0": 1.15, "q4_0": 1.25, "q4_k_m": 1.6, "f16": 1.15},
    "decode after 1,024": {"q8_0": 1.6, "q4_0": 1.7, "q4_k_m": 1.7, "f16": 1.2},
    "decode after 1,024, against ik_llama.cpp": dict.fromkeys(("q8_0", "q4_0", "q4_k_m", "f16"), 1.0),
    "prefill of 512": {"q8_0": 3, "q4_0": 3, "q4_k_m": 2.5, "f16": 3},
    "prefill of 512, neither with AMX": dict.fromkeys(("q8_0", "q4_0", "q4_k_m", "f16"), 2),
    "prefill of 512, both AVX2": dict.fromkeys(("q8_0", "q4_0", "q4_k_m", "f16"), 1),
    "decode, both AVX2": dict.fromkeys(("q8_0", "q4_0", "q4_k_m", "f16"), 1),
    "4 streams": {"q8_0": 1.8, "q4_0": 1.8, "q4_k_m": 1.8, "f16": 1.3},
    "16 streams": {"q8_0": 2.2, "q4_0": 2.2, "q4_k_m": 2, "f16": 2},
    "32 streams": {"q8_0": 3, "q4_0": 3, "q4_k_m": 2.5, "f16": 2.5},
    "share of read bandwidth in decode": dict.fromkeys(("q8_0", "q4_0", "q4_k_m", "f16"), 0.9),
}
# Highest share allowed: peak resident memory / (file + keys and values).
MEMORY_BAR = 1.15
MEMORY_ROW = "peak memory / (file + KV)"

# Nothing of a run stays behind in the user's cache, or makes a later run another one.
ENVIRONMENT = os.environ | {"TEETEE_WEIGHTS_CACHE": "off"}


@dataclasses.dataclass(frozen=True)
class Measurement:
    """Commands of one row: ours, and the peer's settings, of which its best median counts."""

    row: str
    ours: tuple
    peers: tuple
    read: str  # "prefill" or "decode"


def run(command):
    """Standard output of a command; its error output is shown if it fails."""
    done = subprocess.run([str(c) for c in command], env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def teetee_command(options, model, *arguments):
    return (options.teetee, "bench", "--model", model, "--threads", THREADS, "--json", *arguments)


def bench_command(folder, model, *arguments):
    return (folder / "llama-bench", "-m", model, "-t", THREADS, "-r", 1, "-o", "json", *arguments)


def batched_command(folder, model, streams, flash):
    tokens = 2 * STREAM_TOKENS * streams
    return (folder / "llama-batched-bench", "-m", model, "-t", THREADS, "-c", tokens, "-b", 512,
            "-ub", 512, "-npp", STREAM_TOKENS, "-ntg", STREAM_TOKENS, "-npl", streams,
            "-fa", flash, "--output-format", "jsonl")


def peer_speed(output):
    """Tokens a second of llama-bench (a JSON array) or llama-batched-bench (a JSON line)."""
    if output.lstrip().startswith("["):
        return json.loads(output)[0]["avg_ts"]
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return lines[-1]["speed_tg"]


def measurements(options, model):
    """Rows of the table for one model, each with the commands that fill it."""
    gen = options.gen_tokens
    ours = lambda *a: teetee_command(options, model, *a)
    decode = ("--prompt-tokens", 0, "--gen-tokens", gen)
    prefill = ("--prompt-tokens", PROMPT, "--gen-tokens", 1)

    def theirs(folder, *arguments):
        return tuple(bench_command(folder, model, *arguments, "-fa", f) for f in (0, 1))

    rows = [
        Measurement("decode", ours(*decode, "--bandwidth"),
                    theirs(options.llama, "-p", 0, "-n", gen), "decode"),
        Measurement("decode after 1,024", ours("--prompt-tokens", DEPTH, "--gen-tokens", gen),
                    theirs(options.llama, "-p", 0, "-n", gen, "-d", DEPTH), "decode"),
        Measurement("prefill of 512", ours(*prefill),
                    theirs(options.llama, "-p", PROMPT, "-n", 0), "prefill"),
    ]
    for streams in STREAMS:
        rows.append(Measurement(
            f"{streams} streams",
            ours("--batch", streams, "--prompt-tokens", STREAM_TOKENS, "--gen-tokens", STREAM_TOKENS),
            tuple(batched_command(options.llama, model, streams, f) for f in ("off", "on")), "decode"))
    if options.ik:
        rows.append(Measurement(
            "decode after 1,024, against ik_llama.cpp",
            ours("--prompt-tokens", DEPTH, "--gen-tokens", gen),
            # Its llama-bench has no depth: a prompt and then tokens, timed as one.
            (bench_command(options.ik, model, "-p", 0, "-n", 0, "-gp", f"{DEPTH},{gen}", "-rtr", 1,
                           "-fa", 1),), "decode"))
    if options.llama_without_amx:
        rows.append(Measurement(
            "prefill of 512, neither with AMX", ours(*prefill, "--kernel", "avx512"),
            theirs(options.llama_without_amx, "-p", PROMPT, "-n", 0), "prefill"))
    if options.llama_avx2:
        rows.append(Measurement(
            "prefill of 512, both AVX2", ours(*prefill, "--kernel", "avx2"),
            theirs(options.llama_avx2, "-p", PROMPT, "-n", 0), "prefill"))
        rows.append(Measurement(
            "decode, both AVX2", ours(*decode, "--kernel", "avx2"),
            theirs(options.llama_avx2, "-p", 0, "-n", gen), "decode"))
    return [row for row in rows if not options.only or any(o in row.row for o in options.only)]


class Results:
    """Speeds by (weight type, row): ours, and those of each setting of the peer."""

    def __init__(self):
        self.ours = {}
        self.peers = {}
        self.extra = {}  # (type, row) of what only TeeTee reports
        self.kernel = {}

    def add(self, weights, measurement, report, peer_speeds):
        """One round of one row: TeeTee's report, and the speed of each setting of the peer."""
        key = (weights, measurement.row)
        self.ours.setdefault(key, []).append(report[f"{measurement.read}_tokens_per_s"])
        for setting, speed in enumerate(peer_speeds):
            self.peers.setdefault(key, {}).setdefault(setting, []).append(speed)
        self.kernel[measurement.row] = report["kernel"]
        if "read_bytes_per_s" in report:
            share = report["weight_bytes_per_s"] / report["read_bytes_per_s"]
            self.extra.setdefault((weights, "share of read bandwidth in decode"), []).append(share)
            memory = report["peak_rss_bytes"] / (report["model_bytes"] + report["kv_bytes"])
            self.extra.setdefault((weights, MEMORY_ROW), []).append(memory)

    def cell(self, weights, row):
        """(our median, the peer's best median, ratio), or None where nothing was measured."""
        if (weights, row) in self.extra:
            value = statistics.median(self.extra[weights, row])
            return (None, None, value)
        if (weights, row) not in self.ours:
            return None
        ours = statistics.median(self.ours[weights, row])
        theirs = max(statistics.median(v) for v in self.peers[weights, row].values())
        return (ours, theirs, ours / theirs)

    def round_count(self):
        return min(len(runs) for runs in self.ours.values())

    def load(self, report):
        """Takes up the runs of an earlier report, so that more rounds can be added to them."""
        for cell in report["cells"]:
            key = (cell["weights"], cell["row"])
            if cell["teetee_runs"] is None:
                self.extra[key] = cell["runs"]
                continue
            self.ours[key] = cell["teetee_runs"]
            self.peers[key] = {int(setting): runs for setting, runs in cell["peer_runs"].items()}
        self.kernel.update(report["kernel"])

    def rows(self):
        names = []
        for _, row in [*self.ours, *self.extra]:
            if row not in names:
                names.append(row)
        return names


def progress(text):
    """One line that is overwritten on a terminal, a line each in a log."""
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def measure(options, models):
    """Every round of every row; Ctrl-C ends it with what there is by then."""
    results = Results()
    if options.resume:
        results.load(json.loads(options.json.read_text()))
    plans = {weights: measurements(options, model) for weights, model in models.items()}
    total = options.rounds * sum(len(plan) for plan in plans.values())
    done = 0
    try:
        for round_number in range(options.rounds):
            for weights, plan in plans.items():
                for m in plan:
                    report = json.loads(run(m.ours))
                    speeds = [peer_speed(run(command)) for command in m.peers]
                    results.add(weights, m, report, speeds)
                    done += 1
                    progress(f"{done}/{total} round {round_number + 1}: {weights} {m.row}")
    except KeyboardInterrupt:
        print("\nstopped: the table has the rounds so far", file=sys.stderr)
    return results


def verdict(row, weights, ratio):
    if row == MEMORY_ROW:
        return "met" if ratio <= MEMORY_BAR else "missed"
    bar = BARS.get(row, {}).get(weights)
    if bar is None:
        return ""
    return "met" if ratio >= bar else "missed"


def bar_text(row, weights):
    if row == MEMORY_ROW:
        return f"<= {MEMORY_BAR}"
    bar = BARS.get(row, {}).get(weights)
    return "" if bar is None else f">= {bar:g}"


def markdown(results, models):
    lines = ["| | " + " | ".join(models) + " |", "|---|" + "---|" * len(models)]
    for row in results.rows():
        cells = []
        for weights in models:
            cell = results.cell(weights, row)
            if cell is None:
                cells.append("")
                continue
            ours, theirs, ratio = cell
            speeds = "" if ours is None else f"{ours:.1f} / {theirs:.1f} = "
            wanted = bar_text(row, weights)
            note = f" ({wanted}: {verdict(row, weights, ratio)})" if wanted else ""
            cells.append(f"{speeds}**{ratio:.2f}**{note}")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def as_json(results, models):
    cells = []
    for row in results.rows():
        for weights in models:
            cell = results.cell(weights, row)
            if cell is None:
                continue
            ours, theirs, ratio = cell
            cells.append({"row": row, "weights": weights, "teetee": ours, "peer": theirs,
                          "ratio": ratio, "bar": bar_text(row, weights),
                          "verdict": verdict(row, weights, ratio),
                          "teetee_runs": results.ours.get((weights, row)),
                          "peer_runs": results.peers.get((weights, row)),
                          "runs": results.extra.get((weights, row))})
    return {"kernel": results.kernel, "cpu": cpu_name(), "cells": cells}


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


COLOURS = {"q8_0": "#2f6fb7", "q4_0": "#e08a1e", "q4_k_m": "#3b9c5a", "f16": "#8a5bb5"}


def plot(report, weights_names):
    """An SVG of one group of bars a row; a tick on each bar marks what the project asks for."""
    rows = []
    for cell in report["cells"]:
        if cell["teetee"] is not None and cell["row"] not in rows:
            rows.append(cell["row"])
    left, unit, bar, gap = 270, 110, 12, 16
    height = 50 + len(rows) * (len(weights_names) * bar + gap) + 20
    top_ratio = max([c["ratio"] for c in report["cells"] if c["teetee"] is not None] + [3.2])
    width = left + int(top_ratio * unit) + 70
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for i, weights in enumerate(weights_names):
        x = left + i * 90
        parts.append(f'<rect x="{x}" y="12" width="12" height="12" fill="{COLOURS.get(weights, "#777")}"/>'
                     f'<text x="{x + 17}" y="22">{weights.upper()}</text>')
    for ratio in range(0, int(top_ratio) + 1):
        x = left + ratio * unit
        dash = "" if ratio == 1 else ' stroke-dasharray="2 4"'
        parts.append(f'<line x1="{x}" x2="{x}" y1="36" y2="{height - 22}" stroke="#999"{dash}/>'
                     f'<text x="{x}" y="{height - 6}" text-anchor="middle">{ratio} x</text>')
    y = 44
    for row in rows:
        middle = y + len(weights_names) * bar / 2 + 4
        parts.append(f'<text x="{left - 8}" y="{middle}" text-anchor="end">{row}</text>')
        for weights in weights_names:
            cell = next((c for c in report["cells"] if (c["row"], c["weights"]) == (row, weights)), None)
            if cell:
                length = cell["ratio"] * unit
                parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar - 2}" '
                             f'fill="{COLOURS.get(weights, "#777")}"/>'
                             f'<text x="{left + length + 4:.1f}" y="{y + bar - 3}" font-size="10">'
                             f'{cell["ratio"]:.2f}</text>')
                asked = BARS.get(row, {}).get(weights)
                if asked:
                    x = left + asked * unit
                    parts.append(f'<line x1="{x}" x2="{x}" y1="{y - 1}" y2="{y + bar - 1}" '
                                 'stroke="black" stroke-width="2"/>')
            y += bar
        y += gap
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def parse_models(pairs):
    models = {}
    for pair in pairs:
        name, _, path = pair.partition("=")
        if not path or not pathlib.Path(path).is_file():
            sys.exit(f"--models {pair}: expected NAME=FILE with a GGUF file that exists")
        models[name] = path
    return models


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teetee", type=pathlib.Path, default=pathlib.Path("build/release/teetee"))
    parser.add_argument("--llama", type=pathlib.Path, required=True,
                        help="directory with llama-bench and llama-batched-bench")
    parser.add_argument("--llama-without-amx", type=pathlib.Path, help="the same, built without AMX")
    parser.add_argument("--llama-avx2", type=pathlib.Path, help="the same, built for AVX2 only")
    parser.add_argument("--ik", type=pathlib.Path, help="directory with ik_llama.cpp's llama-bench")
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME=FILE",
                        help="q8_0, q4_0, q4_k_m, f16: GGUF files of one model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gen-tokens", type=int, default=32)
    parser.add_argument("--only", nargs="+", help="rows whose name has one of these in it")
    parser.add_argument("--json", type=pathlib.Path, help="write every run's figure there")
    parser.add_argument("--resume", action="store_true",
                        help="add the rounds to those of the --json file")
    parser.add_argument("--plot", type=pathlib.Path, help="write an SVG of the ratios there")
    options = parser.parse_args()
    models = parse_models(options.models)
    if options.resume and not (options.json and options.json.is_file()):
        sys.exit("--resume: needs --json with the file of an earlier run")
    results = measure(options, models)
    report = as_json(results, models)
    print(f"{report['cpu']}, {THREADS} threads, median of {results.round_count()} rounds; "
          "TeeTee / peer in tokens a second = ratio\n")
    print(markdown(results, models))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    if options.plot:
        options.plot.write_text(plot(report, list(models)))


if __name__ == "__main__":
    main()
