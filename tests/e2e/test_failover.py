# SPDX-License-Identifier: Apache-2.0
"""Stages are killed under streams; every answer is the one that nobody disturbed."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import threading

from harness import Http, wait_until
from test_receipts import fetch, terms, verdict
from test_sealed import CHAT, SealedClient

PROMPT = "Once upon a time"
WITH_USAGE = {"stream_options": {"include_usage": True}}
# What a new tail must know to pick the same tokens: place, seed, penalties' history, constraint.
REQUESTS = [
    ("/generate", {"prompt": PROMPT, "max_tokens": 150, "temperature": 0}),
    ("/v1/completions", WITH_USAGE | {"prompt": PROMPT, "max_tokens": 150, "temperature": 0.9, "seed": 11, "logprobs": 3}),
    ("/v1/completions", WITH_USAGE | {"prompt": PROMPT + " there was a little fox." * 20, "max_tokens": 120, "seed": 5,
                                      "presence_penalty": 1.5, "repetition_penalty": 1.2, "top_k": 40}),
    ("/v1/completions", WITH_USAGE | {"prompt": PROMPT, "max_tokens": 120, "seed": 7,
                                      "grammar": 'root ::= ("the " | "cat " | "sat ")* "."'}),
    (CHAT, WITH_USAGE | {"messages": [{"role": "user", "content": PROMPT}], "max_tokens": 150, "temperature": 1, "seed": 3,
                         "logprobs": True, "top_logprobs": 2}),
]


class Kills:
    """Runs each action once that many events of all streams together have come."""

    def __init__(self, actions: dict):
        self.actions, self.count, self.lock = sorted(actions.items()), 0, threading.Lock()

    def on_event(self):
        with self.lock:
            self.count += 1
            while self.actions and self.count >= self.actions[0][0]:
                self.actions.pop(0)[1]()


def comparable(event):
    """Without what differs between two answers to one request."""
    return event if event == "[DONE]" else {k: v for k, v in event.items() if k not in ("id", "created", "receipt")}


def read(entry, path, body, on_event=lambda: None):
    """(all events, the receipt's path) of a stream that ends as it should."""
    events, receipts = [], []
    for name, data in entry.stream(path, body):
        assert name == "message", (name, data)
        if data != "[DONE]" and "receipt" in data:
            receipts.append(data["receipt"])
        events.append(comparable(data))
        on_event()
    assert events[-1] == "[DONE]" and len(receipts) == 1, events[-3:]
    return events, receipts[0]


def read_sealed(entry, path, body):
    answer = SealedClient(entry.port).post(path, body | {"stream": True})
    lines = [line[6:] for line in answer.body.decode().splitlines() if line.startswith("data: ")]
    return [comparable(line if line == "[DONE]" else json.loads(line)) for line in lines]


def read_together(entries, actions):
    """The streams of all REQUESTS, which the entries share, then that of a sealed one."""
    kills = Kills(actions)
    with concurrent.futures.ThreadPoolExecutor(len(REQUESTS) + 1) as pool:
        streams = [pool.submit(read, entries[i % len(entries)], path, body, kills.on_event)
                   for i, (path, body) in enumerate(REQUESTS)]
        sealed = pool.submit(read_sealed, entries[0], *REQUESTS[-1])
        streams, sealed = [stream.result() for stream in streams], sealed.result()
    assert not kills.actions, "the answers were too short for all that was planned"
    return streams, sealed


def epoch_of(teetee, entry, path, *where) -> int:
    """Of a receipt that verifies: 1, and one more for each route that was lost."""
    file = teetee.folder / "receipt.json"
    file.write_bytes(fetch(entry, path))
    code, report = verdict(teetee, "verify", file, *where)
    assert code == 0 and report["verdict"] == "accept", report
    epochs = {stage["epoch"] for stage in json.loads(file.read_text())["stages"]}
    assert epochs == {report["epoch"]}, epochs
    return report["epoch"]


def nodes_of(entry) -> set:
    """Ids of all nodes on a route that is ready."""
    return {hop["node"] for hop in entry.get("/health")[1]["route"]}


def wait_for_nodes(entry, count: int) -> set:
    nodes = lambda: (lambda found: found if len(found) == count else None)(nodes_of(entry))
    return wait_until(nodes, 40, f"{count} nodes on ready routes")


def stages_of(up) -> dict:
    """Process ids of the nodes that run behind the entries, by name."""
    out = {}
    for pid in subprocess.run(["pgrep", "-P", str(up.pid)], capture_output=True, text=True).stdout.split():
        with contextlib.suppress(OSError):
            arguments = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            if any("shard-" in a and "shard-000-of" not in a for a in arguments):
                out[arguments[arguments.index("--name") + 1]] = int(pid)
    return out


def test_answers_outlive_the_stages_that_compute_them(teetee):
    up, client = teetee.up("--shards", 3, "--replicas", 2)
    entries = [client, Http(client.port + 2)]
    for entry in entries:
        wait_for_nodes(entry, 5)
    expected, sealed_expected = read_together(entries, {})
    expected = [events for events, _ in expected]
    assert sealed_expected == expected[-1]
    event_count = sum(len(events) for events in expected)
    epochs = []
    for seed in range(3):
        chance = random.Random(seed)
        wait_until(lambda: len(stages_of(up)) == 4, 10, "up has started all again")
        nodes = stages_of(up)
        victims = chance.sample(sorted(nodes), 2)
        moments = chance.sample(range(event_count // 10, event_count * 8 // 10), 2)
        # One dies, the other is told to stop.
        signals = zip(victims, (signal.SIGKILL, signal.SIGTERM))
        actions = {m: lambda v=v, s=s: os.kill(nodes[v], s) for m, (v, s) in zip(moments, signals)}
        streams, sealed = read_together(entries, actions)
        for (events, _), undisturbed in zip(streams, expected):
            assert events == undisturbed, (seed, victims, moments)
        assert sealed == sealed_expected, (seed, victims, moments)
        epochs += [epoch_of(teetee, entries[i % 2], receipt, "--port", client.port)
                   for i, (_, receipt) in enumerate(streams)]
    for entry in entries:
        wait_for_nodes(entry, 5)
    assert max(epochs) > 1, "no answer was ever on a route that was lost"
    assert up.stop() == 0


def test_a_node_that_is_started_again_is_used_again(teetee):
    network = teetee.network(3)
    network.start_all()
    for shard in (1, 2):
        network.start_another(shard)
    before = wait_for_nodes(network.http, 5)
    path, body = REQUESTS[1]
    expected, _ = read(network.http, path, body)
    for shard in (1, 2):
        network.nodes[shard].kill()
        wait_until(network.http.ready, 20, "a route without it")
        assert read(network.http, path, body)[0] == expected
        # As it was started the first time; to the others it is a new node.
        network.start(shard)
        wait_until(lambda: nodes_of(network.http) - before, 40, "the newcomer is used")
        after = wait_for_nodes(network.http, 5)
        assert len(before - after) == 1, (before, after)
        before = after
    for spare in teetee.started[3:5]:
        spare.kill()
    wait_until(network.http.ready, 20, "a route without the spares")
    assert read(network.http, path, body)[0] == expected
    assert wait_for_nodes(network.http, 3) < before


def test_an_answer_leaves_a_stage_that_stalls(teetee):
    network = teetee.network(3)
    network.start_all()
    path, body = REQUESTS[1]
    expected, _ = read(network.http, path, body)
    before = nodes_of(network.http)
    # Its links stay up, and for a while the entry thinks well of it.
    network.nodes[1].process.send_signal(signal.SIGSTOP)
    network.start_another(1)
    events, receipt = read(network.http, path, body)
    assert events == expected and epoch_of(teetee, network.http, receipt, *terms(network)) > 1
    assert len(before & nodes_of(network.http)) == 2 and len(nodes_of(network.http)) == 3
    network.nodes[1].process.send_signal(signal.SIGCONT)
    assert before < wait_for_nodes(network.http, 4)


def test_an_answer_waits_for_a_lone_stage_to_come_back(teetee):
    network = teetee.network(3)
    network.start_all("--kernel", "scalar", "--reroute-seconds", 30)
    path, body = REQUESTS[1]
    expected, _ = read(network.http, path, body)

    def replace_both():
        for shard in (1, 2):
            network.nodes[shard].kill()
            network.start(shard, "--kernel", "scalar")

    kills = Kills({40: replace_both})
    events, receipt = read(network.http, path, body, kills.on_event)
    assert not kills.actions and events == expected
    assert epoch_of(teetee, network.http, receipt, *terms(network)) > 1
    code, report = verdict(teetee, "audit", teetee.folder / "receipt.json", "--model", network.model)
    assert code == 0 and report["verdict"] == "match", report


def test_an_answer_whose_lone_stage_stays_away_fails(teetee):
    network = teetee.network(3)
    network.start_all("--kernel", "scalar", "--reroute-seconds", 2)
    path, body = REQUESTS[1]
    kills, events = Kills({40: lambda: network.nodes[1].kill()}), []
    try:
        for event in network.http.stream(path, body):
            events.append(event)
            kills.on_event()
        raise AssertionError("the cut stream must look incomplete")
    except http.client.IncompleteRead:
        pass
    name, data = events[-1]
    assert name == "error" and data["error"]["code"] == "stage_failed", events[-2:]
    assert [n for n, _ in events[:-1]] == ["message"] * (len(events) - 1) and len(events) > 40
    connection = http.client.HTTPConnection("127.0.0.1", network.port, timeout=60)
    connection.request("POST", path, json.dumps(body))
    response = connection.getresponse()
    assert response.status == 503 and response.headers["retry-after"] == "1", response.status
    assert json.loads(response.read())["error"]["code"] == "route_unavailable"
    assert network.http.get("/health")[1]["routes"] == 0


def test_a_stage_that_is_told_to_stop_ends_its_answers_first(teetee):
    network = teetee.network(3)
    network.start_all("--kernel", "scalar", "--drain-seconds", 300)
    path, body = REQUESTS[1]
    expected, _ = read(network.http, path, body)
    leaving = network.nodes[1]

    def replace():
        network.start_another(1)
        wait_for_nodes(network.http, 4)
        leaving.process.send_signal(signal.SIGTERM)

    kills = Kills({20: replace})
    events, receipt = read(network.http, path, body, kills.on_event)
    assert events == expected and epoch_of(teetee, network.http, receipt, *terms(network)) == 1
    assert leaving.process.wait(10) == 0 and "draining" in leaving.text()
    assert read(network.http, path, body)[0] == expected


def test_an_entry_that_is_told_to_stop_ends_its_answers_first(teetee):
    network = teetee.network(2)
    network.start_all("--kernel", "scalar", "--drain-seconds", 300)
    path, body = REQUESTS[1]
    expected, _ = read(network.http, path, body)

    def refused():
        status, answer = network.http.post(path, body | {"max_tokens": 1})
        return status == 503 and answer["error"]["code"] == "route_unavailable"

    def stop():
        network.nodes[0].process.send_signal(signal.SIGTERM)
        wait_until(refused, 10, "new requests are refused")

    kills = Kills({20: stop})
    events, _ = read(network.http, path, body, kills.on_event)
    assert events == expected and network.nodes[0].process.wait(10) == 0
