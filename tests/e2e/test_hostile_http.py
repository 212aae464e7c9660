# SPDX-License-Identifier: Apache-2.0
"""Ten thousand requests that are wrong in some way: each gets the status that says so, and the entry is as it was."""
import json
import pathlib
import random
import resource
import socket
import threading
import time

from harness import SHARED

COUNT = 10_000
GENERATION = ["/generate", "/v1/completions", "/v1/chat/completions", "/v1/responses", "/completion", "/v1/embeddings"]
POSTS = GENERATION + ["/tokenize", "/detokenize", "/apply-template"]
GETS = ["/health", "/ready", "/v1/models", "/props", "/v1/entries", "/v1/payment", "/attestation", "/metrics", "/openapi.json",
        "/v1/network", "/v1/pools", "/v1/policy", "/v1/manifest", "/v1/collateral"]
VALID = {"/v1/chat/completions": {"messages": [{"role": "user", "content": "Once"}], "max_tokens": 1},
         "/v1/responses": {"input": "Once", "max_output_tokens": 1}, "/v1/embeddings": {"input": "Once"},
         "/tokenize": {"content": "Once"}, "/detokenize": {"tokens": [5]}, "/apply-template": {"messages": [{"role": "user", "content": "Once"}]},
         "/completion": {"prompt": "Once", "n_predict": 1}}
FIELDS = {"temperature": "number", "top_p": "number", "min_p": "number", "top_k": "integer", "seed": "integer", "stop": "stop", "stream": "boolean",
          "logit_bias": "bias", "grammar": "string", "model": "string", "max_tokens": "integer", "timeout": "number", "return_token_ids": "boolean",
          "answer_token_ids": "list", "created": "integer", "activations": "string", "attest": "string", "presence_penalty": "number"}
CHAT_FIELDS = {"messages": "list", "tools": "list", "tool_choice": "choice", "response_format": "object", "n": "integer", "logprobs": "boolean",
               "top_logprobs": "integer", "chat_template_kwargs": "object", "continue_final_message": "boolean", "parallel_tool_calls": "boolean"}
WRONG = {"number": ["x", True, [], {}], "integer": ["x", 1.5, True, [], {}], "boolean": ["x", 1, [], {}], "string": [1, True, [], {}],
         "list": ["x", 1, True, {}], "object": ["x", 1, True, []], "stop": [1, True, {}, [1], [""]], "bias": ["x", 1, True, {"a": 1}, [[1]]],
         "choice": [1, True, [], "perhaps", {}]}


def head(method, path, body=b"", extra=b"", host=b"Host: x\r\n"):
    return method.encode() + b" " + path.encode() + b" HTTP/1.1\r\n" + host + b"Connection: close\r\nContent-Length: %d\r\n" % len(body) + extra + b"\r\n" + body


def body_of(path):
    return dict(VALID.get(path, {"prompt": "Once", "max_tokens": 1}))


def bad_method(rng):
    method = "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(rng.randrange(1, 12)))
    if method in ("GET", "HEAD", "POST", "OPTIONS", "CONNECT"):
        method = "BREW"
    return head(method, rng.choice(POSTS + GETS)), {405}


def bad_start(rng):
    line = rng.choice([b"GET", b"GET /", b"GET / HTTP/9.9", b"GET  / HTTP/1.1", b"GET /a b HTTP/1.1", b"G\x00T / HTTP/1.1", b"GET http://[ HTTP/1.1",
                       b"GET x HTTP/1.1", b"\xff\xfe / HTTP/1.1", b"GET / HTTQ/1.1", b"", b"GET /\x7f HTTP/1.1", b" GET / HTTP/1.1"])
    return line + b"\r\nHost: x\r\n\r\n", {400, 408} if line == b"" else {400}


def bad_header(rng):
    extra, statuses = rng.choice([
        (b"No colon here\r\n", {400}), (b"Bad name: x\r\n", {400}), (b"X\x01: y\r\n", {400}), (b"X: a\x00b\r\n", {400}), (b"Host: y\r\n", {400}),
        (b"Transfer-Encoding: gzip\r\n", {400}), (b"Transfer-Encoding: chunked\r\n", {400}), (b"Content-Length: 5\r\n", {400}),
        (b"X: " + b"a" * 20000 + b"\r\n", {431}), (b"".join(b"X%d: y\r\n" % i for i in range(3000)), {431}), (b": empty\r\n", {400})])
    return head("POST", rng.choice(POSTS), b"", extra), statuses


def bad_length(rng):
    path = rng.choice(POSTS).encode()
    length, statuses = rng.choice([(b"-1", {400}), (b"x", {400}), (b"1, 2", {400}), (b"99999999999999999999", {400, 413}), (b"2000000", {413}), (b"+5", {400}), (b"0x5", {400}), (b"", {400})])
    return b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n", statuses


