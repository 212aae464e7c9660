# SPDX-License-Identifier: Apache-2.0
"""Answers that are paid for: real nodes, a real chain, settlements signed over the wire."""
import json
import signal
import subprocess

from chain import CONTRACTS, KEYS, Chain
from harness import wait_until

HOST, PAYER = 1, 2
SESSION = 7  # One of anvil's accounts, which signs typed data for us.
PROMPT = {"prompt": "Once upon a time there was", "max_tokens": 20, "temperature": 0}


class Shop:
    """A pool of two shards whose nodes are one host's, and a voucher of the payer's."""

    def __init__(self, teetee, ceiling=20_000):
        self.teetee = teetee
        self.chain = Chain(teetee, "--network", "optimism", "--block-time", 1)
        self.deploy()
        self.host, self.payer = self.chain.wallet(HOST), self.chain.wallet(PAYER)
        self.network = teetee.network(2)
        files = self.network.folder
        self.pool = self.host.json("pool", "create", "--manifest", files / "manifest.json", "--policy",
                                   files / "policy.json", "--prices", "2,5", "--fee-bps", 500)["pool"]
        for shard in range(2):
            self.start(shard)
        for shard in range(2):
            self.register(shard)
        self.payer.json("credits", "buy", 50_000)
        self.session = self.chain.accounts[SESSION]
        self.voucher = self.payer.json("voucher", "open", "--pool", self.pool, "--session-key", self.session,
                                       "--ceiling", ceiling)["voucher"]
        self.entry = wait_until(self.terms, 60, "the entry knows the prices")["entry"]
        known = self.spend(1)
        wait_until(lambda: self.network.http.post("/v1/payment/raise", "", headers=known)[0] == 200, 60,
                   "the voucher is settled")

    def deploy(self):
        """With the verifier of dev TEEs, which checks real quotes of theirs."""
        record = self.teetee.folder / "real-deployment.json"
        done = subprocess.run(["node", CONTRACTS / "tools/deploy", "--rpc", self.chain.url, "--key-env", "DEPLOYER",
                               "--out", record], env=self.teetee.environment | {"DEPLOYER": "0x" + KEYS[0]},
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        self.chain.deployment = record
        self.chain.contract = json.loads(record.read_text())["contract"]

    def start(self, shard: int):
        # Only the entry sends transactions; an empty key is none.
        environment = self.host.environment | ({} if shard == 0 else {"TEETEE_KEY": ""})
        self.network.start(shard, *self.flags(shard), environment=environment)

    def flags(self, shard: int) -> list:
        return ["--pool", self.pool, "--state", self.state(shard), "--host", self.host.address, "--registration",
                self.registration(shard), "--confirmations", 1, "--settle-seconds", 1]

    def state(self, shard: int):
        return self.teetee.folder / f"state-{shard}"

    def registration(self, shard: int):
        return self.teetee.folder / f"registration-{shard}.json"

    def register(self, shard: int):
        node = self.network.nodes[shard]
        wait_until(lambda: self.registration(shard).exists(), 60, f"node {shard} is up: {node.text()[-2000:]}")
        self.host.json("register", self.registration(shard))

    def terms(self):
        try:
            status, body = self.network.http.get("/v1/payment")
        except OSError:
            return None
        return body if status == 200 and "prompt_price" in body and self.network.http.ready() else None

    def spend(self, amount: int) -> dict:
        fields = [("voucher", "bytes32"), ("entry", "address"), ("amount", "uint128")]
        typed = {"types": {"Spend": [{"name": name, "type": kind} for name, kind in fields],
                           "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"},
                                            {"name": "chainId", "type": "uint256"},
                                            {"name": "verifyingContract", "type": "address"}]},
                 "primaryType": "Spend",
                 "domain": {"name": "TeeTee", "version": "1", "chainId": self.chain.chain_id,
                            "verifyingContract": self.chain.contract},
                 "message": {"voucher": self.voucher, "entry": self.entry, "amount": str(amount)}}
        signature = self.chain.call("eth_signTypedData_v4", self.session, typed)
        return {"teetee-payment": f"voucher id={self.voucher}, amount={amount}, signature={signature}"}

    def ask(self, amount: int, body=None):
        return self.network.http.post("/generate", body or PROMPT, headers=self.spend(amount))

    def charged(self, answer: dict) -> int:
        status, receipt = self.network.http.get(answer["receipt"])
        assert status == 200, receipt
        return int(receipt["payment"]["charged"])

    def settled(self, answer: dict) -> bool:
        status, anchor = self.network.http.get(answer["receipt"] + "/anchor")
        return status == 200 and anchor["state"] == "settled"

    def earned(self) -> int:
        return int(self.host.json("earnings")["earnings"])


