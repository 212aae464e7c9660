# SPDX-License-Identifier: Apache-2.0
"""Three stages far apart: decode of one stream against the floor that distance sets, with loss and a
limited rate, and how fast a long prompt gets through. A token goes round three hops, half a round trip
each; the floor is that and the computation, which is measured without any distance."""
import contextlib
import shlex
import statistics

from netbench.nodes import Nodes
from netbench.output import progress
from netbench.wan import Shape, Wan

STAGES = 3
BAR = 0.9
PIECES_MIN = 8

PROMPTS = {
    "prose": ["Once upon a time there was a fox who lived in the wood and",
              "The little boat went out on the lake in the morning and",
              "One day a girl called Lily found a key in the garden and"],
    "quote": ["Repeat this: The old man went to the market. He bought a red apple, a green pear and a loaf of bread. Then "
              "he went home. The old man went to the market. He bought a red apple, a green pear and",
              "Lily said: I like my red ball. Tom said: I like my red ball. Lily said: I like my red ball. Tom said:"],
    "code": ["for (int i = 0; i < count; ++i) { sum += values[i]; }\nfor (int j = 0; j < count; ++j) { sum += values[j]; }\n"
             "for (int k = 0;", "def first(items):\n    return items[0]\n\ndef second(items):\n    return items[1]\n\ndef third("],
}
WORDS = "the cat and a dog went to see an old house by the river where they had been before".split()


def shapes(rtt_ms):
    """Loss comes last: what a TCP window lost then, one that carries little does not win back soon."""
    one_way = rtt_ms / 2
    return [Shape(), Shape(one_way), Shape(one_way, mbit_per_s=100), Shape(one_way, loss=0.001),
            Shape(one_way, loss=0.001, mbit_per_s=100), Shape(one_way, loss=0.01)]


def decode(api, prompt, options):
    answer = api.stream({"prompt": prompt, "max_tokens": options.tokens, "seed": 7, "temperature": options.temperature})
    if answer.error:
        raise RuntimeError(f"the stream failed: {answer.error}")
    if len(answer.pieces) < PIECES_MIN:
        raise RuntimeError(f"{prompt[:30]!r}: have {len(answer.pieces)} pieces, need {PIECES_MIN} to measure")
    times = [at for at, _ in answer.pieces]
    gaps = sorted(b - a for a, b in zip(times, times[1:]))
    return {"tokens_per_s": answer.tokens_per_s(), "gap_p99_s": gaps[len(gaps) * 99 // 100], "text": answer.text}


def prefill(api, options, number):
    """Time to the first token of a prompt that no cache has seen."""
    words = [WORDS[(i * 7 + number) % len(WORDS)] for i in range(options.prompt_tokens)]
    # Words are a token or more each: a beginning that fits into the model's context.
    while True:
        answer = api.stream({"prompt": f"{number} " + " ".join(words), "max_tokens": 1, "seed": 1})
        if not answer.error.endswith("context_exceeded"):
            break
        words = words[:len(words) * 3 // 4]
    if answer.error or not answer.pieces:
        raise RuntimeError(f"the long prompt failed: {answer.error or 'empty'}")
    waited = answer.first - answer.asked
    return {"prompt_tokens": answer.prompt_tokens, "first_token_s": waited, "tokens_per_s": answer.prompt_tokens / waited}


def same_texts(found, first, name):
    """As on the plain side, or where rows travel with loss as on this side without distance."""
    reference = first[name] if "--activations" in name else found["plain"]
    return [run["text"] for run in found[name]] == [run["text"] for run in reference]


def measure_shape(wan, sides, options, shape, first):
    wan.shape(shape)
    prompts = PROMPTS[options.prompts]
    found = {name: [] for name in sides}
    long_prompts = {name: [] for name in sides}
    for round_number in range(options.rounds):
        for name, nodes in sides.items():
            api = nodes.api()
            decode(api, "Once", options) if round_number == 0 else None  # Windows of TCP open.
            found[name].append(decode(api, prompts[round_number % len(prompts)], options))
            if round_number < 2:
                long_prompts[name].append(prefill(api, options, round_number))
    for name in sides:
        first.setdefault(name, found[name])
    rows = []
    for name in sides:
        rows.append({"shape": str(shape), "rtt_ms": 2 * shape.delay_ms, "side": name, "same_text": same_texts(found, first, name),
                     "tokens_per_s": statistics.median(run["tokens_per_s"] for run in found[name]),
                     "gap_p99_s": max(run["gap_p99_s"] for run in found[name]),
                     "prompt_tokens": long_prompts[name][-1]["prompt_tokens"],
                     "prefill_tokens_per_s": max(run["tokens_per_s"] for run in long_prompts[name]),
                     "prefill_s": min(run["first_token_s"] for run in long_prompts[name])})
        progress(f"ring, {rows[-1]['side']}, {shape}: decode {rows[-1]['tokens_per_s']:.2f} tokens/s, prompt of "
                 f"{rows[-1]['prompt_tokens']} in {rows[-1]['prefill_s']:.2f} s")
    return rows


def measure(options, folder):
    flags = {"plain": {"extra": options.flags}}
    if options.against is not None:
        flags[f"against: {options.against}"] = {"extra": options.flags + shlex.split(options.against)}
    if options.draft_model is not None:
        flags["draft model"] = {"extra": options.flags, "entry_extra": ["--draft-model", options.draft_model]}
    with contextlib.ExitStack() as stack:
        wan = stack.enter_context(Wan(STAGES, options.shaper, options.seed, options.congestion))
        sides = {}
        for place, (name, extra) in enumerate(flags.items()):
            sides[name] = stack.enter_context(Nodes(options.teetee, options.model, folder, shards=STAGES, wan=wan,
                                                    port_offset=100 * place, **extra))
        first = {}
        rows = [row for shape in shapes(options.rtt_ms) for row in measure_shape(wan, sides, options, shape, first)]
        compute = {row["side"]: 1 / row["tokens_per_s"] for row in rows if row["rtt_ms"] == 0}
        for row in rows:
            row["floor_tokens_per_s"] = 1 / (1.5 * row["rtt_ms"] / 1e3 + compute[row["side"]])
        return {"shaper": wan.shaper, "prompts": options.prompts, "rows": rows}


def show(result):
    print(f"\nshaped by: {result['shaper']}; prompts: {result['prompts']}\n")
    print("| between nodes | nodes | decode, tokens/s | floor 1 / (1.5 RTT + compute) | of it | worst p99 of gaps | "
          "long prompt | same text |\n|---|---|---|---|---|---|---|---|")
    for row in result["rows"]:
        share = row["tokens_per_s"] / row["floor_tokens_per_s"]
        print(f"| {row['shape']} | {row['side']} | {row['tokens_per_s']:.2f} | {row['floor_tokens_per_s']:.2f} | **{share:.2f}** "
              f"(>= {BAR}: {'met' if share >= BAR else 'missed'}) | {row['gap_p99_s'] * 1e3:.0f} ms | {row['prompt_tokens']} in "
              f"{row['prefill_s']:.2f} s: {row['prefill_tokens_per_s']:.0f}/s | {'yes' if row['same_text'] else 'NO'} |")
