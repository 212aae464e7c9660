# SPDX-License-Identifier: Apache-2.0
"""Small models whose weights follow from their tensors' names, so that a fixture need not carry
them: element i of a tensor is center + spread * u, u in [-1, 1) from SplitMix64 (Steele et al.
2014) over the FNV-1a hash of the name. src/model/architecture_test.cpp makes the same ones."""
import numpy as np

from gguf_writer import F32, gguf

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
        """A GGUF file with F32 tensors."""
        return gguf({"general.architecture": self.architecture, **self.keys},
                    [(name, t["shape"], F32, self[name].astype("<f4").tobytes())
                     for name, t in self.tensors.items()])