def bad_chunks(rng):
    chunks = rng.choice([b"z\r\n", b"5\r\nabc", b"-5\r\nabcde\r\n0\r\n\r\n", b"5\r\nabcdeXX0\r\n\r\n", b"ffffffffffffffffff\r\n", b"5;" + b"e" * 40000, b"0\r\nTrailer\r\n\r\n"])
    statuses = {400, 413, 431} | ({None} if chunks == b"5\r\nabc" else set())
    return b"POST " + rng.choice(POSTS).encode() + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, statuses


def bad_path(rng):
    path = "/" + "".join(rng.choice("abc./%?_-~@:0") for _ in range(rng.randrange(1, 40)))
    return head(rng.choice(["GET", "POST"]), path), {404}


def bad_json(rng):
    """A valid body with some bytes changed; what is no JSON object any more has to be refused."""
    path = rng.choice(POSTS)
    text = bytearray(json.dumps(body_of(path)).encode())
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(text))
        choice = rng.randrange(3)
        if choice == 0:
            text[at] = rng.randrange(256)
        elif choice == 1:
            del text[at:at + rng.randrange(1, 5)]
        else:
            text[at:at] = rng.choice([b"{", b"}", b"[", b'"', b"\\", b",", b"\x00", b"\xff", b"1e999", b"NaN", b"//", b"'"])
        text = text or bytearray(b"{")
    return head("POST", path, bytes(text)), None


def bad_field(rng):
    path = rng.choice(["/generate", "/v1/completions", "/v1/chat/completions", "/completion"])
    fields = FIELDS | (CHAT_FIELDS if path == "/v1/chat/completions" else {})
    name = rng.choice(sorted(fields))
    if path == "/completion" and name == "max_tokens":
        name = "seed"
    body = body_of(path) | {name: rng.choice(WRONG[fields[name]])}
    return head("POST", path, json.dumps(body).encode()), ("field", name)


def bad_sealed(rng):
    kind = rng.randrange(4)
    if kind == 0:
        body = rng.randbytes(rng.randrange(0, 300))
    elif kind == 1:
        body = b"\x01\x20\x00\x01\x00\x02\x00" + rng.randbytes(32 + 32 + rng.choice([4096 + 16, 8192 + 16, 100]))
    elif kind == 2:
        body = b"\x01\x20\x00\x01\x00\x02\x00" + rng.randbytes(rng.randrange(0, 64))
    else:
        body = bytes([rng.randrange(256)]) + rng.randbytes(4200)
    return head("POST", rng.choice(POSTS + GETS + ["/sealed"]), body, b"Content-Type: application/teetee-sealed\r\n"), {400, 409}


def bad_credential(rng):
    extra = rng.choice([b"TeeTee-Payment: voucher id=0x1\r\n", b"Authorization: Bearer tt-" + b"0" * 64 + b"\r\n", b"TeeTee-Payment: \r\n",
                        b"TeeTee-Payment: host token=zz\r\n"])
    return head("POST", "/v1/completions", json.dumps(body_of("/v1/completions")).encode(), extra), {400, 401}


KINDS = [bad_method, bad_start, bad_header, bad_length, bad_chunks, bad_path, bad_json, bad_json, bad_field, bad_field, bad_sealed, bad_credential]


