# SPDX-License-Identifier: Apache-2.0
"""A client of an entry's HTTP API, from any namespace, that notes when each event came."""
import dataclasses
import http.client
import json
import socket
import threading
import time

from netbench.wan import inside


@dataclasses.dataclass
class Answer:
    """What came of a stream, as far as it came."""

    asked: float = 0.0
    pieces: list = dataclasses.field(default_factory=list)  # (when, text)
    tokens: int = 0
    prompt_tokens: int = 0
    receipt: str = ""
    error: str = ""  # why it did not end well

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.pieces)

    @property
    def first(self) -> float:
        return self.pieces[0][0]

    @property
    def last(self) -> float:
        return self.pieces[-1][0]

    def tokens_per_s(self) -> float:
        """Of decode: without the first token."""
        return (self.tokens - 1) / (self.last - self.first)


class Api:
    def __init__(self, host: str, port: int, namespace=None):
        self.host, self.port, self.namespace = host, port, namespace

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        with inside(self.namespace):
            connection.sock = socket.create_connection((self.host, self.port), timeout)
        return connection

    def get(self, path: str, timeout=60):
        connection = self.connect(timeout)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def stream(self, body: dict, timeout=120, on_piece=None, answer: Answer | None = None) -> Answer:
        """Asks /generate. Never raises: an answer that fails says why in `error`. `on_piece(answer)` is
        called after every piece of text."""
        answer = answer or Answer()
        answer.asked = time.monotonic()
        try:
            connection = self.connect(timeout)
            try:
                connection.request("POST", "/generate", json.dumps(body | {"stream": True}))
                self.read(connection.getresponse(), answer, on_piece)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            answer.error = answer.error or f"{type(error).__name__}: {error}"
        return answer

    @staticmethod
    def read(response, answer: Answer, on_piece):
        if response.status != 200:
            body = json.loads(response.read())
            answer.error = f"{response.status} {body['error']['code']}"
            return
        is_whole = False
        for line in response:
            data = line.removeprefix(b"data: ").strip()
            if not line.startswith(b"data: "):
                continue
            if data == b"[DONE]":
                is_whole = True
                continue
            event = json.loads(data)
            if "error" in event:
                answer.error = event["error"]["code"]
            if event.get("text"):
                answer.pieces.append((time.monotonic(), event["text"]))
                if on_piece is not None:
                    on_piece(answer)
            answer.receipt = event.get("receipt", answer.receipt)
            if "usage" in event:
                answer.tokens = event["usage"]["completion_tokens"]
                answer.prompt_tokens = event["usage"]["prompt_tokens"]
        if not is_whole and not answer.error:
            answer.error = "the stream was cut"


def stream_all(api: Api, bodies: list) -> list[Answer]:
    """At the same time."""
    answers = [Answer() for _ in bodies]
    threads = [threading.Thread(target=api.stream, args=(body,), kwargs={"answer": answer})
               for body, answer in zip(bodies, answers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def rate_together(answers: list[Answer]) -> float:
    """Tokens a second of several streams, in the time when all of them run."""
    begin, end = max(a.first for a in answers), min(a.last for a in answers)
    tokens = sum(a.tokens * sum(begin < at <= end for at, _ in a.pieces) / len(a.pieces) for a in answers)
    return tokens / (end - begin)
