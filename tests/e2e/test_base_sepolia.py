# SPDX-License-Identifier: Apache-2.0
"""The script that deploys on Base Sepolia, on a chain that says it is that one."""
import json
import subprocess

from chain import CONTRACTS, KEYS, Chain

# Where Automata's contract is on Base Sepolia (docs/contracts-attestation.md).
AUTOMATA = "0xaddec7e85c2182202b66e331f2a4a0bbb2ceea1f"


def run(chain: Chain, *flags):
    environment = chain.teetee.environment | {"DEPLOYER": "0x" + KEYS[0], "RPC": chain.url,
                                              "OUT": str(chain.teetee.folder / "out.json")}
    return subprocess.run([CONTRACTS / "tools/base_sepolia", *flags], env=environment, capture_output=True, text=True,
                          timeout=240)


def test_a_dry_run_sends_nothing_and_send_deploys(teetee):
    chain = Chain(teetee, "--network", "optimism")
    refused = run(chain)
    assert refused.returncode == 1 and "NoContract" in refused.stderr + refused.stdout, refused
    # Whatever is there is asked only when a node registers.
    chain.call("anvil_setCode", AUTOMATA, "0x60006000fd")
    before = chain.nonce(0)
    dry = run(chain)
    assert dry.returncode == 0 and "nothing was sent" in dry.stdout and "AutomataVerifier" in dry.stdout, dry
    assert chain.nonce(0) == before and not (teetee.folder / "out.json").exists()
    sent = run(chain, "--send")
    assert sent.returncode == 0, sent
    record = json.loads((teetee.folder / "out.json").read_text())
    assert (record["chain_id"], record["kind"], record["wei_per_credit"]) == (84532, "automata", "1000000000"), record
    # As the script says to go on.
    chain.deployment = teetee.folder / "out.json"
    assert chain.wallet(1).json("pool", "list") == {"pools": []}


def test_another_chain_is_refused(teetee):
    refused = run(Chain(teetee, chain_id=31337))
    assert refused.returncode == 3 and "is of chain 31337, need 84532" in refused.stderr, refused
    assert run(Chain(teetee), "--sned").returncode == 2
