#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the inputs that the fuzzers of src/chain begin with (tests/corpus/NAME_fuzz/); needs nothing built.

make_fuzz_seeds.py calls it too. The transactions are a public example and two that anybody may have signed.
"""
import hashlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from make_bindings import keccak256  # noqa: E402

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "tests" / "corpus"

# The example of EIP-155.
LEGACY = ("f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe53"
          "7567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83")


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def put(target: str, name: str, content: bytes):
    folder = CORPUS / f"{target}_fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def rlp(item) -> bytes:
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    is_list = isinstance(item, list)
    body = b"".join(map(rlp, item)) if is_list else item
    if not is_list and len(body) == 1 and body[0] < 0x80:
        return body
    base = 0xc0 if is_list else 0x80
    if len(body) < 56:
        return bytes([base + len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(length)]) + length + body


def unsigned_parts(kind: int) -> list:
    fees = [1_000_000, 50_000_000] if kind == 2 else [50_000_000]
    access = [[bytes(19) + b"\1", [word(1), word(2)]], [bytes(20), []]]
    return [1, 7, *fees, 100_000, bytes(19) + b"\2", 1 << 60, b"\1\2\3", access]


def transactions():
    put("transaction", "legacy", bytes.fromhex(LEGACY))
    for kind in (1, 2):
        # Any r that is an x of the curve with any s recovers to somebody.
        signature = [1, int("28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276", 16), 12345]
        put("transaction", f"type{kind}", bytes([kind]) + rlp(unsigned_parts(kind) + signature))


def items():
    put("rlp", "nested", rlp([b"cat", [b"", 1, [0x7f, 0x80], b"x" * 60], [[[]]], b"y" * 300]))
    put("rlp", "number", rlp(1 << 255))


def values():
    text = lambda name: name.encode() + b"\0"
    put("abi", "static", text("(uint8,int16,bool,address,bytes4)") + word(1) + word(2) + word(1) + word(3) + b"abcd" + bytes(28))
    put("abi", "dynamic", text("bytes") + word(32) + word(3) + b"abc" + bytes(29))
    put("abi", "strings", text("string[]") + word(32) + word(2) + word(64) + word(128) + word(1) + b"a" + bytes(31) + word(1)
        + b"b" + bytes(31))
    put("abi", "matrix", text("uint16[2][]") + word(32) + word(1) + word(5) + word(6))
    put("abi", "error", keccak256(b"Error(string)")[:4] + word(32) + word(2) + b"no" + bytes(30))


def answers():
    hashed, account = "0x" + "ab" * 32, "0x" + "cd" * 20
    log = {"address": account, "topics": [hashed, hashed], "data": "0x01", "blockNumber": "0x10", "blockHash": hashed,
           "transactionHash": hashed, "logIndex": "0x0", "removed": False}
    results = {
        "quantity": "0x1f", "none": None, "hash": hashed, "logs": [log],
        "block": {"number": "0x10", "hash": hashed, "parentHash": hashed, "timestamp": "0x5", "baseFeePerGas": "0x7"},
        "receipt": {"transactionHash": hashed, "blockNumber": "0x10", "blockHash": hashed, "status": "0x1", "gasUsed": "0x5208",
                    "effectiveGasPrice": "0x1", "l1Fee": "0x2", "contractAddress": account, "logs": [log]},
        "fees": {"oldestBlock": "0x1", "baseFeePerGas": ["0x1", "0x2"], "reward": [["0x1", "0x2"]]}}
    for name, result in results.items():
        put("json_rpc", name, json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())
    error = {"code": 3, "message": "execution reverted", "data": "0x" + (keccak256(b"Panic(uint256)")[:4] + word(17)).hex()}
    put("json_rpc", "reverted", json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode())


def keystores():
    salt, secret_text = bytes(range(32)), bytes(32 - 1) + b"\1"
    kinds = {"scrypt": ({"n": 2, "r": 1, "p": 1}, hashlib.scrypt(b"password", salt=salt, n=2, r=1, p=1, dklen=32)),
             "pbkdf2": ({"c": 1, "prf": "hmac-sha256"}, hashlib.pbkdf2_hmac("sha256", b"password", salt, 1, 32))}
    for kdf, (parameters, key) in kinds.items():
        crypto = {"cipher": "aes-128-ctr", "cipherparams": {"iv": "00" * 16}, "ciphertext": secret_text.hex(), "kdf": kdf,
                  "kdfparams": {"dklen": 32, "salt": salt.hex(), **parameters}, "mac": keccak256(key[16:] + secret_text).hex()}
        put("keystore", kdf, json.dumps({"version": 3, "id": "1", "address": "", "crypto": crypto}).encode())


def histories():
    """Blocks with events as chain_view_fuzz.cpp reads them: a step (kind + 8 * count), then events by kind and fields."""
    block = lambda *event: bytes([2 + 8, *event])
    pool = block(0, 0, 1, 1, 1, 1, 2, 3, 1)
    prices, accepted = block(0, 1, 1, 2, 3, 4), block(0, 3, 1, 1, 1)
    node = block(2, 0, 1, 1, 1, 0, 2, 1, 7, 1)
    bought, opened, spent = block(3, 0, 1, 1, 7), block(3, 5, 1, 1, 1, 1, 5, 7), block(3, 8, 1, 2, 3)
    earned, withdrawn = block(6, 1, 1, 1, 1, 5), block(6, 3, 1, 1, 5)
    settle, unwind = bytes([1 + 8 * 3]), bytes([0 + 8 * 2])
    put("chain_view", "pool", pool + prices + accepted + node + settle + block(0, 4, 1, 1) + unwind)
    put("chain_view", "money", bought + opened + settle + spent + unwind + spent)
    put("chain_view", "earnings", pool + accepted + node + earned + settle + withdrawn)


def files():
    account = "0x" + "cd" * 20
    put("deployment_file", "dev", json.dumps({"version": 1, "chain_id": 84532, "contract": account, "verifier": account, "kind": "dev",
                                              "block": 7, "wei_per_credit": "1000000", "contracts": [{"gas": 1}]}).encode())
    put("registration_file", "node", json.dumps(
        {"version": 1, "chain_id": 84532, "contract": account, "pool": 1, "slot": 2, "host": account, "endpoint": "tls://a.example:1",
         "statement": "0x01", "quote": "0x02", "signature": "0x" + "03" * 65, "platform_verdict": "0x04"}).encode())


def make_chain_seeds():
    items()
    transactions()
    values()
    answers()
    keystores()
    histories()
    files()


if __name__ == "__main__":
    make_chain_seeds()
