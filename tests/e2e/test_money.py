# SPDX-License-Identifier: Apache-2.0
"""Answers that are paid for: real nodes, a real chain, settlements signed over the wire."""
import hashlib
import json
import re
import signal
import time

from chain import Chain, pay_query, typed_data_signature
from harness import wait_until

HOST, PAYER = 1, 2
STATEMENT_SECONDS = 40
SESSION = 7  # One of anvil's accounts, which signs typed data for us.
PROMPT = {"prompt": "Once upon a time there was", "max_tokens": 20, "temperature": 0}


class Shop:
    """A pool of two shards whose nodes are one host's, and a voucher of the payer's."""

    def __init__(self, teetee, ceiling=20_000, registered=(0, 1), own_host=None, settle_seconds=1, tee_wallet=False):
        """`own_host` is the number of the wallet with which the tail registers itself."""
        self.teetee, self.settle_seconds, self.tee_wallet = teetee, settle_seconds, tee_wallet
        self.chain = Chain(teetee, "--network", "optimism", "--block-time", 1)
        self.chain.deploy_with_dev_verifier()
        self.host, self.payer = self.chain.wallet(HOST), self.chain.wallet(PAYER)
        self.tail_host = self.host if own_host is None else self.chain.wallet(own_host)
        self.network = teetee.network(2)
        files = self.network.folder
        self.pool = self.host.json("pool", "create", "--manifest", files / "manifest.json", "--policy",
                                   files / "policy.json", "--prices", "2,5", "--fee-bps", 500)["pool"]
        for shard in range(2):
            self.start(shard)
        for shard in range(2):
            wait_until(self.registration(shard).exists, 60, f"node {shard} is up: {self.log(shard)}")
        for shard in registered:
            self.register(shard)
        if len(registered) == 2:
            self.open_voucher(ceiling)

    def log(self, shard: int) -> str:
        return self.network.nodes[shard].text()[-2000:]

    def open_voucher(self, ceiling=20_000):
        self.payer.json("credits", "buy", 50_000)
        self.session = self.chain.accounts[SESSION]
        self.voucher = self.payer.json("voucher", "open", "--pool", self.pool, "--session-key", self.session,
                                       "--ceiling", ceiling)["voucher"]
        self.entry = wait_until(self.terms, 60, "the entry knows the prices")["entry"]
        known = self.spend(1)
        wait_until(lambda: self.network.http.post("/v1/payment/raise", "", headers=known)[0] == 200, 60,
                   "the voucher is settled")

    def start(self, shard: int):
        host = self.tail_host if shard else self.host
        # Only the entry sends transactions, unless the tail has a wallet of its own; an empty key is none.
        has_key = (shard == 0 and not self.tee_wallet) or host is not self.host
        environment = host.environment | ({} if has_key else {"TEETEE_KEY": ""})
        self.network.start(shard, *self.flags(shard), environment=environment)

    def flags(self, shard: int) -> list:
        host = self.tail_host if shard else self.host
        registering = [] if host is self.host else ["--self-register", "--statement-seconds", STATEMENT_SECONDS]
        if shard == 0 and self.tee_wallet:
            registering = ["--tee-wallet"]
        return ["--pool", self.pool, "--state", self.state(shard), "--host", host.address, *registering, "--registration",
                self.registration(shard), "--confirmations", 1, "--settle-seconds", self.settle_seconds,
                "--settle-gas-percent", 0]

    def state(self, shard: int):
        return self.teetee.folder / f"state-{shard}"

    def registration(self, shard: int):
        return self.teetee.folder / f"registration-{shard}.json"

    def register(self, shard: int) -> dict:
        return self.host.json("register", self.registration(shard))

    def terms(self):
        try:
            status, body = self.network.http.get("/v1/payment")
        except OSError:
            return None
        return body if status == 200 and "prompt_price" in body and self.network.http.ready() else None

    def sign(self, primary: str, **fields) -> str:
        """Of {name: (type, value)}, by the session key."""
        return typed_data_signature(self.chain, self.session, primary, fields)

    def spend(self, amount: int, body: bytes | None = None) -> dict:
        """The header by which the voucher pays for a request; without one it just shows the spend."""
        signature = self.sign("Spend", voucher=("bytes32", self.voucher), entry=("address", self.entry),
                              amount=("uint128", str(amount)))
        header = f"voucher id={self.voucher}, amount={amount}, signature={signature}"
        if body is not None:
            now = time.time_ns() // 1_000_000
            proof = self.sign("Request", voucher=("bytes32", self.voucher), entry=("address", self.entry),
                              bodyHash=("bytes32", "0x" + hashlib.sha256(body).hexdigest()), time=("uint64", now))
            header += f", time={now}, request={proof}"
        return {"teetee-payment": header}

    def ask(self, amount: int, prompt=None):
        body = json.dumps(prompt or PROMPT).encode()
        return self.network.http.post("/generate", body, headers=self.spend(amount, body))

    def charged(self, answer: dict) -> int:
        status, receipt = self.network.http.get(answer["receipt"])
        assert status == 200, receipt
        return int(receipt["payment"]["charged"])

    def settled(self, answer: dict) -> bool:
        status, anchor = self.network.http.get(answer["receipt"] + "/anchor")
        return status == 200 and anchor["state"] == "settled"

    def earned(self) -> int:
        return int(self.host.json("earnings")["earnings"])


