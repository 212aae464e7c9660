# SPDX-License-Identifier: Apache-2.0
"""Trained models of other programs against what those programs computed."""
import json

from harness import shared
from trained_models import babyllama, floats, golden_folder, min_gpt

LLAMAS = ("stories260K", "tok105", "tok361")


def logits(teetee, model, tokens, *flags):
    return teetee.json("logits", "--model", model, "--tokens", ",".join(map(str, tokens)), *flags)


def check_golden_logits(teetee, model, name):
    golden = json.loads((golden_folder(name) / "golden_logits_once_upon.json").read_text())["steps"]
    result = logits(teetee, model, [step["in"] for step in golden], "--top", 1000)
    for step, position in zip(golden, result["positions"], strict=True):
        mine = dict(map(tuple, position["top"]))
        worst = max(abs(mine[token] - value) for token, value in enumerate(step["logits"]))
        assert worst <= 2e-4, (name, step["pos"], worst)
        assert position["top"][0][0] == step["argmax"]
        assert abs(position["logsumexp"] - step["lse"]) < 2e-4


def test_golden_logits_of_llama2c(teetee):
    for name in LLAMAS:
        check_golden_logits(teetee, babyllama(name).write(teetee.folder / f"{name}.gguf"), name)


def test_golden_logits_of_a_file_made_elsewhere(teetee):
    check_golden_logits(teetee, shared("data/models/stories260K") / "stories260K.gguf", "stories260K")


def test_golden_texts_of_llama2c(teetee):
    for name in LLAMAS:
        model = babyllama(name).write(teetee.folder / f"{name}.gguf")
        for case in json.loads((golden_folder(name) / "golden_greedy.json").read_text())["cases"]:
            text = teetee.json("run", "--model", model, "--prompt", case["prompt"], "-n", case["steps"],
                               "--temperature", 0, "--threads", 1)["text"]
            # llama2.c drops the space after BOS, and gives the unknown token a text.
            text = case["prompt"] + text if case["prompt"] else text.removeprefix(" ")
            assert text.startswith(case["stdout"].replace("<unk>", "")), (name, case["prompt"], text)


def test_every_residual_of_a_min_gpt(teetee):
    folder = shared("data/models/llmviz-nano-sort")
    model = min_gpt(folder / "gpt-nano-sort-model.json").write(teetee.folder / "sort.gguf")
    partials = json.loads((folder / "gpt-nano-sort-t0-partials.json").read_text())
    batch, length = partials["idx"]["shape"]
    tokens = [int(x) for x in floats(partials["idx"])]
    for b in range(batch):
        result = logits(teetee, model, tokens[b * length:(b + 1) * length], "--shards", 3, "--residuals", 48)
        for layer, name in enumerate(("block0", "block1", "block2"), 1):
            expected = floats(partials[name])
            rows = [r for r in result["residuals"] if r["layer"] == layer]
            assert len(rows) == length
            for row in rows:
                at = (b * length + row["pos"]) * 48
                worst = max(abs(x - y) for x, y in zip(row["first"], expected[at:at + 48], strict=True))
                assert worst <= 1e-5, (b, name, row["pos"], worst)
        expected = floats(partials["lm_head"])
        for position in result["positions"]:
            at = (b * length + position["pos"]) * 3
            assert len(position["top"]) == 3
            assert all(abs(expected[at + token] - value) <= 2e-5 for token, value in position["top"]), (b, position)


def test_perplexity_is_that_of_float64_arithmetic(teetee):
    text = teetee.folder / "text.txt"
    text.write_text("Tom and the dog went to the big park. They saw a red bird in a tree. " * 20)
    have = teetee.json("perplexity", "--model", shared("data/models/stories260K") / "stories260K.gguf", "--file", text)
    # By tests/reference/forward.py, in windows of the model's context that begin with BOS.
    assert have["tokens"] == 581 and abs(have["perplexity"] / 3.6500632 - 1) < 1e-4, have
