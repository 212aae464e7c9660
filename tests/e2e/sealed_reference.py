# SPDX-License-Identifier: Apache-2.0
"""A second client for sealed requests, written after docs/api.md: HPKE from its primitives, plain
Python around it, sharing nothing with src/."""
import hashlib
import hmac
import struct

from harness import Skipped

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError:
    AESGCM = None

CONTENT_TYPE = "application/teetee-sealed"
KEM, KDF, AEAD = 0x0020, 0x0001, 0x0002
TAG_BYTES = 16


class Refused(Exception):
    """The answer is not the one that was sealed, or not all of it."""


def ensure_primitives():
    if AESGCM is None:
        raise Skipped("python3-cryptography is absent")


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(key: bytes, info: bytes, count: int) -> bytes:
    out, block, number = b"", b"", 1
    while len(out) < count:
        block = mac(key, block + info + bytes([number]))
        out, number = out + block, number + 1
    return out[:count]


# RFC 9180 section 4.
KEM_SUITE = b"KEM" + struct.pack(">H", KEM)
HPKE_SUITE = b"HPKE" + struct.pack(">HHH", KEM, KDF, AEAD)


def labeled_extract(suite, salt, label, material):
    return mac(salt, b"HPKE-v1" + suite + label + material)


def labeled_expand(suite, key, label, info, count):
    return expand(key, struct.pack(">H", count) + b"HPKE-v1" + suite + label + info, count)


class Sender:
    """RFC 9180 section 5.1.1, base mode; one text."""

    def __init__(self, recipient: bytes, info: bytes):
        ephemeral = X25519PrivateKey.generate()
        self.encapsulated_key = ephemeral.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        agreed = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
        shared = labeled_expand(KEM_SUITE, labeled_extract(KEM_SUITE, b"", b"eae_prk", agreed), b"shared_secret",
                                self.encapsulated_key + recipient, 32)
        context = (b"\0" + labeled_extract(HPKE_SUITE, b"", b"psk_id_hash", b"") +
                   labeled_extract(HPKE_SUITE, b"", b"info_hash", info))
        secret = labeled_extract(HPKE_SUITE, shared, b"secret", b"")
        self.key = labeled_expand(HPKE_SUITE, secret, b"key", context, 32)
        self.nonce = labeled_expand(HPKE_SUITE, secret, b"base_nonce", context, 12)
        self.exporter = labeled_expand(HPKE_SUITE, secret, b"exp", context, 32)

    def seal(self, aad: bytes, text: bytes) -> bytes:
        return AESGCM(self.key).encrypt(self.nonce, text, aad)

    def export(self, context: bytes, count: int) -> bytes:
        return labeled_expand(HPKE_SUITE, self.exporter, b"sec", context, count)


def prefixed(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def size_class(count: int, least: int) -> int:
    while least < count:
        least *= 2
    return least


def seal(statement: bytes, hpke_key: bytes, path: str, body: bytes, sent_at: int, headers=None, method="POST"):
    """(the sealed request, the answer's secret)"""
    ensure_primitives()
    statement_hash = hashlib.sha256(statement).digest()
    sender = Sender(hpke_key, prefixed(b"teetee sealed request v1") + statement_hash)
    outside = struct.pack("<BHHH", 1, KEM, KDF, AEAD) + statement_hash + sender.encapsulated_key
    headers = sorted((headers or {}).items())
    inside = struct.pack("<QH", sent_at, len(headers))
    for name, value in headers:
        inside += prefixed(name.encode()) + prefixed(value.encode())
    inside += prefixed(body)
    overhead = len(outside) + TAG_BYTES
    inside = inside.ljust(size_class(len(inside) + overhead, 4096) - overhead, b"\0")
    sealed = outside + sender.seal(outside + prefixed(method.encode()) + prefixed(path.encode()), inside)
    return sealed, sender.export(b"teetee sealed answer v1", 32)


class Answer:
    """Opens all bytes of an answer, or raises Refused. `sizes` are those of the records' plaintexts."""

    def __init__(self, data: bytes, secret: bytes):
        self.body, self.sizes, self.status, self.headers = b"", [], None, {}
        if len(data) < 32:
            raise Refused("no salt")
        key = AESGCM(expand(mac(data[:32], secret), b"teetee sealed answer key v1", 32))
        at, is_final = 32, False
        while not is_final:
            if len(data) < at + 5:
                raise Refused("truncated")
            length, is_final = struct.unpack_from("<IB", data, at)
            if len(data) < at + 5 + length:
                raise Refused("truncated")
            nonce = len(self.sizes).to_bytes(12, "big")
            try:
                plain = key.decrypt(nonce, data[at + 5:at + 5 + length], data[at:at + 5])
            except InvalidTag:
                raise Refused("changed")
            content = plain[4:4 + struct.unpack_from("<I", plain)[0]]
            assert plain[4 + len(content):].strip(b"\0") == b"" and len(plain) == size_class(len(plain), 512)
            self.body += content if self.sizes else b""
            if not self.sizes:
                self.read_head(content)
            self.sizes.append(len(plain))
            at += 5 + length
        if at != len(data):
            raise Refused("bytes behind the end")

    def read_head(self, content: bytes):
        self.status, count = struct.unpack_from("<HH", content)
        at, texts = 4, []
        for _ in range(2 * count):
            length, = struct.unpack_from("<I", content, at)
            texts.append(content[at + 4:at + 4 + length].decode())
            at += 4 + length
        assert at == len(content)
        self.headers = dict(zip(texts[::2], texts[1::2]))
