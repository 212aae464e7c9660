# SPDX-License-Identifier: Apache-2.0
"""Reference logits of llama.cpp and of a float32 program: data/oracles and data/models/quants.

Tolerances are those of the data's READMEs; residuals, for which they give none, are held to the same.
Beside each oracle stands tests/reference/forward.py on the same file: exact activations in float64,
which say whose rounding a difference is."""
import dataclasses
import json

import numpy as np

from harness import shared
from models import STORIES_VOCABULARY, Models, Reference, logits

# name of the oracles, shape, type by make_gguf.py, type made of that by llama-quantize
FILES = (("tiny-test-q4_0", "tiny-test", "q4_0", None), ("tinyllama-f16", "tinyllama", "f16", None),
         ("tinyllama-q8_0", "tinyllama", "f16", "q8_0"), ("tinyllama-q4_0", "tinyllama", "f16", "q4_0"),
         ("tinyllama-q4_k_m", "tinyllama", "f16", "q4_k_m"),
         # What the README of the oracles names; they were computed with the files above.
         ("tinyllama-q8_0", "tinyllama", "q8_0", None), ("tinyllama-q4_0", "tinyllama", "q4_0", None))
BACK_ENDS = ("amx", "norepack", "numpy-f32")
QUANTS = ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q2_k", "q3_k", "q3_k_m", "q4_k", "q4_k_m",
          "q5_k", "q5_k_m", "q6_k")
REFUSED = ("iq4_nl", "iq4_xs")


def log_sum_exp(row) -> float:
    return float(np.logaddexp.reduce(row))


@dataclasses.dataclass
class Tolerance:
    logit: float
    margin: float  # a smaller lead of the best token may be lost


def tolerance_of(name: str) -> Tolerance:
    return Tolerance(0.02, 0.05) if name.endswith(("f32", "f16", "bf16")) else Tolerance(0.3, 0.5)


class Computed:
    """What TeeTee gives for an oracle's prompt, layer by layer."""

    def __init__(self, teetee, path, oracle: dict, layer_count: int):
        result = logits(teetee, path, oracle["prompt"], "--shards", layer_count, "--residuals", 8, "--top", 1000,
                        "--greedy", 16)
        self.logits = [dict(map(tuple, p["top"])) for p in result["positions"]]
        self.log_sum_exps = [p["logsumexp"] for p in result["positions"]]
        self.best = [p["top"][0][0] for p in result["positions"]]
        self.greedy = result["greedy"]
        last = len(oracle["prompt"]) - 1
        self.residuals = {"embd" if r["layer"] == 0 else f"l_out-{r['layer'] - 1}": r
                          for r in result["residuals"] if r["pos"] == last}


def logit_distance(oracle: dict, rows) -> float:
    """rows: for each position something that gives a token's logit."""
    return max(abs(row[token] - value) for row, position in zip(rows, oracle["prompt_positions_top10"], strict=True)
               for token, value in position["top"])


def residual_distance(oracle: dict, residuals: dict) -> float:
    worst = 0.0
    for name, expected in oracle["residual_last_prompt_position"].items():
        if name in residuals:  # the norm before the output is none
            mine = residuals[name]
            pairs = [(mine["rms"], expected["rms"]), *zip(mine["first"], expected["first8"], strict=True)]
            worst = max([worst] + [abs(a - b) for a, b in pairs])
    return worst


def first_wrong_choice(oracle: dict, computed: Computed, margin: float) -> str | None:
    for position, best in zip(oracle["prompt_positions_top10"], computed.best, strict=True):
        (token, first), (_, second) = position["top"][:2]
        if best != token and first - second > margin:
            return f"position {position['pos']}"
    for i, (expected, token) in enumerate(zip(oracle["greedy16"], computed.greedy)):
        if token != expected:  # from here on the texts are different ones
            lead = oracle["greedy16_top1_minus_top2"][i]
            return f"greedy token {i}, {lead} ahead" if lead > margin else None
    return None


def compare(report, name: str, oracle: dict, computed: Computed, tolerance: Tolerance, remark: str = "") -> None:
    distance = logit_distance(oracle, computed.logits)
    sums = max(abs(a - p["logsumexp"])
               for a, p in zip(computed.log_sum_exps, oracle["prompt_positions_top10"], strict=True))
    residual = residual_distance(oracle, computed.residuals)
    wrong = first_wrong_choice(oracle, computed, tolerance.margin)
    holds = max(distance, sums, residual) <= tolerance.logit and not wrong
    report.check(name, holds, f"logits {distance:.4f} lse {sums:.4f} residuals {residual:.4f}"
                 + (f" wrong choice: {wrong}" if wrong else "") + remark)


def check_oracles(report, teetee, models: Models) -> None:
    folder = shared("data/oracles")
    for name, shape, kind, requantised in FILES:
        label = name if requantised or not name.startswith("tinyllama-q") else f"{name} of make_gguf.py"
        path = models.random(shape, kind)
        if requantised:
            path = models.requantised(path, requantised)
            if path is None:
                report.skip(label, "needs llama-quantize (--llama-quantize)")
                continue
        oracles = {b: json.loads((folder / f"{name}.{b}.json").read_text()) for b in BACK_ENDS}
        reference = Reference(path)
        exact = reference.logits(oracles["numpy-f32"]["prompt"])
        apart = logit_distance(oracles["numpy-f32"], exact)
        report.check(f"{label}: made from this file", apart <= 1e-3, f"float64 from the stored float32: {apart:.6f}")
        computed = Computed(teetee, path, oracles["amx"], reference.key("block_count"))
        for back_end, oracle in oracles.items():
            other = logit_distance(oracle, exact)
            compare(report, f"{label}.{back_end}", oracle, computed, tolerance_of(name),
                    f" (oracle from exact {other:.4f})")


def check_quants(report, teetee, models: Models) -> None:
    folder = shared("data/models/quants")
    for kind in QUANTS:
        path = folder / f"micro-{kind}.gguf" if kind != "f32" else models.random("micro", "f32", STORIES_VOCABULARY)
        oracle = json.loads((folder / f"micro-{kind}.json").read_text())
        reference = Reference(path)
        exact = reference.logits(oracle["prompt"])
        computed = Computed(teetee, path, oracle, reference.key("block_count"))
        ours = max(abs(row[token] - value) for row, mine in zip(exact, computed.logits, strict=True)
                   for token, value in mine.items())
        sums = max(abs(log_sum_exp(row) - value) for row, value in zip(exact, computed.log_sum_exps, strict=True))
        tolerance = tolerance_of(kind)
        report.check(f"micro-{kind} from exact", max(ours, sums) <= tolerance.logit,
                     f"all logits {ours:.4f} lse {sums:.4f}")
        compare(report, f"micro-{kind}", oracle, computed, tolerance,
                f" (oracle from exact {logit_distance(oracle, exact):.4f})")
    for kind in REFUSED:
        code, _, err = teetee.run("logits", "--model", folder / f"micro-{kind}.gguf", "--tokens", 1)
        report.check(f"micro-{kind}", code == 0, err.strip())
