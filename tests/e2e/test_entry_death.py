# SPDX-License-Identifier: Apache-2.0
"""Entries die in mid-answer; another one goes on from the tokens that the client has."""
import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading

import relay
from harness import STORY_MODEL, Http, wait_until
from test_failover import comparable
from test_receipts import fetch, verdict

PROMPT = "Once upon a time"
CHAT = "/v1/chat/completions"
WITH_IDS = {"return_token_ids": True, "max_tokens": 24}
MESSAGES = {"messages": [{"role": "user", "content": PROMPT}]}
# What depends on where the answer began, and what is held back of its text.
REQUESTS = [
    ("/generate", {"prompt": PROMPT, "temperature": 0}),
    ("/generate", {"prompt": PROMPT, "temperature": 0.9, "seed": -5}),
    ("/v1/completions", {"prompt": PROMPT, "temperature": 1, "seed": 11, "logprobs": 2, "stream_options": {"include_usage": True}}),
    ("/v1/completions", {"prompt": PROMPT, "seed": 5, "presence_penalty": 1.5, "frequency_penalty": 0.5, "repetition_penalty": 1.2}),
    ("/v1/completions", {"prompt": PROMPT, "seed": 7, "grammar": 'root ::= ("the " | "cat " | "sat "){5,9} "."'}),
    # Characters of several tokens, and the last one cut.
    ("/v1/completions", {"prompt": PROMPT, "seed": 8, "grammar": 'root ::= ("\U0001f600" | "\u6f22"){20}'}),
    (CHAT, MESSAGES | {"seed": 3, "logprobs": True, "top_logprobs": 2}),
    (CHAT, MESSAGES | {"seed": 1, "response_format": {"type": "json_schema", "json_schema": {"schema": {
        "type": "object", "required": ["age"], "additionalProperties": False,
        "properties": {"age": {"type": "integer", "minimum": 1, "maximum": 99}}}}}}),
]


def part_of(event) -> dict:
    """Where tokens and text of an event stand."""
    return event["choices"][0] if "choices" in event else event


def text_of(event) -> str:
    part = part_of(event)
    return part["delta"].get("content", "") if "delta" in part else part["text"]


def read(entry: Http, path: str, body: dict) -> list:
    """The events of an answer with text, each with its token, without the role and the usage; the last one has the reason."""
    events = []
    for name, data in entry.stream(path, body):
        assert name == "message", (name, data)
        if data != "[DONE]" and ("text" in data or data.get("choices")) and "token_ids" in part_of(data):
            events.append(data)
    assert data == "[DONE]" and part_of(events[-1])["finish_reason"] and part_of(events[-1])["token_ids"] == [], events[-3:]
    return events


def alike(events: list) -> list:
    """Without what differs between two answers to one request; a request that names no seed gets a new one each time."""
    return [{k: v for k, v in comparable(event).items() if k != "seed"} for event in events]


def resume(entry: Http, path: str, body: dict, events: list) -> list:
    """What another entry makes of an answer of which these events are there."""
    ids = [token for event in events for token in part_of(event)["token_ids"]]
    first = {k: events[0][k] for k in ("seed", "created", "activations") if k in events[0]} if events else {}
    return read(entry, path, body | first | {"answer_token_ids": ids})


