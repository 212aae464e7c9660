# SPDX-License-Identifier: Apache-2.0
"""End-to-end tests: real processes of the built program, real sockets on loopback.

A test is a function test_*(teetee) in a test_*.py beside this file. `teetee` is a Teetee: it runs
the program, and ends every process it started when the test is over.
"""
import contextlib
import http.client
import importlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared"
STORY_MODEL = ROOT / "models/story/story-q8_0.gguf"


class Skipped(Exception):
    """Raised by a test that cannot run here; says why."""


def shared(path: str) -> pathlib.Path:
    found = SHARED / path
    if not found.exists():
        raise Skipped(f"shared/{path} is absent")
    return found


next_port = 20000 + os.getpid() * 37 % 8000


def free_ports(count: int) -> int:
    """The first of `count` consecutive ports that nobody listens on just now, nor was given a moment ago."""
    global next_port
    candidates = [*range(next_port, 32000 - count), *range(20000, next_port)]
    for base in candidates:
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + count):
                    s = stack.enter_context(socket.socket())
                    s.bind(("127.0.0.1", port))
                next_port = base + count if base + count < 31000 else 20000
                return base
            except OSError:
                continue
    raise RuntimeError("no free ports")


def wait_until(condition, seconds: float, what: str):
    deadline = time.time() + seconds
    while time.time() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class Http:
    """A client of one entry."""

    def __init__(self, port: int):
        self.port = port

    def request(self, method: str, path: str, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        connection.request(method, path, data, headers or {})
        response = connection.getresponse()
        raw = response.read()
        connection.close()
        try:
            return response.status, json.loads(raw)
        except ValueError:
            return response.status, raw

    def post(self, path: str, body, **kwargs):
        return self.request("POST", path, body, **kwargs)

    def get(self, path: str, **kwargs):
        return self.request("GET", path, **kwargs)

    def stream(self, path: str, body: dict, timeout=60):
        """Yields (event name, data) of a server-sent event stream; raises http.client.IncompleteRead
        when the server cuts it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request("POST", path, json.dumps(body | {"stream": True}))
        response = connection.getresponse()
        assert response.status == 200, (response.status, response.read())
        name, buffered = "message", b""
        while True:
            piece = response.read1(65536)
            if not piece:
                break
            buffered += piece
            while b"\n" in buffered:
                line, buffered = buffered.split(b"\n", 1)
                if line.startswith(b"event: "):
                    name = line[7:].decode()
                elif line.startswith(b"data: "):
                    data = line[6:].decode()
                    yield name, data if data == "[DONE]" else json.loads(data)
                elif not line:
                    name = "message"
        connection.close()

    def ready(self) -> bool:
        try:
            return self.get("/health", timeout=5)[0] == 200
        except (OSError, http.client.HTTPException):
            return False


class Process:
    def __init__(self, process: subprocess.Popen, log: pathlib.Path):
        self.process, self.log = process, log
        self.pid = process.pid

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=10) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(seconds)


class Teetee:
    def __init__(self, build: pathlib.Path, folder: pathlib.Path):
        self.program, self.folder = build / "teetee", folder
        self.environment = os.environ | {"XDG_STATE_HOME": str(folder / "state"),
                                         "XDG_CACHE_HOME": str(folder / "cache-home"),
                                         "XDG_DATA_HOME": str(folder / "data-home"),
                                         # Not what lies in the home of whoever runs the tests.
                                         "TEETEE_CONFIG": "none"}
        # What sanitizers find goes to files: a process that a test kills, or that 'up' starts again, would hide it.
        # UBSan, beside ASan, knows no file; where it finds something the program must not end as with an error.
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS"):
            self.environment[name] = f"{os.environ.get(name, '')}:log_path={folder / 'sanitizer'}"
        self.environment["UBSAN_OPTIONS"] = f"{os.environ.get('UBSAN_OPTIONS', '')}:abort_on_error=1:print_stacktrace=1"
        self.started: list[Process] = []

    def sanitizer_reports(self) -> str:
        reports = "".join(p.read_text(errors="replace")[:8000] for p in sorted(self.folder.glob("sanitizer.*")))
        return reports + "".join(p.text()[-8000:] for p in self.started if ": runtime error: " in p.text())

    def run(self, *arguments, stdin="", timeout=120, program=None):
        """(exit code, stdout, stderr) of a command."""
        done = subprocess.run([program or self.program, *map(str, arguments)], input=stdin, env=self.environment,
                              capture_output=True, text=True, timeout=timeout, errors="replace")
        assert done.returncode >= 0, f"crashed with signal {-done.returncode}: {done.stderr[-2000:]}"
        return done.returncode, done.stdout, done.stderr

    def json(self, *arguments, **kwargs) -> dict:
        code, out, err = self.run(*arguments, "--json", **kwargs)
        assert code == 0, f"{arguments}: exit {code}\n{err[-3000:]}"
        return json.loads(out)

    def start(self, *arguments, program=None, environment=None) -> Process:
        log = self.folder / f"process-{len(self.started)}.log"
        with open(log, "w") as out:
            process = subprocess.Popen([program or self.program, *map(str, arguments)], stdout=out,
                                       stderr=subprocess.STDOUT, env=self.environment | (environment or {}))
        started = Process(process, log)
        self.started.append(started)
        return started

    def up(self, *arguments) -> tuple[Process, Http]:
        arguments = "--no-chain", *arguments
        port = free_ports(16)
        process = self.start("up", "--port", port, *arguments)
        http_client = Http(port)
        try:
            wait_until(lambda: http_client.ready() or process.process.poll() is not None, 60, "the network is ready")
            assert process.process.poll() is None
        except AssertionError:
            raise AssertionError(process.text()[-4000:])
        return process, http_client

    def network(self, shard_count: int, model=STORY_MODEL) -> "Network":
        return Network(self, shard_count, model)

    def end(self):
        for p in self.started:
            if p.process.poll() is None:
                p.process.terminate()
        for p in self.started:
            try:
                p.process.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()


class Network:
    """Nodes of one model that a test starts and kills one by one, at first one of each shard."""

    def __init__(self, teetee: Teetee, shard_count: int, model):
        self.teetee, self.count, self.model = teetee, shard_count, model
        self.folder = teetee.folder / f"network-{len(list(teetee.folder.iterdir()))}"
        code, _, err = teetee.run("up", "--prepare-only", "--shards", shard_count, "--model", model, "--dir", self.folder)
        assert code == 0, err
        self.port = free_ports(2 + shard_count)
        self.http = Http(self.port)
        self.nodes: list[Process | None] = [None] * shard_count

    def link(self, shard: int) -> str:
        return f"127.0.0.1:{self.port + 2 + shard % self.count}"

    def arguments(self, shard: int, listen=None, api_port=None) -> list:
        api_port = api_port or self.port
        out = ["node", "--shard", self.folder / f"shard-{shard:03}-of-{self.count:03}.gguf", "--manifest", self.folder / "manifest.json",
               "--policy", self.folder / "policy.json", "--dev-tee", self.folder / "dev-tee.seed",
               "--listen", listen or self.link(shard)]
        if self.count > 1:
            out += ["--next", "tls://" + self.link(shard + 1)]
        if shard == 0:
            out += ["--api", f"127.0.0.1:{api_port}", "--api-tls", f"127.0.0.1:{api_port + 1}"]
        return out

    def start(self, shard: int, *extra, program=None, environment=None) -> Process:
        self.nodes[shard] = self.teetee.start(*self.arguments(shard), *extra, program=program, environment=environment)
        return self.nodes[shard]

    def start_another(self, shard: int, *extra) -> tuple[Process, Http]:
        """A replica, with ports of its own; the client is of use if it is an entry."""
        port = free_ports(2)
        arguments = self.arguments(shard, "127.0.0.1:0", port)
        return self.teetee.start(*arguments, *extra), Http(port)

    def verify_flags(self) -> list:
        return ["--policy", self.folder / "policy.json", "--manifest", self.folder / "manifest.json"]

    def chat_flags(self) -> list:
        return ["--entry", f"https://127.0.0.1:{self.port + 1}", *self.verify_flags()]

    def start_all(self, *extra):
        for i in range(self.count):
            self.start(i, *extra)
        wait_until(self.http.ready, 60, "the route is ready: " + " / ".join(n.text()[-500:] for n in self.nodes))


def run_all(build: pathlib.Path, only: str = "test_*.py"):
    """Yields (name, outcome, seconds, text) for every test of the files that the pattern names."""
    for path in sorted(pathlib.Path(__file__).parent.glob(only)):
        try:
            module = importlib.import_module(path.stem)
        except Exception:
            yield f"e2e {path.stem[5:]}", "FAILED", 0.0, traceback.format_exc()
            continue
        for name in [n for n in dir(module) if n.startswith("test_")]:
            start, outcome, text = time.time(), "ok", ""
            with tempfile.TemporaryDirectory() as folder:
                teetee = Teetee(build, pathlib.Path(folder))
                try:
                    getattr(module, name)(teetee)
                except Skipped as reason:
                    outcome, text = "skipped", str(reason)
                except Exception:
                    outcome, text = "FAILED", traceback.format_exc()
                    for p in teetee.started:
                        text += f"\n--- {p.process.args[1:3]}\n{p.text()[-2000:]}"
                finally:
                    teetee.end()
                if reports := teetee.sanitizer_reports():
                    outcome, text = "FAILED", f"{text}\n{reports}"
            yield f"e2e {path.stem[5:]}: {name[5:]}", outcome, time.time() - start, text
