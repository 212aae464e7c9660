# SPDX-License-Identifier: Apache-2.0
"""What `make up` runs: a network with a chain of its own, on which answers are paid for and settled."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from chain import ANVIL, artifact
from harness import Http, Skipped, Teetee, free_ports, wait_until

BODY = '{"prompt": "Once upon a time there was", "max_tokens": 20, "temperature": 0}'


def parents() -> dict[int, int]:
    out = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            out[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    return out


def descendants(pid: int) -> set[int]:
    known = parents()
    found = {pid}
    while more := {child for child, parent in known.items() if parent in found} - found:
        found |= more
    return found - {pid}


def is_gone(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def are_gone(pids: set[int]) -> bool:
    return all(map(is_gone, pids))


def need_contracts():
    if not ANVIL.exists():
        raise Skipped("no anvil: make contracts")
    artifact("TeeTee", "TeeTee")


class Up:
    def __init__(self, teetee: Teetee, *arguments, port=None, environment=None):
        need_contracts()
        self.teetee = teetee
        self.port = port or free_ports(24)
        self.http = Http(self.port)
        self.folder = pathlib.Path(teetee.environment["XDG_STATE_HOME"]) / f"teetee/up-{self.port}"
        self.process = teetee.start("up", "--port", self.port, "--json", *arguments, environment=environment)
        wait_until(lambda: self.ready_line() or self.process.process.poll() is not None, 240, "the network is up")
        self.ready = json.loads(self.ready_line() or self.fail())

    def fail(self):
        raise AssertionError(self.process.text()[-4000:])

    def ready_line(self) -> str:
        return next(iter(re.findall(r'^\{"ready".*\}$', self.process.text(), re.M)), "")

    def wallet(self, name: str) -> dict[str, str]:
        """The variables of a wallet's file, as a shell reads them."""
        shown = subprocess.run(["sh", "-c", f"set -a; . '{self.folder}/dev-chain/{name}.sh'; env"], env={},
                               capture_output=True, text=True, check=True)
        return dict(line.split("=", 1) for line in shown.stdout.splitlines() if line.startswith("TEETEE_"))

    def run(self, name: str, *arguments) -> dict:
        before = self.teetee.environment
        self.teetee.environment = before | self.wallet(name)
        try:
            return self.teetee.json(*arguments)
        finally:
            self.teetee.environment = before

    def earned(self, host: str) -> int:
        return int(self.run(host, "earnings")["earnings"])

    def ask_paid(self, replica=0):
        port = self.port + 2 * replica
        value = self.teetee.json("voucher", "header", "--port", self.port, "--entry", f"https://127.0.0.1:{port + 1}",
                                 "-d", BODY)["value"]
        return Http(port).post("/generate", BODY, headers={"TeeTee-Payment": value})

    def stop(self):
        """By Ctrl-C, which ends all that it started."""
        children = descendants(self.process.pid)
        assert len(children) >= 3, children
        assert self.process.stop(20) == 0
        assert are_gone(children), children


def charge_of(up: Up, answer: dict) -> int:
    status, receipt = up.http.get(answer["receipt"])
    assert status == 200, receipt
    return int(receipt["payment"]["charged"])


def test_an_answer_costs_credits_and_its_hosts_earn_them(teetee):
    # Of another network: what a user has in the environment must not reach the children.
    up = Up(teetee, environment={"TEETEE_POOL": "77", "TEETEE_RPC": "http://127.0.0.1:1", "TEETEE_KEYSTORE": "/nowhere"})
    assert {"rpc_url", "contract", "pool", "deployment", "payment"} <= set(up.ready), up.ready
    status, refused = up.http.post("/generate", BODY)
    assert (status, refused["error"]["code"]) == (402, "payment_required"), refused
    status, answer = up.ask_paid()
    assert status == 200, answer
    usage = answer["usage"]
    charged = charge_of(up, answer)
    assert charged == 2 * usage["prompt_tokens"] + 5 * usage["completion_tokens"] > 0, usage
    # The default network's files say which pool a client holds the nodes to.
    chat = teetee.json("chat", "--port", up.port, "--prompt", "Once upon a time", "--receipt", teetee.folder / "receipt.json")
    assert chat["text"], chat
    teetee.json("verify", teetee.folder / "receipt.json", "--port", up.port)
    receipt = json.loads((teetee.folder / "receipt.json").read_text())
    total = charged + int(receipt["payment"]["charged"])
    wait_until(lambda: up.earned("host-1") + up.earned("host-2") == total, 60, "all is settled")
    assert up.earned("host-1") > up.earned("host-2") > 0, "the creator's fee and more layers"
    verify = ["verify", teetee.folder / "receipt.json", "--port", up.port, "--anchor", f"http://127.0.0.1:{up.port}"]
    # The entry says so when the block is settled for it too.
    wait_until(lambda: teetee.run(*verify)[0] == 0, 30, "the receipt is anchored")
    anchored = teetee.json(*verify)
    assert anchored["anchor"]["contract"].lower() == up.ready["contract"].lower(), anchored
    voucher, = up.run("payer", "voucher", "list")["vouchers"]
    assert int(voucher["ceiling"]) - int(voucher["remaining"]) == total
    assert int(up.run("host-1", "withdraw")["withdrawn"]) + int(up.run("host-2", "withdraw")["withdrawn"]) == total
    up.stop()


