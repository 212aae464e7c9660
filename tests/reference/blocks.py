# SPDX-License-Identifier: Apache-2.0
"""Blocks of every GGUF type as float64, from the layouts in the GGUF specification. Each function
takes (blocks, bytes of one block) and gives (blocks, elements of one block)."""
import numpy as np


def half(b, at):
    return b[:, at:at + 2].copy().view("<f2").astype(np.float64)


def nibbles(q):
    return np.concatenate([q & 15, q >> 4], axis=1)


def fifth_bits(b, at):
    return np.unpackbits(b[:, at:at + 4], axis=1, bitorder="little") << 4


def q4_0(b):
    return half(b, 0) * (nibbles(b[:, 2:]) - 8.0)


def q4_1(b):
    return half(b, 0) * nibbles(b[:, 4:]) + half(b, 2)


def q5_0(b):
    return half(b, 0) * ((nibbles(b[:, 6:]) | fifth_bits(b, 2)) - 16.0)


def q5_1(b):
    return half(b, 0) * (nibbles(b[:, 8:]) | fifth_bits(b, 4)) + half(b, 2)


def q8_0(b):
    return half(b, 0) * b[:, 2:].view(np.int8)


def planes(q, bits):
    """Bytes of which each holds fields of `bits` bits: first all lowest fields of 32 bytes, then the
    next ones, and so on; then the next 32 bytes."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    q = q.reshape(len(q), -1, 1, 32)
    return ((q >> shifts[:, None]) & ((1 << bits) - 1)).reshape(len(q), -1)


def per_sub_block(values, length):
    return np.repeat(values, length, axis=1)


def q2_k(b):
    scales = per_sub_block(b[:, :16], 16)
    return half(b, 80) * (scales & 15) * planes(b[:, 16:80], 2) - half(b, 82) * (scales >> 4)


def q3_k(b):
    low, high = nibbles(b[:, 96:104]), b[:, 104:108]
    high = ((high[:, None, :] >> np.arange(0, 8, 2, dtype=np.uint8)[:, None]) & 3).reshape(len(b), 16)
    scales = per_sub_block((low | high << 4) - 32.0, 16)
    return half(b, 108) * scales * (planes(b[:, 32:96], 2) - 4.0 * (1 - planes(b[:, :32], 1)))


def scales_and_minima(q):
    """Eight of 6 bits each, in 12 bytes."""
    a, c, rest = q[:, :4], q[:, 4:8], q[:, 8:]
    return (np.concatenate([a & 63, (rest & 15) | a >> 6 << 4], axis=1),
            np.concatenate([c & 63, (rest >> 4) | c >> 6 << 4], axis=1))


def q4_k(b, codes=None):
    scales, minima = scales_and_minima(b[:, 4:16])
    codes = planes(b[:, 16:], 4) if codes is None else codes
    return half(b, 0) * per_sub_block(scales, 32) * codes - half(b, 2) * per_sub_block(minima, 32)


def q5_k(b):
    return q4_k(b, planes(b[:, 48:], 4) | planes(b[:, 16:48], 1) << 4)


def q6_k(b):
    ql = b[:, :128].reshape(-1, 2, 64)
    low = np.concatenate([ql & 15, ql >> 4], axis=2).reshape(len(b), 256)
    scales = per_sub_block(b[:, 192:208].view(np.int8), 16)
    return half(b, 208) * scales * ((low | planes(b[:, 128:192], 2) << 4) - 32.0)


def f32(b):
    return b.view("<f4").astype(np.float64)


def f16(b):
    return b.view("<f2").astype(np.float64)


def bf16(b):
    return (b.view("<u2").astype(np.uint32) << 16).view(np.float32).astype(np.float64)


# GGUF's number of a type: elements and bytes of a block, and its decoder
TYPES = {0: (1, 4, f32), 1: (1, 2, f16), 30: (1, 2, bf16), 2: (32, 18, q4_0), 3: (32, 20, q4_1), 6: (32, 22, q5_0),
         7: (32, 24, q5_1), 8: (32, 34, q8_0), 10: (256, 84, q2_k), 11: (256, 110, q3_k), 12: (256, 144, q4_k),
         13: (256, 176, q5_k), 14: (256, 210, q6_k)}
