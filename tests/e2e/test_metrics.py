# SPDX-License-Identifier: Apache-2.0
"""What nodes export for Prometheus, entries or not."""
import os
import re
import socket
import time

from exposition import Scrape, ensure_documented, parse
from harness import Http, free_ports, wait_until
from test_up_chain import Up, charge_of

PROMPT = {"prompt": "Once upon a time", "max_tokens": 12, "temperature": 0}
SECRET = "Bearer sk-nobody-may-see-this"


def metrics_of(node) -> Http:
    """A client of the address that the node says it serves its metrics on."""
    found = wait_until(lambda: re.search(r"metrics on http://127\.0\.0\.1:(\d+)/metrics", node.text()), 60, node.text())
    return Http(int(found[1]))


def start(teetee, shards=3):
    network = teetee.network(shards)
    for shard in range(shards):
        network.start(shard, "--metrics", "127.0.0.1:0", *(["--drafts-max", 0] if shard == 0 else []))
    wait_until(network.http.ready, 60, "the route is ready: " + " / ".join(n.text()[-500:] for n in network.nodes))
    return network, [metrics_of(node) for node in network.nodes]


def test_every_node_counts_what_was_asked(teetee):
    network, clients = start(teetee)
    before = [Scrape(client) for client in clients]
    status, answer = network.http.post("/generate", PROMPT, headers={"Authorization": SECRET})
    assert status == 200, answer
    assert network.http.get("/no/such/path")[0] == 404
    prompt, completion = (answer["usage"][name] for name in ("prompt_tokens", "completion_tokens"))
    after = [Scrape(client) for client in clients]
    for scrape in after:
        ensure_documented(scrape.families)

    def grew(node: int, name: str, **labels) -> float:
        return after[node].value(name, **labels) - before[node].value(name, **labels)

    assert grew(0, "teetee_prompt_tokens_total") + grew(0, "teetee_cached_tokens_total") == prompt
    assert grew(0, "teetee_completion_tokens_total") == completion == 12
    assert grew(0, "teetee_request_queue_seconds_count") == 1
    assert grew(0, "teetee_first_token_seconds_count") == grew(0, "teetee_answer_tokens_per_second_count") == 1
    assert grew(0, "teetee_http_requests_total", route="/generate", status="2xx") == 1
    assert grew(0, "teetee_http_requests_total", route="none", status="4xx") == 1
    assert after[0].value("teetee_http_requests_in_flight") == 0
    stages = [network_stage(scrape) for scrape in after]
    assert len(set(stages)) == 3 and stages[0].startswith("0-"), stages
    for node, stage in enumerate(stages):
        # The last token is not computed.
        assert grew(node, "teetee_stage_rows_total", stage=stage) == prompt + completion - 1, node
        batches = grew(node, "teetee_batches_total")
        assert batches == completion, (node, batches)
        for name in ("compute_seconds", "batch_rows") + (("wait_seconds",) if node else ()):
            assert grew(node, f"teetee_stage_{name}_count", stage=stage) == batches, (node, name)
        assert grew(node, "teetee_stage_batch_rows_sum") == prompt + completion - 1
        assert grew(node, "teetee_stage_compute_seconds_sum") > 0
        for direction in ("send", "receive"):
            assert grew(node, "teetee_stage_wire_frames_total", direction=direction) >= batches
            assert grew(node, "teetee_stage_wire_bytes_total", direction=direction) > 0
        assert after[node].value("teetee_stage_kv_pages_free") == after[node].value("teetee_stage_kv_pages") > 0 or node == 0
        assert after[node].value("teetee_ready") == after[node].value("teetee_simulated") == 1
    assert grew(0, "teetee_batch_pass_seconds_count") == completion
    spent = sum(grew(node, "teetee_stage_compute_seconds_sum") + grew(node, "teetee_stage_wait_seconds_sum") for node in range(3))
    assert grew(0, "teetee_batch_pass_seconds_sum") > spent * 0.9, "a pass is longer than what it is made of"
    # An entry says the same on its API, where nobody sees who asked what.
    text = network.http.get("/metrics")[1].decode()
    assert set(parse(text)) == set(Scrape(clients[0]).families)
    assert "nobody-may" not in text and "upon" not in text


def network_stage(scrape: Scrape) -> str:
    info, = scrape.labels("teetee_build_info")
    assert re.fullmatch(r"\d+\.\d+\.\d+", info["version"]), info
    assert info["role"] == ("entry" if info["stage"].startswith("0-") else "stage"), info
    return info["stage"]


