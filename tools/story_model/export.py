#!/usr/bin/python3
"""Trained weights + SentencePiece model -> GGUF v3.

usage: export.py MODEL_DIR/model.pt DATA_DIR/tokenizer.model OUT.gguf [--type q8_0|f32]

Tensor and key names follow the GGUF specification (ggml, docs/gguf.md); matrices are Q8_0 (blocks of
32: F16 scale, 32 signed bytes), vectors F32. Needs numpy, torch and sentencepiece.
"""
import argparse
import struct

import numpy as np
import sentencepiece as spm
import torch

U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
GGML_F32, GGML_Q8_0, ALIGNMENT = 0, 8, 32


def text(s: str) -> bytes:
    raw = s.encode()
    return struct.pack("<Q", len(raw)) + raw


def entry(key: str, kind: int, value) -> bytes:
    form = {U32: "<I", I32: "<i", F32: "<f", BOOL: "<B"}
    body = text(value) if kind == STRING else struct.pack(form[kind], value)
    return text(key) + struct.pack("<I", kind) + body


def array(key: str, kind: int, values) -> bytes:
    form = {I32: "<i", F32: "<f"}
    body = b"".join(text(v) if kind == STRING else struct.pack(form[kind], v) for v in values)
    return text(key) + struct.pack("<IIQ", ARRAY, kind, len(values)) + body


def q8_0(x: np.ndarray) -> bytes:
    blocks = x.reshape(-1, 32)
    scale = (np.abs(blocks).max(1, keepdims=True) / 127).astype(np.float16)
    wide = scale.astype(np.float32)
    quants = np.rint(np.divide(blocks, wide, out=np.zeros_like(blocks), where=wide != 0)).clip(-127, 127)
    out = np.empty((len(blocks), 34), np.uint8)
    out[:, :2] = scale.view(np.uint8)
    out[:, 2:] = quants.astype(np.int8).view(np.uint8)
    return out.tobytes()


def tokenizer_entries(path: str) -> bytes:
    sp = spm.SentencePieceProcessor(model_file=path)
    kinds = [2 if sp.is_unknown(i) else 3 if sp.is_control(i) else 6 if sp.is_byte(i) else 1
             for i in range(len(sp))]
    return b"".join([
        entry("tokenizer.ggml.model", STRING, "llama"),
        entry("tokenizer.ggml.pre", STRING, "default"),
        array("tokenizer.ggml.tokens", STRING, [sp.id_to_piece(i) for i in range(len(sp))]),
        array("tokenizer.ggml.scores", F32, [sp.get_score(i) for i in range(len(sp))]),
        array("tokenizer.ggml.token_type", I32, kinds),
        entry("tokenizer.ggml.bos_token_id", U32, 1),
        entry("tokenizer.ggml.eos_token_id", U32, 2),
        entry("tokenizer.ggml.unknown_token_id", U32, 0),
        entry("tokenizer.ggml.add_bos_token", BOOL, 1),
        entry("tokenizer.ggml.add_eos_token", BOOL, 0),
        entry("tokenizer.ggml.add_space_prefix", BOOL, 1),
    ]), 11


def main() -> None:
    ap = argparse.ArgumentParser()
    ap.add_argument("model")
    ap.add_argument("tokenizer")
    ap.add_argument("out")
    ap.add_argument("--type", choices=("q8_0", "f32"), default="q8_0")
    a = ap.parse_args()
    saved = torch.load(a.model, map_location="cpu")
    c = saved["config"]
    head_dim = c["dim"] // c["heads"]
    entries = [
        entry("general.architecture", STRING, "llama"),
        entry("general.name", STRING, "TeeTee Story"),
        entry("general.license", STRING, "Apache-2.0"),
        entry("general.file_type", U32, 7 if a.type == "q8_0" else 0),
        entry("general.quantization_version", U32, 2),
        entry("llama.context_length", U32, c["context"]),
        entry("llama.embedding_length", U32, c["dim"]),
        entry("llama.block_count", U32, c["layers"]),
        entry("llama.feed_forward_length", U32, c["hidden"]),
        entry("llama.attention.head_count", U32, c["heads"]),
        entry("llama.attention.head_count_kv", U32, c["kv_heads"]),
        entry("llama.attention.layer_norm_rms_epsilon", F32, c["eps"]),
        entry("llama.rope.dimension_count", U32, head_dim),
        entry("llama.rope.freq_base", F32, c["rope_base"]),
        entry("llama.vocab_size", U32, c["vocab"]),
    ]
    tokenizer, tokenizer_count = tokenizer_entries(a.tokenizer)
    info, data = b"", b""
    tensors = [(name, t.numpy().astype(np.float32)) for name, t in saved["state"].items()]
    for name, value in tensors:
        matrix = value.ndim == 2 and a.type == "q8_0"
        raw = q8_0(value) if matrix else value.tobytes()
        info += text(name) + struct.pack("<I", value.ndim) + b"".join(
            struct.pack("<Q", d) for d in reversed(value.shape))
        info += struct.pack("<IQ", GGML_Q8_0 if matrix else GGML_F32, len(data))
        data += raw + b"\0" * (-len(raw) % ALIGNMENT)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries) + tokenizer_count)
    head += b"".join(entries) + tokenizer + info
    with open(a.out, "wb") as f:
        f.write(head + b"\0" * (-len(head) % ALIGNMENT) + data)
    print(a.out, len(head) + len(data), "bytes,", sum(v.size for _, v in tensors), "parameters")


if __name__ == "__main__":
    main()