def test_prompts_go_through_registered_nodes_only(teetee):
    shop = Shop(teetee, registered=[0])
    nodes = [json.loads(shop.registration(shard).read_text()) for shard in range(2)]
    keys = [bytes.fromhex(node["statement"][2:]) for node in nodes]

    def health():
        try:
            return shop.network.http.get("/health")
        except OSError:
            return 0, {}

    def refuses(reason: str) -> bool:
        status, body = health()
        named = body.get("unregistered", [])
        return status == 503 and len(named) == 1 and reason in named[0]["why"] and \
            bytes.fromhex(named[0]["node"]) in keys[1]

    wait_until(lambda: refuses("is not registered in pool"), 60, f"the entry waits for a registered tail: {health()}")
    tail = shop.register(1)
    wait_until(lambda: health()[0] == 200, 60, f"the route is ready: {health()}")
    assert health()[1]["unregistered"] == []
    shop.open_voucher()
    status, answer = shop.ask(500)
    assert status == 200, answer
    shop.host.json("leave", tail["node"])
    wait_until(lambda: refuses("has left pool"), 60, f"the tail that left gets no prompts: {health()}")
    status, refused = shop.ask(1000)
    assert (status, refused["error"]["code"]) == (503, "route_unavailable"), refused
    # What it computed before is paid all the same: it is still there to sign.
    wait_until(lambda: shop.settled(answer), 60, "the answer is settled")


def test_a_node_keeps_itself_registered(teetee):
    shop = Shop(teetee, registered=[0], own_host=0)
    before = shop.chain.nonce(0)

    def node() -> dict:
        nodes = shop.tail_host.json("earnings")["nodes"]
        assert len(nodes) <= 1, nodes
        return nodes[0] if nodes else {}

    def is_ready() -> bool:
        return shop.network.http.ready()

    # Killed when its transaction is on its way, and again later: it has its key, and so its place.
    wait_until(lambda: "is being registered" in shop.log(1), 60, f"the tail registers itself: {shop.log(1)}")
    shop.network.nodes[1].kill()
    shop.start(1)
    first = wait_until(node, 60, f"the tail registers itself: {shop.log(1)}")
    wait_until(is_ready, 60, f"prompts may go to it: {shop.log(0)}")
    renewed = wait_until(lambda: node()["expiry"] > first["expiry"] and node(), 90, f"it renews: {shop.log(1)}")
    assert renewed["node"] == first["node"]
    shop.network.nodes[1].kill()
    shop.start(1)
    again = wait_until(lambda: node()["expiry"] > renewed["expiry"] and node(), 90, f"it renews: {shop.log(1)}")
    assert again["node"] == first["node"]
    wait_until(is_ready, 60, f"prompts may go to it again: {shop.log(0)}")
    # A transaction for each of its statements, of which it has had three to five.
    assert shop.chain.nonce(0) - before <= 5


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
    answers = [answer]
    # Signed before: anvil is about to stand still.
    requests = [json.dumps(PROMPT | {"salt": i}).encode() for i in range(200)]
    payments = [shop.spend(10_000, each) for each in requests]

    def is_refused():
        # What was read of the chain counts for some seconds.
        got, body = shop.network.http.post("/generate", requests.pop(), headers=payments.pop())
        if got == 200:
            answers.append(body)
        return got == 503

    # Stands still, as an endpoint does that is overloaded.
    shop.chain.process.process.send_signal(signal.SIGSTOP)
    wait_until(is_refused, 120, "payments are refused")
    shop.chain.process.process.send_signal(signal.SIGCONT)
    total = sum(price(each["usage"]) for each in answers)
    wait_until(lambda: all(map(shop.settled, answers)) and shop.earned() == total, 90, "all is settled")


