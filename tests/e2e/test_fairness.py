# SPDX-License-Identifier: Apache-2.0
"""Tenants share an entry, requests end in their time, and clients that leave free what they held."""
import concurrent.futures
import http.client
import json
import socket
import threading

from harness import wait_until

# Room for one request at a time, so that others wait.
LITTLE_ROOM = ("--kernel", "scalar", "--kv-positions", 512)
FLOOD = 70


def health(network):
    return network.http.get("/health")[1]


def metric(network, name):
    text = network.http.get("/metrics")[1].decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"teetee_{name} "))


def is_idle(network):
    """No request is anywhere, and no stage's KV cache holds anything of one."""
    now = health(network)
    return now["active_requests"] == now["queued_requests"] == 0 and \
        metric(network, "kv_positions_free") == metric(network, "kv_positions")


def ask(network, token, tokens_max):
    body = {"prompt": "Once upon a time", "max_tokens": tokens_max, "temperature": 0}
    return network.http.post("/generate", body, headers={"Authorization": f"Bearer {token}"})


def test_a_flood_of_one_client_does_not_hold_up_another(teetee):
    network = teetee.network(2)
    network.start_all(*LITTLE_ROOM[2:])
    answered, lock = [], threading.Lock()

    def flood():
        status, _ = ask(network, "flood", 300)
        with lock:
            answered.append(status)

    with concurrent.futures.ThreadPoolExecutor(FLOOD) as pool:
        for _ in range(FLOOD):
            pool.submit(flood)
        wait_until(lambda: health(network)["queued_requests"] >= 45, 30, "the flood is there")
        status, answer = ask(network, "another", 30)
        with lock:
            before = len(answered)
    assert status == 200, answer
    assert before < FLOOD / 2, f"{before} of the flood came first"
    assert answered == [200] * FLOOD, answered


def test_a_request_ends_when_its_time_is_over(teetee):
    network = teetee.network(2)
    network.start_all(*LITTLE_ROOM, "--request-seconds-max", 3600)
    body = {"prompt": "Once upon a time", "max_tokens": 490, "temperature": 0}
    status, whole = network.http.post("/generate", body)
    assert status == 200
    # What is in its way ends later than it has time.
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(network.http.post, "/generate", body) for _ in range(3)]
        wait_until(lambda: health(network)["queued_requests"] >= 2, 30, "others wait")
        connection = http.client.HTTPConnection("127.0.0.1", network.port, timeout=60)
        connection.request("POST", "/generate", json.dumps(body | {"timeout": 0.01}))
        response = connection.getresponse()
        refusal = json.loads(response.read())
        assert (response.status, refusal["error"]["code"]) == (504, "deadline_exceeded"), refusal
        assert int(response.headers["retry-after"]) >= 1
        assert [w.result()[0] for w in waiting] == [200] * 3
    try:
        events = list(network.http.stream("/generate", body | {"timeout": 0.001}))
        raise AssertionError(f"the cut stream must look incomplete: {events[-1]}")
    except http.client.IncompleteRead:
        pass
    wait_until(lambda: is_idle(network), 10, "what ended is freed")
    status, again = network.http.post("/generate", body | {"timeout": 600})
    assert (status, again["text"]) == (200, whole["text"])


def test_a_node_limits_the_time_of_every_request(teetee):
    network = teetee.network(2)
    network.start_all(*LITTLE_ROOM, "--request-seconds-max", 1)
    body = {"prompt": "Once upon a time", "max_tokens": 490, "temperature": 0, "timeout": 3600}
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        answers = [pool.submit(network.http.post, "/generate", body) for _ in range(40)]
        answers = [a.result() for a in answers]
    late = [a for status, a in answers if status == 504]
    assert late and all(a["error"]["code"] == "deadline_exceeded" for a in late), [s for s, _ in answers]
    assert {status for status, _ in answers} <= {200, 504}
    wait_until(lambda: is_idle(network), 10, "what ended is freed")


def test_a_closed_connection_frees_every_stage(teetee):
    network = teetee.network(2)
    network.start_all(*LITTLE_ROOM)
    body = json.dumps({"prompt": "Once upon a time", "max_tokens": 490, "temperature": 0, "stream": True}).encode()
    clients = []
    for _ in range(20):
        client = socket.create_connection(("127.0.0.1", network.port), timeout=60)
        client.sendall(b"POST /generate HTTP/1.1\r\nHost: entry\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        clients.append(client)
    for client in clients:
        assert client.recv(64).startswith(b"HTTP/1.1 200"), "a stream begins while its request waits"
    assert health(network)["queued_requests"] > 10
    tokens = metric(network, "completion_tokens_total")
    for client in clients:
        client.close()
    wait_until(lambda: is_idle(network), 10, "the entry is free")
    assert metric(network, "completion_tokens_total") - tokens < 10 * 490, "they were answered to the end"
    # A stage that had kept their pages would refuse it: it has room for one.
    assert ask(network, "next", 300)[0] == 200


def test_who_is_refused_hears_when_to_ask_again(teetee):
    network = teetee.network(2)
    network.start_all(*LITTLE_ROOM, "--requests-queued-max", 2)
    body = {"prompt": "Once upon a time", "max_tokens": 490, "temperature": 0}
    assert network.http.post("/generate", body | {"max_tokens": 20})[0] == 200
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(network.http.post, "/generate", body)
        wait_until(lambda: health(network)["active_requests"] == 1, 30, "one is answered")
        second = pool.submit(network.http.post, "/generate", body)
        wait_until(lambda: health(network)["queued_requests"] == 1, 30, "another one waits")
        connection = http.client.HTTPConnection("127.0.0.1", network.port, timeout=60)
        connection.request("POST", "/generate", json.dumps(body))
        response = connection.getresponse()
        refusal = json.loads(response.read())
        assert (response.status, refusal["error"]["code"]) == (429, "overloaded"), refusal
        assert 1 <= int(response.headers["retry-after"]) <= 60, response.headers
        assert first.result()[0] == second.result()[0] == 200
