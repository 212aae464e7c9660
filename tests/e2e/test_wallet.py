# SPDX-License-Identifier: Apache-2.0
"""Commands by which people deal with the contract, on a real chain."""
import json
import os
import pty
import signal
import time

from chain import MEASUREMENT, WEI_PER_CREDIT, Chain, registration, settle_a_query
from harness import STORY_MODEL, wait_until

DAY = 24 * 3600


def network_files(teetee, shards=2):
    """Manifest and policy as `teetee up` would write them."""
    folder = teetee.folder / "files"
    code, _, err = teetee.run("up", "--prepare-only", "--shards", shards, "--model", STORY_MODEL, "--dir", folder)
    assert code == 0, err
    return folder / "manifest.json", folder / "policy.json"


def create_pool(creator, files) -> dict:
    manifest, policy = files
    made = creator.json("pool", "create", "--manifest", manifest, "--policy", policy, "--prices", "2,5", "--fee-bps", 250,
                        "--measurement", MEASUREMENT, "--manifest-uri", "https://models.example/story")
    return creator.json("pool", "show", made["pool"])


def write(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def evidence(chain, expiry):
    """What the tests' verifier believes: abi.encode(measurement, expiry)."""
    return write(chain.teetee.folder / "evidence.hex", MEASUREMENT + f"{expiry:064x}")


def test_credits_are_bought_and_paid_back(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    before = int(chain.call("eth_getBalance", wallet.address, "latest"), 16)
    bought = wallet.json("credits", "buy", 1000)
    assert (bought["credits"], bought["paid_wei"], bought["resumed"]) == ("1000", str(1000 * WEI_PER_CREDIT), False), bought
    after = int(chain.call("eth_getBalance", wallet.address, "latest"), 16)
    assert before - after == 1000 * WEI_PER_CREDIT + int(bought["gas_cost_wei"])
    code, out, _ = wallet.run("credits", "buy", "--eth", "0.000000001", "--for", chain.accounts[2])
    assert code == 0 and "bought 1000 credits (0.000000001 ETH)" in out, out
    assert chain.wallet(2).credits() == 1000

    assert "have 1000 credits (0.000000001 ETH), need 1001" in wallet.refused(1, "credits", "refund", 1001)
    assert "no refund was asked for" in wallet.refused(1, "credits", "refund")
    asked = wallet.json("credits", "refund", 400)
    assert (asked["credits"], asked["refund"]) == ("600", "400"), asked
    assert "400 credits (0.0000000004 ETH) are ready from" in wallet.refused(1, "credits", "refund")
    assert wallet.json("credits", "refund", "--cancel")["credits"] == "1000"
    assert "nothing to cancel" in wallet.refused(1, "credits", "refund", "--cancel")
    wallet.json("credits", "refund", "--all")
    chain.pass_time(DAY)
    code, out, _ = wallet.run("credits", "balance")
    assert code == 0 and "on the way back: 1000 credits (0.000000001 ETH), ready" in out, out
    to = "0x00000000000000000000000000000000000000AA"
    paid = wallet.json("credits", "refund", "--to", to)
    assert (paid["paid_back"], paid["refund"], paid["credits"]) == ("1000", "0", "0"), paid
    assert int(chain.call("eth_getBalance", to, "latest"), 16) == 1000 * WEI_PER_CREDIT


def test_a_killed_purchase_pays_once_and_two_purchases_twice(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    chain.call("evm_setAutomine", False)
    first = wallet.start("credits", "buy", 10)
    wait_until(lambda: "sent transaction" in first.text(), 20, "it is on its way")
    first.kill()
    # Not in a block yet: the next run waits for the same transaction.
    second = wallet.start("credits", "buy", 10)
    wait_until(lambda: "goes on; nothing is sent anew" in second.text(), 20, "the second run knows of the first")
    time.sleep(1)
    second.kill()
    assert int(chain.call("eth_getTransactionCount", wallet.address, "pending"), 16) == 1
    chain.call("evm_setAutomine", True)
    chain.mine()
    assert chain.nonce(1) == 1
    # In a block, and nobody was told.
    done = wallet.json("credits", "buy", 10)
    assert (done["resumed"], done["credits"]) == (True, "10"), done
    assert chain.nonce(1) == 1 and wallet.credits() == 10
    # Now it was told: this is another purchase.
    again = wallet.json("credits", "buy", 10)
    assert (again["resumed"], again["credits"]) == (False, "20"), again
    assert chain.nonce(1) == 2


def test_a_purchase_killed_before_its_confirmations_pays_once(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    first = wallet.start("credits", "buy", 7, "--confirmations", 3)
    wait_until(lambda: "is in block" in first.text(), 20, "it is in a block")
    first.kill()
    # Another command leaves it alone, and says that it is there.
    code, _, err = wallet.run("credits", "buy", 1)
    assert code == 0 and "an earlier 'credits buy 7 for" in err, err
    chain.mine(3)
    done = wallet.json("credits", "buy", 7)
    assert (done["resumed"], done["credits"]) == (True, "8"), done
    assert chain.nonce(1) == 2


def test_a_command_that_is_interrupted_says_what_is_under_way(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    chain.call("evm_setAutomine", False)
    process = wallet.start("credits", "buy", 3)
    wait_until(lambda: "sent transaction" in process.text(), 20, "it is on its way")
    process.process.send_signal(signal.SIGINT)
    assert process.process.wait(10) == 3
    assert "was sent and may yet be taken" in process.text() and "run the same command again" in process.text()
    late = wallet.refused(3, "credits", "buy", 3, "--wait-seconds", 5)
    assert "may yet be taken" in late, late
    chain.mine()
    assert wallet.json("credits", "buy", 3)["resumed"]
    assert wallet.credits() == 3


def test_a_named_purchase_happens_once(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    first = wallet.json("credits", "buy", 5, "--once", "monday")
    again = wallet.json("credits", "buy", 5, "--once", "monday")
    assert (again["resumed"], again["transaction"]) == (True, first["transaction"]), again
    assert "was 'credits buy 5 for" in wallet.refused(2, "credits", "buy", 6, "--once", "monday")
    assert wallet.json("credits", "buy", 5, "--once", "tuesday")["credits"] == "10"
    assert chain.nonce(1) == 2


def test_two_commands_of_one_wallet_take_turns(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    runs = [wallet.start("credits", "buy", 10 + i) for i in range(4)]
    for run in runs:
        assert run.process.wait(60) == 0, run.text()
    assert wallet.credits() == 10 + 11 + 12 + 13
    assert chain.nonce(1) == 4


def test_a_dry_run_sends_nothing(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    shown = wallet.json("credits", "buy", 10, "--dry-run")
    assert shown["dry_run"] and shown["value_wei"] == str(10 * WEI_PER_CREDIT) and shown["gas"] > 21000, shown
    assert 0 < int(shown["gas_cost_wei"]) <= int(shown["gas_cost_max_wei"]), shown
    code, out, _ = wallet.run("credits", "buy", 10, "--dry-run")
    assert code == 0 and "would buy 10 credits (0.00000000001 ETH)" in out and "nothing was sent" in out, out
    assert "have 0 credits" in wallet.refused(1, "credits", "refund", 1, "--dry-run")
    assert chain.nonce(1) == 0 and wallet.credits() == 0


def test_wrong_inputs_have_errors_of_their_own(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    for arguments, part in [
            (["credits", "buy"], "need either a number of credits or --eth"),
            (["credits", "buy", 0], "need a whole number above 0"),
            (["credits", "buy", "1.5"], "need a whole number above 0"),
            (["credits", "buy", "--eth", "0.0000000000000001"], "need a multiple of 0.000000000001 ETH"),
            (["credits", "buy", 1, "--for", "0x12"], "--for: "),
            (["credits", "refund", 1, "--all"], "need one of AMOUNT, --all and --cancel"),
            (["credits", "balance", "--account", chain.accounts[1][:-1] + "g"], "--account: "),
            (["credits", "balance", "--contract", "0x12"], "--contract: "),
            (["credits", "buy", 1, "--max-fee-gwei", "many"], "--max-fee-gwei"),
            (["pool", "prices", 1, "2;5"], "such as 2,5"),
            (["voucher", "show", "0x12"], "voucher: "),
            (["register", teetee.folder / "none.json", "--chain-id", "1"], "not_found")]:
        code, _, err = wallet.run(*arguments)
        assert code in (2, 3) and part in err, (arguments, code, err)
    for lacking, part in [({"TEETEE_RPC": ""}, "need --rpc"), ({"TEETEE_DEPLOYMENT": ""}, "need --deployment"),
                          ({"TEETEE_KEY": ""}, "need a wallet"), ({"TEETEE_KEY": "12"}, "TEETEE_KEY: need a key")]:
        err = wallet.refused(2, "credits", "buy", 1, environment=lacking)
        assert part in err and "12" not in err.replace("127.0.0.1", ""), err
    assert "have chain 84532, need 31337" in wallet.refused(3, "credits", "balance", "--chain-id", 31337)
    err = wallet.refused(3, "credits", "balance", "--rpc", "http://127.0.0.1:1")
    assert "rpc_unavailable" in err and "http://127.0.0.1:1" in err, err
    err = wallet.refused(3, "credits", "balance", "--contract", chain.verifier)
    assert "have no TeeTee contract at" in err, err
    poor = wallet.refused(1, "credits", "buy", 10 ** 20)
    assert "has 10000 ETH, needs 100000000" in poor, poor
    out = json.loads(wallet.run("credits", "refund", 5, "--json")[1])
    assert out["error"]["code"] == "call_reverted" and "need 5" in out["error"]["detail"], out


def test_several_endpoints_must_agree_and_one_may_be_away(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    three = {"TEETEE_RPC": f"{chain.url},http://127.0.0.1:1,{chain.url}/"}
    assert wallet.json("credits", "buy", 4, environment=three)["credits"] == "4"
    other = Chain(teetee, chain_id=31337)
    err = wallet.refused(3, "credits", "balance", "--rpc", chain.url, "--rpc", other.url)
    assert "need 84532" in err, err


def test_a_dev_chain_that_begins_anew_owes_nothing(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    chain.call("evm_setAutomine", False)
    process = wallet.start("credits", "buy", 3)
    wait_until(lambda: "sent transaction" in process.text(), 20, "it is on its way")
    process.kill()
    chain.process.kill()
    # Its first block is told from the one before by its second.
    time.sleep(1.1)
    again = Chain(teetee)
    assert again.contract == chain.contract
    code, out, err = again.wallet(1).run("credits", "buy", 3, "--json")
    assert code == 0 and "the dev chain has begun anew" in err, err
    bought = json.loads(out)
    assert (bought["resumed"], bought["credits"]) == (False, "3"), bought


def test_a_pool_is_offered_shown_and_changed(teetee):
    chain = Chain(teetee)
    creator, other = chain.wallet(1), chain.wallet(2)
    files = network_files(teetee)
    assert creator.json("pool", "list") == {"pools": []}
    loose = json.loads(files[1].read_text())
    loose["measurements"] = [{"mrtd": loose["measurements"][0]["mrtd"]}]
    loose = write(teetee.folder / "loose.json", loose)
    err = creator.refused(2, "pool", "create", "--manifest", files[0], "--policy", loose, "--prices", "2,5")
    assert "rtmr0" in err and "--measurement" in err, err
    pool = create_pool(creator, files)
    manifest = json.loads(files[0].read_text())
    assert pool["model_root"] == "0x" + manifest["model_root"]
    assert [slot["layers"] for slot in pool["slots"]] == [[s["layer_begin"], s["layer_end"]] for s in manifest["shards"]]
    assert (pool["prices"], pool["fee_bps"]) == ({"prompt": 2, "completion": 5}, 250)
    assert pool["verifier"].lower() == chain.verifier.lower()
    assert [m["measurement"] for m in pool["measurements"] if m["accepted"]] == [MEASUREMENT]
    code, out, _ = other.run("pool", "list")
    assert code == 0 and "pool 1: model" in out and "0 of 2 slots served" in out, out
    code, out, _ = other.run("pool", "show", 1)
    assert code == 0 and "2 credits (0.000000000002 ETH) a prompt token" in out, out
    assert "there is no pool 2" in other.refused(1, "pool", "show", 2)

    assert "need 0x" in other.refused(1, "pool", "prices", 1, "3,6")
    chain.pass_time(DAY)
    creator.json("pool", "prices", 1, "3,6")
    shown = creator.json("pool", "show", 1)
    assert (shown["prices"]["prompt"], shown["next_prices"]["prompt"]) == (2, 3), shown
    chain.pass_time(3601)
    assert creator.json("pool", "show", 1)["prices"] == {"prompt": 3, "completion": 6}
    err = creator.refused(1, "pool", "prices", 1, "1,1")
    assert "TooEarly" in err and "not yet" in err, err

    code = "0x" + "4f" * 32
    creator.json("pool", "measurement", "accept", 1, "--measurement", code)
    accepted = {m["measurement"]: m for m in creator.json("pool", "show", 1)["measurements"]}
    assert not accepted[code]["accepted"] and accepted[code]["from"] > chain.now()
    creator.json("pool", "measurement", "revoke", 1, "--measurement", MEASUREMENT)
    accepted = {m["measurement"]: m for m in creator.json("pool", "show", 1)["measurements"]}
    assert accepted[MEASUREMENT]["revoked"] and not accepted[MEASUREMENT]["accepted"]
    policy = write(teetee.folder / "policy.json", files[1].read_text() + "\n")
    creator.json("pool", "policy", 1, "--policy", policy, "--policy-uri", "https://models.example/policy")
    assert creator.json("pool", "show", 1)["next_policy"]["policy_uri"] == "https://models.example/policy"

    creator.json("pool", "offer", 1, other.address)
    other.json("pool", "take", 1)
    assert "need 0x" in creator.refused(1, "pool", "close", 1)
    other.json("pool", "close", 1)
    assert other.json("pool", "list") == {"pools": []}
    assert other.json("pool", "list", "--all")["pools"][0]["closed"]


def test_a_node_is_registered_renewed_and_leaves(teetee):
    chain = Chain(teetee)
    creator, host = chain.wallet(1), chain.wallet(2)
    pool = create_pool(creator, network_files(teetee))
    proof = evidence(chain, chain.now() + 1000)
    good = registration(chain, host, pool, 1)
    path = teetee.folder / "registration.json"

    def refused(exit_code, file, wallet=host):
        write(path, file)
        return wallet.refused(exit_code, "register", path, "--evidence", proof)

    assert "registration.version" in refused(2, "{}")
    assert "registration.host" in refused(1, good, creator)
    assert "registration.chain_id" in refused(1, good | {"chain_id": 1})
    assert "need one of teetee pool list" in refused(1, good | {"pool": 9})
    assert "need one below 2" in refused(1, good | {"slot": 5})
    assert "statement.layers" in refused(1, good | {"slot": 0})
    assert "registration.signature" in refused(1, good | {"endpoint": "tls://other.example:7000"})
    assert "statement_malformed" in refused(1, good | {"statement": good["statement"][:-2]})
    assert "statement.model_root" in refused(1, registration(chain, host, pool, 1, model_root="0x" + "11" * 32))
    assert "statement.policy_hash" in refused(1, registration(chain, host, pool, 1, policy_hash="0x" + "11" * 32))
    assert "let the node make a new one" in refused(1, registration(chain, host, pool, 1, not_after=chain.now() - 1))
    write(path, good)
    assert "quote" in host.refused(1, "register", path)
    bad = write(teetee.folder / "bad.hex", "0x" + "4f" * 32 + f"{chain.now() + 1000:064x}")
    err = host.refused(1, "register", path, "--evidence", bad)
    assert "MeasurementUnknown" in err and "teetee pool measurement accept" in err, err
    assert chain.nonce(2) == 0

    shown = host.json("register", path, "--evidence", proof, "--dry-run")
    assert "register a node for slot 1 of pool 1" in shown["summary"], shown
    made = host.json("register", path, "--evidence", proof)
    assert (made["node"], made["pool"], made["slot"], made["measurement"]) == (1, 1, 1, MEASUREMENT), made
    node = host.json("pool", "show", 1)["slots"][1]["nodes"][0]
    assert node["live"] and node["endpoint"] == "tls://node.example:7000", node
    assert node["host"].lower() == host.address.lower(), node
    err = host.refused(1, "register", path, "--evidence", proof)
    assert "is node 1 already: teetee renew" in err, err

    earned = host.json("earnings")
    assert earned["earnings"] == "0" and earned["nodes"][0]["live"], earned
    assert "has earned nothing" in host.refused(1, "withdraw")

    write(path, registration(chain, host, pool, 1, endpoint="tls://moved.example:7000"))
    renewed = host.json("renew", path, "--evidence", evidence(chain, chain.now() + 2000))
    assert renewed["node"] == 1 and renewed["expiry"] > made["expiry"], renewed
    assert host.json("pool", "show", 1)["slots"][1]["nodes"][0]["endpoint"] == "tls://moved.example:7000"

    assert "need its host's" in creator.refused(1, "leave", 1)
    assert "there is no node 7" in host.refused(1, "leave", 7)
    host.json("leave", 1)
    assert host.json("pool", "show", 1)["slots"][1]["nodes"] == []
    assert "node 1 has left" in host.refused(1, "leave", 1)
    assert "is of a node that left" in host.refused(1, "renew", path, "--evidence", proof)


def test_earnings_are_shown_and_withdrawn(teetee):
    chain = Chain(teetee)
    creator, host = chain.wallet(1), chain.wallet(2)
    pool = create_pool(creator, network_files(teetee, shards=1))
    path = write(teetee.folder / "registration.json", registration(chain, host, pool, 0))
    host.json("register", path, "--evidence", evidence(chain, chain.now() + 1000))
    # 10 tokens each way at 2 and 5 credits; of 70 credits 2.5 % are the creator's, rounded down.
    settle_a_query(chain, pool["pool"], node=1, tokens=10, total=70)
    assert creator.json("earnings")["earnings"] == "1"
    code, out, _ = host.run("earnings")
    assert code == 0 and "has earned 69 credits (0.000000000069 ETH): teetee withdraw" in out, out
    assert "node 1: pool 1, slot 0, live" in out, out
    to = "0x00000000000000000000000000000000000000bb"
    assert "withdraw 69 credits" in host.json("withdraw", "--to", to, "--dry-run")["summary"]
    paid = host.json("withdraw", "--to", to)
    assert (paid["withdrawn"], paid["withdrawn_wei"]) == ("69", str(69 * WEI_PER_CREDIT)), paid
    assert int(chain.call("eth_getBalance", to, "latest"), 16) == 69 * WEI_PER_CREDIT
    assert host.json("earnings")["earnings"] == "0"


def test_a_voucher_is_opened_ended_and_reclaimed(teetee):
    chain = Chain(teetee)
    creator, payer = chain.wallet(1), chain.wallet(2)
    create_pool(creator, network_files(teetee))
    session_key = chain.accounts[7]
    terms = ["voucher", "open", "--pool", 1, "--session-key", session_key, "--ceiling", 30]
    payer.json("credits", "buy", 10)
    err = payer.refused(1, *terms)
    assert "have 10 credits (0.00000000001 ETH), need 30: teetee credits buy 20" in err, err
    payer.json("credits", "buy", 50)
    voucher = payer.json(*terms, "--days", 30)
    assert (voucher["pool"], voucher["ceiling"], voucher["session_key"]) == (1, "30", voucher["session_key"]), voucher
    assert payer.credits() == 30
    shown = payer.json("voucher", "show", voucher["voucher"])
    assert (shown["remaining"], shown["reclaimed"], shown["claims"]) == ("30", False, []), shown
    assert len(payer.json("voucher", "list")["vouchers"]) == 1
    assert "NotYours" in creator.refused(1, "voucher", "end", voucher["voucher"])
    payer.json("voucher", "end", voucher["voucher"])
    assert "TooEarly" in payer.refused(1, "voucher", "reclaim", voucher["voucher"])
    chain.pass_time(7 * DAY + 2)
    payer.json("voucher", "reclaim", voucher["voucher"])
    assert payer.credits() == 60
    assert "was not opened" in payer.refused(1, "voucher", "show", "0x" + "11" * 32)


def test_a_keystore_holds_a_wallet(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    keystore, password = teetee.folder / "key.json", write(teetee.folder / "password", "correct horse\n")
    made = wallet.json("account", "new", "--import", "--keystore", keystore, "--password-file", password)
    assert made["address"].lower() == wallet.address.lower(), made
    assert keystore.stat().st_mode & 0o777 == 0o600
    assert "is not overwritten" in wallet.refused(2, "account", "new", "--keystore", keystore, "--password-file", password)
    bare = {"TEETEE_KEY": "", "TEETEE_KEYSTORE": str(keystore)}
    assert wallet.json("account", "show", environment=bare)["address"] == made["address"]
    assert wallet.json("account", "show", "--check", "--password-file", password, environment=bare)["checked"]
    # Looking and dry runs take no password.
    assert wallet.json("credits", "balance", environment=bare)["credits"] == "0"
    assert wallet.json("credits", "buy", 3, "--dry-run", environment=bare)["dry_run"]
    err = wallet.refused(2, "credits", "buy", 3, environment=bare)
    assert "need --password-file, TEETEE_KEYSTORE_PASSWORD, or a terminal" in err, err
    err = wallet.refused(1, "credits", "buy", 3, environment=bare | {"TEETEE_KEYSTORE_PASSWORD": "wrong"})
    assert "keystore_locked" in err and "wrong" not in err, err
    assert wallet.json("credits", "buy", 3, environment=bare | {"TEETEE_KEYSTORE_PASSWORD": "correct horse"})["credits"] == "3"
    new = wallet.json("account", "new", "--keystore", teetee.folder / "new.json", "--password-file", password)
    assert new["address"] != made["address"]


def on_terminal(wallet, *arguments, answers: dict, environment=None):
    """(exit code, what the terminal showed) of a command whose questions are answered."""
    pid, terminal = pty.fork()
    if pid == 0:
        teetee = wallet.chain.teetee
        words = [str(teetee.program), *map(str, arguments)]
        os.execve(teetee.program, words, teetee.environment | wallet.environment | (environment or {}))
    shown, left, deadline = "", dict(answers), time.time() + 60
    while time.time() < deadline:
        try:
            piece = os.read(terminal, 4096).decode(errors="replace")
        except OSError:
            break
        if not piece:
            break
        shown += piece
        for question in [q for q in left if q in shown]:
            os.write(terminal, (left.pop(question) + "\n").encode())
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown


def real_chain(teetee):
    """One that is no dev chain: it asks, and waits for three blocks."""
    return Chain(teetee, "--block-time", "1", chain_id=8453)


def test_money_moves_on_a_real_chain_only_when_somebody_agrees(teetee):
    chain = real_chain(teetee)
    wallet = chain.wallet(1)
    code, shown = on_terminal(wallet, "credits", "buy", 10, answers={"send it?": "n"})
    assert code == 1 and "would buy 10 credits (0.00000000001 ETH)" in shown and "nothing was sent" in shown, shown
    assert chain.nonce(1) == 0
    code, shown = on_terminal(wallet, "credits", "buy", 10, answers={"send it?": "y"})
    assert code == 0 and "waiting for its confirmations" in shown and "bought 10 credits" in shown, shown
    code, shown = on_terminal(wallet, "credits", "buy", 5, "--yes", answers={})
    assert code == 0 and "send it?" not in shown, shown
    # Without a terminal nobody can be asked.
    assert wallet.json("credits", "buy", 5)["credits"] == "20"


def test_fees_of_a_rollup_are_shown_and_bounded(teetee):
    chain = real_chain(teetee)
    wallet = chain.wallet(1)
    # An oracle that wants 1 ETH for whatever is published.
    chain.call("anvil_setCode", "0x420000000000000000000000000000000000000F", "0x670de0b6b3a764000060005260206000f3")
    shown = wallet.json("credits", "buy", 10, "--dry-run")
    assert 10 ** 18 < int(shown["gas_cost_wei"]) < 11 * 10 ** 17, shown
    chain.call("anvil_setNextBlockBaseFeePerGas", hex(50 * 10 ** 9))
    chain.mine()
    assert "fee_too_high" in wallet.refused(3, "credits", "buy", 10, "--max-fee-gwei", 2)
    chain.call("anvil_setBalance", wallet.address, hex(10 ** 18))
    assert "with the most that gas may cost" in wallet.refused(1, "credits", "buy", 10)


def test_a_real_chain_does_not_begin_anew(teetee):
    chain = real_chain(teetee)
    assert chain.wallet(1).json("credits", "buy", 1)["credits"] == "1"
    chain.process.kill()
    time.sleep(1.1)
    again = real_chain(teetee)
    assert again.contract == chain.contract
    err = again.wallet(1).refused(3, "credits", "buy", 1)
    assert "chain_mismatch" in err and "it was another one before" in err, err


def test_a_password_is_asked_for_without_echo(teetee):
    chain = Chain(teetee)
    wallet = chain.wallet(1)
    keystore = teetee.folder / "key.json"
    secret = "correct horse"
    answers = {"new password: ": secret, "the same again: ": secret}
    code, shown = on_terminal(wallet, "account", "new", "--import", "--keystore", keystore, answers=answers)
    assert code == 0 and secret not in shown, shown
    bare = {"TEETEE_KEY": "", "TEETEE_KEYSTORE": str(keystore)}
    code, shown = on_terminal(wallet, "credits", "buy", 2, answers={"password of": secret}, environment=bare)
    assert code == 0 and "bought 2 credits" in shown and secret not in shown, shown
    answers = {"new password: ": secret, "the same again: ": "other"}
    code, shown = on_terminal(wallet, "account", "new", "--keystore", teetee.folder / "b.json", answers=answers)
    assert code == 2 and "the passwords differ" in shown, shown
