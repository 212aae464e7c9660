#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what the fuzzers of settlements' sign-off begin with (tests/corpus/NAME_fuzz/); needs nothing built.

An ask as src/billing/sign_off.hpp has it, and the frames in which asks and answers travel (src/wire).
make_fuzz_seeds.py calls it too.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from chain_fuzz_seeds import put, word  # noqa: E402
from make_bindings import keccak256  # noqa: E402

SETTLE = (b"settle((uint64,uint64,uint64,uint64,uint128,bytes32,(bytes32,uint128,uint128,bytes32,bytes32)[],"
          b"(uint64,uint128)[],(uint64,uint64,bytes32,bytes32)[]))")
FRAME_VERSION = 9


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def settle_call() -> bytes:
    """A spend, a query and two nodes at work."""
    spends = word(1) + word(4) + word(100) + word(200) + word(5) + word(6)
    queries = word(1) + word(3) + word(50)
    work = word(2) + b"".join(word(node) + word(31) + word(0) + word(0) for node in (1, 2))
    head = b"".join(map(word, (7, 1, 26, 5, 150, 9)))
    heads = len(head) + 3 * 32
    offsets = word(heads) + word(heads + len(spends)) + word(heads + len(spends) + len(queries))
    return keccak256(SETTLE)[:4] + word(32) + head + offsets + spends + queries + work


def ask() -> bytes:
    span = lambda begin, end: u32(begin) + u32(end) + bytes(32)
    record = lambda number, begin, end: bytes([number]) * 16 + u32(3) + bytes(32) + 2 * span(begin, end) + bytes(64) + b"\x1b"
    batch = settle_call()
    return u32(len(batch)) + batch + u32(1) + u32(2) + record(1, 0, 10) + record(2, 16, 36)


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7f:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


def integer(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value) if value else b""


def data(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(value)) + value


def frame(kind: int, body: bytes, payload: bytes = b"") -> bytes:
    header = data(kind, body) + data(20, bytes(19) + b"\1") + integer(21, 1)
    return FRAME_VERSION.to_bytes(2, "little") + u32(len(header)) + header + payload


def make_sign_off_seeds():
    node = bytes(19) + b"\2"
    put("sign_off", "settlement", ask())
    put("wire", "sign_off", frame(17, integer(1, 300) + data(2, node) + integer(3, 5), b"asked"))
    put("wire", "signed_off", frame(18, integer(1, 300) + data(2, node) + data(4, bytes(64) + b"\x1b")))
    put("wire", "refused", frame(18, integer(1, 300) + data(2, node) + integer(3, 761)))


if __name__ == "__main__":
    make_sign_off_seeds()