def test_a_request_is_paid_by_who_has_the_session_key_and_once(teetee):
    shop = Shop(teetee)
    body = json.dumps(PROMPT).encode()
    # What a settlement makes public.
    status, refused = shop.network.http.post("/generate", body, headers=shop.spend(500))
    assert (status, refused["error"]["code"]) == (400, "payment_malformed"), refused
    paid = shop.spend(500, body)
    other = json.dumps(PROMPT | {"max_tokens": 3}).encode()
    status, refused = shop.network.http.post("/generate", other, headers=paid)
    assert (status, refused["error"]["code"]) == (400, "signature_invalid"), refused
    assert shop.network.http.post("/generate", body, headers=paid)[0] == 200
    status, refused = shop.network.http.post("/generate", body, headers=paid)
    assert (status, refused["error"]["code"]) == (409, "payment_in_use"), refused


def test_chat_pays_as_it_goes(teetee):
    shop = Shop(teetee)
    session = teetee.folder / "payment.json"
    opened = shop.payer.json("voucher", "open", "--pool", shop.pool, "--ceiling", 700, "--session", session)
    assert session.stat().st_mode & 0o777 == 0o600
    assert json.loads(session.read_text())["voucher"] == opened["voucher"]
    error = shop.payer.refused(2, "voucher", "open", "--pool", shop.pool, "--ceiling", 700, "--session", session)
    assert "already" in error, error
    chat = ["chat", "--payment", session, *shop.network.chat_flags(), "--temperature", 0]
    receipt = teetee.folder / "receipt.json"
    # Longer than what is signed for at first.
    answer = teetee.json(*chat, "-p", "Once upon a time", "-n", 80, "--receipt", receipt)
    charged = int(answer["payment"]["charged"])
    assert charged == int(json.loads(receipt.read_text())["payment"]["charged"]), answer
    assert charged >= 5 * answer["parts"][0]["tokens"], answer
    assert answer["parts"][0]["tokens"] > 70 and int(answer["payment"]["signed"]) <= 700, answer
    on_chain = ["--pool", shop.pool, "--deployment", shop.chain.deployment]
    verify = ["verify", receipt, *shop.network.verify_flags(), *on_chain]
    assert teetee.json(*verify)["verdict"] == "accept"
    wait_until(lambda: shop.settled({"receipt": answer["receipt"]}), 60, "it is settled")
    entry = f"http://127.0.0.1:{shop.network.http.port}"
    anchored = teetee.json(*verify, "--anchor", entry, "--rpc", shop.chain.url)
    assert anchored["verdict"] == "accept" and int(anchored["anchor"]["paid"]) >= charged, anchored
    # The chain and pool of the network are part of what nodes prove.
    code, out, _ = teetee.run("verify", receipt, *shop.network.verify_flags(), "--json")
    assert code == 1 and json.loads(out)["verdict"] == "reject", out
    # The voucher ends an answer, politely.
    code, out, err = teetee.run(*chat, "-p", "Once upon a time", "-n", 2000, "--json")
    assert code == 0, err
    last = json.loads(out)
    assert last["ended_by"] == "payment" and "no more of it is paid for" in err, (last, err)
    code, _, err = teetee.run(*chat, "-p", "Once upon a time", "-n", 200)
    assert code == 1 and "voucher_exhausted" in err, (code, err)


