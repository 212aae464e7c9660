# SPDX-License-Identifier: Apache-2.0
"""The engine's commands against themselves, over every way to compute."""
import json

from harness import STORY_MODEL
from trained_models import F32, gguf


def logits(teetee, model, tokens, *flags):
    return teetee.json("logits", "--model", model, "--tokens", ",".join(map(str, tokens)), *flags)


def test_bits_are_the_same_however_they_are_computed(teetee):
    tokens = [1] + [(i * 37 + 11) % 2048 for i in range(299)]
    reference = logits(teetee, STORY_MODEL, tokens)["sha256"]
    for flags in (["--shards", 2], ["--shards", 3, "--threads", 2], ["--shards", 5, "--threads", 1], ["--chunk", 1],
                  ["--chunk", 7, "--threads", 2], ["--kernel", "scalar"]):
        assert logits(teetee, STORY_MODEL, tokens, *flags)["sha256"] == reference, flags


def test_the_kernel_that_was_asked_for_is_the_one_that_runs(teetee):
    def kernel_run_for(name):
        code, out, err = teetee.run("bench", "--model", STORY_MODEL, "--prompt-tokens", 20, "--gen-tokens", 2,
                                    "--kernel", name, "--json")
        return (code, json.loads(out)["kernel"]) if code == 0 else (code, err + out)

    there = [name for name in ("scalar", "avx2", "avx512", "amx") if kernel_run_for(name) == (0, name)]
    assert "scalar" in there
    assert kernel_run_for("auto") == (0, there[-1])
    for name in {"avx2", "avx512", "amx", "quantum"}.difference(there):
        code, message = kernel_run_for(name)
        assert code == 3 and ", ".join(there) in message, (name, code, message)


def test_tokenize_round_trip(teetee):
    lines = ["Once upon a time", "  two  spaces\n\ttabs", "\u00e9\u4f60\U0001F999", "", "<s> is text here"]
    code, out, err = teetee.run("tokenize", "--model", STORY_MODEL, stdin="\n".join(map(json.dumps, lines)) + "\n")
    assert code == 0, err
    code, back, err = teetee.run("detokenize", "--model", STORY_MODEL, stdin=out)
    assert code == 0 and [json.loads(l) for l in back.splitlines()] == lines, (back, err)


def test_perplexity_of_a_short_text(teetee):
    path = teetee.folder / "text.txt"
    path.write_text("Once upon a time there was a little girl. She had a dog. " * 20)
    result = teetee.json("perplexity", "--model", STORY_MODEL, "--file", path)
    assert 1 < result["perplexity"] < 30 and result["tokens"] > 100, result


def test_a_reader_that_goes_away_ends_the_command(teetee):
    import subprocess
    lines = subprocess.Popen(["yes", '"a"'], stdout=subprocess.PIPE)
    tokenize = subprocess.Popen([teetee.program, "tokenize", "--model", STORY_MODEL], stdin=lines.stdout,
                                stdout=subprocess.PIPE)
    assert tokenize.stdout.readline().startswith(b"[")
    tokenize.stdout.close()
    assert tokenize.wait(20) == 3
    lines.kill()
    lines.wait()
    with open("/dev/full", "w") as full:
        done = subprocess.run([teetee.program, "run", "--model", STORY_MODEL, "--prompt", "a", "-n", "3"], stdout=full,
                              stderr=subprocess.PIPE)
    assert done.returncode == 3 and b"stdout" in done.stderr


def test_shards_are_cut_and_verified(teetee):
    out = teetee.folder / "cut"
    made = teetee.json("shard", "cut", "--model", STORY_MODEL, "--shards", 3, "--out", out)
    assert [s["layers"] for s in made["shards"]] == [[0, 2], [2, 4], [4, 5]], made
    for shard in made["shards"]:
        info = teetee.json("shard", "info", out / shard["file"])
        assert info["verified"] and info["shard_root"] == shard["root"] and info["model_root"] == made["model_root"]


def test_tensors_without_a_model_are_shown(teetee):
    path = teetee.folder / "tensors.gguf"
    path.write_bytes(gguf({"general.name": "no model"}, [("t", [2, 4], F32, bytes(32))]))
    shown = teetee.json("shard", "info", path)
    assert not shown["is_model"]
    assert shown["tensors"] == [{"name": "t", "type": "F32", "shape": "4 x 2", "bytes": 32}]
    path.write_bytes(gguf({"general.architecture": "llama", "llama.block_count": 1}, []))
    code, _, err = teetee.run("shard", "info", path)
    assert code == 1 and "llama.context_length" in err, err