def price(usage: dict) -> int:
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return 2 * (usage["prompt_tokens"] - cached) + 5 * usage["completion_tokens"]


def test_answers_are_paid_settled_and_withdrawn(teetee):
    shop = Shop(teetee)
    status, refused = shop.network.http.post("/generate", PROMPT)
    assert (status, refused["error"]["code"]) == (402, "payment_required"), refused
    status, refused = shop.ask(10)
    assert (status, refused["error"]["code"]) == (402, "payment_required"), refused
    total, last = 0, None
    for _ in range(3):
        status, last = shop.ask(total + 500)
        assert status == 200, last
        assert shop.charged(last) == price(last["usage"]), last
        total += price(last["usage"])
    wait_until(lambda: shop.settled(last) and shop.earned() == total, 60, "all is settled")
    # One wallet has all roles but the payer's: fees and shares come together again.
    voucher = shop.host.json("voucher", "show", shop.voucher)
    assert int(voucher["remaining"]) == 20_000 - total, voucher
    assert shop.host.json("withdraw")["withdrawn"] == str(total)
    assert shop.earned() == 0


def test_an_entry_that_is_killed_loses_nothing_and_charges_nothing_twice(teetee):
    shop = Shop(teetee)
    status, first = shop.ask(500)
    assert status == 200, first
    assert shop.charged(first) == price(first["usage"])
    shop.network.nodes[0].kill()
    shop.start(0)
    wait_until(shop.terms, 60, "the entry is up again")
    assert shop.terms()["entry"] == shop.entry, "the same key, so the same node"
    assert shop.charged(first) == price(first["usage"]), "its receipt outlives it"
    status, second = shop.ask(1000)
    assert status == 200, second
    total = price(first["usage"]) + price(second["usage"])
    wait_until(lambda: shop.settled(second) and shop.earned() == total, 60, "both are settled")
    # A successor that comes too early leaves the folder alone.
    early = shop.teetee.start(*shop.network.arguments(0), *shop.flags(0), environment=shop.host.environment)
    assert early.process.wait(30) != 0
    assert "another process works with it" in early.text(), early.text()
    # Nothing more comes.
    shop.network.nodes[0].kill()
    shop.start(0)
    wait_until(shop.terms, 60, "the entry is up again")
    shop.chain.mine(5)
    assert shop.earned() == total
    assert shop.settled(first) and shop.settled(second)


def test_the_chain_s_absence_stops_payments_and_loses_none(teetee):
    shop = Shop(teetee)
    status, answer = shop.ask(500)
    assert status == 200, answer
    answers, payment = [answer], shop.spend(10_000)

    def is_refused():
        # What was read of the chain counts for some seconds.
        got, body = shop.network.http.post("/generate", PROMPT, headers=payment)
        if got == 200:
            answers.append(body)
        return got == 503

    # Stands still, as an endpoint does that is overloaded.
    shop.chain.process.process.send_signal(signal.SIGSTOP)
    wait_until(is_refused, 120, "payments are refused")
    shop.chain.process.process.send_signal(signal.SIGCONT)
    total = sum(price(each["usage"]) for each in answers)
    wait_until(lambda: all(map(shop.settled, answers)) and shop.earned() == total, 90, "all is settled")
