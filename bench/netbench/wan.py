# SPDX-License-Identifier: Apache-2.0
"""A wide-area network on one machine: a network namespace for each node, and between them delay,
loss and a limited rate, made by tc netem or, where the kernel has none, by bench/wan_emulator.cpp.
Needs root. What a node sends is shaped; so each way has the delay once, and a round trip twice."""
import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEVICE = "wan0"
CLONE_NEWNET = 0x40000000
PACKET_BYTES = 1500
_libc = ctypes.CDLL(None, use_errno=True)


@dataclasses.dataclass(frozen=True)
class Shape:
    """Of what each node sends."""

    delay_ms: float = 0
    loss: float = 0
    mbit_per_s: float = 0  # 0: no limit
    queue_bytes: int = 0  # 0: twice the line's bandwidth-delay product, at least 64 KiB

    def queue(self) -> int:
        round_trip_bytes = self.mbit_per_s * 1e6 / 8 * 2 * self.delay_ms / 1e3
        return self.queue_bytes or max(65536, int(2 * round_trip_bytes))

    def __str__(self):
        parts = [f"{2 * self.delay_ms:g} ms RTT"]
        parts += [f"{self.loss:.2%} loss"] if self.loss else []
        parts += [f"{self.mbit_per_s:g} Mbit/s"] if self.mbit_per_s else []
        return ", ".join(parts)


def run(*command, check=True):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done


@contextlib.contextmanager
def inside(namespace):
    """Sockets that this thread opens are the namespace's; None: this one's."""
    if namespace is None:
        yield
        return
    with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{namespace}") as there:
        if _libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        try:
            yield
        finally:
            _libc.setns(here.fileno(), CLONE_NEWNET)


def go_first():
    """This process runs as soon as it has something to do: being late would be a delay that nobody asked for."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def has_netem() -> bool:
    name = f"teetee-probe-{os.getpid()}"
    run("ip", "netns", "add", name)
    try:
        return run("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms",
                   check=False).returncode == 0
    finally:
        run("ip", "netns", "del", name)


def find_emulator() -> pathlib.Path:
    """The built one, else one that is built now and lasts as long as this process."""
    built = ROOT / "build/release/wan_emulator"
    source = ROOT / "bench/wan_emulator.cpp"
    if built.exists() and built.stat().st_mtime >= source.stat().st_mtime:
        return built
    target = pathlib.Path(tempfile.gettempdir()) / f"wan_emulator-{os.getpid()}"
    if not target.exists():
        run(shutil.which("c++") or "g++", "-std=c++20", "-O2", source, "-o", target)
    return target


class Wan:
    """`with Wan(3) as wan:` gives namespaces wan.spaces[i] with the addresses wan.address(i)."""

    def __init__(self, count: int, shaper: str = "auto", seed: int = 1, congestion: str = ""):
        self.spaces = [f"teetee-{os.getpid()}-{i}" for i in range(count)]
        self.hub = f"teetee-{os.getpid()}-hub"
        self.shaper = shaper if shaper != "auto" else "netem" if has_netem() else "emulator"
        self.seed, self.congestion, self.shape_now = seed, congestion, Shape()
        self.emulator = None
        self.totals = None
        self.lock = threading.Lock()

    @staticmethod
    def address(index: int) -> str:
        return f"10.77.0.{index + 1}"

    def __enter__(self):
        try:
            for space in self.spaces:
                run("ip", "netns", "add", space)
                run("ip", "-n", space, "link", "set", "lo", "up")
                if self.congestion:
                    run("ip", "netns", "exec", space, "sysctl", "-qw", f"net.ipv4.tcp_congestion_control={self.congestion}")
            (self.start_emulator if self.shaper == "emulator" else self.start_hub)()
            for i, space in enumerate(self.spaces):
                run("ip", "-n", space, "addr", "add", f"{self.address(i)}/24", "dev", DEVICE)
                run("ip", "-n", space, "link", "set", DEVICE, "up", "txqueuelen", 1000)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def start_emulator(self):
        nodes = [f"{space}={self.address(i)}" for i, space in enumerate(self.spaces)]
        self.emulator = subprocess.Popen([find_emulator(), str(self.seed), DEVICE, *nodes], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, preexec_fn=go_first)
        self.expect_ok()

    def expect_ok(self):
        if self.emulator.stdout.readline() != "ok\n":
            raise RuntimeError("the emulator has ended")

    def start_hub(self):
        """A namespace that routes between the others, in whose name it answers ARP."""
        run("ip", "netns", "add", self.hub)
        run("ip", "netns", "exec", self.hub, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for i, space in enumerate(self.spaces):
            run("ip", "-n", self.hub, "link", "add", f"hub{i}", "type", "veth", "peer", "name", DEVICE, "netns", space)
            run("ip", "netns", "exec", self.hub, "sysctl", "-qw", f"net.ipv4.conf.hub{i}.proxy_arp=1")
            run("ip", "-n", self.hub, "link", "set", f"hub{i}", "up")
            run("ip", "-n", self.hub, "route", "add", f"{self.address(i)}/32", "dev", f"hub{i}")

    def shape(self, shape: Shape):
        """From now on, between all nodes."""
        with self.lock:
            self.shape_now = shape
            if self.shaper == "emulator":
                self.emulator.stdin.write(f"shape {round(shape.delay_ms * 1e3)} {shape.loss} "
                                          f"{shape.mbit_per_s * 1e6:.0f} {shape.queue()}\n")
                self.emulator.stdin.flush()
                return self.expect_ok()
            for space in self.spaces:
                rate = ["rate", f"{shape.mbit_per_s}mbit"] if shape.mbit_per_s else []
                # netem counts what is delayed as queued, too.
                limit = 100_000 if not rate else int(1.5 * shape.queue() / PACKET_BYTES) + 100
                run("tc", "-n", space, "qdisc", "replace", "dev", DEVICE, "root", "netem", "limit", limit, "delay",
                    f"{shape.delay_ms}ms", "loss", f"{100 * shape.loss}%", *rate)

    def prefix(self, index: int) -> list:
        """In front of a command that is to run there."""
        return ["ip", "netns", "exec", self.spaces[index]]

    def end(self):
        if self.emulator is not None:
            try:
                self.totals = json.loads(self.emulator.communicate(timeout=10)[0].splitlines()[-1])
            except (ValueError, IndexError, subprocess.TimeoutExpired):
                self.emulator.kill()
                self.emulator.wait()
        for space in [*self.spaces, self.hub]:
            run("ip", "netns", "del", space, check=False)
