#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what the fuzzers of src/api's bodies begin with (tests/corpus/NAME_fuzz/); needs nothing built.

make_fuzz_seeds.py calls it too.
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from chain_fuzz_seeds import put  # noqa: E402

VOUCHER = {"payer": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "pool": 1, "session_key": "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
           "ceiling": 20_000, "expiry": 1_800_000_000, "salt": "0x" + "07" * 32, "signature": "0x" + "11" * 64 + "1b"}


def make_api_seeds():
    put("voucher_routes", "numbers", json.dumps(VOUCHER).encode())
    texts = {name: str(value) for name, value in VOUCHER.items()} | {"ceiling": str(2 ** 64 - 1)}
    put("voucher_routes", "texts", json.dumps(texts).encode())


if __name__ == "__main__":
    make_api_seeds()
