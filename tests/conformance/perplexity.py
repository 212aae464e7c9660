# SPDX-License-Identifier: Apache-2.0
"""Perplexity: against float64, between types of weights, and the figures of llama2.c."""
import math
import pathlib
import sys

import numpy as np

from harness import ROOT, STORY_MODEL, shared
from models import STORIES_VOCABULARY, Models, Reference, encode

sys.path.insert(0, str(ROOT / "tests" / "reference"))
import gguf_writer  # noqa: E402

WIKITEXT = "data/text/wikitext2/valid.txt"
TINYSTORIES = "data/text/tinystories/tinystories_first2316_cased.txt"

# data/models/README.md: model, stories, tokens predicted, mean negative log-likelihood
LLAMA2C_FIGURES = (("stories260K", (0, 50), 16247, 1.238570), ("tok361", (0, 50), 12750, 0.525386),
                   ("tok105", (0, 50), 12750, 0.681889), ("stories260K", (2000, 2100), 40831, 1.564347),
                   ("tok361", (2000, 2100), 25500, 0.751231))


def perplexity(teetee, model: pathlib.Path, text: pathlib.Path, *flags) -> dict:
    return teetee.json("perplexity", "--model", model, "--file", text, *flags, timeout=3600)


def exact_nll(model: Reference, tokens: list, context: int) -> float:
    """The mean over windows of one context that begin with BOS, as `teetee perplexity` cuts them."""
    bos, total = 1, 0.0
    for begin in range(0, len(tokens), context - 1):
        window = [bos, *tokens[begin:begin + context - 1]]
        rows = model.logits(window[:-1])
        total += float(np.sum(np.logaddexp.reduce(rows, axis=1) - rows[np.arange(len(rows)), window[1:]]))
    return total / len(tokens)


def check_float64(report, teetee, models: Models) -> None:
    text = teetee.folder / "beginning.txt"
    text.write_text(shared(WIKITEXT).read_text()[:30000])
    for name, path in (("micro-f32", models.random("micro", "f32", STORIES_VOCABULARY)),
                       ("stories260K-f32", models.trained("stories260K", "f32")),
                       ("tok361-f32", models.trained("tok361", "f32")),
                       ("tok361-f16", models.trained("tok361", "f16"))):
        reference = Reference(path)
        have = perplexity(teetee, path, text)
        tokens = encode(teetee, path, text.read_text())
        assert have["tokens"] == len(tokens)
        need = exact_nll(reference, tokens, reference.key("context_length"))
        apart = abs(math.exp(have["nll"] - need) - 1)
        report.check(f"perplexity {name} against float64", apart <= 1e-4,
                     f"{have['perplexity']:.5f}, need {math.exp(need):.5f}, apart {apart:.2e}")


def story_in_f16(path: pathlib.Path) -> None:
    """The story model's Q8_0 weights as F16: no checkpoint of higher precision is kept."""
    model = Reference(STORY_MODEL).file

    def plain(value):
        return [plain(v) for v in value] if isinstance(value, list) else \
            value.decode() if isinstance(value, bytes) else value

    def tensor(name):
        shape, values = model.tensors[name][0], model[name]
        kind, form = (gguf_writer.F16, "<f2") if len(shape) > 1 else (gguf_writer.F32, "<f4")
        return name, shape, kind, values.astype(form).tobytes()

    path.write_bytes(gguf_writer.gguf({k: plain(v) for k, v in model.keys.items()}, map(tensor, model.tensors)))


def check_q8_0_against_f16(report, teetee, models: Models) -> None:
    story = models.kept("story-f16.gguf", story_in_f16), STORY_MODEL
    tok361 = models.trained("tok361", "f16"), models.trained("tok361", "q8_0")
    for name, (f16, q8_0), text, tokens_max in (("story", story, WIKITEXT, 0), ("tok361", tok361, WIKITEXT, 100_000),
                                                ("tok361", tok361, TINYSTORIES, 400_000)):
        a, b = (perplexity(teetee, m, shared(text), "--tokens-max", tokens_max) for m in (f16, q8_0))
        apart = b["perplexity"] / a["perplexity"] - 1
        report.check(f"perplexity {name} Q8_0/F16 on {pathlib.Path(text).parent.name}", abs(apart) < 1e-3,
                     f"F16 {a['perplexity']:.5f} Q8_0 {b['perplexity']:.5f} apart {100 * apart:+.3f} %, "
                     f"{a['tokens']} tokens")


def check_llama2c_figures(report, teetee, models: Models) -> None:
    stories = shared(TINYSTORIES).read_text().split("<|endoftext|>")
    for name, (begin, end), token_count, nll in LLAMA2C_FIGURES:
        path, text = models.trained(name, "f32"), teetee.folder / "story.txt"
        context = Reference(path).key("context_length")
        counted, total = 0, 0.0
        for story in stories[begin:end]:
            text.write_text(story.strip())
            have = perplexity(teetee, path, text, "--tokens-max", context - 1, "--threads", 1)
            counted += have["tokens"]
            total += have["nll"] * have["tokens"]
        report.check(f"perplexity {name} stories {begin} to {end}",
                     counted == token_count and abs(total / counted - nll) < 1e-4,
                     f"{counted} tokens nll {total / counted:.6f}, need {token_count} and {nll}")


def check_perplexity(report, teetee, models: Models) -> None:
    check_float64(report, teetee, models)
    check_llama2c_figures(report, teetee, models)
    check_q8_0_against_f16(report, teetee, models)
