#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the inputs that the fuzzers of what nodes show begin with, from a network of the dev TEE, and those of src/chain, of
settlements' sign-off and of src/hub.

usage: make_fuzz_seeds.py BUILD_DIR      (writes tests/corpus/NAME_fuzz/)

Without a valid input to change, a fuzzer of a signed or nested format sees little more than the first
length check. Run it when a format changes; everything in the corpus comes from this program.
"""
import base64
import json
import pathlib
import ssl
import sys
import tempfile
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import harness  # noqa: E402
from api_fuzz_seeds import make_api_seeds  # noqa: E402
from chain_fuzz_seeds import make_chain_seeds  # noqa: E402
from hub_fuzz_seeds import make_hub_seeds  # noqa: E402
from sign_off_fuzz_seeds import make_sign_off_seeds  # noqa: E402
from test_receipts import fetch  # noqa: E402

CORPUS = ROOT / "tests" / "corpus"


def put(target: str, name: str, content: bytes):
    folder = CORPUS / f"{target}_fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def make_seeds(teetee):
    network = teetee.network(2)
    network.start_all()
    request = {"prompt": "Once", "max_tokens": 3, "attest": "quote"}
    status, answer = network.http.post("/v1/completions", request)
    assert status == 200, answer
    put("receipt", "fresh", fetch(network.http, answer["receipt"]))
    status, attestation = network.http.get("/attestation")
    assert status == 200, attestation
    node = attestation["nodes"][0]
    quote = base64.b64decode(node["quote"])
    put("statement", "entry", base64.b64decode(node["statement"]))
    put("quote", "dev", quote)
    begin = quote.index(b"-----BEGIN CERTIFICATE-----")
    end = quote.rindex(b"-----END CERTIFICATE-----") + len(b"-----END CERTIFICATE-----\n")
    chain = quote[begin:end]
    put("pem", "pck_chain", chain)
    certificates = [block + "-----END CERTIFICATE-----\n"
                    for block in chain.decode().split("-----END CERTIFICATE-----\n") if block.strip("\0\n")]
    put("pem", "pck", ssl.PEM_cert_to_DER_cert(certificates[0]))
    shown = ssl.get_server_certificate(("127.0.0.1", network.port + 1))
    put("ra_certificate", "entry", ssl.PEM_cert_to_DER_cert(shown))
    for found in sorted((network.folder / "collateral").glob("*.json")):
        text = found.read_text()
        put("collateral", found.name, text.encode())
        parts = json.loads(text)
        put("collateral", "tcb_info.json", parts["tcb_info"].encode())
        put("collateral", "qe_identity.json", parts["qe_identity"].encode())
        document = lambda key, name: f'{{"{key}":{parts[name]},"signature":"{parts[name + "_signature"]}"}}'
        chain_of = lambda name: urllib.parse.quote(parts[f"{name}_issuer_chain"])
        put("pcs_messages", "answers", "\0".join([
            chain_of("tcb_info"), document("tcbInfo", "tcb_info"), chain_of("qe_identity"),
            document("enclaveIdentity", "qe_identity"), chain_of("pck_crl"), parts["pck_crl"],
            parts["root_ca_crl"]]).encode())


if __name__ == "__main__":
    make_api_seeds()
    make_chain_seeds()
    make_sign_off_seeds()
    make_hub_seeds()
    with tempfile.TemporaryDirectory() as folder:
        teetee = harness.Teetee(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder))
        try:
            make_seeds(teetee)
        finally:
            teetee.end()
