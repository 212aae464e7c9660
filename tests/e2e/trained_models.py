# SPDX-License-Identifier: Apache-2.0
"""The small trained models of shared/data/models, which come in formats of their own, as GGUF."""
import array
import base64
import json
import math
import pathlib
import struct
import sys

from harness import ROOT, shared

sys.path.insert(0, str(ROOT / "tests" / "reference"))
from gguf_writer import F32, gguf  # noqa: E402

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # types of tokens


class TrainedModel:
    """Keys, and tensors as little-endian F32: name -> (shape in (rows, columns) order, bytes)."""

    def __init__(self, entries: dict, tensors: dict):
        self.entries, self.tensors = entries, tensors

    def write(self, path: pathlib.Path, encode_matrix=lambda data: (F32, data)) -> pathlib.Path:
        """encode_matrix: F32 bytes to (type, bytes)."""
        path.write_bytes(gguf(self.entries, [
            (name, shape, *(encode_matrix(data) if len(shape) > 1 else (F32, data)))
            for name, (shape, data) in self.tensors.items()]))
        return path


def vocabulary_keys(pieces: list, scores: list) -> dict:
    """A SentencePiece vocabulary that begins with unknown, BOS and EOS."""
    types = [BYTE if p.startswith("<0x") else NORMAL for p in pieces]
    types[:3] = UNKNOWN, CONTROL, CONTROL
    return {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": pieces, "tokenizer.ggml.scores": scores,
            "tokenizer.ggml.token_type": types, "tokenizer.ggml.unknown_token_id": 0,
            "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2}


def text_vocabulary(path: pathlib.Path) -> dict:
    lines = [line.split("\t") for line in path.read_text().split("\n") if line]
    return vocabulary_keys([piece for piece, _ in lines], [float(score) for _, score in lines])


def llama2c_vocabulary(path: pathlib.Path) -> dict:
    """llama2.c's tokenizer.bin: the longest length, then (score, length, piece) each."""
    data, at, pieces, scores = path.read_bytes(), 4, [], []
    while at < len(data):
        score, length = struct.unpack_from("<fi", data, at)
        piece = data[at + 8:at + 8 + length].decode()
        scores.append(score)
        pieces.append(piece.replace(" ", "\u2581"))
        at += 8 + length
    pieces[:3] = "<unk>", "<s>", "</s>"
    return vocabulary_keys(pieces, scores)


def llama2c(path: pathlib.Path, vocabulary: dict) -> TrainedModel:
    """llama2.c's first format: seven integers, then tensors of F32 one after the other. Rotations are
    of neighbouring pairs, as in GGUF's llama."""
    data = path.read_bytes()
    d, ff, layers, heads, kv_heads, rows, context = struct.unpack_from("<7i", data)
    assert rows > 0, "the output is tied to the embedding"
    at, tensors = 28, {}

    def take(name: str, *shape: int) -> None:
        nonlocal at
        size = 4 * math.prod(shape)
        tensors[name] = shape, data[at:at + size]
        at += size

    kv = d // heads * kv_heads
    take("token_embd.weight", rows, d)
    for part, shape in (("attn_norm", (d,)), ("attn_q", (d, d)), ("attn_k", (kv, d)), ("attn_v", (kv, d)),
                        ("attn_output", (d, d)), ("ffn_norm", (d,)), ("ffn_gate", (ff, d)), ("ffn_down", (d, ff)),
                        ("ffn_up", (ff, d))):
        for i in range(layers):
            take(f"blk.{i}.{part}.weight", *shape)
    take("output_norm.weight", d)
    assert len(data) - at == 4 * context * (d // heads), "two tables of rotations follow"
    return TrainedModel({
        "general.architecture": "llama", "llama.context_length": context, "llama.embedding_length": d,
        "llama.block_count": layers, "llama.feed_forward_length": ff, "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": kv_heads, "llama.attention.layer_norm_rms_epsilon": 1e-5,
        **vocabulary}, tensors)


def min_gpt(path: pathlib.Path) -> TrainedModel:
    """A minGPT checkpoint as llm-viz stores it: JSON of F32 tensors in base64."""
    model = json.loads(path.read_text())
    config = model["config"]
    tensors = {}

    def take(ours: str, theirs: str) -> None:
        part = model[theirs]
        tensors[ours] = part["shape"], base64.b64decode(part["data"])

    take("token_embd.weight", "transformer.wte.weight")
    take("position_embd.weight", "transformer.wpe.weight")
    for i in range(config["n_layer"]):
        for ours, theirs in (("attn_norm", "ln_1"), ("attn_qkv", "attn.c_attn"), ("attn_output", "attn.c_proj"),
                             ("ffn_norm", "ln_2"), ("ffn_up", "mlp.c_fc"), ("ffn_down", "mlp.c_proj")):
            for kind in ("weight", "bias"):
                take(f"blk.{i}.{ours}.{kind}", f"transformer.h.{i}.{theirs}.{kind}")
    take("output_norm.weight", "transformer.ln_f.weight")
    take("output_norm.bias", "transformer.ln_f.bias")
    take("output.weight", "lm_head.weight")
    d = config["n_embd"]
    return TrainedModel({
        "general.architecture": "gpt2", "gpt2.context_length": config["block_size"], "gpt2.embedding_length": d,
        "gpt2.block_count": config["n_layer"], "gpt2.feed_forward_length": 4 * d,
        "gpt2.attention.head_count": config["n_head"], "gpt2.attention.layer_norm_epsilon": 1e-5}, tensors)


def floats(part: dict) -> array.array:
    """A tensor of llm-viz."""
    values = array.array("f", base64.b64decode(part["data"]))
    if sys.byteorder == "big":
        values.byteswap()
    return values


def babyllama(name: str) -> TrainedModel:
    """tok105, tok361 or stories260K."""
    if name == "stories260K":
        folder = shared("data/models/stories260K")
        return llama2c(folder / "stories260K.bin", llama2c_vocabulary(folder / "tok512.bin"))
    folder = shared(f"data/models/babyllama-{name}")
    vocabulary = folder / {"tok105": "tok105.vocab", "tok361": "tok361.derived.vocab"}[name]
    return llama2c(folder / "model5000.bin", text_vocabulary(vocabulary))


def golden_folder(name: str) -> pathlib.Path:
    return shared("data/models") / (name if name == "stories260K" else f"babyllama-{name}")
