# SPDX-License-Identifier: Apache-2.0
"""Whatever comes in, the answer is a clear error, and nothing else is lost."""
import json
import re
import socket

from harness import STORY_MODEL, shared


def test_http_requests(teetee):
    _, client = teetee.up()
    cases = [
        ("POST", "/generate", b"", 400, "invalid_json"),
        ("POST", "/generate", b"{", 400, "invalid_json"),
        ("POST", "/generate", b"[1]", 400, "invalid_json"),
        ("POST", "/generate", b'{"prompt":"\xff\xfe"}', 400, "invalid_utf8"),
        ("POST", "/generate", b'{"prompt":"\\ud800"}', 400, None),
        ("POST", "/generate", {"prompt": 5}, 400, "field_invalid"),
        ("POST", "/generate", {"prompt": "x", "temperature": "hot"}, 400, "field_invalid"),
        ("POST", "/generate", {"prompt": "word " * 2000}, 400, "context_exceeded"),
        ("POST", "/generate", {"prompt": "x" * (2 << 20)}, 413, None),
        ("POST", "/generate", b"[" * 100000, 400, "invalid_json"),
        ("POST", "/v1/chat/completions", {"messages": []}, 400, "field_invalid"),
        ("POST", "/v1/chat/completions", {"model": "other", "messages": [{"role": "user", "content": "x"}]}, 404,
         "model_unknown"),
        ("GET", "/generate", None, 405, "method_not_allowed"),
        ("POST", "/v1/models", {}, 405, "method_not_allowed"),
        ("GET", "/../../etc/passwd", None, 404, "route_unknown"),
    ]
    for method, path, body, status, code in cases:
        got, answer = client.request(method, path, body)
        assert got == status, (method, path, str(body)[:60], got, answer)
        if code:
            assert answer["error"]["code"] == code, (path, str(body)[:60], answer)
    assert client.post("/generate", {"prompt": "\U0001F999 \u4f60\u597d", "max_tokens": 3})[0] == 200
    for raw in (b"\0\1\2\3\r\n\r\n", b"GET\r\n\r\n", b"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                b"GET / HTTP/1.1\r\n" + b"A: " + b"b" * 40000 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", client.port)) as s:
            s.sendall(raw)
            s.settimeout(15)
            answer = s.recv(4096)
            assert answer.startswith(b"HTTP/1.1 4"), (raw[:40], answer[:80])
    assert client.post("/generate", {"prompt": "x", "max_tokens": 3})[0] == 200


def test_endless_chunk_extension(teetee):
    _, client = teetee.up("--shards", 1)
    for opening in (b"1;", b"0\r\nTrailer: "):
        with socket.create_connection(("127.0.0.1", client.port)) as s:
            s.settimeout(15)
            s.sendall(b"POST /generate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + opening)
            s.sendall(b"a" * 200000)
            assert s.recv(4096).startswith(b"HTTP/1.1 431"), opening
    assert client.post("/generate", {"prompt": "x", "max_tokens": 3})[0] == 200


def test_malformed_models(teetee):
    folder = shared("data/malformed/gguf")
    commands = (["run", "--prompt", "a", "-n", 1, "--model"], ["tokenize", "--model"], ["bench", "--model"],
                ["logits", "--tokens", 0, "--model"], ["perplexity", "--file", folder / "manifest.json", "--model"],
                ["shard", "cut", "--out", teetee.folder / "cut", "--model"], ["shard", "info"])
    for case in json.loads((folder / "manifest.json").read_text())["cases"]:
        for command in commands:
            code, out, err = teetee.run(*command, folder / case["file"], timeout=20)
            where = (case["file"], command[:2], code, err)
            assert code == 1 or case["expect"] != "reject", where
            assert code in (0, 1), where
            # The component, what it has or what it needs: never only a code.
            assert code == 0 or re.fullmatch(r"teetee: [a-z_]+: \S.{8,}\n", err), where
        if case["expect"] == "accept":
            assert code == 0, where
        code, out, _ = teetee.run("shard", "info", folder / case["file"], "--json")
        assert code == 0 or json.loads(out)["error"]["code"] in err, (case["file"], out, err)


def test_truncated_model(teetee):
    data = STORY_MODEL.read_bytes()
    path = teetee.folder / "cut.gguf"
    for length in (0, 3, 24, 100, 5000, 60000, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        code, _, err = teetee.run("run", "--model", path, "--prompt", "a")
        assert code == 1 and "gguf" in err, (length, code, err)


def test_wrong_usage_and_missing_files(teetee):
    assert teetee.run()[0] == 2
    assert teetee.run("fly")[0] == 2
    assert teetee.run("run", "--prompt", "a")[0] == 2
    assert teetee.run("run", "--model", "/nowhere.gguf", "--prompt", "a")[0] == 3
    assert teetee.run("run", "--model", "/dev/zero", "--prompt", "a")[0] == 3
    assert teetee.run("run", "--model", STORY_MODEL, "--prompt", "a", "--kernel", "quantum")[0] == 3
    assert teetee.run("run", "--model", STORY_MODEL, "--prompt", "a", "--temperature", "-1")[0] == 2
    assert teetee.run("run", "--model", STORY_MODEL, "--prompt", "word " * 3000)[0] == 1
    assert teetee.run("shard", "cut", "--model", STORY_MODEL, "--shards", 6, "--out", teetee.folder / "x")[0] == 2
    assert teetee.run("logits", "--model", STORY_MODEL, "--tokens", "1,99999")[0] == 1
    code, out, err = teetee.run("logits", "--model", STORY_MODEL, "--tokens", "1,99999", "--json")
    assert json.loads(out)["error"]["code"] == "token_out_of_range"
    assert teetee.run("tokenize", "--model", STORY_MODEL, stdin="not json\n")[0] == 1
