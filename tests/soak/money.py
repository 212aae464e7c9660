#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many paid requests while entries are killed and the chain is reorganised; then every credit is counted.

    tests/soak/money.py build/release [--requests 1000] [--payers 20] [--per-second 5] [--seed 1]

Real nodes (two entries and one stage behind them, three hosts), a real chain (anvil). Payers ask whichever entry
answers, sign for more when they are told to, and note the receipt of every answer whose beginning they saw. From
time to time an entry is killed with SIGKILL, the stage too, and the chain's last blocks are replaced by empty ones.
When all is asked and settled, what the contract paid out of each voucher to each entry must be the sum of that
entry's receipts, to the credit.
"""
import argparse
import concurrent.futures
import hashlib
import http.client
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from chain import CONTRACTS, Chain, Wallet, typed_data_signature  # noqa: E402
from harness import Http, Teetee, free_ports, wait_until  # noqa: E402

PROMPT_PRICE, COMPLETION_PRICE = 2, 5
CONFIRMATIONS = 3
STAGE = 2  # Of the three nodes; the others are entries.
PAYER, SESSION = 10, 40  # The first of their accounts.
CEILING = 1_000_000


class Node:
    def __init__(self, soak: "Soak", number: int, port: int):
        self.soak, self.number = soak, number
        self.host = soak.wallet(1 + number)
        self.port = port
        self.http = Http(self.port)
        self.state = soak.teetee.folder / f"state-{number}"
        self.registration = soak.teetee.folder / f"registration-{number}.json"
        self.process = None

    def start(self):
        soak, is_entry = self.soak, self.number != STAGE
        network = soak.network
        shard = 0 if is_entry else 1
        arguments = network.arguments(shard, f"127.0.0.1:{self.port + 2}", self.port)
        if "--next" in arguments:
            at = arguments.index("--next")
            del arguments[at:at + 2]
        for other in soak.nodes:
            if (other.number == STAGE) == is_entry:
                arguments += ["--next", f"tls://127.0.0.1:{other.port + 2}"]
        environment = dict(self.host.environment)
        if not is_entry:
            del environment["TEETEE_KEY"]
        self.process = soak.teetee.start(
            *arguments, "--pool", soak.pool, "--state", self.state, "--host", self.host.address, "--registration",
            self.registration, "--confirmations", CONFIRMATIONS, "--settle-seconds", 3,
            "--settle-gas-percent", 0, environment=environment)


class Soak:
    def __init__(self, teetee: Teetee, payers: int, chance: random.Random):
        self.teetee, self.chance = teetee, chance
        self.chain = Chain(teetee, "--network", "optimism", "--block-time", 1, "--accounts", 100, is_silent=False)
        self.keys = re.findall(r"\(\d+\) 0x([0-9a-f]{64})", self.chain.process.text())
        assert len(self.keys) == 100
        self.deploy()
        self.network = teetee.network(2)
        files = self.network.folder
        self.creator = self.wallet(4)
        self.pool = self.creator.json("pool", "create", "--manifest", files / "manifest.json", "--policy",
                                      files / "policy.json", "--prices", f"{PROMPT_PRICE},{COMPLETION_PRICE}",
                                      "--fee-bps", 500)["pool"]
        self.nodes: list[Node] = []
        ports = free_ports(9)
        for number in range(3):
            self.nodes.append(Node(self, number, ports + 3 * number))
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            wait_until(node.registration.exists, 60, f"node {node.number} is up")
            node.host.json("register", node.registration)
        self.entries = self.nodes[:STAGE]
        self.sums = {}
        self.locks = {payer: threading.Lock() for payer in range(payers)}
        self.vouchers = {}
        for payer in range(payers):
            wallet = self.wallet(PAYER + payer)
            wallet.json("credits", "buy", CEILING)
            self.vouchers[payer] = wallet.json(
                "voucher", "open", "--pool", self.pool, "--ceiling", CEILING, "--session-key",
                self.chain.accounts[SESSION + payer])["voucher"]
        # Nobody sends the openings again that a reorganisation takes away.
        self.chain.mine(CONFIRMATIONS + 1)
        self.addresses = [wait_until(lambda e=entry: self.address_of(e), 90, "an entry knows the prices")
                          for entry in self.entries]
        self.answers, self.faults = [], {"entry": 0, "stage": 0, "reorganisation": 0}
        self.refused, self.cut = {}, 0
        self.stopping = threading.Event()

    def wallet(self, number: int) -> Wallet:
        wallet = Wallet(self.chain, number, key=self.keys[number])
        return wallet

    def deploy(self):
        record = self.teetee.folder / "real-deployment.json"
        done = subprocess.run(["node", CONTRACTS / "tools/deploy", "--rpc", self.chain.url, "--key-env", "DEPLOYER",
                               "--out", record], env=self.teetee.environment | {"DEPLOYER": "0x" + self.keys[0]},
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        self.chain.deployment = record
        self.chain.contract = json.loads(record.read_text())["contract"]

    def address_of(self, entry: Node):
        try:
            status, body = entry.http.get("/v1/payment", timeout=5)
            return body["entry"] if status == 200 and "prompt_price" in body and entry.http.ready() else None
        except (OSError, http.client.HTTPException):
            return None

    # ------------------------------------------------------------------------------------- paying

    def header(self, payer: int, entry: int, amount: int, body: bytes, moment: int) -> dict:
        key, voucher = self.chain.accounts[SESSION + payer], self.vouchers[payer]
        common = {"voucher": ("bytes32", voucher), "entry": ("address", self.addresses[entry])}
        spend = typed_data_signature(self.chain, key, "Spend", common | {"amount": ("uint128", str(amount))})
        proof = typed_data_signature(self.chain, key, "Request", common | {
            "bodyHash": ("bytes32", "0x" + hashlib.sha256(body).hexdigest()), "time": ("uint64", moment)})
        return {"teetee-payment": f"voucher id={voucher}, amount={amount}, signature={spend}, time={moment}, "
                                  f"request={proof}"}

    def stream(self, payer: int, entry: int, body: bytes) -> str:
        """Asks; the answer's id when it has begun. Raises OSError or HTTPException when the entry fails."""
        amount = self.sums.get((payer, entry), 1)
        connection = http.client.HTTPConnection("127.0.0.1", self.entries[entry].port, timeout=120)
        moment = time.time_ns() // 1_000_000
        connection.request("POST", "/v1/chat/completions", body, self.header(payer, entry, amount, body, moment))
        response = connection.getresponse()
        if response.status != 200:
            error = json.loads(response.read())["error"]
            connection.close()
            if error["code"] == "payment_required":
                self.sums[payer, entry] = int(re.search(r"need (\d+) credits", error["message"])[1]) + 60
                return "raise"
            raise OSError(error["code"])
        found = None
        while line := response.readline():
            if found is None and (seen := re.search(rb'"id":"chatcmpl-([0-9a-f]+)"', line)):
                found = seen[1].decode()
                self.answers.append((payer, entry, found))
            if line.startswith(b"data: [DONE]"):
                connection.close()
                return "done"
        connection.close()
        raise OSError("cut")

    def ask(self, number: int):
        """Until an entry gives an answer to its end."""
        payer = number % len(self.vouchers)
        entry = self.chance.randrange(len(self.entries))
        for attempt in range(200):
            salt = f"{number}-{attempt}"
            body = json.dumps({"messages": [{"role": "user", "content": f"Once upon a time {number}"}], "stream": True,
                               "max_tokens": 4 + number % 13, "temperature": 0.5, "seed": number, "salt": salt}).encode()
            try:
                with self.locks[payer]:
                    outcome = self.stream(payer, entry, body)
                if outcome == "done":
                    return
            except (OSError, http.client.HTTPException) as fault:
                self.refused[str(fault)[:40]] = self.refused.get(str(fault)[:40], 0) + 1
                entry = (entry + 1) % len(self.entries)
                time.sleep(0.3)
        raise AssertionError(f"request {number} got no answer in 200 attempts: {self.refused}")

    # ------------------------------------------------------------------------------------- faults

    def disturb(self):
        while not self.stopping.wait(self.chance.uniform(0.5, 2)):
            fault = self.chance.choice(["entry", "entry", "reorganisation", "reorganisation", "stage"])
            self.faults[fault] += 1
            if fault == "reorganisation":
                # anvil calls no more than the head's two predecessors replaceable.
                self.chain.call("anvil_reorg", self.chance.randint(1, CONFIRMATIONS - 1), [])
                continue
            node = self.nodes[STAGE] if fault == "stage" else self.chance.choice(self.entries)
            node.process.kill()
            time.sleep(self.chance.uniform(0, 1))
            node.start()

    def run(self, requests: int, threads: int, per_second: float):
        began = time.time()

        def ask_in_turn(number: int):
            time.sleep(max(0.0, began + number / per_second - time.time()))
            self.ask(number)

        disturber = threading.Thread(target=self.disturb)
        disturber.start()
        try:
            with concurrent.futures.ThreadPoolExecutor(threads) as pool:
                for done in pool.map(ask_in_turn, range(requests)):
                    assert done is None
        finally:
            self.stopping.set()
            disturber.join()

    # ------------------------------------------------------------------------------------ counting

    def receipts(self) -> dict:
        """What was charged, by voucher and entry."""
        sums = {}
        for payer, entry, answer in self.answers:
            status, receipt = self.entries[entry].http.get(f"/v1/receipts/{answer}", timeout=60)
            if status == 404:
                continue
            assert status == 200, (status, receipt)
            payment = receipt["payment"]
            assert payment["voucher"] == self.vouchers[payer], payment
            key = self.vouchers[payer], self.addresses[entry]
            sums[key] = sums.get(key, 0) + int(payment["charged"])
        return sums

    def settle(self):
        for entry in self.entries:
            wait_until(entry.http.ready, 120, f"entry {entry.number} is up")
            entry.host.json("settle", "--entry", f"https://127.0.0.1:{entry.port + 1}",
                            *self.network.verify_flags(), "--pool", self.pool, "--wait-seconds", 600)
        self.chain.mine(CONFIRMATIONS)

    def claims(self) -> dict:
        sums = {}
        for payer, voucher in self.vouchers.items():
            shown = self.wallet(PAYER + payer).json("voucher", "show", voucher)
            spent = sum(int(claim["claimed"]) for claim in shown["claims"])
            assert int(shown["remaining"]) == CEILING - spent, shown
            for claim in shown["claims"]:
                assert claim["paid"] == claim["claimed"], claim
                sums[voucher, claim["entry"]] = int(claim["claimed"])
        return sums

    def count(self) -> dict:
        receipts, claims = self.receipts(), self.claims()
        differing = {key: (receipts.get(key, 0), claims.get(key, 0)) for key in receipts | claims
                     if receipts.get(key, 0) != claims.get(key, 0)}
        earned = [int(wallet.json("earnings")["earnings"])
                  for wallet in [*(node.host for node in self.nodes), self.creator]]
        total = sum(receipts.values())
        held = int(self.chain.call("eth_getBalance", self.chain.contract, "latest"), 16)
        credits = len(self.vouchers) * CEILING
        return {"answers_begun": len(self.answers), "credits_in_receipts": total,
                "credits_claimed": sum(claims.values()), "credits_earned": sum(earned), "earned": earned,
                "wei_held_per_credit_sold": held / credits, "differing": [[*key, *value] for key, value in differing.items()],
                "faults": self.faults, "refused": self.refused}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--payers", type=int, default=20)
    parser.add_argument("--threads", type=int, default=6)
    parser.add_argument("--per-second", type=float, default=5, help="requests a second at most")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="teetee-soak-"))
    teetee = Teetee(options.build.resolve(), folder)
    began = time.time()
    try:
        soak = Soak(teetee, options.payers, random.Random(options.seed))
        print(f"{options.payers} vouchers are open after {time.time() - began:.0f} s; asking", file=sys.stderr)
        soak.run(options.requests, options.threads, options.per_second)
        print(f"all is asked after {time.time() - began:.0f} s; settling", file=sys.stderr)
        soak.settle()
        result = soak.count() | {"requests": options.requests, "seconds": round(time.time() - began)}
    finally:
        teetee.end()
        print(f"logs: {folder}", file=sys.stderr)
    print(json.dumps(result, indent=1))
    is_even = not result["differing"] and result["credits_in_receipts"] == result["credits_earned"]
    print("every credit is where the receipts say" if is_even else "CREDITS DIFFER")
    return 0 if is_even else 1


if __name__ == "__main__":
    sys.exit(main())