def stop_in(text: str) -> str:
    """A string in the middle that several tokens spell."""
    return text[len(text) // 2:len(text) // 2 + 9]


def test_an_answer_goes_on_elsewhere_behind_any_of_its_tokens(teetee):
    _, first = teetee.up("--shards", 2, "--replicas", 2)
    second = Http(first.port + 2)
    wait_until(second.ready, 40, "the second entry is ready")
    requests, held_back = [(path, body | WITH_IDS) for path, body in REQUESTS], 0
    for path, body in requests[:2]:
        text = first.post(path, body)[1]["text"]
        requests.append((path, body | {"stop": ["no such thing", stop_in(text)]}))
    for path, body in requests:
        whole = read(first, path, body)
        held_back += sum(not text_of(event) for event in whole[:-1])
        for known in range(len(whole)):
            assert alike(resume(second, path, body, whole[:known])) == alike(whole[known:]), (body, known)
        # And not as a stream.
        known = random.Random(len(whole)).randrange(1, len(whole))
        ids = [token for event in whole for token in part_of(event)["token_ids"]]
        status, rest = second.post(path, body | {"seed": whole[0]["seed"], "answer_token_ids": ids[:known]})
        assert status == 200 and part_of(rest)["token_ids"] == ids[known:], (body, known, rest)
        text = rest["text"] if "text" in rest else part_of(rest).get("text", part_of(rest).get("message", {}).get("content"))
        assert text == "".join(text_of(event) for event in whole[known:]), (body, known, rest)
        assert rest["usage"]["completion_tokens"] == len(ids) - known, (body, known, rest)
    assert held_back > 10, f"{held_back}: tokens that let out no text are what is hard"
    for path, body in requests[-2:]:
        assert part_of(read(first, path, body)[-1])["finish_reason"] == "stop"
    # Who names no seed is told it, so that even such an answer goes on as it began.
    body = {"prompt": PROMPT, "temperature": 1} | WITH_IDS
    whole = read(first, "/v1/completions", body)
    again = resume(second, "/v1/completions", body, whole[:7])
    assert alike(again) == alike(whole[7:]) and again[0]["seed"] == whole[0]["seed"] != read(first, "/v1/completions", body)[0]["seed"]


def test_the_receipt_of_a_rest_is_for_the_rest(teetee):
    _, client = teetee.up("--shards", 2)
    body = {"prompt": PROMPT, "seed": 5, "presence_penalty": 1.5, "temperature": 1} | WITH_IDS
    status, whole = client.post("/v1/completions", body)
    ids = part_of(whole)["token_ids"]
    status, rest = client.post("/v1/completions", body | {"answer_token_ids": ids[:10]})
    assert status == 200 and rest["usage"] == whole["usage"] | {
        "prompt_tokens": whole["usage"]["prompt_tokens"] + 10, "completion_tokens": len(ids) - 10}, rest
    file = teetee.folder / "receipt.json"
    file.write_bytes(fetch(client, rest["receipt"]))
    code, report = verdict(teetee, "verify", file, "--port", client.port)
    assert code == 0 and report["completion_tokens"] == len(ids) - 10, report
    code, report = verdict(teetee, "audit", file, "--model", STORY_MODEL)
    assert code == 0 and report["verdict"] == "match", report
    # Where the answer began is signed for as well: penalties depend on it.
    receipt = json.loads(file.read_text())
    assert receipt["opening"]["sampling"]["answer_given"] == 10
    receipt["opening"]["sampling"]["answer_given"] = 9
    file.write_text(json.dumps(receipt))
    code, report = verdict(teetee, "verify", file, "--port", client.port)
    assert code == 1, report
    # Of a complete answer nothing is left to compute, nor to sign for.
    status, end = client.post("/v1/completions", body | {"answer_token_ids": ids})
    assert status == 200 and part_of(end)["text"] == "" and part_of(end)["finish_reason"] == "length", end
    assert "receipt" not in end and end["usage"]["total_tokens"] == 0, end


def test_tokens_that_are_no_beginning_are_refused(teetee):
    _, client = teetee.up("--shards", 1)
    body = {"prompt": PROMPT, "temperature": 0} | WITH_IDS
    status, whole = client.post("/v1/completions", body)
    ids, text = part_of(whole)["token_ids"], part_of(whole)["text"]
    end = 2  # </s>
    for more, status, code in (
            ({"answer_token_ids": "x"}, 400, "field_invalid"),
            ({"answer_token_ids": [1 << 31]}, 400, "token_out_of_range"),
            ({"answer_token_ids": ids + ids[:1]}, 400, "field_invalid"),
            ({"answer_token_ids": ids[:3] + [end]}, 400, "field_invalid"),
            ({"answer_token_ids": ids, "stop": stop_in(text)}, 400, "field_invalid"),
            ({"answer_token_ids": ids[:8], "max_tokens": 7}, 400, "field_invalid"),
            ({"answer_token_ids": ids[:8], "grammar": 'root ::= "yes"'}, 422, "grammar_stuck")):
        have = client.post("/v1/completions", body | more)
        assert have[0] == status and have[1]["error"]["code"] == code, (more, have)


def entries_of(client: Http) -> list:
    status, listed = client.get("/v1/entries")
    assert status == 200, listed
    return listed["data"]


def pid_of_entry(up, number: int) -> int:
    """Of the node that serves the entry's API, as `up` has started it last."""
    for pid in subprocess.run(["pgrep", "-P", str(up.pid)], capture_output=True, text=True).stdout.split():
        with contextlib.suppress(OSError):
            arguments = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            if "--api" in arguments and arguments[arguments.index("--api") + 1].endswith(f":{number}"):
                return int(pid)
    return 0


class Chat:
    """`teetee chat` with what it has said so far; `on_text` is called as that grows."""

    def __init__(self, teetee, *arguments, on_text=lambda text: None):
        self.process = subprocess.Popen([teetee.program, "chat", *map(str, arguments)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=teetee.environment)
        self.text, self.log, self.on_text = "", "", on_text
        self.readers = [threading.Thread(target=self.read_text), threading.Thread(target=self.read_log)]
        for reader in self.readers:
            reader.start()

    def read_text(self):
        data = b""
        while piece := os.read(self.process.stdout.fileno(), 4096):
            data += piece
            self.text = data.decode(errors="ignore")
            self.on_text(self.text)

    def read_log(self):
        self.log = self.process.stderr.read().decode()

    def wait(self) -> int:
        code = self.process.wait(120)
        for reader in self.readers:
            reader.join()
        return code


def test_a_chat_outlives_the_entry_that_it_began_with(teetee):
    # Slow enough that a kill comes in the middle.
    teetee.environment["TEETEE_KERNEL"] = "scalar"
    up, first = teetee.up("--shards", 2, "--replicas", 2)
    second = Http(first.port + 2)

    urls = {f"http://127.0.0.1:{client.port}" for client in (first, second)}

    def both_are_listed():
        return all(client.ready() and {e["api_url"] for e in entries_of(client)} == urls for client in (first, second))

    wait_until(both_are_listed, 40, "the entries know of each other")
    assert {e["api_tls_url"] for e in entries_of(first)} == {f"https://127.0.0.1:{client.port + 1}" for client in (first, second)}
    chance, receipt = random.Random(1), teetee.folder / "receipt.json"
    common = ["--port", first.port, "--prompt", PROMPT, "-n", 160]
    for options in (["--temperature", 0], ["--temperature", 0.9, "--seed", 11], ["--sealed", "--temperature", 1, "--seed", 5],
                    ["--temperature", 1, "--seed", 3, "--presence-penalty", 1.5, "--repetition-penalty", 1.2, "--receipt", receipt]):
        code, expected, err = teetee.run("chat", *common, *options)
        assert code == 0 and len(expected) > 150 and "goes on" not in err, (options, err)
        at, killed = chance.randrange(10, 100), []

        def kill(text):
            if len(text) >= at and not killed:
                killed.append(pid_of_entry(up, first.port))
                os.kill(killed[0], signal.SIGKILL)

        chat = Chat(teetee, *common, *options, on_text=kill)
        assert chat.wait() == 0, chat.log
        assert killed and chat.text == expected, (options, at, chat.text, expected, chat.log)
        assert f"{second.port + (0 if '--sealed' in options else 1)} goes on behind token" in chat.log, chat.log
        assert chat.log.count("SIMULATED") == 2, chat.log
        wait_until(both_are_listed, 40, "up has started the entry again")
    assert "no receipt of the" in chat.log, chat.log
    code, report = verdict(teetee, "verify", receipt, "--port", first.port)
    assert code == 0 and report["completion_tokens"] < 160, report
    assert up.stop() == 0


def test_a_chat_waits_for_a_lone_entry_to_come_back(teetee):
    teetee.environment["TEETEE_KERNEL"] = "scalar"
    up, client = teetee.up("--shards", 2)
    common = ["--port", client.port, "--prompt", PROMPT, "-n", 160, "--temperature", 0.8, "--seed", 4]
    code, expected, err = teetee.run("chat", *common)
    assert code == 0, err
    killed = []

    def kill(text):
        if len(text) >= 60 and not killed:
            killed.append(pid_of_entry(up, client.port))
            os.kill(killed[0], signal.SIGKILL)

    chat = Chat(teetee, *common, on_text=kill)
    assert chat.wait() == 0 and killed and chat.text == expected, (chat.text, expected, chat.log)


def test_a_chat_leaves_an_entry_that_stands_still(teetee):
    teetee.environment["TEETEE_KERNEL"] = "scalar"
    up, first = teetee.up("--shards", 2, "--replicas", 2)
    second = Http(first.port + 2)
    wait_until(second.ready, 40, "the second entry is ready")
    common = ["--port", first.port, "--prompt", PROMPT, "-n", 160, "--temperature", 0.8, "--seed", 4,
              "--silence-seconds", 10, "--patience-seconds", 60]
    code, expected, err = teetee.run("chat", *common)
    assert code == 0, err
    stopped = []

    def stop(text):
        if len(text) >= 60 and not stopped:
            stopped.append(pid_of_entry(up, first.port))
            os.kill(stopped[0], signal.SIGSTOP)

    # Between them somebody who takes connections and says nothing.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        urls = [f"https://127.0.0.1:{port}" for port in (first.port + 1, silent.getsockname()[1], second.port + 1)]
        chat = Chat(teetee, *common, "--entry", ",".join(urls), on_text=stop)
        try:
            assert chat.wait() == 0 and stopped and chat.text == expected, (chat.text, expected, chat.log)
        finally:
            os.kill(stopped[0], signal.SIGCONT)
    assert f"{second.port + 1} goes on behind token" in chat.log, chat.log


class Cutter(relay.Tap):
    """Cuts the connection that carries an answer to the client after so many bytes of it, and takes no other."""

    def __init__(self, port: int, bytes_max: int):
        self.left, self.answering = bytes_max, None
        super().__init__(port)

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(1024):
                if piece.startswith(b"POST " + CHAT.encode()):
                    self.answering = source
                self.left -= len(piece) if sink is self.answering else 0
                if self.left < 0:
                    break
                sink.sendall(piece)
        if self.left < 0:
            self.close()
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR if self.left < 0 else socket.SHUT_WR)


def test_each_part_of_an_answer_has_its_receipt(teetee):
    up, first = teetee.up("--shards", 2, "--replicas", 2)
    second = Http(first.port + 2)
    wait_until(second.ready, 40, "the second entry is ready")
    receipt = teetee.folder / "receipt.json"
    common = ["--port", first.port, "--sealed", "--prompt", PROMPT, "-n", 60, "--temperature", 1, "--seed", 2]
    code, expected, err = teetee.run("chat", *common)
    assert code == 0, err
    # An entry that lives, behind somebody who cuts.
    cutter = Cutter(first.port, 15_000)
    code, out, err = teetee.run("chat", *common, "--json", "--receipt", receipt, "--entry", f"http://127.0.0.1:{cutter.port}",
                                "--entry", f"http://127.0.0.1:{second.port}")
    assert code == 0, err
    answer = json.loads(out)
    parts = answer["parts"]
    assert answer["text"] == expected.rstrip("\n") and len(parts) == 2, (answer, err)
    assert parts[0]["entry"].endswith(f":{cutter.port}") and parts[1]["entry"].endswith(f":{second.port}"), parts
    code, report = verdict(teetee, "verify", receipt, "--port", first.port)
    assert code == 0 and report["completion_tokens"] == parts[1]["tokens"], (report, parts)
    # The entry behind the cut has computed what it sent, and what was on its way.
    file = teetee.folder / "first-part.json"
    file.write_bytes(fetch(first, parts[0]["receipt"]))
    code, report = verdict(teetee, "verify", file, "--port", first.port)
    assert code == 0 and report["completion_tokens"] >= parts[0]["tokens"] > 0, (report, parts)
