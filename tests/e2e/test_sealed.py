# SPDX-License-Identifier: Apache-2.0
"""Requests that only the attested entry can read, by a client of another make and by 'teetee chat --sealed'."""
import base64
import http.client
import json

import relay
import sealed_reference as sealed
from harness import wait_until

PROMPT = "Once upon a time a mouse called Zebulon"
CHAT = "/v1/chat/completions"


def chat_body(**fields):
    return {"messages": [{"role": "user", "content": PROMPT}], "max_tokens": 24, "seed": 5} | fields


class SealedClient:
    def __init__(self, port: int):
        sealed.ensure_primitives()
        self.port = port
        status, body = self.ask("GET", "/attestation")
        assert status == 200, body
        shown = json.loads(body)
        self.time, entry = shown["time"], shown["nodes"][0]
        self.statement = base64.b64decode(entry["statement"])
        self.key = bytes.fromhex(entry["statement_fields"]["hpke_key"].removeprefix("0x"))

    def ask(self, method, path, body=None, headers=None):
        """(status, all bytes that came), also of an answer that was cut."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        data = b""
        try:
            while piece := response.read1(65536):
                data += piece
        except http.client.IncompleteRead as cut:
            data += cut.partial
        connection.close()
        return response.status, data

    def seal(self, path, body: dict, time_off=0, headers=None):
        return sealed.seal(self.statement, self.key, path, json.dumps(body).encode(), self.time + time_off, headers)

    def send(self, path, request: bytes, headers=None):
        return self.ask("POST", path, request, {"content-type": sealed.CONTENT_TYPE} | (headers or {}))

    def post(self, path, body: dict, headers=None) -> sealed.Answer:
        request, secret = self.seal(path, body, headers=headers)
        status, data = self.send(path, request)
        assert status == 200, data
        return sealed.Answer(data, secret)


def events_of(answer: sealed.Answer):
    return [json.loads(line[6:]) for line in answer.body.decode().splitlines()
            if line.startswith("data: ") and line != "data: [DONE]"]


def streamed_text(answer: sealed.Answer) -> str:
    return "".join(e["choices"][0]["delta"].get("content", "") for e in events_of(answer) if e["choices"])


def test_a_sealed_answer_is_the_plain_one(teetee):
    _, plain = teetee.up()
    client = SealedClient(plain.port)
    for path, body, text_of in (
            ("/generate", {"prompt": PROMPT, "max_tokens": 24, "seed": 5}, lambda b: b["text"]),
            ("/v1/completions", {"prompt": PROMPT, "max_tokens": 24, "seed": 5}, lambda b: b["choices"][0]["text"]),
            (CHAT, chat_body(), lambda b: b["choices"][0]["message"]["content"])):
        expected = plain.post(path, body)[1]
        answer = client.post(path, body)
        assert answer.status == 200 and answer.headers["content-type"] == "application/json", answer.headers
        have = json.loads(answer.body)
        assert text_of(have) == text_of(expected) and have["usage"] == expected["usage"], (path, have)
    streamed = client.post(CHAT, chat_body(stream=True))
    assert streamed.headers["content-type"] == "text/event-stream" and streamed.body.endswith(b"data: [DONE]\n\n")
    assert streamed_text(streamed) == text_of(expected)


def test_the_path_may_be_inside(teetee):
    _, plain = teetee.up("--shards", 1)
    tap = relay.Tap(plain.port)
    client = SealedClient(tap.port)

    def ask(path, body):
        answer = client.post("/sealed", body, headers={"path": path})
        return answer.status, json.loads(answer.body)

    status, chat = ask(CHAT, chat_body())
    assert status == 200 and chat["choices"] == plain.post(CHAT, chat_body())[1]["choices"], chat
    assert ask("/v1/models", {}) == (200, plain.get("/v1/models")[1])
    assert client.post("/v1/models", {}).status == 200, "what is read by GET is sealed in a POST"
    assert ask("/sealed", {})[1]["error"]["code"] == "route_unknown"
    assert client.post("/sealed", {}).status == 404
    assert client.ask("GET", "/sealed")[0] == 404
    tap.close()
    assert tap.seen.count(b"POST /sealed") == 4 and CHAT.encode() not in tap.seen


def test_the_wire_and_the_logs_show_neither_prompt_nor_answer(teetee):
    up, plain = teetee.up()
    tap = relay.Tap(plain.port)
    client = SealedClient(tap.port)
    answer = streamed_text(client.post(CHAT, chat_body(stream=True)))
    code, out, err = teetee.run("chat", "--port", plain.port, "--sealed", "--entry", f"http://127.0.0.1:{tap.port}",
                                "--prompt", PROMPT, "-n", 24, "--seed", 5, "--temperature", 1)
    tap.close()
    assert code == 0 and out.strip() == answer.strip(), (out, answer, err)
    assert tap.seen.count(b"POST " + CHAT.encode()) == 2 and len(answer) > 40
    for text in [PROMPT, "Zebulon"] + [answer[i:i + 12] for i in range(0, len(answer) - 12, 6)]:
        assert text.encode() not in tap.seen and text not in up.text(), text
    for text in ("messages", "delta", "text/event-stream"):
        assert text.encode() not in tap.seen, text
    # The same relay sees it all where nothing is sealed.
    tap = relay.Tap(plain.port)
    http.client.HTTPConnection("127.0.0.1", tap.port).request("POST", CHAT, json.dumps(chat_body()))
    wait_until(lambda: b"Zebulon" in tap.seen, 10, "a plain request is seen")
    tap.close()


def test_a_receipt_comes_sealed_too(teetee):
    _, plain = teetee.up()
    tap = relay.Tap(plain.port)
    file = teetee.folder / "sealed-receipt.json"
    code, _, err = teetee.run("chat", "--port", plain.port, "--sealed", "--entry", f"http://127.0.0.1:{tap.port}",
                              "--prompt", PROMPT, "-n", 8, "--receipt", file)
    assert code == 0, err
    code, out, err = teetee.run("verify", file, "--port", plain.port)
    assert code == 0, (out, err)
    client = SealedClient(tap.port)
    path = json.loads(client.post(CHAT, chat_body()).body)["receipt"]
    answer = client.post("/sealed", {}, headers={"path": path})
    tap.close()
    assert answer.status == 200 and json.loads(answer.body) == plain.get(path)[1]
    assert json.loads(file.read_text()).keys() == json.loads(answer.body).keys()
    # Who has the id can ask for the receipt, and try guesses of the prompt on its hash.
    assert b"/v1/receipts" not in tap.seen and path.rsplit("/", 1)[1].encode() not in tap.seen


def test_what_was_changed_captured_or_misdirected_is_refused(teetee):
    _, plain = teetee.up("--shards", 1)
    client = SealedClient(plain.port)

    def refusal(request, path=CHAT):
        status, data = client.send(path, request)
        return status, json.loads(data)["error"]["code"]

    request, secret = client.seal(CHAT, chat_body())
    for at, expected in ((0, (400, "version_unsupported")), (3, (400, "version_unsupported")),
                         (20, (409, "sealed_key_unknown")), (50, (400, "decrypt_failed")),
                         (71, (400, "decrypt_failed")), (len(request) - 1, (400, "decrypt_failed"))):
        changed = bytearray(request)
        changed[at] ^= 1
        assert refusal(bytes(changed)) == expected, at
    assert refusal(request[:-1]) == (400, "sealed_malformed")
    assert refusal(request[:len(request) // 2]) == (400, "sealed_malformed")
    assert refusal(b"") == (400, "version_unsupported")
    assert refusal(request, "/v1/completions") == (400, "decrypt_failed")
    # None of that has used the request up; being answered has.
    status, data = client.send(CHAT, request)
    assert status == 200 and sealed.Answer(data, secret).status == 200
    assert refusal(request) == (409, "sealed_replayed")
    for off in (-200, 200):
        assert refusal(client.seal(CHAT, chat_body(), time_off=off)[0]) == (400, "sealed_stale")
    # The answer, too, is refused with anything wrong.
    for at in (0, 40, 36, len(data) - 1):
        changed = bytearray(data)
        changed[at] ^= 1
        for wrong in (bytes(changed), data[:at], data + b"\0"):
            try:
                sealed.Answer(wrong, secret)
            except sealed.Refused:
                continue
            raise AssertionError(f"opened with a fault at {at}")


def test_errors_travel_inside(teetee):
    _, plain = teetee.up("--shards", 1)
    client = SealedClient(plain.port)
    for body, expected in ((chat_body(temperature="hot"), (400, "field_invalid")),
                           (chat_body(model="other"), (404, "model_unknown"))):
        answer = client.post(CHAT, body)
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == expected
        assert answer.sizes == [512, 512], answer.sizes


def test_only_headers_inside_count(teetee):
    _, plain = teetee.up("--shards", 1)
    client = SealedClient(plain.port)
    body = {"prompt": PROMPT + " there was a little fox who lived in the wood." * 8, "max_tokens": 4, "seed": 3}

    def cached(inside, outside):
        request, secret = client.seal("/generate", body, headers=inside)
        status, data = client.send("/generate", request, outside)
        assert status == 200, data
        return json.loads(sealed.Answer(data, secret).body)["usage"]["prompt_tokens_details"]["cached_tokens"]

    token = {"authorization": "Bearer alice-1234"}
    assert cached({}, token) == 0 and cached({}, token) == 0
    assert cached(token, {}) == 0 and cached(token, {}) >= 64


def test_sizes_tell_nothing_of_tokens(teetee):
    _, plain = teetee.up("--shards", 1)
    client = SealedClient(plain.port)
    pieces, sizes, lengths = [], set(), set()
    for seed in (1, 2):
        answer = client.post(CHAT, chat_body(stream=True, seed=seed))
        pieces.append([e["choices"][0]["delta"].get("content", "") for e in events_of(answer)])
        sizes |= set(answer.sizes)
        request, secret = client.seal(CHAT, chat_body(seed=seed, messages=[{"role": "user", "content": "Hi " * seed * 9}]))
        status, data = client.send(CHAT, request)
        lengths.add((len(request), len(data)))
    assert pieces[0] != pieces[1] and len({len(p) for p in pieces[0] + pieces[1]}) > 3, pieces
    assert sizes == {512}, sizes
    assert len(lengths) == 1, lengths


def test_a_stage_that_fails_leaves_the_answer_without_its_end(teetee):
    network = teetee.network(2)
    network.start_all("--kernel", "scalar", "--reroute-seconds", 0)
    where = ["--policy", network.folder / "policy.json", "--manifest", network.folder / "manifest.json"]
    client = SealedClient(network.port)
    request, secret = client.seal(CHAT, chat_body(stream=True, max_tokens=480, temperature=1))
    chat = teetee.start("chat", "--sealed", "--entry", f"http://127.0.0.1:{network.port}", *where, "--prompt", PROMPT,
                        "-n", 480, "--temperature", 1)
    wait_until(lambda: len(chat.text()) > 220, 30, "the answer has begun")
    connection = http.client.HTTPConnection("127.0.0.1", network.port, timeout=60)
    connection.request("POST", CHAT, request, {"content-type": sealed.CONTENT_TYPE})
    response = connection.getresponse()
    data = response.read1(4096)
    network.nodes[1].kill()
    try:
        while piece := response.read1(65536):
            data += piece
        raise AssertionError("the connection must be cut")
    except (http.client.HTTPException, OSError):
        pass
    try:
        sealed.Answer(data, secret)
        raise AssertionError("an answer without its final record must not open")
    except sealed.Refused as refused:
        assert str(refused) == "truncated", refused
    assert chat.process.wait(10) == 1 and "stage_failed" in chat.text(), chat.text()[-600:]


def test_chat_seals_to_fresh_evidence_only(teetee):
    network = teetee.network(2)
    network.start_all()
    where = ["--policy", network.folder / "policy.json", "--manifest", network.folder / "manifest.json"]

    def chat(port, *extra):
        return teetee.run("chat", "--sealed", "--entry", f"http://127.0.0.1:{port}", *where, "--prompt", PROMPT, "-n", 20, *extra)

    code, out, err = chat(network.port)
    assert code == 0 and len(out) > 20 and "verified: 2 nodes" in err and "SIMULATED" in err, err

    # Evidence from before, however genuine, is not over this call's nonce.
    _, old = network.http.get("/attestation?nonce=" + "ab" * 32)
    assert old["nodes"][0]["nonce"] == "ab" * 32 and old["nodes"][0]["quote"] != network.http.get("/attestation")[1]["nodes"][0]["quote"]
    forger = relay.Forger(network.port, lambda path, body: json.dumps(old).encode() if "attestation" in path else body)
    code, out, err = chat(forger.port)
    forger.close()
    assert code == 1 and "report_data_mismatch" in err and not out, err

    # Nor is a statement with the forger's own key.
    def swap_key(path, body):
        if "attestation" not in path:
            return body
        shown = json.loads(body)
        statement = base64.b64decode(shown["nodes"][0]["statement"])
        key = bytes.fromhex(shown["nodes"][0]["statement_fields"]["hpke_key"].removeprefix("0x"))
        assert statement.count(key) == 1
        shown["nodes"][0]["statement"] = base64.b64encode(statement.replace(key, bytes(range(32)))).decode()
        return json.dumps(shown).encode()

    forger = relay.Forger(network.port, swap_key)
    code, out, err = chat(forger.port)
    forger.close()
    assert code == 1 and "report_data_mismatch" in err and not out, err

    # A clock that somebody on the way puts wrong makes the entry refuse, and nothing worse.
    def shift_time(path, body):
        return json.dumps(json.loads(body) | {"time": 1}).encode() if "attestation" in path else body

    forger = relay.Forger(network.port, shift_time)
    code, out, err = chat(forger.port)
    forger.close()
    assert code == 1 and "sealed_stale" in err and not out, err

    # An answer changed on the way is not shown for whole.
    def change_end(path, body):
        return body if "attestation" in path else body[:-1] + bytes([body[-1] ^ 1])

    forger = relay.Forger(network.port, change_end)
    code, out, err = chat(forger.port)
    forger.close()
    assert code == 1 and "decrypt_failed" in err, err


def test_a_nonce_must_be_one(teetee):
    _, client = teetee.up("--shards", 1)
    for nonce in ("", "xyz", "ab" * 15, "ab" * 65):
        status, body = client.get("/attestation?nonce=" + nonce)
        assert status == 400 and body["error"]["code"] == "field_invalid", (nonce, body)
