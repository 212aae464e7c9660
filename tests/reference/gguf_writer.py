# SPDX-License-Identifier: Apache-2.0
"""Writes GGUF v3 files. Needs nothing but Python."""
import struct

F32, F16, Q8_0 = 0, 1, 8  # GGUF's numbers of types


def text(s: str) -> bytes:
    return struct.pack("<Q", len(s.encode())) + s.encode()


def value(v) -> bytes:
    """The number of a value's type, and the value. Lists of integers are signed, as GGUF's are."""
    if isinstance(v, list):
        kind = b"\5\0\0\0" if isinstance(v[0], int) else value(v[0])[:4]
        return struct.pack("<I", 9) + kind + struct.pack("<Q", len(v)) + b"".join(value(x)[4:] for x in v)
    if isinstance(v, bool):
        return struct.pack("<IB", 7, v)
    if isinstance(v, int):
        return struct.pack("<II", 4, v)
    if isinstance(v, float):
        return struct.pack("<If", 6, v)
    return struct.pack("<I", 8) + text(v)


def gguf(entries: dict, tensors) -> bytes:
    """tensors: (name, shape in (rows, columns) order, type, data) each."""
    out, data, count = b"", b"", 0
    for name, shape, kind, part in tensors:
        out += text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape[::-1])
        out += struct.pack("<IQ", kind, len(data))
        data += part + bytes(-len(part) % 32)
        count += 1
    head = b"GGUF" + struct.pack("<IQQ", 3, count, len(entries))
    out = head + b"".join(text(k) + value(v) for k, v in entries.items()) + out
    return out + bytes(-len(out) % 32) + data
