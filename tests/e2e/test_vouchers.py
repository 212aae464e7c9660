# SPDX-License-Identifier: Apache-2.0
"""Vouchers that entries open for their payers: signed once, no transaction of the payer's own."""
import os
import pathlib
import signal
import types

from chain import CHAIN_ID, Chain, typed_data_signature
from harness import wait_until
from test_money import SESSION, Shop
from test_up_chain import Up, descendants

PAYER = 2
STRANGER = 6


def chain_of(up: Up) -> Chain:
    chain = object.__new__(Chain)
    chain.teetee, chain.chain_id, chain.url = up.teetee, CHAIN_ID, up.ready["rpc_url"]
    chain.contract, chain.deployment = up.ready["contract"], pathlib.Path(up.ready["deployment"])
    chain.accounts = chain.call("eth_accounts")
    return chain


def signed(chain: Chain, pool: int, salt: int, signer=PAYER, **changes) -> dict:
    voucher = {"payer": chain.accounts[PAYER], "pool": pool, "session_key": chain.accounts[SESSION], "ceiling": "20000",
               "expiry": chain.now() + 3600, "salt": f"0x{salt:064x}"} | changes
    signature = typed_data_signature(chain, chain.accounts[signer], "Voucher", {
        "payer": ("address", voucher["payer"]), "pool": ("uint64", voucher["pool"]),
        "sessionKey": ("address", voucher["session_key"]), "ceiling": ("uint128", str(voucher["ceiling"])),
        "expiry": ("uint64", voucher["expiry"]), "salt": ("bytes32", voucher["salt"])})
    return voucher | {"signature": signature}


def sender_of(up: Up, chain: Chain) -> str:
    """Whose wallet it is that the entry sends with, by the log of openings."""
    topic = "0x" + chain.call("web3_sha3", "0x" + b"VoucherOpened(bytes32,address,uint64,address,uint128,uint64)".hex())[2:]
    logs = chain.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "address": chain.contract, "topics": [topic]})
    return chain.call("eth_getTransactionByHash", logs[-1]["transactionHash"])["from"]


def nonce(chain: Chain, account: str) -> int:
    return int(chain.call("eth_getTransactionCount", account, "latest"), 16)


def bought(up: Up, chain: Chain):
    """The payer has credits, and the entry knows it."""
    chain.wallet(PAYER).json("credits", "buy", 50_000)
    probe = signed(chain, up.ready["pool"], 0, ceiling=50_000, signer=STRANGER)
    wait_until(lambda: up.http.post("/v1/vouchers", probe)[1]["error"]["code"] == "signature_invalid", 30, "the credits are settled")


def test_a_payer_signs_once_and_has_answers(teetee):
    up = Up(teetee)
    chain, pool = chain_of(up), up.ready["pool"]
    terms = up.http.get("/v1/payment")[1]
    assert terms["opens_vouchers"] and int(terms["voucher_ceiling_min"]) == 1000, terms

    def refused(body: dict):
        status, answer = up.http.post("/v1/vouchers", body)
        return status, answer["error"]["code"], answer["error"]["message"]

    assert refused(signed(chain, pool, 1))[:2] == (402, "payment_required")
    bought(up, chain)
    own = nonce(chain, chain.accounts[PAYER])
    for body, status, code, word in (
            (signed(chain, pool, 1, signer=STRANGER), 400, "signature_invalid", "payer's key"),
            (signed(chain, pool, 1) | {"ceiling": "20001"}, 400, "signature_invalid", "payer's key"),
            (signed(chain, pool + 1, 1), 400, "field_invalid", "'pool'"),
            (signed(chain, pool, 1, ceiling="999"), 400, "field_invalid", "'ceiling'"),
            (signed(chain, pool, 1, ceiling="50001"), 402, "payment_required", "50000"),
            (signed(chain, pool, 1, expiry=chain.now() + 300), 400, "field_invalid", "'expiry'"),
            (signed(chain, pool, 1, expiry=chain.now() + 31 * 86400), 400, "field_invalid", "'expiry'"),
            ({"payer": chain.accounts[PAYER]}, 400, "field_invalid", "missing")):
        said = refused(body)
        assert said[:2] == (status, code) and word in said[2], (said, word)

    voucher = signed(chain, pool, 1)
    status, begun = up.http.post("/v1/vouchers", voucher)
    assert (status, begun["state"]) == (202, "opening"), begun
    # One at a time; asking again is asking how far it is.
    assert refused(signed(chain, pool, 2))[:2] == (429, "overloaded")
    again = up.http.post("/v1/vouchers", voucher)
    assert again[0] == 202 and again[1]["voucher"] == begun["voucher"], again
    wait_until(lambda: up.http.post("/v1/vouchers", voucher)[1]["state"] == "open", 30, "it is open")
    # The one transaction was the entry's, and the first of its wallet: what was refused cost nothing.
    assert nonce(chain, chain.accounts[PAYER]) == own
    assert nonce(chain, sender_of(up, chain)) == 1
    opened, = [v for v in chain.wallet(PAYER).json("voucher", "list")["vouchers"]]
    assert opened["voucher"] == begun["voucher"] and opened["ceiling"] == "20000", opened

    def counted(*lines: str) -> bool:
        text = up.http.get("/metrics")[1].decode()
        return all(f"\n{line}\n" in text for line in lines)

    wait_until(lambda: counted("teetee_vouchers_opened_total 1", "teetee_transactions_stuck 0",
                               'teetee_voucher_openings_refused_total{code="overloaded"} 1'), 20, "the openings are counted")
    shop = object.__new__(Shop)
    shop.chain, shop.session, shop.voucher = chain, chain.accounts[SESSION], begun["voucher"]
    shop.entry, shop.network = terms["entry"], types.SimpleNamespace(http=up.http)
    status, answer = shop.ask(500)
    assert status == 200 and shop.charged(answer) > 0, answer
    wait_until(lambda: shop.settled(answer), 60, "it is settled")
    up.stop()


def test_an_entry_that_dies_meanwhile_sends_one_transaction(teetee):
    up = Up(teetee, "--shards", 1)
    chain = chain_of(up)
    bought(up, chain)
    voucher = signed(chain, up.ready["pool"], 5)
    assert up.http.post("/v1/vouchers", voucher)[0] == 202
    entry = next(pid for pid in descendants(up.process.pid)
                 if b"--api-tls" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(entry, signal.SIGKILL)

    def is_open():
        try:
            status, answer = up.http.post("/v1/vouchers", voucher)
        except OSError:
            return False
        return status == 202 and answer["state"] == "open"

    wait_until(is_open, 60, "it is open")
    assert nonce(chain, sender_of(up, chain)) == 1
    assert up.process.stop(20) == 0


class ClosedShop(Shop):
    def flags(self, shard: int) -> list:
        return super().flags(shard) + (["--no-open-vouchers"] if shard == 0 else [])


def test_an_entry_that_opens_none_says_so(teetee):
    shop = ClosedShop(teetee)
    terms = shop.terms()
    assert terms["opens_vouchers"] is False and "voucher_ceiling_min" not in terms, terms
    status, answer = shop.network.http.post("/v1/vouchers", signed(shop.chain, shop.pool, 1))
    assert (status, answer["error"]["code"]) == (404, "route_unknown") and "openVoucher" in answer["error"]["message"], answer