def test_peers_proof_and_process(teetee):
    network, clients = start(teetee)
    now = time.time()
    for node, client in zip(network.nodes, clients):
        scrape = Scrape(client)
        up = scrape.labels("teetee_peer_up")
        assert len(up) == scrape.value("teetee_peer_up") == 2, up
        assert {network_stage(Scrape(c)) for c in clients} == {network_stage(scrape), *(peer["stage"] for peer in up)}
        for peer in (labels["peer"] for labels in up):
            assert re.fullmatch(r"0x[0-9a-f]{16}", peer)
            assert 0 < scrape.value("teetee_peer_round_trip_seconds", peer=peer) < 5
            assert scrape.value("teetee_peer_links_total", peer=peer) >= 1
            assert scrape.value("teetee_peer_received_bytes_total", peer=peer) > 0
            assert now + 3600 < scrape.value("teetee_peer_evidence_expiry_timestamp_seconds", peer=peer) < now + 86400 + 60
        assert now + 3600 < scrape.value("teetee_evidence_expiry_timestamp_seconds") < now + 86400 + 60
        assert abs(scrape.value("process_start_time_seconds") - now) < 120
        assert scrape.value("process_resident_memory_bytes") > 1e6
        assert 5 < scrape.value("process_open_fds") < scrape.value("process_max_fds")
        assert scrape.value("process_threads") == len(os.listdir(f"/proc/{node.pid}/task"))
    # Whoever knocks without evidence is counted by why it did not get in.
    with socket.create_connection(("127.0.0.1", network.port + 2 + 1), timeout=10) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        wait_until(lambda: Scrape(clients[1]).value("teetee_links_refused_total", code="tls_failed") == 1, 10, "it is refused")


def test_a_killed_peer_shows_as_a_failure(teetee):
    network, clients = start(teetee)
    before = Scrape(clients[0])
    assert before.value("teetee_peer_failures_total") == 0
    tail = next(labels["peer"] for labels in before.labels("teetee_peer_up")
                if labels["stage"] == network_stage(Scrape(clients[2])))
    network.nodes[2].kill()
    lost = wait_until(lambda: (s := Scrape(clients[0])).value("teetee_peer_failures_total", peer=tail) > 0 and s, 20, "it is seen")
    assert lost.value("teetee_peer_up", peer=tail) == 0 and lost.value("teetee_peer_up") == 1
    assert {labels["code"] for labels in lost.labels("teetee_peer_failures_total")} <= {"connection_closed", "io_failed", "tls_failed"}
    assert not [labels for labels in lost.labels("teetee_peer_round_trip_seconds") if labels["peer"] == tail]
    # The node before it had dialled it.
    vain = Scrape(clients[1]).value("teetee_dials_failed_total", code="connect_failed")
    wait_until(lambda: Scrape(clients[1]).value("teetee_dials_failed_total", code="connect_failed") > vain, 20, "it is dialled in vain")
    wait_until(lambda: Scrape(clients[0]).value("teetee_routes") == 0, 20, "the route is gone")
    assert Scrape(clients[0]).value("teetee_ready") == 0


def test_operators_have_a_door_of_their_own(teetee):
    network = teetee.network(2)
    port = free_ports(8) + 7
    stage = network.start(1, "--metrics", port)
    client = metrics_of(stage)
    assert client.port == port, "a port alone is this machine's"
    # A stage that listens may be dialled, or it would wait for its route in vain.
    status, body = client.get("/ready")
    assert status == 200 and body["role"] == "stage" and body["routes"] == 0, body
    assert Scrape(client).value("teetee_ready") == 0
    entry = network.start(0, environment={"TEETEE_NODE_METRICS": "127.0.0.1:0"})
    wait_until(network.http.ready, 60, "the route is ready")
    wait_until(lambda: client.get("/health")[1]["routes"] == 1, 10, "the stage is on a route")
    status, body = client.get("/health")
    assert body["links"] == 1 and body["routes"] == 1 and body["simulated"] is True, body
    assert metrics_of(entry).get("/ready")[0] == 200
    assert client.get("/v1/models")[0] == client.get("/")[0] == 404
    assert client.post("/metrics", {})[0] == 405
    code, _, err = teetee.run(*network.arguments(1, "127.0.0.1:0"), "--metrics", "nowhere")
    assert code == 2 and "--metrics" in err, err


def test_networks_of_up_export_collateral_and_credits(teetee):
    ports = free_ports(32)
    up = Up(teetee, "--metrics-port", ports + 28, port=ports)
    clients = [Http(ports + 28 + i) for i in range(up.ready["nodes"])]
    status, answer = up.ask_paid()
    assert status == 200, answer
    charged = charge_of(up, answer)
    entry = Scrape(clients[0])
    ensure_documented(entry.families)
    assert entry.value("teetee_credits_charged_total") == charged > 0
    assert entry.value("teetee_charges_total") == 1 and entry.value("teetee_vouchers_open") == 1
    assert entry.value("teetee_credits") == charged + entry.value("teetee_credits", state="held")
    assert entry.value("teetee_chain_following") == 1 and entry.value("teetee_chain_head_block") > 0
    wait_until(lambda: Scrape(clients[0]).value("teetee_credits", state="settled") == charged, 60, "it is settled")
    entry = wait_until(lambda: (s := Scrape(clients[0])).value("teetee_settlements_total") == 1 and s, 10, "it is counted")
    assert abs(entry.value("teetee_settlement_timestamp_seconds") - time.time()) < 120
    for client in clients:
        scrape = Scrape(client)
        ensure_documented(scrape.families)
        assert scrape.value("teetee_peer_collateral_expiry_timestamp_seconds") > time.time()
    up.stop()
