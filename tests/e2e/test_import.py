# SPDX-License-Identifier: Apache-2.0
"""`teetee import`: checkpoints in Hugging Face's layout against the float64 reference, and what is
refused."""
import json
import struct

from harness import shared
from hf_checkpoint import Fixture, safetensors, write_checkpoint

# llama-llama3 has divisors that no llama3 scaling gives; hf_config_test checks the formula.
FIXTURES = ["llama-linear", "llama-yarn", "llama-mistral", "llama-mixtral", "qwen2", "qwen3", "qwen3moe",
            "qwen3moe-shares", "gemma2", "phi3-long", "phi3-short", "gpt2"]


def refused(teetee, folder, *flags):
    """The error of an import that must fail and leave nothing behind."""
    out = teetee.folder / "refused.gguf"
    code, text, err = teetee.run("import", folder, "--out", out, "--json", *flags)
    assert code in (1, 3), (code, text, err)
    assert not list(teetee.folder.glob("refused.gguf*"))
    return json.loads(text)["error"]


def compare(teetee, gguf, fixture, tolerance):
    result = teetee.json("logits", "--model", gguf, "--tokens", ",".join(map(str, fixture.tokens)))
    largest = max(abs(x) for row in fixture.logits for x in row)
    for position, row in zip(fixture.positions, fixture.logits):
        for token, value in result["positions"][position]["top"]:
            assert abs(value - row[token]) <= tolerance * largest, (fixture.name, position, token, value, row[token])


def test_every_architecture_computes_what_the_reference_does(teetee):
    for name in FIXTURES:
        fixture, out = Fixture(name), teetee.folder / f"{name}.gguf"
        folder = write_checkpoint(teetee.folder / name, fixture)
        made = teetee.json("import", folder, "--out", out)
        assert made["architecture"] == fixture.architecture and made["bytes"] == out.stat().st_size
        compare(teetee, out, fixture, 2e-5)


def test_files_types_and_a_run(teetee):
    fixture = Fixture("qwen2")
    whole = write_checkpoint(teetee.folder / "whole", fixture)
    cut = write_checkpoint(teetee.folder / "cut", fixture, files=3)
    for folder in (whole, cut):
        teetee.json("import", folder, "--out", teetee.folder / f"{folder.name}.gguf")
    assert (teetee.folder / "whole.gguf").read_bytes()[-50000:] == (teetee.folder / "cut.gguf").read_bytes()[-50000:]
    for dtype, flags, tolerance in (("F16", [], 1e-2), ("BF16", [], 5e-2), ("F32", ["--type", "f16"], 1e-2),
                                    ("BF16", ["--type", "f32"], 5e-2), ("F32", ["--type", "q8_0"], 1e-2)):
        folder = write_checkpoint(teetee.folder / "typed", fixture, dtype)
        out = teetee.folder / "typed.gguf"
        teetee.json("import", folder, "--out", out, *flags)
        compare(teetee, out, fixture, tolerance)
    info = teetee.json("shard", "info", teetee.folder / "whole.gguf")
    assert info["name"] == "whole" and info["architecture"] == "qwen2"
    text = teetee.json("run", "--model", teetee.folder / "whole.gguf", "--prompt", "ab cab", "-n", 6,
                       "--temperature", 0)["text"]
    again = teetee.json("run", "--model", teetee.folder / "cut.gguf", "--prompt", "ab cab", "-n", 6,
                        "--temperature", 0)["text"]
    assert text == again
    # One tokenizer, in whatever form.
    answers = set()
    for model in (whole, whole / "tokenizer.json", teetee.folder / "whole.gguf"):
        code, out, err = teetee.run("tokenize", "--model", model, "--special", stdin='"ab cab<|end|>"\n')
        assert code == 0, err
        answers.add(out)
    assert answers == {"[27,26,2,27,36]\n"}, answers


def test_quantised_types_are_computed_with(teetee):
    # 32 columns and more in whole blocks: the micro models have 48, so their rows stay F16.
    fixture = Fixture("qwen2")
    folder = write_checkpoint(teetee.folder / "q", fixture)
    for kind in ("q4_0", "q4_1", "q5_0", "q5_1", "q8_0"):
        out = teetee.folder / f"{kind}.gguf"
        teetee.json("import", folder, "--out", out, "--type", kind)
        types = {t["type"] for t in teetee.json("shard", "info", out)["tensors"]}
        assert {t.lower() for t in types} <= {"f32", "f16", kind}, types
        compare(teetee, out, fixture, 0.3)


