# SPDX-License-Identifier: Apache-2.0
"""Where a node's evidence comes from, and what 'teetee attest' finds in evidence."""
import hashlib
import http.server
import json
import socketserver
import struct
import threading

from harness import shared


def without_dev_tee(arguments: list) -> list:
    at = arguments.index("--dev-tee")
    return arguments[:at] + arguments[at + 2:]


class Agent(http.server.BaseHTTPRequestHandler):
    """A guest agent in trouble: it answers as documented, and has nothing to give."""
    asked: list = []

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        Agent.asked.append(self.path)
        body = b'{"error":"the quoting service is away"}'
        self.send_response(500)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


def test_a_node_asks_dstacks_guest_agent(teetee):
    network = teetee.network(1)
    socket = teetee.folder / "dstack.sock"
    with socketserver.UnixStreamServer(str(socket), Agent) as agent:
        threading.Thread(target=agent.serve_forever, daemon=True).start()
        arguments = without_dev_tee(network.arguments(0)) + ["--dstack-socket", socket]
        node = teetee.start(*arguments, "--weights-cache", teetee.folder / "cache")
        assert node.process.wait(30) == 3, node.text()
        agent.shutdown()
    # Without a sealing key it goes on, without a quote it does not.
    assert "weights cache: off: evidence_unavailable" in node.text(), node.text()
    assert "'the quoting service is away'" in node.text(), node.text()
    assert Agent.asked == ["/GetKey", "/GetQuote"], Agent.asked


def test_a_node_without_a_tee_says_what_it_needs(teetee):
    network = teetee.network(1)
    for kind, part in (("auto", "/sys/kernel/config/tsm/report"), ("dstack", "mount it into the container"),
                       ("tsm", "need Linux 6.7")):
        node = teetee.start(*without_dev_tee(network.arguments(0)), "--tee", kind)
        assert node.process.wait(30) == 3 and "evidence_unavailable" in node.text(), (kind, node.text())
        assert part in node.text(), (kind, node.text())
    for extra in (["--tee", "tsm", "--dev-tee", "x"], ["--tee", "dev"], ["--tee", "sgx"]):
        node = teetee.start(*without_dev_tee(network.arguments(0)), *extra)
        assert node.process.wait(30) == 2, (extra, node.text())


def extend(register: bytes, digest: bytes) -> bytes:
    return hashlib.sha384(register + digest).digest()


def quote_with(rtmrs: list, mrconfigid: bytes) -> bytes:
    """In a quote's format; its signatures are not what 'attest eventlog' looks at."""
    header = struct.pack("<HHI4x", 4, 2, 0x81) + bytes.fromhex("939a7233f79c4ca9940a0db3957f0607") + bytes(20)
    report = bytes(184) + mrconfigid + bytes(96) + b"".join(rtmrs) + bytes(64)
    certification = bytes(384 + 64) + struct.pack("<HHI", 0, 5, 1) + b"x"
    signature = bytes(128) + struct.pack("<HI", 6, len(certification)) + certification
    return header + report + struct.pack("<I", len(signature)) + signature


