# SPDX-License-Identifier: Apache-2.0
"""Any GGUF v3 file as a model that forward.py can run: a reader that trusts its file and shares
nothing with src/."""
import mmap
import struct

import numpy as np

from blocks import TYPES

SCALARS = {0: "B", 1: "b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "?", 10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def scalar(self, form):
        value, = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def bytes(self):
        count = self.scalar("<Q")
        self.at += count
        return self.data[self.at - count:self.at]

    def text(self):
        return self.bytes().decode()

    def value(self, kind):
        if kind == STRING:
            return self.bytes()
        if kind == ARRAY:
            of, count = self.scalar("<I"), self.scalar("<Q")
            return [self.value(of) for _ in range(count)]
        return self.scalar(SCALARS[kind])


class GgufModel:
    """As MicroModel: keys, and tensors as float64 arrays in (rows, columns) order."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        reader = Reader(self.data)
        assert self.data[:8] == b"GGUF\3\0\0\0"
        reader.at = 8
        tensor_count, entry_count = reader.scalar("<Q"), reader.scalar("<Q")
        self.keys = {reader.text(): reader.value(reader.scalar("<I")) for _ in range(entry_count)}
        self.architecture = self.keys["general.architecture"].decode()
        self.tensors = {}
        for _ in range(tensor_count):
            name, dimension_count = reader.text(), reader.scalar("<I")
            shape = [reader.scalar("<Q") for _ in range(dimension_count)][::-1]
            self.tensors[name] = shape, reader.scalar("<I"), reader.scalar("<Q")
        alignment = self.keys.get("general.alignment", 32)
        self.begin = -(-reader.at // alignment) * alignment

    def __contains__(self, name):
        return name in self.tensors

    def __getitem__(self, name):
        shape, kind, offset = self.tensors[name]
        elements, size, decode = TYPES[kind]
        count = int(np.prod(shape)) // elements
        blocks = np.frombuffer(self.data, np.uint8, count * size, self.begin + offset).reshape(count, size)
        return decode(blocks).reshape(shape)

    def key(self, name, fallback=None):
        value = self.keys.get(f"{self.architecture}.{name}", fallback)
        return value.decode() if isinstance(value, bytes) else value
