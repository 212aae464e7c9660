# SPDX-License-Identifier: Apache-2.0
"""Attested links while answers stream over them: evidence is renewed, floods are refused."""
import contextlib
import http.client
import json
import socket
import time

from harness import STORY_MODEL, wait_until
from test_collateral import made
from test_receipts import fetch
from test_sealed import SealedClient

PROMPT = "Once upon a time"
LIFETIME_S = 4


def statements(network):
    """(first second of validity, last one) of each node of the route, as the entry shows them to clients."""
    status, body = network.http.get("/attestation")
    assert status == 200, body
    return [(node["statement_fields"]["not_before"], node["statement_fields"]["not_after"]) for node in body["nodes"]]


def renewals(network):
    return [node.text().count("statement renewed") for node in network.nodes]


def stream(network, request):
    """(text, receipt's path, whether every node renewed its evidence meanwhile)."""
    before, text, receipt = renewals(network), "", None
    for _, data in network.http.stream("/v1/completions", request):
        if data == "[DONE]":
            continue
        assert "error" not in data, data
        text += "".join(choice["text"] for choice in data["choices"])
        receipt = data.get("receipt", receipt)
    return text, receipt, all(b > a for a, b in zip(before, renewals(network)))


def test_renewals_pass_through_streams(teetee):
    network = teetee.network(3)
    network.start_all("--statement-seconds", LIFETIME_S, "--recheck-seconds", 1, "--kernel", "scalar")
    request = {"prompt": PROMPT, "max_tokens": 400, "temperature": 0.8, "top_p": 1, "seed": 5}
    reference = teetee.json("run", "--model", STORY_MODEL, "--prompt", PROMPT, "-n", 400, "--temperature", 0.8,
                            "--seed", 5)["text"]
    first = statements(network)
    links = lambda: [(node.text().count("linked: "), node.text().count(" down: ")) for node in network.nodes]
    links_before = links()

    # Well past the end of the first statements; at least one answer must have seen all three nodes renew.
    began, passed = time.time(), False
    while not passed or time.time() < began + 2 * LIFETIME_S:
        assert time.time() < began + 60, "no stream was long enough for a renewal of each node"
        text, receipt, renewed = stream(network, request)
        assert text == reference
        passed = passed or renewed
    assert min(renewals(network)) >= 2, renewals(network)
    assert links() == links_before, "a link was made anew"

    # Clients and receipts get the current evidence of every node, and it verifies.
    now = statements(network)
    assert all(a[0] < b[0] for a, b in zip(first, now)), (first, now)
    path = teetee.folder / "receipt.json"
    path.write_bytes(fetch(network.http, receipt))
    code, out, err = teetee.run("verify", path, "--policy", network.folder / "policy.json", "--manifest",
                                network.folder / "manifest.json", "--json")
    assert code == 0 and json.loads(out)["verdict"] == "accept", (out, err)
    # The attested port's new handshakes show the new certificate.
    code, out, err = teetee.run("chat", "--entry", f"https://127.0.0.1:{network.port + 1}", "--policy",
                                network.folder / "policy.json", "--manifest", network.folder / "manifest.json",
                                "--prompt", PROMPT, "-n", 8)
    assert code == 0 and "verified: 3 nodes" in err, err


def test_a_request_sealed_to_the_statement_before_is_answered_while_it_lasts(teetee):
    network = teetee.network(1)
    node = network.start(0, "--statement-seconds", 2 * LIFETIME_S)
    wait_until(network.http.ready, 60, node.text()[-500:])
    started = time.time()
    client, body = SealedClient(network.port), {"prompt": PROMPT, "max_tokens": 4}
    renewed = lambda count: wait_until(lambda: node.text().count("statement renewed") >= count, 30, f"{count} renewals")
    renewed(1)
    assert client.post("/v1/completions", body).status == 200
    # As good after another renewal, but not after its own end.
    renewed(2)
    assert client.post("/v1/completions", body).status == 200
    ends = started + 2 * LIFETIME_S
    wait_until(lambda: time.time() > ends + 1, 30, "the end of the first statement")
    status, answer = client.send("/v1/completions", client.seal("/v1/completions", body)[0])
    assert status == 409 and b"sealed_key_unknown" in answer, (status, answer)
    assert SealedClient(network.port).post("/v1/completions", body).status == 200


def test_a_flood_of_connections_is_refused_and_the_route_goes_on(teetee):
    network = teetee.network(2)
    network.start_all()
    link_port = network.port + 3
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            flood = stack.enter_context(socket.create_connection(("127.0.0.1", link_port)))
            flood.settimeout(10)
        # More than its share at a time is closed without a byte of TLS.
        assert flood.recv(100) == b""
        status, body = network.http.post("/generate", {"prompt": PROMPT, "max_tokens": 8})
        assert status == 200, body
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", link_port)) as flood:
            flood.settimeout(10)
            flood.sendall(b"no TLS at all")
            flood.recv(100)
    log = network.nodes[1].text()
    assert "overloaded: handshakes: have 8 at a time from 127.0.0.1" in log, log[-2000:]
    assert log.count("refused") < 60, "a flood does not fill the log"
    assert network.http.ready()


def test_a_tcb_that_is_downgraded_meanwhile_ends_the_stream(teetee):
    network = teetee.network(2)
    network.start_all("--kernel", "scalar", "--collateral-seconds", 2, "--reroute-seconds", 0)
    # Intel's documents come to say so while answers stream.
    made(teetee, network, "--dev-outdated", path=network.folder / "collateral/dev-tee.json")
    request, ends = {"prompt": PROMPT, "max_tokens": 400, "seed": 5}, time.time() + 60
    events = []
    with contextlib.suppress(http.client.IncompleteRead):
        while not any(name == "error" for name, _ in events):
            assert time.time() < ends, "streams go on over an outdated platform: " + network.nodes[0].text()[-2000:]
            events = []
            for event in network.http.stream("/v1/completions", request):
                events.append(event)
    name, data = events[-1]
    assert name == "error" and data["error"]["code"] == "stage_failed", events[-1]
    # Whichever node looked first says why, and no link comes up again.
    for line in ("down: tcb_status_rejected: TCB status: have OutOfDate", "refused: tcb_status_rejected"):
        wait_until(lambda: any(line in node.text() for node in network.nodes), 40,
                   line + " in a log: " + " / ".join(node.text()[-800:] for node in network.nodes))
    assert not network.http.ready()
