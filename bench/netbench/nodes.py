# SPDX-License-Identifier: Apache-2.0
"""The nodes of one network, each a process of its own, on loopback or in namespaces of a Wan."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

from netbench.client import Api

LINK_PORT, API_PORT = 6010, 6002  # In a namespace, where nobody else listens.
_prepared: set[pathlib.Path] = set()
_next_port = 28000 + os.getpid() * 53 % 3000  # Below those that connections get.


def take_ports(count: int) -> int:
    """The first of so many that nobody has, nor another network of this run."""
    global _next_port
    while True:
        first, _next_port = _next_port, _next_port + count
        try:
            with contextlib.ExitStack() as stack:
                for port in range(first, first + count):
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue


def run_json(*command) -> dict:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


class Node:
    """A process that may be killed and started again. Its log's lines are kept with their times."""

    def __init__(self, command: list, log: pathlib.Path, environment: dict):
        self.command, self.log, self.environment = [str(part) for part in command], log, environment
        self.process = None
        self.lines: list[tuple[float, str]] = []

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        errors="replace", env=self.environment)
        threading.Thread(target=self.read, args=(self.process.stdout,), daemon=True).start()

    def read(self, pipe):
        with open(self.log, "a") as out:
            for line in pipe:
                self.lines.append((time.monotonic(), line))
                out.write(line)
                out.flush()

    @property
    def pid(self) -> int:
        return self.process.pid

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> float:
        """When it died."""
        self.process.send_signal(signal.SIGKILL)
        died = time.monotonic()
        self.process.wait()
        return died

    def freeze(self) -> float:
        """Its links stay up and nothing comes any more, as of a machine that lost its network."""
        self.process.send_signal(signal.SIGSTOP)
        return time.monotonic()

    def first_line(self, pattern: str, since: float) -> float | None:
        return next((at for at, line in self.lines if at >= since and re.search(pattern, line)), None)

    def memory_bytes(self) -> dict:
        """Of its status in /proc: resident, and the greatest it ever was."""
        fields = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", pathlib.Path(f"/proc/{self.pid}/status").read_text(),
                                 re.MULTILINE))
        return {"now": int(fields["VmRSS"]) * 1024, "peak": int(fields["VmHWM"]) * 1024}

    def cpu_s(self) -> float:
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Nodes:
    """`replicas` nodes of each of `shards` shards; node r * shards + s is replica r of shard s, and has
    namespace of that number where there is a `wan`. As a context manager it ends them all."""

    def __init__(self, teetee, model, folder: pathlib.Path, shards=2, replicas=1, threads=1, wan=None,
                 port_offset=0, extra=(), entry_extra=()):
        self.teetee, self.shards, self.replicas, self.wan = teetee, shards, replicas, wan
        self.port_offset = port_offset  # Of a second network in the same namespaces.
        self.folder = folder / f"cut-{shards}"
        if self.folder not in _prepared:  # What an earlier run has left may be of another build.
            _prepared.add(self.folder)
            run_json(teetee, "up", "--prepare-only", "--shards", shards, "--model", model, "--dir", self.folder, "--json")
        count = shards * replicas
        self.port = take_ports(count + 2 * replicas)
        environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
        flags = lambda i: list(extra) + (list(entry_extra) if i % shards == 0 else [])
        self.nodes = [Node(self.arguments(i, threads) + flags(i), folder / f"node-{self.port}-{i}.log", environment)
                      for i in range(count)]

    def link(self, index: int) -> str:
        return f"{self.wan.address(index)}:{LINK_PORT + self.port_offset}" if self.wan else f"127.0.0.1:{self.port + index}"

    def api_address(self, replica: int) -> tuple[str, int]:
        if self.wan:
            return self.wan.address(replica * self.shards), API_PORT + self.port_offset
        return "127.0.0.1", self.port + self.shards * self.replicas + replica

    def api(self, replica=0) -> Api:
        space = self.wan.spaces[replica * self.shards] if self.wan else None
        return Api(*self.api_address(replica), space)

    def shard_path(self, shard: int) -> pathlib.Path:
        return self.folder / f"shard-{shard:03}-of-{self.shards:03}.gguf"

    def arguments(self, index: int, threads: int) -> list:
        shard, replica = index % self.shards, index // self.shards
        prefix = self.wan.prefix(index) if self.wan else []
        out = [*prefix, self.teetee, "node", "--shard", self.shard_path(shard),
               "--manifest", self.folder / "manifest.json", "--policy", self.folder / "policy.json",
               "--dev-tee", self.folder / "dev-tee.seed", "--collateral", self.folder / "collateral",
               "--listen", self.link(index), "--threads", threads, "--with-parent", "--name", f"node {index}"]
        for other in range(self.replicas if self.shards > 1 else 0):
            out += ["--next", "tls://" + self.link(other * self.shards + (shard + 1) % self.shards)]
        if shard == 0:
            host, port = self.api_address(replica)
            out += ["--api", f"{host}:{port}"]
        return out

    def is_whole(self, replica: int) -> bool:
        """The entry has routes over every node of the other shards."""
        try:
            status, health = self.api(replica).get("/health", timeout=5)
        except (OSError, ValueError, http.client.HTTPException):
            return False
        return status == 200 and len(health["route"]) == 1 + (self.shards - 1) * self.replicas

    def wait_whole(self, seconds=120.0, entries=None):
        """Until that is so for every entry, or for those of these replicas."""
        deadline = time.monotonic() + seconds
        waiting = set(range(self.replicas) if entries is None else entries)
        while waiting:
            waiting = {r for r in waiting if not self.is_whole(r)}
            if time.monotonic() > deadline or not all(node.running() for node in self.nodes):
                lines = [line for node in self.nodes for _, line in node.lines[-3:]]
                raise RuntimeError(f"not whole within {seconds} s, or a node has ended; they said last:\n{''.join(lines)}")
            if waiting:
                time.sleep(0.1)

    def __enter__(self):
        try:
            for node in self.nodes:
                node.start()
            self.wait_whole()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        for node in self.nodes:
            if node.running():
                node.kill()
