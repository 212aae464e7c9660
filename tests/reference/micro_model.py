# SPDX-License-Identifier: Apache-2.0
"""Small models whose weights follow from their tensors' names, so that a fixture need not carry
them: element i of a tensor is center + spread * u, u in [-1, 1) from SplitMix64 (Steele et al.
2014) over the FNV-1a hash of the name. src/model/architecture_test.cpp makes the same ones."""
import struct

import numpy as np

MASK = (1 << 64) - 1


def fnv1a(text: str) -> int:
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & MASK
    return value


def weights(name: str, shape: list[int], center: float, spread: float) -> np.ndarray:
    """shape is (rows, columns) order, as NumPy has it; float64 holding float32 values."""
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0
    return (center + spread * u).astype(np.float32).astype(np.float64).reshape(shape)


class MicroModel:
    """Keys (without general.architecture) and tensors of one model."""

    def __init__(self, architecture: str, keys: dict):
        self.architecture = architecture
        # What GGUF stores as F32 is that value for everybody.
        self.keys = {k: float(np.float32(v)) if isinstance(v, float) else v for k, v in keys.items()}
        self.tensors: dict[str, dict] = {}

    def add(self, name: str, shape: list[int], center: float = 0.0, spread: float = 0.35) -> None:
        self.tensors[name] = {"shape": shape, "center": center, "spread": spread}

    def __getitem__(self, name: str) -> np.ndarray:
        t = self.tensors[name]
        return weights(name, t["shape"], t["center"], t["spread"])

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def key(self, name: str, fallback=None):
        return self.keys.get(f"{self.architecture}.{name}", fallback)

    def gguf(self) -> bytes:
        """A GGUF v3 file with F32 tensors."""
        def text(s: str) -> bytes:
            return struct.pack("<Q", len(s.encode())) + s.encode()

        def entry(key: str, value) -> bytes:
            if isinstance(value, bool):
                return text(key) + struct.pack("<IB", 7, value)
            if isinstance(value, int):
                return text(key) + struct.pack("<II", 4, value)
            if isinstance(value, float):
                return text(key) + struct.pack("<If", 6, value)
            return text(key) + struct.pack("<I", 8) + text(value)

        entries = {"general.architecture": self.architecture, **self.keys}
        out = b"GGUF" + struct.pack("<IQQ", 3, len(self.tensors), len(entries))
        out += b"".join(entry(k, v) for k, v in entries.items())
        data = b""
        for name, t in self.tensors.items():
            shape = t["shape"][::-1]
            out += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
            out += struct.pack("<IQ", 0, len(data))
            data += self[name].astype("<f4").tobytes()
            data += bytes(-len(data) % 32)
        return out + bytes(-len(out) % 32) + data
