#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes fixtures/*.json: micro models of every architecture, with the logits that forward.py
gives. src/model/architecture_test.cpp makes the same models and compares. Needs NumPy.

usage: make_fixtures.py            write the fixtures
       make_fixtures.py --check    compare with what is there, write nothing
       make_fixtures.py --gguf DIR write the models as GGUF files, to be run with `teetee logits`
"""
import json
import pathlib
import sys

import numpy as np

from forward import forward
from micro_model import MicroModel

FOLDER = pathlib.Path(__file__).resolve().parent / "fixtures"
VOCABULARY, LAYERS, CONTEXT = 37, 3, 320
POSITIONS = [0, 1, 7, 33, 64, 255, 256, 299]
TOKENS = [(i * i * 31 + 7 * i) % VOCABULARY for i in range(300)]


def base(architecture, d=48, heads=6, kv_heads=2, ff=80, **more):
    a = architecture + "."
    keys = {a + "context_length": CONTEXT, a + "embedding_length": d, a + "block_count": LAYERS,
            a + "feed_forward_length": ff, a + "attention.head_count": heads,
            a + "attention.head_count_kv": kv_heads, a + "attention.layer_norm_rms_epsilon": 1e-5}
    keys.update({a + k.replace("__", "."): v for k, v in more.items()})
    return MicroModel(architecture, keys)


def norm(m, name, length):
    m.add(name + ".weight", [length], 1.0, 0.2)


def rotary_layers(m, biases=(), qk_norm=False, fused=False, post_norms=False, tied=False):
    d, ff = m.key("embedding_length"), m.key("feed_forward_length")
    heads, kv_heads = m.key("attention.head_count"), m.key("attention.head_count_kv")
    head_dim = m.key("attention.key_length", d // heads)
    count, used_ff = m.key("expert_count"), m.key("expert_feed_forward_length", ff)
    m.add("token_embd.weight", [VOCABULARY, d], spread=0.8)
    for i in range(LAYERS):
        p = f"blk.{i}."
        projections = {"attn_q": heads, "attn_k": kv_heads, "attn_v": kv_heads}
        if fused:
            projections = {"attn_qkv": heads + 2 * kv_heads}
        norm(m, p + "attn_norm", d)
        for name, n in projections.items():
            m.add(f"{p}{name}.weight", [n * head_dim, d])
        m.add(p + "attn_output.weight", [d, heads * head_dim])
        for name in biases:
            m.add(f"{p}{name}.bias", [m.tensors[f"{p}{name}.weight"]["shape"][0]])
        if qk_norm:
            norm(m, p + "attn_q_norm", head_dim)
            norm(m, p + "attn_k_norm", head_dim)
        norm(m, p + "ffn_norm", d)
        if count:
            m.add(p + "ffn_gate_inp.weight", [count, d])
            m.add(p + "ffn_gate_exps.weight", [count, used_ff, d])
            m.add(p + "ffn_up_exps.weight", [count, used_ff, d])
            m.add(p + "ffn_down_exps.weight", [count, d, used_ff])
        else:
            if not fused:
                m.add(p + "ffn_gate.weight", [ff, d])
            m.add(p + "ffn_up.weight", [2 * ff if fused else ff, d])
            m.add(p + "ffn_down.weight", [d, ff])
        if post_norms:
            norm(m, p + "post_attention_norm", d)
            norm(m, p + "post_ffw_norm", d)
    norm(m, "output_norm", d)
    if not tied:
        m.add("output.weight", [VOCABULARY, d])
    return m


def gpt2():
    d, ff = 48, 192
    m = MicroModel("gpt2", {
        "gpt2.context_length": CONTEXT, "gpt2.embedding_length": d, "gpt2.block_count": LAYERS,
        "gpt2.feed_forward_length": ff, "gpt2.attention.head_count": 4,
        "gpt2.attention.layer_norm_epsilon": 1e-5})
    m.add("token_embd.weight", [VOCABULARY, d], spread=0.8)
    m.add("position_embd.weight", [CONTEXT, d])
    for i in range(LAYERS):
        p = f"blk.{i}."
        for name, rows, columns in (("attn_qkv", 3 * d, d), ("attn_output", d, d), ("ffn_up", ff, d),
                                    ("ffn_down", d, ff)):
            m.add(f"{p}{name}.weight", [rows, columns])
            m.add(f"{p}{name}.bias", [rows])
        for name in ("attn_norm", "ffn_norm"):
            norm(m, p + name, d)
            m.add(f"{p}{name}.bias", [d])
    norm(m, "output_norm", d)
    m.add("output_norm.bias", [d])
    m.add("output.weight", [VOCABULARY, d])
    return m


def llama3():
    m = rotary_layers(base("llama", rope__freq_base=500000.0))
    m.add("rope_freqs.weight", [4], 4.5, 3.5)
    return m


def phi3(original):
    m = rotary_layers(base("phi3", heads=4, kv_heads=2, rope__dimension_count=8,
                           rope__scaling__original_context_length=original,
                           rope__scaling__attn_factor=1.19, attention__sliding_window=9), fused=True)
    m.add("rope_factors_long.weight", [4], 4.0, 2.0)
    m.add("rope_factors_short.weight", [4], 1.5, 0.4)
    return m


QKV = ("attn_q", "attn_k", "attn_v")
YARN = {"rope__scaling__type": "yarn", "rope__scaling__factor": 4.0,
        "rope__scaling__original_context_length": 80}

MODELS = {
    "llama-llama3": llama3,
    "llama-linear": lambda: rotary_layers(
        base("llama", rope__scaling__type="linear", rope__scaling__factor=2.5), QKV + ("attn_output",)),
    "llama-yarn": lambda: rotary_layers(base("llama", heads=3, kv_heads=1, **YARN)),
    "llama-mistral": lambda: rotary_layers(base("llama", attention__sliding_window=37)),
    "llama-mixtral": lambda: rotary_layers(base("llama", expert_count=5, expert_used_count=2)),
    "qwen2": lambda: rotary_layers(base("qwen2", rope__freq_base=1000000.0), QKV, tied=True),
    "qwen3": lambda: rotary_layers(
        base("qwen3", attention__key_length=12, attention__value_length=12), qk_norm=True),
    "qwen3moe": lambda: rotary_layers(
        base("qwen3moe", attention__key_length=16, attention__value_length=16, expert_count=6,
             expert_used_count=3, expert_feed_forward_length=24), qk_norm=True),
    "qwen3moe-shares": lambda: rotary_layers(
        base("qwen3moe", expert_count=6, expert_used_count=2, expert_feed_forward_length=24,
             expert_weights_norm=False), qk_norm=True),
    "gemma2": lambda: rotary_layers(
        base("gemma2", heads=4, kv_heads=2, attention__key_length=20, attention__value_length=20,
             attention__sliding_window=11, attn_logit_softcapping=4.0, final_logit_softcapping=9.0,
             attention__scale=0.28), post_norms=True, tied=True),
    "phi3-long": lambda: phi3(64),
    "phi3-short": lambda: phi3(CONTEXT),
    "gpt2": gpt2,
}


def fixture(model) -> str:
    logits = forward(model, TOKENS)[POSITIONS]
    assert np.isfinite(logits).all()
    parts = {"architecture": model.architecture, "keys": model.keys, "tensors": model.tensors,
             "vocabulary": VOCABULARY, "token_count": len(TOKENS), "positions": POSITIONS}
    lines = [f'"{k}": {json.dumps(v)}' for k, v in parts.items()]
    rows = ",\n".join("[" + ", ".join(f"{x:.7g}" for x in row) + "]" for row in logits)
    return "{" + ",\n".join(lines) + ',\n"logits": [\n' + rows + "\n]}\n"


def numbers_agree(a: str, b: str) -> bool:
    a, b = json.loads(a), json.loads(b)
    return np.allclose(a.pop("logits"), b.pop("logits"), rtol=1e-6, atol=1e-6) and a == b


def main() -> int:
    arguments = sys.argv[1:]
    FOLDER.mkdir(exist_ok=True)
    for name, make in MODELS.items():
        model, path = make(), FOLDER / f"{name}.json"
        if arguments[:1] == ["--gguf"]:
            (pathlib.Path(arguments[1]) / f"{name}.gguf").write_bytes(model.gguf())
        elif arguments == ["--check"]:
            if not numbers_agree(fixture(model), path.read_text()):
                print(f"{name}: the fixture differs")
                return 1
        else:
            path.write_text(fixture(model))
    return 0


if __name__ == "__main__":
    sys.exit(main())
