# SPDX-License-Identifier: Apache-2.0
"""F32 matrices as F16 and as Q8_0, rounded as other engines' tools round them. Needs NumPy."""
import sys

import numpy as np

from harness import ROOT

sys.path.insert(0, str(ROOT / "tests" / "reference"))
import gguf_writer  # noqa: E402


def f32(data: bytes):
    return gguf_writer.F32, data


def f16(data: bytes):
    return gguf_writer.F16, np.frombuffer(data, "<f4").astype("<f2").tobytes()


def q8_0(data: bytes):
    """Blocks of 32 with an F16 scale; halves are rounded away from zero."""
    blocks = np.frombuffer(data, "<f4").reshape(-1, 32)
    scales = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    quotients = blocks * np.divide(np.float32(1), scales, out=np.zeros_like(scales), where=scales > 0)
    codes = np.trunc(quotients + np.copysign(np.float32(0.5), quotients)).astype(np.int8)
    return gguf_writer.Q8_0, np.concatenate(
        [scales.astype("<f2").view(np.uint8), codes.view(np.uint8)], axis=1).tobytes()