def test_two_entries_settle_at_once(teetee):
    up = Up(teetee, "--replicas", 2)
    total = 0
    for replica in (0, 1, 0, 1):
        status, answer = up.ask_paid(replica)
        assert status == 200, answer
        usage = answer["usage"]
        total += 2 * (usage["prompt_tokens"] - usage["prompt_tokens_details"]["cached_tokens"]) + 5 * usage["completion_tokens"]
    wait_until(lambda: up.earned("host-1") + up.earned("host-2") == total, 60, "all is settled")
    assert len(up.run("host-2", "earnings")["nodes"]) == 2
    up.stop()


def test_a_node_that_is_started_again_is_renewed_and_a_new_start_begins_anew(teetee):
    up = Up(teetee)
    node = up.run("host-1", "earnings")["nodes"][0]["node"]
    victim = next(pid for pid in descendants(up.process.pid)
                  if b"--api-tls" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(victim, signal.SIGKILL)
    wait_until((up.folder / "dev-chain/renew-1.out").exists, 60, "its host renews it")
    wait_until(lambda: '"node"' in (up.folder / "dev-chain/renew-1.out").read_text(), 60, "it is renewed")
    assert [n["node"] for n in up.run("host-1", "earnings")["nodes"]] == [node]
    wait_until(lambda: up.http.ready() and up.ask_paid()[0] == 200, 60, "it serves again")
    up.stop()
    first = json.loads((up.folder / "deployment.json").read_text()), up.wallet("payer")
    again = Up(teetee, port=up.port)
    assert (json.loads((up.folder / "deployment.json").read_text()), again.wallet("payer")) != first
    assert again.ask_paid()[0] == 200
    assert again.earned("host-1") >= 0
    again.stop()
    free = teetee.start("up", "--no-chain", "--port", up.port)
    wait_until(lambda: Http(up.port).ready(), 60, "it is up without a chain")
    for name in ("deployment.json", "chain.json", "payment.json", "dev-chain"):
        assert not (up.folder / name).exists(), name
    assert Http(up.port).post("/generate", BODY)[0] == 200
    assert teetee.json("chat", "--port", up.port, "--prompt", "Once upon a time")["text"]
    assert free.stop() == 0


def test_without_its_chain_a_network_ends_and_says_so(teetee):
    up = Up(teetee, "--shards", 1)
    children = descendants(up.process.pid)
    anvil = next(pid for pid in children if b"--network" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(anvil, signal.SIGKILL)
    assert up.process.process.wait(20) == 3
    assert "the chain has ended: anvil, with signal 9" in up.process.text(), up.process.text()[-2000:]
    assert are_gone(children)


def test_nothing_outlives_it_whenever_it_ends(teetee):
    need_contracts()
    port = free_ports(24)
    # While anvil starts, while the contract is deployed, while nodes are registered; the last one is killed.
    for delay, number in ((0.3, signal.SIGINT), (1.5, signal.SIGINT), (5, signal.SIGTERM), (6, signal.SIGKILL)):
        process = teetee.start("up", "--port", port)
        if delay > 1:
            wait_until(lambda: descendants(process.pid), 30, "it has begun something")
        time.sleep(delay)
        children = descendants(process.pid)
        process.process.send_signal(number)
        code = process.process.wait(20)
        # So early a signal may come that it has begun nothing which it must end.
        assert code == 0 or (delay < 1 or number == signal.SIGKILL) and code == -number, process.text()[-2000:]
        wait_until(lambda: are_gone(children), 20, f"after {delay} s all is gone: {children}")


def test_what_is_missing_is_named(teetee):
    code, _, err = teetee.run("up", "--port", free_ports(24), "--anvil", "/nowhere/anvil")
    assert code == 3 and "--anvil: there is no file /nowhere/anvil" in err, err
    code, _, err = teetee.run("up", "--port", free_ports(24), "--anvil", "/bin/false")
    assert code == 3 and "the chain has ended: anvil, with exit code 1" in err, err
    # The chain's port is one of the network's.
    port = free_ports(24)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 10))
        taken.listen()
        code, _, err = teetee.run("up", "--port", port)
    assert code == 3 and "port_in_use" in err and str(port + 10) in err, err
