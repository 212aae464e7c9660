# SPDX-License-Identifier: Apache-2.0
"""What an entry serves for the page: its files, and what it shows and verifies the network by."""
import gzip
import hashlib
import http.client
import json
import re
import shutil
import socket

from harness import Http, wait_until
from test_sealed import SealedClient
from test_up_chain import Up

SCRIPT = "assets/app-0a1b2c3d.js"
SECRET = "not for pages"


def page_folder(teetee):
    folder = teetee.folder / "web"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>TeeTee</title>")
    (folder / SCRIPT).write_text("export {};" * 100)
    (folder / f"{SCRIPT}.gz").write_bytes(gzip.compress((folder / SCRIPT).read_bytes()))
    (teetee.folder / "secret.txt").write_text(SECRET)
    return folder


def fetch(port: int, path: str, method="GET", **headers):
    """(status, headers, body)"""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(request)
        out = b""
        while piece := connection.recv(65536):
            out += piece
        return out


def test_an_entry_serves_the_page(teetee):
    network = teetee.network(2)
    folder = page_folder(teetee)
    network.start(1)
    network.start(0, "--web", folder)
    wait_until(network.http.ready, 60, "the route is ready")
    port = network.port
    for path in ("/", "/chat", "/explorer/x", "/index.html"):
        status, headers, body = fetch(port, path)
        assert (status, body) == (200, (folder / "index.html").read_bytes()), path
        assert headers["content-type"] == "text/html; charset=utf-8" and headers["cache-control"] == "no-cache"
        assert "script-src 'self';" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff" and headers["x-request-id"]
    plain = (folder / SCRIPT).read_bytes()
    status, headers, body = fetch(port, f"/{SCRIPT}")
    assert (status, body) == (200, plain) and "immutable" in headers["cache-control"]
    assert fetch(port, f"/{SCRIPT}", if_none_match=headers["etag"])[::2] == (304, b"")
    status, squeezed, body = fetch(port, f"/{SCRIPT}", accept_encoding="gzip, br")
    assert squeezed["content-encoding"] == "gzip" and gzip.decompress(body) == plain and len(body) < len(plain)
    status, named, body = fetch(port, f"/{SCRIPT}", "HEAD")
    assert (status, body) == (200, b"") and named["content-length"] == str(len(plain)) and named["etag"] == headers["etag"]
    # A path of both: a program gets the list, a browser that follows a link the page.
    assert json.loads(fetch(port, "/models")[2])["data"]
    assert fetch(port, "/models", accept="text/html,*/*;q=0.8")[2].startswith(b"<!doctype")
    for path in ("/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/..%5c..%5csecret.txt",
                 "//secret.txt", "/chat/../../secret.txt", f"/{SCRIPT}.gz", "/%69ndex.html", "/v1/nothing", "/assets"):
        said = raw(port, f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n".encode())
        assert said.startswith(b"HTTP/1.1 404") and b"route_unknown" in said and SECRET.encode() not in said, (path, said)
    # By the attested certificate, and in what is counted.
    assert 'route="page"' in fetch(port, "/metrics")[2].decode()
    assert network.http.request("POST", "/", "{}")[1]["error"]["code"] == "route_unknown"


def test_an_installed_program_has_its_page(teetee):
    program = teetee.folder / "release/bin/teetee"
    program.parent.mkdir(parents=True)
    shutil.copy(teetee.program, program)
    installed = teetee.folder / "release/share/teetee/web"
    installed.parent.mkdir(parents=True)
    page_folder(teetee).rename(installed)
    network = teetee.network(1)
    entry = network.start(0, program=program)
    wait_until(network.http.ready, 60, "the route is ready")
    assert fetch(network.port, "/")[::2] == (200, (installed / "index.html").read_bytes())
    entry.stop()
    network.start(0, "--web", "none", program=program)
    wait_until(network.http.ready, 60, "the route is ready")
    assert fetch(network.port, "/")[0] == 404


def test_a_folder_with_something_else_in_it_is_refused(teetee):
    network = teetee.network(1)
    folder = page_folder(teetee)
    link = folder / "notes.txt"
    link.symlink_to(teetee.folder / "secret.txt")
    for what, code in (("a link, which is not followed", 3), ("have a type of file that no page needs", 2), ("make web builds the page", 2)):
        node = network.start(0, "--web", folder)
        assert node.process.wait(60) == code and what in node.text(), node.text()[-1000:]
        if link.is_symlink():
            link.unlink()
            (folder / "tool.exe").write_text("x")
        else:
            (folder / "tool.exe").unlink(missing_ok=True)
            (folder / "index.html").unlink(missing_ok=True)
    code, _, err = teetee.run(*network.arguments(0), "--web-rpc", "ftp://x")
    assert code == 2 and "--web-rpc" in err, err


def test_an_entry_tells_what_it_has_seen(teetee):
    network = teetee.network(3)
    network.start(1)
    network.start(2)
    network.start(0, "--api-url", "http://entry.example:8080", "--collateral", network.folder / "collateral")
    wait_until(network.http.ready, 60, "the route is ready")
    status, answer = network.http.post("/generate", {"prompt": "Once upon a time", "max_tokens": 8, "temperature": 0})
    assert status == 200, answer
    assert network.http.get(answer["receipt"])[0] == 200
    computed = answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"]
    shown = network.http.get("/attestation")[1]["nodes"]

    def nodes():
        return network.http.get("/v1/network")[1]["nodes"]

    wait_until(lambda: len(nodes()) == 3, 30, "all are looked at")
    told = network.http.get("/v1/network")[1]
    assert told["chain"] is None and told["model"]["name"] == "teetee-story"
    assert [node["layers"] for node in told["nodes"]] == told["model"]["shards"]
    assert told["routes"] == [[node["node"] for node in shown]] and told["entry"] == shown[0]["node"]
    assert [node["entry"] for node in told["nodes"]] == [True, False, False]
    assert told["nodes"][0]["api_url"] == "http://entry.example:8080" and told["nodes"][1]["api_url"] is None
    # The entry links to the stage behind it and to the tail.
    assert all(node["linked"] for node in told["nodes"]) and told["nodes"][1]["round_trip_ms"] is not None
    # Stages were seen when the answer was over, if not before.
    status, answer = network.http.post("/generate", {"prompt": "Once upon a time", "max_tokens": 8, "temperature": 0})
    assert network.http.get(answer["receipt"])[0] == 200
    wait_until(lambda: all(sum(b["tokens"] for b in node["history"]["buckets"]) >= computed for node in nodes()), 10, str(nodes()))
    # What is told is what statements name, sealed as in the clear.
    fields = shown[0]["statement_fields"]
    policy = fetch(network.port, "/v1/policy")[2]
    assert policy == (network.folder / "policy.json").read_bytes()
    assert hashlib.sha256(policy).hexdigest() == fields["policy_hash"].removeprefix("0x")
    manifest = fetch(network.port, "/v1/manifest")[2]
    assert manifest == (network.folder / "manifest.json").read_bytes()
    assert SealedClient(network.port).post("/v1/manifest", {}).body == manifest
    assert json.loads(SealedClient(network.port).post("/v1/network", {}).body)["entry"] == told["entry"]
    collateral, = network.http.get("/v1/collateral")[1]["data"]
    assert re.fullmatch("tdx-[0-9a-f]{12}-(platform|processor)", collateral["platform"])
    assert collateral["collateral"] == json.loads((network.folder / "collateral/dev-tee.json").read_text())
    assert network.http.post("/v1/network", "{}")[0] == 405

    # One that is gone stays, and does not answer.
    network.nodes[2].kill()
    tail = told["nodes"][2]["node"]

    def missed():
        found = next(node for node in nodes() if node["node"] == tail)
        last = found["history"]["buckets"]
        return not found["linked"] and sum(b["probes"] - b["answered"] for b in last) > 0

    wait_until(missed, 30, str(nodes()))


def test_up_says_where_the_page_is(teetee):
    up = Up(teetee, "--web", page_folder(teetee))
    assert up.ready["page"] == f"http://localhost:{up.port}/"
    assert fetch(up.port, "/")[2].startswith(b"<!doctype")
    chain = up.http.get("/v1/network")[1]["chain"]
    assert (chain["pool"], chain["contract"], chain["chain_id"]) == (up.ready["pool"], up.ready["contract"], 84532)
    assert chain["rpc_urls"] == [up.ready["rpc_url"]]
    listed = up.http.get("/v1/pools")[1]
    pool, = listed["data"]
    assert listed["block"] > 0 and pool["open"] and (pool["prompt_price"], pool["completion_price"]) == ("2", "5")
    shown = up.http.get("/attestation")[1]["nodes"]
    assert pool["model_root"] == up.http.get("/attestation")[1]["model_root"]
    assert pool["policy_hash"] == up.http.get("/v1/network")[1]["policy_hash"]
    for slot, node in zip(pool["slots"], shown):
        registered, = slot["nodes"]
        assert registered["live"] and registered["receipt_key"].lower() == "0x" + node["node"] and slot["layers"] == node["layers"]
        assert registered["host"] and registered["endpoint"].startswith("tls://")
    up.stop()


def test_up_without_a_page_says_how_to_have_one(teetee):
    process, client = teetee.up("--web", "none", "--shards", 1)
    wait_until(lambda: "TeeTee is up" in process.text(), 20, "it says so")
    assert re.search(r"page +not built: 'make web'", process.text()), process.text()
    assert Http(client.port).get("/")[1]["error"]["code"] == "route_unknown"