def test_what_is_not_known_is_named(teetee):
    fixture = Fixture("qwen2")
    folder = write_checkpoint(teetee.folder / "named", fixture)
    config = json.loads((folder / "config.json").read_text())
    for change, part in (({"model_type": "mamba"}, "mamba"), ({"hidden_act": "relu"}, "relu"),
                         ({"brand_new": 3}, "brand_new"), ({"use_sliding_window": True}, "use_sliding_window"),
                         ({"rope_scaling": {"rope_type": "dynamic", "factor": 2}}, "dynamic"),
                         ({"quantization_config": {"bits": 4}}, "quantization_config"),
                         ({"num_hidden_layers": 4}, "blk.3.")):
        (folder / "config.json").write_text(json.dumps(config | change))
        error = refused(teetee, folder)
        assert part in error["detail"], (change, error)
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    for change, part in (({"normalizer": {"type": "Nmt"}}, "Nmt"), ({"decoder": {"type": "CTC"}}, "CTC"),
                         ({"pre_tokenizer": {"type": "UnicodeScripts"}}, "UnicodeScripts"),
                         ({"model": {"type": "WordPiece", "vocab": {"a": 0}}}, "WordPiece"),
                         ({"post_processor": {"type": "BertProcessing"}}, "BertProcessing")):
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer | change))
        error = refused(teetee, folder)
        assert part in error["detail"], (change, error)


def test_weights_that_are_not_what_they_should_be(teetee):
    fixture = Fixture("qwen2")
    folder = write_checkpoint(teetee.folder / "weights", fixture)
    path = folder / "model.safetensors"
    good = path.read_bytes()
    for bad in (good[:-1], good + b"x", good[:100], b"", struct.pack("<Q", 1 << 60) + good[8:]):
        path.write_bytes(bad)
        assert refused(teetee, folder)["code"] == "safetensors_malformed"
    for extra, part in (({"model.layers.0.self_attn.brand_new.weight": ([1], [1.0])}, "brand_new"),
                        ({"model.layers.9.input_layernorm.weight": ([1], [1.0])}, "layers.9"),
                        ({"../escape.weight": ([1], [1.0])}, "escape")):
        from array import array
        named = {name: (shape, array("f", values)) for name, (shape, values) in extra.items()}
        path.write_bytes(safetensors(named))
        assert part in refused(teetee, folder)["detail"]
    path.unlink()
    assert refused(teetee, folder)["code"] == "not_found"


def test_an_index_points_nowhere_else(teetee):
    fixture = Fixture("qwen2")
    folder = write_checkpoint(teetee.folder / "index", fixture, files=2)
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    name = next(iter(index["weight_map"]))
    outside = teetee.folder / "outside.safetensors"
    outside.write_bytes((folder / index["weight_map"][name]).read_bytes())
    for file in ("../outside.safetensors", str(outside), "..", "", "a/b.safetensors", ".safetensors",
                 "..\\outside.safetensors", "a\u0000.safetensors", "config.json", "x" * 300 + ".safetensors"):
        path.write_text(json.dumps(index | {"weight_map": index["weight_map"] | {name: file}}))
        error = refused(teetee, folder)
        assert error["code"] == "safetensors_malformed" and "weight_map" in error["detail"], (file, error)
    path.write_text(json.dumps(index | {"weight_map": index["weight_map"] | {"model.other.weight": "model-00001-of-00002.safetensors"}}))
    assert "model.other" in refused(teetee, folder)["detail"]


def test_malformed_safetensors(teetee):
    source = shared("data/malformed/safetensors")
    folder = write_checkpoint(teetee.folder / "malformed", Fixture("qwen2"))
    for case in json.loads((source / "manifest.json").read_text())["cases"]:
        (folder / "model.safetensors").write_bytes((source / case["file"]).read_bytes())
        error = refused(teetee, folder)
        # Well-formed ones are refused for what they hold.
        assert (error["code"] == "safetensors_malformed") == (case["expect"] == "reject"), (case, error)


def test_an_import_replaces_its_file_as_a_whole(teetee):
    folder = write_checkpoint(teetee.folder / "whole", Fixture("gpt2"))
    out = teetee.folder / "model.gguf"
    out.write_text("old")
    (folder / "config.json").rename(folder / "away")
    assert teetee.run("import", folder, "--out", out)[0] == 3 and out.read_text() == "old"
    (folder / "away").rename(folder / "config.json")
    teetee.json("import", folder, "--out", out)
    assert out.read_bytes().startswith(b"GGUF")
    assert sorted(p.name for p in teetee.folder.glob("model.gguf*")) == ["model.gguf"]
