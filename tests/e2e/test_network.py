# SPDX-License-Identifier: Apache-2.0
"""The main path: a prompt through attested shards, and what happens when a part of it fails."""
import concurrent.futures
import http.client
import json
import signal
import socket
import threading
import time

from harness import STORY_MODEL, wait_until

PROMPT = "Once upon a time"


def test_up_answers_with_a_story_made_by_two_processes(teetee):
    up, client = teetee.up()
    status, body = client.post("/generate", {"prompt": PROMPT, "seed": 1})
    assert status == 200, body
    assert len(body["text"].split()) > 20 and body["usage"]["prompt_tokens"] > 0
    _, health = client.get("/health")
    assert [hop["layers"] for hop in health["route"]] == [[0, 3], [3, 5]], health
    assert "SIMULATED" in up.text()
    assert up.stop() == 0


def test_any_cut_gives_the_text_of_one_process(teetee):
    reference = teetee.json("run", "--model", STORY_MODEL, "--prompt", PROMPT, "-n", 60, "--temperature", 0.8,
                            "--seed", 11)["text"]
    for shards in (1, 2, 3, 5):
        up, client = teetee.up("--shards", shards)
        status, body = client.post("/generate", {"prompt": PROMPT, "max_tokens": 60, "temperature": 0.8, "top_p": 1,
                                                 "seed": 11})
        assert status == 200 and body["text"] == reference, (shards, body, reference)
        up.stop()


