# SPDX-License-Identifier: Apache-2.0
"""A provisioning certificate caching service on loopback, with the paths, headers and encodings of Intel's PCS and PCCS,
and collateral of the dev PKI."""
import http.server
import json
import pathlib
import ssl
import threading
import urllib.parse


class Pccs:
    """`collateral` (a QuoteCollateralV3 object, or None: nothing is known) may change while it serves."""

    def __init__(self, collateral: dict | None, certificate: pathlib.Path | None = None):
        self.collateral, self.asked = collateral, []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                service.asked.append(self.path)
                status, headers, body = service.answer(urllib.parse.urlsplit(self.path))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.server.server_address[1]}"

    def answer(self, target) -> tuple[int, dict, bytes]:
        c, query = self.collateral, urllib.parse.parse_qs(target.query)
        if c is None:
            return 404, {}, b"No cache data for this platform."
        chain = lambda name: urllib.parse.quote(c[name], safe="")
        document = lambda key, name: (f'{{"{key}":{c[name]},"signature":"{c[name + "_signature"]}"}}').encode()
        json_type = {"Content-Type": "application/json", "Request-ID": "0123456789abcdef0123456789abcdef"}
        if target.path == "/tdx/certification/v4/tcb" and query["fmspc"] == [json.loads(c["tcb_info"])["fmspc"]]:
            return 200, json_type | {"TCB-Info-Issuer-Chain": chain("tcb_info_issuer_chain")}, document("tcbInfo", "tcb_info")
        if target.path == "/tdx/certification/v4/qe/identity":
            return (200, json_type | {"SGX-Enclave-Identity-Issuer-Chain": chain("qe_identity_issuer_chain")},
                    document("enclaveIdentity", "qe_identity"))
        if target.path == "/sgx/certification/v4/pckcrl" and query == {"ca": ["platform"], "encoding": ["der"]}:
            return (200, {"Content-Type": "application/pkix-crl", "SGX-PCK-CRL-Issuer-Chain": chain("pck_crl_issuer_chain")},
                    bytes.fromhex(c["pck_crl"]))
        if target.path == "/sgx/certification/v4/rootcacrl":
            return 200, {"Content-Type": "text/plain"}, c["root_ca_crl"].encode()
        return 404, {}, b"No cache data for this platform."

    def __enter__(self) -> "Pccs":
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