def ask(port: int, request: bytes, ends=False):
    """Status and body; None where the server only closed. A client that `ends` sends no more, and is taken for gone."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        try:
            s.sendall(request)
            if ends:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while piece := s.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    if not answer:
        return None, b""
    return int(answer.split(b" ", 2)[1]), answer.partition(b"\r\n\r\n")[2]


def is_object(text: bytes) -> bool:
    def refuse(_):
        raise ValueError("no JSON")
    try:
        return isinstance(json.loads(text.decode(), parse_constant=refuse), dict)
    except (ValueError, RecursionError):
        return False


def check(port: int, request: bytes, expected):
    status, body = ask(port, request, isinstance(expected, set) and None in expected)
    if expected is None:  # mutated JSON
        sent = request.partition(b"\r\n\r\n")[2]
        assert status in (200, 400, 404), (request, status, body)
        if not is_object(sent):
            assert status == 400 and json.loads(body)["error"]["code"] in ("invalid_json", "invalid_utf8"), (request, status, body)
    elif isinstance(expected, tuple):
        error = json.loads(body)["error"]
        assert status == 400 and f"'{expected[1]}'" in error["message"], (request, status, body)
    else:
        assert status in expected, (request[:300], status, body[:300], expected)
    if status is not None and status >= 400:
        error = json.loads(body)["error"]
        assert set(error) >= {"message", "type", "code"}, body


def memory_kib(pid: int) -> int:
    return int(next(line.split()[1] for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")))


def test_ten_thousand_malformed_requests(teetee):
    network = teetee.network(1)
    network.start_all()
    port, pid = network.http.port, network.nodes[0].pid
    story = {"prompt": "Once upon a time", "max_tokens": 24, "temperature": 0}
    before = network.http.post("/generate", story)[1]["text"]
    after_first = 0
    for seed in range(COUNT):
        rng = random.Random(seed)
        request, expected = KINDS[seed % len(KINDS)](rng)
        check(port, request, expected)
        if seed == COUNT // 4:
            after_first = memory_kib(pid)
    assert network.http.post("/generate", story)[1]["text"] == before
    assert network.nodes[0].process.poll() is None
    grown = memory_kib(pid) - after_first
    assert grown < 16 * 1024, f"{grown} KiB more after {COUNT} requests than after a quarter of them"
    status, health = network.http.get("/health")
    assert status == 200 and health["active_requests"] == health["queued_requests"] == 0, health


# Named as those of JSONTestSuite are, which is not everywhere: y_ is JSON, n_ is not.
OWN_JSON = {
    f"{'y' if is_json else 'n'}_own_{number}.json": text
    for is_json, texts in (
        (True, [b'{"a":[1e2,"\\u00e9"]}', b"{}", b"[]", b" [ ] ", b"[[[[]]]]", b"[null,true,false]", b"[0,-0,1.5,-1e-7,1E+2]", b'["\\ud83d\\ude00"]',
                b'["\\"\\\\\\/\\b\\f\\n\\r\\t"]', '["\u00e9\u6f22\U0001f600"]'.encode(), b'"text"', b"7", b"null", b'[""]', b'\t{"a":{"b":{}}}\r\n', b'["\x7f"]']),
        (False, [b"", b" ", b'{"a":1,}', b"{'a':1}", b'{"a":"\xff"}', b"[" * 100000, b'{"a":' * 100000, b"[1,]", b"[,1]", b"[1 2]", b"[1,,2]", b"[", b"]",
                 b"{", b"}", b'{"a"}', b'{"a":}', b"{:1}", b"{1:1}", b'{"a":1 "b":2}', b'["a', b'["a\\"]', b'["\\x41"]', b'["\\u12"]', b'["\x00"]', b'["\n"]',
                 b"[01]", b"[+1]", b"[.5]", b"[1.]", b"[1e]", b"[1e+]", b"[0x1]", b"[--1]", b"[NaN]", b"[Infinity]", b"[-]", b"nul", b"True", b"[] []", b"[]x",
                 b"// []", b"[/**/]", b"\xef\xbb\xbf{}x", b'["\xc0\xaf"]', b'["\xed\xa0\x80"]', b'["\xf4\x90\x80\x80"]', b"<object/>", b"a"]))
    for number, text in enumerate(texts)}


def test_json_test_suite_as_bodies(teetee):
    folder = SHARED / "data/vectors/jsontestsuite/test_parsing"
    files = {path.name: path.read_bytes() for path in folder.glob("*.json")} if folder.exists() else {}
    network = teetee.network(1)
    network.start_all()
    for name, text in {**OWN_JSON, **files}.items():
        status, body = ask(network.http.port, head("POST", "/v1/chat/completions", text))
        code = json.loads(body)["error"]["code"]
        if name.startswith("n_"):
            assert status == 400 and code in ("invalid_json", "invalid_utf8"), (name, status, body)
        elif name.startswith("y_"):
            is_json_object = text.lstrip().startswith(b"{")
            assert status == 400 and (code == "field_invalid") == is_json_object, (name, status, body)
        else:
            assert status == 400, (name, status, body)


def test_slow_clients_do_not_starve_others(teetee):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
    network = teetee.network(1)
    network.start_all()
    port, stop, slow = network.http.port, threading.Event(), []
    # More than there may be connections, each of which says something now and then.
    for number in range(1200):
        s = socket.create_connection(("127.0.0.1", port), timeout=30)
        s.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nX-%d: " % number)
        slow.append(s)

    def drip():
        while not stop.is_set():
            for s in slow:
                try:
                    s.sendall(b"a")
                except OSError:
                    pass
            time.sleep(0.2)

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        for _ in range(20):
            status, answer = network.http.post("/v1/completions", {"prompt": "Once", "max_tokens": 4, "temperature": 0}, timeout=20)
            assert status == 200, answer
    finally:
        stop.set()
        dripping.join()
    # They are told that they were too slow, or closed.
    answers = set()
    for s in slow[-20:]:
        try:
            answers.add(s.recv(4096)[:12])
        except TimeoutError:
            # Neither told nor closed.
            raise
        except OSError:
            answers.add(b"")
        s.close()
    assert answers <= {b"HTTP/1.1 408", b""}, answers
    for s in slow:
        s.close()