def test_one_transaction_pays_for_one_answer(teetee):
    shop = Shop(teetee)
    chain, payer = shop.chain, shop.chain.accounts[9]
    body = json.dumps(PROMPT | {"salt": "a9"}).encode()
    digest = "0x" + hashlib.sha256(body).hexdigest()
    # The most that 40 prompt and 20 completion tokens can cost.
    locked = 2 * 40 + 5 * 20
    pay_query(chain, [shop.pool, shop.entry, digest, 40, 20, chain.now() + 3600], locked)
    paid = {"teetee-payment": "query id=1"}

    def ask(asked=body):
        return shop.network.http.post("/generate", asked, headers=paid)

    def is_known():
        status, refused = ask(b'{"prompt":"another one"}')
        assert status == 402, refused
        return refused["error"]["code"] == "query_mismatch"

    wait_until(is_known, 30, "the payment is settled")
    status, answer = ask()
    assert status == 200, answer
    charged = shop.charged(answer)
    assert charged == price(answer["usage"]) < locked
    status, refused = ask()
    assert (status, refused["error"]["code"]) == (402, "query_unknown"), refused
    wait_until(lambda: shop.settled(answer) and shop.earned() == charged, 60, "it is settled")
    # What was locked and not used is in the payer's credits.
    balance = shop.host.json("credits", "balance", "--account", payer)
    assert int(balance["credits"]) == locked - charged, balance


def test_an_entry_settles_with_a_key_that_its_tee_has_made(teetee):
    shop = Shop(teetee, tee_wallet=True)
    said = wait_until(lambda: re.search(r"their gas is paid, by (0x[0-9a-fA-F]{40})", shop.network.nodes[0].text()), 30,
                      "the account is told")
    account = said[1]
    shop.chain.call("anvil_setBalance", account, hex(10**18))
    status, answer = shop.ask(500)
    assert status == 200, answer
    wait_until(lambda: shop.settled(answer) and shop.earned() == price(answer["usage"]), 60, "it is settled")
    assert int(shop.chain.call("eth_getTransactionCount", account, "latest"), 16) == 1
    shop.network.nodes[0].kill()
    # Two keys would leave open which one pays.
    refused = shop.network.start(0, *shop.flags(0), environment=shop.host.environment)
    assert refused.process.wait(30) == 2
    assert "--tee-wallet goes without --keystore, TEETEE_KEY" in refused.text(), refused.text()[-2000:]
    # The same key after a crash.
    shop.start(0)
    wait_until(lambda: account in shop.network.nodes[0].text(), 60, "the same account")
    key = (teetee.folder / "state-0/gas.key").stat()
    assert key.st_mode & 0o777 == 0o600


def test_a_host_chats_free(teetee):
    shop = Shop(teetee)
    chat = ["chat", "--as-host", *shop.network.chat_flags(), "--pool", shop.pool, "-n", 5, "-p", "Once upon a time"]
    answer = shop.host.json(*chat)
    assert answer["parts"][0]["tokens"] > 0 and "payment" not in answer, answer
    code, _, err = shop.payer.run(*chat)
    assert code == 1 and "host_unknown" in err, (code, err)
    assert shop.earned() == 0


def test_a_host_has_its_entry_settle(teetee):
    shop = Shop(teetee, settle_seconds=3600)
    # The first charge is settled at once; the next ones would wait.
    for amount in (500, 1000):
        assert shop.ask(amount)[0] == 200
    settle = ["settle", *shop.network.chat_flags(), "--pool", shop.pool]
    done = shop.host.json(*settle)
    assert done["done"] and done["charges"] == 2 and int(done["settled"]) == shop.earned(), done
    error = shop.payer.refused(1, *settle)
    assert "not the host" in error or "host_unknown" in error, error
