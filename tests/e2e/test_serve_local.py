# SPDX-License-Identifier: Apache-2.0
"""serve-local: a plain OpenAI endpoint in front of a network, for programs that know nothing of it."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import random
import signal
import socket

from harness import Http, wait_until
from test_entry_death import CHAT, MESSAGES, PROMPT, Cutter, entries_of, pid_of_entry
from test_money import Shop
from test_receipts import fetch, verdict


class Local:
    """A serve-local that is up."""

    def __init__(self, teetee, *arguments):
        self.process = teetee.start("serve-local", "--listen", "127.0.0.1:0", "--json", *arguments)
        wait_until(lambda: '"ready"' in self.process.text() or self.process.process.poll() is not None, 60,
                   "serve-local is up")
        line = next((line for line in self.process.text().splitlines() if line.startswith("{")), "")
        assert '"ready"' in line, self.process.text()
        self.ready = json.loads(line)
        self.port = int(self.ready["url"].rsplit(":", 1)[1])
        self.http = Http(self.port)

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, json.dumps(body) if isinstance(body, dict) else body, headers or {})
        response = connection.getresponse()
        raw = response.read()
        connection.close()
        return response.status, dict((k.lower(), v) for k, v in response.getheaders()), raw

    def status(self, headers=None) -> dict:
        status, body = self.http.get("/proxy/status", headers=headers or {})
        assert status == 200, body
        return body


def text_of(event) -> str:
    if "choices" not in event:
        return event.get("text", "")
    return "".join(c.get("text") or c.get("delta", {}).get("content") or "" for c in event["choices"])


def streamed(client: Http, path: str, body: dict, on_text=lambda text: None):
    """(text, events); raises where the stream is cut."""
    text, events, done = "", [], False
    for name, data in client.stream(path, body, timeout=120):
        assert name == "message", (name, data)
        done = data == "[DONE]"
        if not done:
            events.append(data)
            text += text_of(data)
            on_text(text)
    assert done, events[-1:]
    return text, events


def bare(answer: dict) -> dict:
    """Without what is another one with each answer."""
    return {k: v for k, v in answer.items() if k not in ("id", "created", "receipt", "timings")}


REQUESTS = [
    (CHAT, MESSAGES | {"temperature": 0, "max_tokens": 24}),
    (CHAT, MESSAGES | {"seed": 3, "max_tokens": 24, "logprobs": True, "top_logprobs": 2}),
    (CHAT, MESSAGES | {"seed": 3, "max_tokens": 12, "return_token_ids": True}),
    ("/v1/completions", {"prompt": PROMPT, "seed": 11, "max_tokens": 24, "logprobs": 2}),
    ("/v1/completions", {"prompt": PROMPT, "seed": 8, "max_tokens": 24,
                         "grammar": 'root ::= ("\U0001f600" | "\u6f22"){20}'}),
    ("/generate", {"prompt": PROMPT, "seed": 5, "max_tokens": 24}),
]


def test_answers_are_those_of_the_entry(teetee):
    _, entry = teetee.up("--shards", 2)
    local = Local(teetee, "--port", entry.port)
    assert local.ready["nodes"] == 2 and local.ready["simulated"] is True, local.ready
    for path, body in REQUESTS:
        status, expected = entry.post(path, body)
        assert status == 200, expected
        status, headers, raw = local.ask("POST", path, body)
        answer = json.loads(raw)
        assert status == 200 and bare(answer) == bare(expected), (path, body, answer, expected)
        assert headers["teetee-simulated"] == "true" and headers["teetee-verified"].startswith("nodes=2, at="), headers
        assert headers["teetee-entry"] == f"https://127.0.0.1:{entry.port + 1}", headers
        # The receipt is found where it is said to be, through serve-local as well.
        assert headers["teetee-receipt"] == answer["receipt"], (headers, answer)
        file = teetee.folder / "receipt.json"
        file.write_bytes(fetch(local.http, answer["receipt"]))
        code, report = verdict(teetee, "verify", file, "--port", entry.port)
        assert code == 0 and report["completion_tokens"] == expected["usage"]["completion_tokens"], report
        # And as a stream.
        whole, events = streamed(entry, path, body)
        text, ours = streamed(local.http, path, body)
        assert text == whole, (path, body, text, whole)
        wants_ids = body.get("return_token_ids", False)
        assert all(("token_ids" in json.dumps(event)) <= wants_ids for event in ours), ours
        assert not any("usage" in event and event["usage"] for event in ours) or path == "/generate", ours
        assert len({event["id"] for event in ours}) == 1, ours
        roles = [c for event in ours for c in event.get("choices", []) if c.get("delta", {}).get("role")]
        assert len(roles) == (path == CHAT), ours
        with_usage = streamed(local.http, path, body | {"stream_options": {"include_usage": True}})[1]
        assert with_usage[-1]["usage"] == expected["usage"], (with_usage[-1], expected["usage"])


def test_what_is_no_answer_is_passed_on_as_it_is(teetee):
    _, entry = teetee.up("--shards", 1)
    local = Local(teetee, "--port", entry.port)
    for method, path, body in (
            ("GET", "/v1/models", None), ("GET", "/no/such/path", None), ("GET", "/v1/receipts/0123", None),
            ("POST", CHAT, {"messages": 7}), ("POST", CHAT, {"messages": [], "stream": "yes"}), ("POST", CHAT, "{"),
            ("POST", CHAT, MESSAGES | {"model": "another"}), ("POST", "/v1/completions", {"prompt": PROMPT, "max_tokens": -1}),
            ("POST", CHAT, MESSAGES | {"stream": True, "temperature": "hot"}), ("GET", CHAT, None)):
        expected = entry.request(method, path, body)
        assert local.http.request(method, path, body) == expected, (method, path, body, expected)
    # What belongs to the wallet is no application's.
    for method, path in (("GET", "/v1/payment"), ("POST", "/v1/payment/raise"), ("POST", "/v1/payment/settle"),
                         ("POST", "/v1/sign-in"), ("POST", "/v1/api-keys"), ("POST", "/v1/sign-in/token"), ("GET", "/v1/payment?x=1")):
        status, refused = local.http.request(method, path, "{}" if method == "POST" else None)
        assert status == 404 and "by serve-local itself" in refused["error"]["message"], (path, refused)
    status, refused = local.http.post(CHAT, MESSAGES, headers={"TeeTee-Payment": "query id=1"})
    assert status == 400 and refused["error"]["code"] == "payment_malformed", refused
    status = local.status()
    assert status["requests"]["active"] == 1 and status["requests"]["refused"] == 8 and "payment" not in status, status
    assert status["entries"][0]["nodes"] == 1 and status["entries"][0]["verified_at"] > 0, status
    assert PROMPT not in local.process.text()


def test_an_error_has_the_status_that_it_has_at_the_entry(teetee):
    teetee.environment["TEETEE_KERNEL"] = "scalar"
    _, entry = teetee.up("--shards", 1)
    local = Local(teetee, "--port", entry.port)
    ids = entry.post("/v1/completions", {"prompt": PROMPT, "temperature": 0, "max_tokens": 8, "return_token_ids": True})[1]["choices"][0]["token_ids"]
    for body, expected, code in (
            ({"answer_token_ids": ids, "grammar": 'root ::= "yes"'}, 422, "grammar_stuck"),
            ({"timeout": 0.2, "max_tokens": 450}, 504, "deadline_exceeded")):
        body = {"prompt": PROMPT, "temperature": 0, "return_token_ids": True} | body
        assert entry.post("/v1/completions", body)[0] == expected, body
        status, headers, raw = local.ask("POST", "/v1/completions", body)
        # Another entry would do no better, and neither would the same one a second later.
        assert status == expected and json.loads(raw)["error"]["code"] == code, (status, raw)
        assert "retry-after" not in headers and local.status()["requests"]["went_on_elsewhere"] == 0, headers


def test_entries_that_were_learned_and_are_gone_are_not_waited_for(teetee):
    up, first, second, _ = replicated(teetee)
    local = Local(teetee, "--port", first.port, "--patience-seconds", 1)
    assert local.http.post(CHAT, MESSAGES | {"max_tokens": 2})[0] == 200
    assert len(local.status()["entries"]) == 2, local.status()
    up.stop(60)
    for method, path, body in (("POST", CHAT, MESSAGES), ("GET", "/v1/models", None)):
        status, _, raw = local.ask(method, path, body)
        assert status == 503, (status, raw)
    assert [entry["url"] for entry in local.status()["entries"]] == [f"https://127.0.0.1:{first.port + 1}"], local.status()


def replicated(teetee):
    """A slow network of two entries that know each other."""
    teetee.environment["TEETEE_KERNEL"] = "scalar"
    up, first = teetee.up("--shards", 2, "--replicas", 2)
    second = Http(first.port + 2)
    urls = {f"http://127.0.0.1:{client.port}" for client in (first, second)}

    def both_are_listed():
        return all(client.ready() and {e["api_url"] for e in entries_of(client)} == urls for client in (first, second))

    wait_until(both_are_listed, 60, "the entries know of each other")
    return up, first, second, both_are_listed


def test_an_answer_outlives_its_entry(teetee):
    up, first, second, both_are_listed = replicated(teetee)
    chance = random.Random(7)
    for path, body, flags in (
            (CHAT, MESSAGES | {"temperature": 0}, []), (CHAT, MESSAGES | {"seed": 3}, ["--sealed"]),
            ("/v1/completions", {"prompt": PROMPT, "seed": 5, "presence_penalty": 1.5, "logprobs": 1}, []),
            ("/generate", {"prompt": PROMPT, "seed": 6}, [])):
        body = body | {"max_tokens": 160, "stream_options": {"include_usage": True}}
        expected, plain = streamed(first, path, body)
        local = Local(teetee, "--port", first.port, *flags)
        at, killed = chance.randrange(20, 120), []

        def kill(text):
            if len(text) >= at and not killed:
                killed.append(pid_of_entry(up, first.port))
                os.kill(killed[0], signal.SIGKILL)

        text, events = streamed(local.http, path, body, kill)
        assert killed and text == expected, (path, at, text, expected, local.process.text())
        assert len({event["id"] for event in events}) == 1, events
        assert events[-1]["usage"] == plain[-1]["usage"], (events[-1], plain[-1])
        if "logprobs" in body:
            def tokens(of):
                return [t for event in of for c in event.get("choices", []) if c.get("logprobs") for t in c["logprobs"]["tokens"]]
            assert tokens(events) == tokens(plain), (events, plain)
        status = local.status()
        assert status["requests"]["went_on_elsewhere"] >= 1 and f":{second.port + (not flags)}" in status["entry"], status
        assert PROMPT not in local.process.text() and text[:20] not in local.process.text()
        assert local.process.stop() == 0
        wait_until(both_are_listed, 60, "up has started the entry again")
    # One that does not come as a stream goes on as well.
    body = MESSAGES | {"max_tokens": 60, "seed": 2, "temperature": 1}
    status, expected = first.post(CHAT, body)
    cutter = Cutter(first.port, 15_000)
    local = Local(teetee, "--port", first.port, "--sealed", "--entry", f"http://127.0.0.1:{cutter.port}", "--entry",
                  f"http://127.0.0.1:{second.port}")
    status, whole = local.http.post(CHAT, body)
    assert status == 200 and bare(whole) == bare(expected), (whole, expected)
    assert local.status()["requests"]["went_on_elsewhere"] == 1, local.status()


def test_without_any_entry_it_says_so(teetee):
    network = teetee.network(1)
    network.start_all()
    local = Local(teetee, *network.chat_flags(), "--patience-seconds", 1)
    network.nodes[0].kill()
    for method, path, body in (("POST", CHAT, MESSAGES), ("POST", CHAT, MESSAGES | {"stream": True}), ("GET", "/v1/models", None)):
        status, headers, raw = local.ask(method, path, body)
        error = json.loads(raw)["error"]
        assert status == 503 and headers["retry-after"] == "1" and error["code"] == "connect_failed", (status, headers, raw)
    # One that has come back, with new keys, is verified anew.
    network.start(0)
    wait_until(network.http.ready, 60, "the entry is back")
    status, answer = local.http.post(CHAT, MESSAGES | {"max_tokens": 3})
    assert status == 200, answer
    assert local.status()["requests"]["failed"] == 3, local.status()


def test_a_stream_that_nobody_goes_on_with_is_cut(teetee):
    teetee.environment["TEETEE_KERNEL"] = "scalar"
    network = teetee.network(1)
    network.start_all()
    local = Local(teetee, *network.chat_flags(), "--patience-seconds", 1)
    events = []
    with contextlib.suppress(http.client.IncompleteRead):
        for name, data in local.http.stream(CHAT, MESSAGES | {"max_tokens": 200, "temperature": 0}):
            events.append((name, data))
            if len(events) == 5:
                network.nodes[0].kill()
        raise AssertionError(("taken for complete", events[-1:]))
    name, last = events[-1]
    assert name == "error" and last["error"]["type"] == "server_error" and last["error"]["code"], events[-1]
    assert all(name == "message" for name, _ in events[:-1])


def test_many_ask_at_a_time_and_no_more_than_that(teetee):
    teetee.environment["TEETEE_KERNEL"] = "scalar"
    _, entry = teetee.up("--shards", 2)
    local = Local(teetee, "--port", entry.port)
    body = {"prompt": PROMPT, "max_tokens": 20}
    expected = [entry.post("/v1/completions", body | {"seed": seed})[1]["choices"] for seed in range(16)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda seed: local.http.post("/v1/completions", body | {"seed": seed}), range(16)))
    assert [status for status, _ in answers] == [200] * 16, answers
    assert [answer["choices"] for _, answer in answers] == expected
    assert local.status()["entries"][0]["nodes"] == 2
    narrow = Local(teetee, "--port", entry.port, "--requests-max", 2)
    streams = [narrow.http.stream(CHAT, MESSAGES | {"max_tokens": 200, "temperature": 0}) for _ in range(2)]
    assert all(next(stream) for stream in streams)
    status, headers, raw = narrow.ask("POST", CHAT, MESSAGES)
    assert status == 503 and headers["retry-after"] == "1" and json.loads(raw)["error"]["code"] == "overloaded", raw
    texts = ["".join(text_of(data) for _, data in stream if data != "[DONE]") for stream in streams]
    assert texts[0] == texts[1] and len(texts[0]) > 100, texts
    status, answer = narrow.http.post(CHAT, MESSAGES | {"max_tokens": 3})
    assert status == 200, answer


def test_a_client_that_goes_away_has_its_request_cancelled(teetee):
    teetee.environment["TEETEE_KERNEL"] = "scalar"
    _, entry = teetee.up("--shards", 2)
    local = Local(teetee, "--port", entry.port)

    def active() -> int:
        return entry.get("/health")[1]["active_requests"]

    for body in (MESSAGES | {"stream": True}, MESSAGES):
        before = entry.get("/health")[1]["completion_tokens"]
        with socket.create_connection(("127.0.0.1", local.port)) as connection:
            data = json.dumps(body | {"max_tokens": 220, "temperature": 0}).encode()
            connection.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (CHAT.encode(), len(data)) + data)
            wait_until(lambda: active() == 1, 30, "it is being answered")
        wait_until(lambda: active() == 0, 30, "it is cancelled")
        assert entry.get("/health")[1]["completion_tokens"] - before < 200
        wait_until(lambda: local.status()["requests"]["active"] == 1, 30, "the thread is free")


def test_not_everybody_may_ask(teetee):
    _, entry = teetee.up("--shards", 1)
    keys = teetee.folder / "keys"
    first, second = (teetee.json("api-key", "create", "--file", keys, "--name", name)["key"] for name in ("editor", "other"))
    local = Local(teetee, "--port", entry.port, "--api-keys", keys, "--allow-host", "Gate.example",
                  "--allow-origin", "http://LocalHost:3000")
    body = MESSAGES | {"max_tokens": 3}

    def ask(**headers):
        headers = {"Authorization": f"Bearer {first}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        status, got, raw = local.ask("POST", CHAT, body, {k: v for k, v in headers.items() if v is not None})
        return status, got, json.loads(raw) if raw else {}

    assert ask()[0] == 200 and ask(Authorization=f"Bearer {second}")[0] == 200
    for value in (None, f"Bearer {first[:-1]}", "Bearer ", f"Basic {first}"):
        status, headers, refused = ask(Authorization=value)
        assert status == 401 and refused["error"]["code"] == "api_key_invalid" and headers["www-authenticate"] == "Bearer", refused
    assert local.http.get("/proxy/status")[0] == 401
    for host in ("evil.example", "evil.example:80", "localhost.evil.example"):
        status, _, refused = ask(Host=host)
        assert status == 403 and refused["error"]["code"] == "host_unknown", (host, refused)
    assert ask(Host="gate.example")[0] == 200 and ask(Host=f"[::1]:{local.port}")[0] == 200
    status, headers, refused = ask(Origin="https://evil.example")
    assert status == 403 and refused["error"]["code"] == "origin_unknown", refused
    assert not any(name.startswith("access-control") for name in headers), headers
    assert headers["x-request-id"].startswith("req_"), headers
    # A page that may ask can read why it got nothing, too.
    status, headers, refused = ask(Origin="http://localhost:3000", Authorization=None)
    assert status == 401 and headers["access-control-allow-origin"] == "http://localhost:3000", headers
    assert headers["x-request-id"].startswith("req_") and "x-request-id" in headers["access-control-expose-headers"], headers
    # Without a page it is no question of a browser's.
    status, headers, _ = local.ask("OPTIONS", CHAT, None, {"Authorization": f"Bearer {first}"})
    assert "teetee-entry" in headers and not any(name.startswith("access-control") for name in headers), (status, headers)
    status, headers, _ = ask(Origin="http://localhost:3000")
    assert status == 200 and headers["access-control-allow-origin"] == "http://localhost:3000", headers
    status, headers, _ = local.ask("OPTIONS", CHAT, None, {"Origin": "http://localhost:3000", "Access-Control-Request-Headers": "authorization"})
    assert status == 204 and headers["access-control-allow-headers"] == "authorization", headers
    assert not any(name.startswith("access-control") for name in ask()[1])
    assert first not in local.process.text()
    code, _, err = teetee.run("serve-local", "--port", entry.port, "--listen", "0.0.0.0:0")
    assert code == 2 and "--public" in err, err
    code, _, err = teetee.run("serve-local", "--port", entry.port, "--listen", "127.evil.example:0")
    assert code == 2 and "--public" in err, err
    for flag, value, fix in (("--allow-host", "http://gate.example", "gate.example"), ("--allow-host", "gate.example:80", "a name alone"),
                             ("--allow-origin", "http://localhost:3000/", "http://localhost:3000"), ("--allow-origin", "*", "without a path")):
        code, _, err = teetee.run("serve-local", "--port", entry.port, flag, value)
        assert code == 2 and flag in err and fix in err, (flag, value, err)
    teetee.json("api-key", "revoke", "--file", keys, "--name", "other")
    wait_until(lambda: ask(Authorization=f"Bearer {second}")[0] == 401 and ask()[0] == 200, 10, "the file has been read again")
    keys.write_text("a key with spaces\n")
    code, _, err = teetee.run("serve-local", "--port", entry.port, "--api-keys", keys)
    assert code == 2 and str(keys) in err and "spaces" not in err, err


def test_an_entry_that_is_not_trusted_gets_nothing(teetee):
    network = teetee.network(1)
    network.start_all()
    policy = teetee.folder / "policy.json"
    policy.write_text(network.folder.joinpath("policy.json").read_text().replace("true", "false"))
    code, _, err = teetee.run("serve-local", "--entry", f"https://127.0.0.1:{network.port + 1}", "--policy", policy,
                              "--manifest", network.folder / "manifest.json")
    assert code != 0 and "serving" not in err, (code, err)


def test_programs_that_cannot_pay_are_paid_for(teetee):
    shop = Shop(teetee, ceiling=1_000)
    session, other = teetee.folder / "payment.json", teetee.folder / "other.json"
    shop.payer.json("voucher", "open", "--pool", shop.pool, "--ceiling", 5_000, "--session", other)
    shop.payer.json("voucher", "open", "--pool", shop.pool, "--ceiling", 20_000, "--session", session)
    local = Local(teetee, *shop.network.chat_flags(), "--payment", session)
    body = {"prompt": PROMPT, "max_tokens": 90, "temperature": 0}
    # Longer than what is signed for at first; all of one voucher, at a time.
    asks = [(path, body | {"seed": i}) for i, path in enumerate(("/v1/completions", "/generate") * 4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda ask: local.http.post(*ask), asks))
    assert [status for status, _ in answers] == [200] * 8, answers
    assert not any("ended_by" in answer for _, answer in answers), answers
    assert all(answer["usage"]["completion_tokens"] > 60 for _, answer in answers), answers
    charged = sum(shop.charged(answer) for _, answer in answers)
    payment = wait_until(lambda: (p := local.status()["payment"])["held"] == "0" and p, 30, "all is charged")
    assert int(payment["charged"]) == int(payment["spent_here"]) == charged > 8 * 5 * 60, (payment, charged)
    assert int(payment["left"]) == 20_000 - charged, payment
    # Streams too; no word of payment comes to the program.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        streams = list(pool.map(lambda seed: streamed(local.http, CHAT, MESSAGES | {"max_tokens": 90, "seed": seed}), range(4)))
    assert all(events[-1]["choices"][0]["finish_reason"] and "ended_by" not in events[-1] for _, events in streams)
    status, _, raw = local.ask("POST", CHAT, MESSAGES | {"max_tokens": 20, "stream": True})
    assert status == 200 and b"payment" not in raw, raw
    # It ends with the voucher, and says why.
    poor = Local(teetee, *shop.network.chat_flags(), "--payment", other, "--spend-max", 50)
    status, refused = poor.http.post(CHAT, MESSAGES | {"max_tokens": 20})
    assert status == 402 and refused["error"]["type"] == "payment_error", refused
    key = json.loads(session.read_text())["session_key"]
    assert key not in local.process.text() and key[2:] not in json.dumps(local.status())
    assert local.process.stop() == 0