def test_event_log_of_an_app(teetee):
    compose_hash, app_id = hashlib.sha256(b"compose").digest(), bytes(range(20))
    events, rtmrs = [], [bytes(48)] * 4
    for imr in range(3):
        digest = bytes([imr]) * 48
        rtmrs[imr] = extend(rtmrs[imr], digest)
        events.append({"imr": imr, "event_type": 4, "digest": digest.hex(), "event": "", "event_payload": ""})
    for name, payload in (("app-id", app_id), ("compose-hash", compose_hash), ("system-ready", b"")):
        digest = hashlib.sha384(struct.pack("<I", 0x08000001) + b":" + name.encode() + b":" + payload).digest()
        rtmrs[3] = extend(rtmrs[3], digest)
        events.append({"imr": 3, "event_type": 0x08000001, "digest": digest.hex(), "event": name,
                       "event_payload": payload.hex()})
    quote, log = teetee.folder / "quote.bin", teetee.folder / "log.json"

    def verdict(quote_bytes, events):
        quote.write_bytes(quote_bytes)
        log.write_text(json.dumps(events))
        code, out, _ = teetee.run("attest", "eventlog", "--quote", quote, "--log", log, "--json")
        return code, json.loads(out)

    good = quote_with(rtmrs, b"\1" + compose_hash + bytes(15))
    code, found = verdict(good, events)
    assert code == 0 and found["verdict"] == "accept" and found["error"] is None, found
    assert found["rtmr"] == [r.hex() for r in rtmrs], found
    assert found["app_id"] == app_id.hex() and found["compose_hash"] == compose_hash.hex(), found
    assert found["mrconfigid_bound"] is True, found
    code, found = verdict(good.hex().encode() + b"\n", events)
    assert code == 0, found

    for quote_bytes, changed, error in (
            (good, events[:-1], "event_log_mismatch"),
            (good, events[:4] + [events[5], events[4]], "event_log_mismatch"),
            (good, [e | ({"event_payload": bytes(20).hex()} if e["event"] == "app-id" else {}) for e in events],
             "event_log_mismatch"),
            (good, [e | ({"imr": 2} if e["event"] == "app-id" else {}) for e in events], "event_log_malformed"),
            (quote_with(rtmrs, b"\1" + app_id + bytes(27)), events, "compose_hash_mismatch"),
            (good[:600], events, "quote_malformed")):
        code, found = verdict(quote_bytes, changed)
        assert code == 1 and found["verdict"] == "reject" and found["error"]["code"] == error, (error, found)
        assert found["app_id"] is None and found["compose_hash"] is None, found

    code, _, err = teetee.run("attest", "eventlog", "--quote", teetee.folder / "none", "--log", log)
    assert code == 3 and "none" in err, (code, err)
    assert teetee.run("attest", "eventlog", "--quote", quote)[0] == 2


def test_event_logs_of_real_apps(teetee):
    folder = shared("data/attestation")
    listed = json.loads((folder / "manifest.json").read_text())["eventlogs"]
    for entry in listed:
        code, out, err = teetee.run("attest", "eventlog", "--quote", folder / entry["quote"],
                                    "--log", folder / entry["file"], "--json")
        found = json.loads(out)
        assert code == 0 and found["verdict"] == "accept", (entry["file"], err)
        assert found["rtmr"] == entry["expected_rtmr"], entry["file"]
        assert found["compose_hash"] == entry["payloads"]["compose-hash"], entry["file"]
    code, out, err = teetee.run("attest", "eventlog", "--quote", folder / "ccel/gcp-cos113-quote.dat",
                                "--log", folder / "ccel/gcp-cos113-ccel_data.dat")
    assert code == 0 and "verdict: accept" in out, err


def test_sev_snp_reports(teetee):
    folder = shared("data/attestation/sevsnp")

    def verdict(report, leaf, product, *extra):
        code, out, _ = teetee.run("attest", "sev-snp", "--report", folder / report, "--cert", folder / leaf, "--chain",
                                  folder / f"{product}_ask_ark_asvk.pem", "--time", 1740000000, "--json", *extra)
        return code, json.loads(out)

    code, found = verdict("virtee-milan.report.hex", "virtee-milan.vcek.der", "milan")
    assert code == 0 and found["verdict"] == "accept" and found["signed_by"] == "VCEK", found
    code, found = verdict("coco-vlek.report.bin", "coco-vlek.vlek.der", "milan")
    assert code == 0 and found["signed_by"] == "VLEK", found
    debug = ("milan-go-sev-guest.report.bin", "milan-go-sev-guest.vcek.der", "milan")
    code, found = verdict(*debug)
    assert code == 1 and found["error"]["code"] == "snp_policy_rejected" and found["debug"] is True, found
    assert verdict(*debug, "--allow-debug")[0] == 0
    code, found = verdict(*debug, "--allow-debug", "--measurement", "00" * 48)
    assert code == 1 and found["error"]["code"] == "snp_policy_rejected", found
    code, found = verdict("coco.report.bin", "coco.vcek-invalid-new.der", "milan")
    assert code == 1 and found["verdict"] == "reject", found
    assert verdict("coco.report.bin", "coco.vcek.der", "genoa")[0] == 1
    assert verdict(*debug, "--measurement", "zz")[0] == 2
