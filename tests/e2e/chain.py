# SPDX-License-Identifier: Apache-2.0
"""A chain of its own for a test (anvil from npm), with the contract on it, and wallets that have funds."""
import hashlib
import json
import struct
import subprocess
import urllib.request

from harness import ROOT, Skipped, free_ports, wait_until

CONTRACTS = ROOT / "contracts"
ANVIL = CONTRACTS / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
CHAIN_ID = 84532
WEI_PER_CREDIT = 1_000_000
# Of anvil's well-known mnemonic: account 0 deploys; the others are whose the tests say.
KEYS = ["ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"]
# A node's receipt key must sign typed data, which anvil does for its own accounts.
RECEIPT_ACCOUNT = 5
MEASUREMENT = "0x" + "3e" * 32


def artifact(file: str, name: str) -> dict:
    for folder in ("out/release", "out"):
        path = CONTRACTS / f"{folder}/{file}.sol/{name}.json"
        if path.exists():
            return json.loads(path.read_text())
    raise Skipped(f"contracts/out has no {name}: make contracts")


class Chain:
    def __init__(self, teetee, *flags, chain_id=CHAIN_ID, is_silent=True):
        if not ANVIL.exists():
            raise Skipped("no anvil: make contracts")
        bytecodes = artifact("TeeTee", "TeeTee"), artifact("MockVerifier", "StaticVerifier")
        self.teetee, self.chain_id = teetee, chain_id
        self.flags = [*flags, *(["--silent"] if is_silent else [])]
        self.port = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()
        self.accounts = self.call("eth_accounts")
        self.contract, self.block = self.deploy(bytecodes[0], WEI_PER_CREDIT)
        self.verifier, _ = self.deploy(bytecodes[1])
        self.deployment = teetee.folder / f"deployment-{self.port}.json"
        self.deployment.write_text(json.dumps({
            "version": 1, "chain_id": chain_id, "contract": self.contract, "verifier": self.verifier, "kind": "dev",
            "block": self.block, "wei_per_credit": str(WEI_PER_CREDIT), "gas": 1, "contracts": []}))

    def deploy_with_dev_verifier(self):
        """The contract with the verifier of dev TEEs, which checks real quotes of theirs."""
        record = self.teetee.folder / "real-deployment.json"
        done = subprocess.run(["node", CONTRACTS / "tools/deploy", "--rpc", self.url, "--key-env", "DEPLOYER", "--out", record],
                              env=self.teetee.environment | {"DEPLOYER": "0x" + KEYS[0]}, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        self.deployment = record
        self.contract = json.loads(record.read_text())["contract"]

    def start(self):
        self.process = self.teetee.start("--host", "127.0.0.1", "--port", self.port, "--chain-id", self.chain_id,
                                         *self.flags, program=ANVIL)
        wait_until(self.listens, 20, "anvil listens")

    def listens(self) -> bool:
        try:
            return bool(self.call("eth_chainId"))
        except OSError:
            return False

    def call(self, method: str, *parameters):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as response:
            answer = json.loads(response.read())
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def deploy(self, contract: dict, *words) -> tuple[str, int]:
        data = contract["bytecode"]["object"] + "".join(f"{word:064x}" for word in words)
        sent = self.call("eth_sendTransaction", {"from": self.accounts[0], "data": data, "gas": hex(12_000_000)})
        receipt = wait_until(lambda: self.call("eth_getTransactionReceipt", sent), 20, "the contract is deployed")
        assert receipt["status"] == "0x1", receipt
        return receipt["contractAddress"], int(receipt["blockNumber"], 16)

    def mine(self, blocks=1):
        self.call("anvil_mine", hex(blocks))

    def pass_time(self, seconds: int):
        self.call("evm_increaseTime", seconds)
        self.mine()

    def now(self) -> int:
        return int(self.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def nonce(self, wallet: int) -> int:
        return int(self.call("eth_getTransactionCount", self.accounts[wallet], "latest"), 16)

    def wallet(self, number: int) -> "Wallet":
        return Wallet(self, number)


class Wallet:
    """Runs commands with one of anvil's accounts."""

    def __init__(self, chain: Chain, number: int, key=None):
        self.chain, self.number = chain, number
        self.address = chain.accounts[number]
        self.environment = {"TEETEE_RPC": chain.url, "TEETEE_DEPLOYMENT": str(chain.deployment),
                            "TEETEE_KEY": key or KEYS[number]}

    def run(self, *arguments, environment=None, **kwargs):
        teetee = self.chain.teetee
        before = teetee.environment
        teetee.environment = before | self.environment | (environment or {})
        try:
            return teetee.run(*arguments, **kwargs)
        finally:
            teetee.environment = before

    def json(self, *arguments, **kwargs) -> dict:
        code, out, err = self.run(*arguments, "--json", **kwargs)
        assert code == 0, f"{arguments}: exit {code}\n{out[-1000:]}\n{err[-3000:]}"
        return json.loads(out)

    def refused(self, exit_code: int, *arguments, **kwargs) -> str:
        """What a command says that must fail."""
        code, out, err = self.run(*arguments, **kwargs)
        assert code == exit_code, (arguments, code, out, err)
        return err

    def start(self, *arguments):
        return self.chain.teetee.start(*arguments, environment=self.environment)

    def credits(self) -> int:
        return int(self.json("credits", "balance")["credits"])


def word(value) -> str:
    return f"{value:064x}" if isinstance(value, int) else value.removeprefix("0x").rjust(64, "0")


DOMAIN_TYPE = [{"name": "name", "type": "string"}, {"name": "version", "type": "string"},
               {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}]


def typed_data_signature(chain: Chain, signer: str, primary: str, fields: dict) -> str:
    """EIP-712 of {name: (type, value)} by one of anvil's accounts."""
    return chain.call("eth_signTypedData_v4", signer, {
        "types": {"EIP712Domain": DOMAIN_TYPE,
                  primary: [{"name": name, "type": kind} for name, (kind, _) in fields.items()]},
        "primaryType": primary, "message": {name: value for name, (_, value) in fields.items()},
        "domain": {"name": "TeeTee", "version": "1", "chainId": chain.chain_id, "verifyingContract": chain.contract}})


def sign(chain: Chain, primary: str, types: dict, message: dict) -> str:
    """By the receipt key, 65 bytes."""
    fields = {name: [dict(zip(("type", "name"), member.split())) for member in text.split(",")] for name, text in types.items()}
    return chain.call("eth_signTypedData_v4", chain.accounts[RECEIPT_ACCOUNT], {
        "types": {"EIP712Domain": DOMAIN_TYPE, **fields}, "primaryType": primary, "message": message,
        "domain": {"name": "TeeTee", "version": "1", "chainId": chain.chain_id, "verifyingContract": chain.contract}})


def send_as_payer(chain: Chain, data: str, value=0):
    """By account 9."""
    sent = chain.call("eth_sendTransaction", {"from": chain.accounts[9], "to": chain.contract, "data": data,
                                              "value": hex(value)})
    receipt = wait_until(lambda: chain.call("eth_getTransactionReceipt", sent), 20, "a block takes it")
    assert receipt["status"] == "0x1", receipt


def pay_query(chain: Chain, query: list, total: int):
    """Pool, entry, hash of the request, prompt and completion tokens at most, deadline. A chain's first has number 1."""
    send_as_payer(chain, "0x1e8fa849" + "".join(map(word, query)), total * WEI_PER_CREDIT)


def settle_a_query(chain: Chain, pool: int, node: int, tokens: int, total: int):
    """Account 9 pays for a query of so many tokens each way, and the pool's only node settles it."""
    root = "0x" + "77" * 32
    pay_query(chain, [pool, chain.accounts[RECEIPT_ACCOUNT], "0x" + "88" * 32, tokens, tokens, chain.now() + 3600],
              total)
    signature = sign(chain, "Settlement", {
        "Settlement": "uint64 pool,uint64 entryNode,uint64 promptTokens,uint64 completionTokens,uint128 total,"
                      "bytes32 receiptsRoot,Spent[] spends,Served[] queries,Worked[] work",
        "Spent": "bytes32 voucher,uint128 amount", "Served": "uint64 query,uint128 amount",
        "Worked": "uint64 node,uint64 tokens"},
        {"pool": pool, "entryNode": node, "promptTokens": tokens, "completionTokens": tokens, "total": total,
         "receiptsRoot": root, "spends": [], "queries": [{"query": 1, "amount": total}],
         "work": [{"node": node, "tokens": 2 * tokens}]})[2:]
    # The compact form of ERC-2098: the parity is in the top bit of s.
    vs = int(signature[64:128], 16) | (int(signature[128:], 16) - 27) << 255
    batch = [pool, node, tokens, tokens, total, root, 9 * 32, 10 * 32, 13 * 32, 0, 1, 1, total,
             1, node, 2 * tokens, signature[:64], vs]
    send_as_payer(chain, "0xd60d9a6c" + "".join(map(word, [32, *batch])))


def statement(chain: Chain, pool: dict, slot: int, **changes) -> bytes:
    """As src/attest/statement.hpp says."""
    layers = pool["slots"][slot]["layers"]
    fields = {"chain_id": chain.chain_id, "pool": pool["pool"], "model_root": pool["model_root"], "layers": layers,
              "policy_hash": pool["policy_hash"], "not_before": chain.now() - 60,
              "not_after": chain.now() + 3600} | changes

    def prefixed(data: bytes) -> bytes:
        return struct.pack("<I", len(data)) + data

    receipt_address = chain.accounts[RECEIPT_ACCOUNT]
    return b"".join([
        prefixed(b"teetee statement v2"), b"\1", prefixed(b"1.0"), struct.pack("<Q", fields["chain_id"]),
        bytes.fromhex(chain.contract[2:]), struct.pack("<Q", fields["pool"]), bytes.fromhex(fields["model_root"][2:]),
        b"\x55" * 32, struct.pack("<II", *fields["layers"]), bytes.fromhex(fields["policy_hash"][2:]),
        prefixed(b"\x30\x00"), b"\x66" * 32, bytes.fromhex(receipt_address[2:]),
        struct.pack("<QQ", fields["not_before"], fields["not_after"])])


def registration(chain: Chain, host: Wallet, pool: dict, slot: int, endpoint="tls://node.example:7000", **changes) -> dict:
    """A registration file of a node whose receipt key is RECEIPT_ACCOUNT's."""
    encoded = statement(chain, pool, slot, **changes)
    signature = sign(chain, "Registration", {
        "Registration": "address host,uint64 pool,uint16 slot,bytes32 statementHash,string endpoint"},
        {"host": host.address, "pool": pool["pool"], "slot": slot,
         "statementHash": "0x" + hashlib.sha256(encoded).hexdigest(), "endpoint": endpoint})
    return {"version": 1, "chain_id": chain.chain_id, "contract": chain.contract.lower(), "pool": pool["pool"],
            "slot": slot, "host": host.address.lower(), "endpoint": endpoint, "statement": "0x" + encoded.hex(),
            "quote": "0x01", "signature": signature}
