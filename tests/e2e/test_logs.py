# SPDX-License-Identifier: Apache-2.0
"""Logs that programs read, and what stands in none of them."""
import datetime
import http.client
import json
import re
import socket

from harness import Network, Process, wait_until

PROMPT_WORDS = "Zebediah the heliotrope walrus"
KEY = "sk-vermilion-4711-key"
RESERVED = {"time", "level", "component", "message"}


def lines_of(node: Process) -> list[dict]:
    out = []
    for line in node.text().splitlines():
        parsed = json.loads(line)
        assert RESERVED <= set(parsed) and parsed["level"] in ("debug", "info", "warn", "error"), line
        at = datetime.datetime.strptime(parsed["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
        assert abs((datetime.datetime.now(datetime.timezone.utc) - at).total_seconds()) < 300, line
        assert re.fullmatch(r".*\.\d{3}Z", parsed["time"]), line
        assert all(not isinstance(value, str) or not re.search(r"[\x00-\x1f\x7f]", value) for value in parsed.values()), line
        out.append(parsed)
    return out


def start(teetee, *extra, environment=None) -> tuple[Network, Process]:
    network = teetee.network(1)
    node = network.start(0, *extra, environment=environment)
    wait_until(network.http.ready, 60, f"the node is ready: {node.text()}")
    return network, node


def asked(network: Network, method: str, path: str, body=None, headers=None) -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection("127.0.0.1", network.port, timeout=60)
    connection.request(method, path, json.dumps(body) if body else None, headers or {})
    response = connection.getresponse()
    out = response.status, response.read(), response.headers["x-request-id"]
    connection.close()
    return out


def test_a_line_for_each_request_and_no_secret_in_any(teetee):
    network, node = start(teetee, "--log-format", "json", "--name", "first\nnode")
    headers = {"Authorization": f"Bearer {KEY}"}
    ask = {"prompt": PROMPT_WORDS, "max_tokens": 9, "temperature": 0}
    status, raw, whole_id = asked(network, "POST", "/v1/completions", ask, headers)
    answer = json.loads(raw)
    assert status == 200, answer
    status, raw, stream_id = asked(network, "POST", "/v1/chat/completions", {
        "messages": [{"role": "user", "content": PROMPT_WORDS}], "max_tokens": 6, "stream": True,
        "stream_options": {"include_usage": True}}, headers)
    assert status == 200, raw
    streamed_tokens = int(re.search(rb'"completion_tokens":(\d+)', raw)[1])
    status, raw, wrong_id = asked(network, "POST", "/v1/completions", ask | {"temperature": PROMPT_WORDS}, headers)
    assert status == 400 and PROMPT_WORDS.encode() not in raw
    status, _, unknown_id = asked(network, "GET", f"/{KEY}/{PROMPT_WORDS.replace(' ', '%20')}")
    assert status == 404
    ids = {whole_id, stream_id, wrong_id, unknown_id}
    told = lambda: {line["request_id"]: line for line in lines_of(node) if line["message"] == "request"}
    requests = wait_until(lambda: (found := told()) and set(found) >= ids and found, 10, f"lines of {ids}: {node.text()}")
    assert all(line["route"] == "/health" for request_id, line in requests.items() if request_id not in ids), requests
    whole = requests[whole_id]
    assert whole["node"] == r"first\nnode" and whole["component"] == "node" and whole["level"] == "info"
    assert (whole["method"], whole["route"], whole["status"], whole["outcome"]) == ("POST", "/v1/completions", 200, "done")
    assert whole["completion_tokens"] == answer["usage"]["completion_tokens"] == 9
    assert whole["prompt_tokens"] == answer["usage"]["prompt_tokens"] and whole["answers"] == 1
    assert 0 < whole["first_token_ms"] <= whole["duration_ms"]
    assert requests[stream_id]["streamed"] is True and requests[stream_id]["completion_tokens"] == streamed_tokens
    assert requests[wrong_id]["error"] == "field_invalid" and requests[wrong_id]["status"] == 400
    assert requests[unknown_id]["route"] == "none" and requests[unknown_id]["error"] == "route_unknown"
    text = node.text()
    for secret in (*PROMPT_WORDS.split()[:1], "heliotrope", KEY, "vermilion", answer["choices"][0]["text"].strip()):
        assert secret not in text, secret
    # Neither does the log for debugging say more of it, nor where it came from.
    assert "127.0.0.1:" not in json.dumps([line for line in lines_of(node) if line["message"] == "request"])
    assert node.stop(20) == 0
    assert lines_of(node)[-1]["message"] == "stopping"


def test_a_client_that_goes_is_told_of(teetee):
    network, node = start(teetee, environment={"TEETEE_LOG_FORMAT": "json", "TEETEE_LOG_LEVEL": "debug"})
    body = json.dumps({"prompt": PROMPT_WORDS, "max_tokens": 400, "temperature": 0, "stream": True, "ignore_eos": True})
    with socket.create_connection(("127.0.0.1", network.port), timeout=60) as client:
        client.sendall(f"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        seen = b""
        while seen.count(b"data: ") < 3:
            seen += client.recv(4096)
        assert seen.startswith(b"HTTP/1.1 200"), seen
    gone = wait_until(lambda: [line for line in lines_of(node) if line.get("outcome") == "gone"], 20, node.text())
    assert gone[0]["route"] == "/generate" and gone[0]["status"] == 200 and 0 < gone[0]["completion_tokens"] < 400, gone
    # What asks all the time is for debugging.
    probes = [line for line in lines_of(node) if line.get("route") == "/health"]
    assert probes and {line["level"] for line in probes} == {"debug"}


def test_least_level_and_the_configuration_file(teetee):
    config = teetee.folder / "config.toml"
    config.write_text('log-format = "json"\nlog-level = "warn"\n')
    network, node = start(teetee, "--config", config)
    assert network.http.post("/generate", {"prompt": "Once", "max_tokens": 2})[0] == 200
    assert lines_of(node) == [] or {line["level"] for line in lines_of(node)} <= {"warn", "error"}
    # What ends a command is a line like any other; a flag counts more than the file.
    other = teetee.start(*network.arguments(0, "127.0.0.1:0"), "--config", config)
    assert other.process.wait(60) == 3
    last = lines_of(other)[-1]
    assert last["level"] == "error" and "port_in_use" in last["message"], last
    code, _, err = teetee.run("--config", config, "--log-format", "text", *network.arguments(0, "127.0.0.1:0"))
    assert code == 3 and err.splitlines()[-1].startswith("teetee: port_in_use"), err
    code, _, err = teetee.run("--log-format", "xml", "node")
    assert code == 2 and "--log-format" in err, err


def test_nodes_of_up_log_as_it_does(teetee):
    process, client = teetee.up("--shards", 2, "--json", "--log-format", "json")
    assert client.post("/generate", {"prompt": PROMPT_WORDS, "max_tokens": 3})[0] == 200
    wait_until(lambda: '"ready"' in process.text() and process.text().endswith("\n"), 30, "it says that it is up")
    lines = [json.loads(line) for line in process.text().splitlines()]
    assert sum("ready" in line for line in lines) == 1, "and one object on stdout"
    assert {line.get("node") for line in lines if "message" in line} == {"node 1", "node 2"}


def test_strangers_cannot_fill_or_forge_a_log(teetee):
    network = teetee.network(2)
    network.start_all("--log-format", "json")
    stage = network.nodes[1]
    before = len(lines_of(stage))
    for _ in range(300):
        with socket.create_connection(("127.0.0.1", network.port + 3), timeout=10) as stranger:
            stranger.sendall(b'x\n{"level":"error","message":"forged"}\n\x1b[2J')
    wait_until(lambda: any("refused" in line["message"] for line in lines_of(stage)), 20, "they are refused")
    lines = lines_of(stage)
    assert len(lines) - before < 100, len(lines) - before
    assert not any(line["message"] == "forged" for line in lines)
    assert network.http.post("/generate", {"prompt": "Once", "max_tokens": 2})[0] == 200
