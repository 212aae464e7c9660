# SPDX-License-Identifier: Apache-2.0
"""The engine's commands against reference data, and against itself over every way to compute."""
import json

from harness import STORY_MODEL, shared


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


def test_golden_logits_of_a_trained_model(teetee):
    folder = shared("data/models/stories260K")
    golden = json.loads((folder / "golden_logits_once_upon.json").read_text())["steps"]
    result = logits(teetee, folder / "stories260K.gguf", [step["in"] for step in golden])
    worst = 0.0
    for step, position in zip(golden, result["positions"]):
        worst = max([worst] + [abs(step["logits"][token] - value) for token, value in position["top"]])
        assert position["top"][0][0] == step["argmax"]
        assert abs(position["logsumexp"] - step["lse"]) < 2e-4
    assert worst <= 2e-4, worst


def test_quantised_micro_models(teetee):
    folder = shared("data/models/quants")
    for kind, tolerance, margin in (("f16", 0.02, 0.05), ("q8_0", 0.3, 0.5), ("q4_0", 0.3, 0.5)):
        oracle = json.loads((folder / f"micro-{kind}.json").read_text())
        result = logits(teetee, folder / f"micro-{kind}.gguf", oracle["prompt"], "--greedy", 16)
        for expected, position in zip(oracle["prompt_positions_top10"], result["positions"]):
            assert abs(expected["logsumexp"] - position["logsumexp"]) <= tolerance
            mine = dict(map(tuple, position["top"]))
            for token, value in expected["top"]:
                assert token not in mine or abs(mine[token] - value) <= tolerance, (kind, token)
            if expected["top"][0][1] - expected["top"][1][1] > margin:
                assert position["top"][0][0] == expected["top"][0][0]
        for token, expected, gap in zip(result["greedy"], oracle["greedy16"], oracle["greedy16_top1_minus_top2"]):
            if token != expected:
                assert gap <= margin, (kind, token, expected, gap)
                break


def test_golden_greedy_text(teetee):
    folder = shared("data/models/stories260K")
    case = json.loads((folder / "golden_greedy.json").read_text())["cases"][1]
    text = teetee.json("run", "--model", folder / "stories260K.gguf", "--prompt", case["prompt"], "-n", 120,
                       "--temperature", 0)["text"]
    assert len(text) > 200 and case["stdout"].startswith(case["prompt"] + text), text


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