def test_concurrent_requests_do_not_change_each_other(teetee):
    _, client = teetee.up("--shards", 3)
    ask = lambda i: client.post("/generate", {"prompt": f"{PROMPT} {i}", "max_tokens": 40, "seed": i})[1]["text"]
    alone = [ask(i) for i in range(8)]
    together = [None] * 8

    def worker(i):
        together[i] = ask(i)

    threads = [threading.Thread(target=worker, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert together == alone


def test_a_draft_model_changes_nothing_but_the_passes(teetee):
    ask = {"prompt": PROMPT, "max_tokens": 80, "temperature": 0.8, "top_p": 1, "seed": 11}
    reference = teetee.json("run", "--model", STORY_MODEL, "--prompt", PROMPT, "-n", 80, "--temperature", 0.8,
                            "--seed", 11)["text"]
    _, client = teetee.up("--shards", 3, "--draft-model", STORY_MODEL)
    status, body = client.post("/generate", ask)
    assert status == 200 and body["text"] == reference, (body, reference)
    _, metrics = client.get("/metrics")
    values = dict(line.split() for line in metrics.decode().splitlines() if not line.startswith("#"))
    drafted, right = (int(values[f"teetee_model_{name}_total"]) for name in ("tokens_drafted", "drafts_right"))
    # It is the served model itself; what was drafted behind the end of the answer is not right.
    assert drafted > 0 and right >= drafted - 16, values


def test_openai_shapes(teetee):
    _, client = teetee.up()
    _, models = client.get("/v1/models")
    model = models["data"][0]["id"]
    status, body = client.post("/v1/chat/completions", {
        "model": model, "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 12, "seed": 5})
    assert status == 200 and body["object"] == "chat.completion", body
    assert body["choices"][0]["message"]["role"] == "assistant" and body["choices"][0]["finish_reason"] == "length"
    text = body["choices"][0]["message"]["content"]
    events = [data for _, data in client.stream("/v1/chat/completions", {
        "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 12, "seed": 5,
        "stream_options": {"include_usage": True}})]
    assert events[-1] == "[DONE]" and events[0]["choices"][0]["delta"]["role"] == "assistant"
    streamed = "".join(e["choices"][0]["delta"].get("content", "") for e in events[:-1] if e["choices"])
    assert streamed == text
    assert events[-2]["usage"]["completion_tokens"] == 12 and events[-3]["choices"][0]["finish_reason"] == "length"
    status, body = client.post("/v1/completions", {"prompt": PROMPT, "max_tokens": 12, "seed": 5})
    assert status == 200 and body["choices"][0]["text"] == text
    stop = text.split()[3]
    status, body = client.post("/v1/completions", {"prompt": PROMPT, "max_tokens": 12, "seed": 5, "stop": [stop]})
    assert body["choices"][0]["finish_reason"] == "stop" and body["choices"][0]["text"] == text[:text.index(stop)]


def test_chat_verifies_and_says_simulated(teetee):
    network = teetee.network(2)
    network.start_all()
    where = ["--entry", f"https://127.0.0.1:{network.port + 1}", "--policy", network.folder / "policy.json",
             "--manifest", network.folder / "manifest.json"]
    code, out, err = teetee.run("chat", *where, "--prompt", PROMPT, "-n", 20)
    assert code == 0 and len(out) > 20, err
    assert "verified: 2 nodes" in err and "SIMULATED" in err, err

    # A production policy knows nothing of the development root.
    policy = json.loads((network.folder / "policy.json").read_text())
    production = network.folder / "production.json"
    production.write_text(json.dumps(policy | {"allow_simulated": False}))
    where[3] = production
    code, out, err = teetee.run("chat", *where, "--prompt", PROMPT)
    assert code == 1 and "simulated_rejected" in err and not out, (code, err)


def test_chat_refuses_an_entry_without_tls(teetee):
    network = teetee.network(1)
    network.start_all()
    code, out, err = teetee.run("chat", "--entry", f"http://127.0.0.1:{network.port}", "--policy",
                                network.folder / "policy.json", "--manifest", network.folder / "manifest.json",
                                "--prompt", PROMPT)
    assert code == 2 and "https" in err and not out, (code, err)


def test_a_shard_file_that_changes_changes_nothing(teetee):
    network = teetee.network(1)
    network.start_all()
    ask = lambda: network.http.post("/generate", {"prompt": PROMPT, "max_tokens": 20, "temperature": 0})[1]["text"]
    before = ask()
    path = network.folder / "shard-000-of-001.gguf"
    size = path.stat().st_size
    with open(path, "r+b") as f:
        f.seek(size // 4)
        f.write(b"\x55" * (size // 2))
    assert ask() == before
    with open(path, "r+b") as f:
        f.truncate(100)
    assert ask() == before


def test_entries_share_the_stages_behind_them(teetee):
    network = teetee.network(2)
    network.start_all()
    other, its_http = network.start_another(0)
    wait_until(its_http.ready, 20, "the second entry is ready: " + other.text()[-800:])
    request = {"prompt": PROMPT, "max_tokens": 60, "seed": 4}
    first = network.http.post("/generate", request)[1]["text"]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = pool.map(lambda entry: entry.post("/generate", request)[1], [network.http, its_http] * 3)
    assert [answer["text"] for answer in answers] == [first] * 6
    # Its end is nobody else's.
    other.kill()
    assert network.http.post("/generate", request)[1]["text"] == first
    assert network.http.get("/health")[1]["routes"] == 1


def test_a_route_needs_every_layer(teetee):
    network = teetee.network(3)
    network.start(0)
    network.start(2)
    wait_until(lambda: "layers 4 to 4" in network.nodes[0].text(), 20, network.nodes[0].text()[-800:])
    status, body = network.http.post("/generate", {"prompt": PROMPT})
    assert status == 503 and body["error"]["code"] == "route_unavailable", body
    assert network.http.get("/health")[0] == 503
    network.start(1)
    wait_until(network.http.ready, 20, "the newcomer is used")
    assert network.http.post("/generate", {"prompt": PROMPT, "max_tokens": 5})[0] == 200


def test_nodes_find_each_other_through_one_that_they_know(teetee):
    network = teetee.network(3)
    for shard in (0, 2, 1):
        arguments = network.arguments(shard)
        at = arguments.index("--next")
        arguments[at:at + 2] = [] if shard == 1 else ["--next", "tls://" + network.link(1)]
        arguments[arguments.index("--listen") + 1] = network.link(shard).replace("127.0.0.1", "0.0.0.0")
        if shard == 0:
            lost = teetee.start(*arguments)
            assert lost.process.wait(20) == 2 and "--advertise" in lost.text(), lost.text()
        network.nodes[shard] = teetee.start(*arguments, "--advertise", "tls://" + network.link(shard))
    wait_until(network.http.ready, 20, "the tail has found the entry")
    assert network.http.post("/generate", {"prompt": PROMPT, "max_tokens": 5})[0] == 200


def test_killing_the_second_node_fails_the_answer_at_once_and_only_that(teetee):
    network = teetee.network(2)
    network.start_all("--reroute-seconds", 0)
    events, failure = [], []

    def read():
        try:
            for event in network.http.stream("/v1/chat/completions", {
                    "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 480, "temperature": 1, "seed": 3,
                    "stop": ["never"]}):
                events.append(event)
                if len(events) == 10:
                    network.nodes[1].kill()
        except (http.client.HTTPException, OSError) as error:
            failure.append(error)

    reader = threading.Thread(target=read)
    start = time.time()
    reader.start()
    reader.join(30)
    assert not reader.is_alive() and time.time() - start < 5, "no answer within 5 s of the kill"
    assert failure, "the cut stream must look incomplete"
    assert any(name == "error" and data["error"]["code"] in ("stage_failed", "route_unavailable")
               for name, data in events), events[-2:]
    status, body = network.http.post("/generate", {"prompt": PROMPT})
    assert status == 503 and body["error"]["code"] == "route_unavailable", body
    network.start(1)
    wait_until(network.http.ready, 20, "the entry serves again")
    assert network.http.post("/generate", {"prompt": PROMPT, "max_tokens": 5})[0] == 200


def test_killing_the_second_node_ends_chat_with_an_error(teetee):
    network = teetee.network(2)
    network.start_all("--kernel", "scalar", "--reroute-seconds", 0)
    chat = teetee.start("chat", "--entry", f"https://127.0.0.1:{network.port + 1}", "--policy",
                        network.folder / "policy.json", "--manifest", network.folder / "manifest.json",
                        "--prompt", PROMPT, "-n", 480, "--temperature", 1)
    wait_until(lambda: len(chat.text()) > 220, 30, "the answer has begun")
    network.nodes[1].kill()
    start = time.time()
    assert chat.process.wait(10) == 1 and time.time() - start < 5, chat.text()


def test_a_stalled_node_is_noticed(teetee):
    network = teetee.network(3)
    network.start_all("--reroute-seconds", 0)
    network.nodes[1].process.send_signal(signal.SIGSTOP)
    start = time.time()
    status, body = network.http.post("/generate", {"prompt": PROMPT, "max_tokens": 50})
    network.nodes[1].process.send_signal(signal.SIGCONT)
    assert status in (503, 504) and time.time() - start < 5, (status, body)
    wait_until(network.http.ready, 20, "the route is whole again")
    assert network.http.post("/generate", {"prompt": PROMPT, "max_tokens": 5})[0] == 200


def test_up_starts_a_dead_node_again(teetee):
    up, client = teetee.up()
    import subprocess
    children = subprocess.run(["pgrep", "-P", str(up.pid)], capture_output=True, text=True).stdout.split()
    assert len(children) == 2
    import os
    os.kill(int(children[1]), signal.SIGKILL)
    wait_until(lambda: not client.ready(), 10, "the loss is seen")
    wait_until(client.ready, 20, "the node is back")
    assert client.post("/generate", {"prompt": PROMPT, "max_tokens": 5})[0] == 200
    assert up.stop() == 0


def test_a_port_in_use_is_named(teetee):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, err = teetee.run("up", "--port", port)
        assert code == 3 and "port_in_use" in err and str(port) in err, err


def test_garbage_on_the_link_port_harms_nobody(teetee):
    network = teetee.network(2)
    network.start_all()
    for index in (0, 1):
        for data in (b"", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 40, b"\x16\x03\x01\xff\xff" + b"\0" * 5000):
            with socket.create_connection(("127.0.0.1", network.port + 2 + index)) as s:
                try:
                    s.sendall(data)
                except OSError:
                    pass
    assert network.http.post("/generate", {"prompt": PROMPT, "max_tokens": 5})[0] == 200


def test_prefixes_are_shared_within_a_token_only(teetee):
    _, client = teetee.up("--shards", 3)
    prompt = PROMPT + " there was a little fox who lived in the wood." * 8

    def ask(token, **fields):
        headers = {"authorization": f"Bearer {token}"} if token else {}
        status, body = client.post("/generate", {"prompt": prompt, "max_tokens": 24, "seed": 3} | fields, headers=headers)
        assert status == 200, body
        return body["text"], body["usage"]["prompt_tokens_details"]["cached_tokens"], body["usage"]["prompt_tokens"]

    text, cached, count = ask(None)
    assert cached == 0 and ask(None) == (text, 0, count), "without a token nothing is kept"
    assert ask("alice-1234") == (text, 0, count)
    assert ask("bob-123456") == (text, 0, count), "another tenant"
    spared = (count - 1) // 32 * 32
    assert spared >= 64 and ask("alice-1234") == (text, spared, count)
    # The answer is part of the next turn's prefix; penalties need every token.
    turn, cached, count = ask("alice-1234", prompt=prompt + text + " And then", max_tokens=8)
    assert cached >= spared and ask(None, prompt=prompt + text + " And then", max_tokens=8)[0] == turn
    _, metrics = client.get("/metrics")
    values = dict(line.split() for line in metrics.decode().splitlines() if not line.startswith("#"))
    assert int(values["teetee_cached_tokens_total"]) == spared + cached, values
    assert int(values["teetee_prefix_pages"]) > 0 and values["teetee_prefixes_unknown_total"] == "0", values


def test_a_node_that_comes_back_without_its_pages_changes_no_answer(teetee):
    network = teetee.network(3)
    network.start_all()
    prompt = PROMPT + " there was a little fox who lived in the wood." * 8
    ask = lambda: network.http.post("/generate", {"prompt": prompt, "max_tokens": 24, "seed": 3},
                                    headers={"authorization": "Bearer alice-1234"})[1]
    first = ask()
    assert ask()["usage"]["prompt_tokens_details"]["cached_tokens"] > 0
    network.nodes[2].kill()
    network.start(2)
    wait_until(lambda: not network.http.ready() or "text" in ask(), 20, "the loss is seen")
    wait_until(network.http.ready, 20, "the node is back")
    after = wait_until(lambda: (lambda a: a if "text" in a else None)(ask()), 20, "it answers")
    assert after["text"] == first["text"]


def test_a_small_kv_budget_refuses_politely_and_serves_what_fits(teetee):
    network = teetee.network(2)
    network.start_all("--kv-positions", 96)
    status, body = network.http.post("/generate", {"prompt": PROMPT, "max_tokens": 20})
    assert status == 200, body
    network = teetee.network(2)
    network.start(0)
    network.start(1, "--kv-positions", 64)
    wait_until(network.http.ready, 60, "the route is ready")
    status, body = network.http.post("/generate", {"prompt": PROMPT, "max_tokens": 200})
    assert status == 400 and body["error"]["code"] == "kv_cache_full", body
    assert "have 64 positions" in body["error"]["message"] and "need 2" in body["error"]["message"], body
    status, body = network.http.post("/generate", {"prompt": PROMPT, "max_tokens": 20})
    assert status == 200, body


def test_kv_flags(teetee):
    run = lambda *extra: teetee.run("run", "--model", STORY_MODEL, "--prompt", PROMPT, "-n", 30, "--temperature", 0, *extra)
    code, text, err = run("--kv-memory", "64MiB", "--kv-type", "f32")
    assert code == 0 and text, err
    code, _, err = run("--kv-memory", "2KiB")
    assert code == 1 and "kv_cache_full" in err and "have 2 KiB" in err, err
    for wrong in (["--kv-memory", "much"], ["--kv-type", "f8"]):
        code, _, err = run(*wrong)
        assert code == 2 and wrong[1] in err, err
    code, _, err = teetee.run("up", "--kv-memory", "much", "--prepare-only", "--dir", teetee.folder / "net")
    assert code == 2 and "much" in err, err
    network = teetee.network(1)
    node = network.start(0, "--kv-memory", "100B")
    assert node.process.wait(20) == 2 and "need at least" in node.text(), node.text()
