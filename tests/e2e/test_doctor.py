# SPDX-License-Identifier: Apache-2.0
"""`teetee doctor` in set-ups that are broken on purpose: it must name the cause and the fix, and nothing that is not so."""
import http.server
import json
import os
import resource
import shutil
import socket
import subprocess
import threading
import time

from harness import Network, Skipped, Teetee, free_ports, wait_until
from pccs import Pccs

CONTRACT = "0x" + "11" * 20
CHAIN_ID = 84532


class Rpc:
    """An Ethereum node's JSON-RPC over HTTP, as far as questions about the head, code and reverted calls go."""

    def __init__(self, chain_id=CHAIN_ID, code="0x6001", age_s=0, has_oracle=False):
        double = self
        self.chain_id, self.code, self.age_s, self.has_oracle = chain_id, code, age_s, has_oracle

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                call = json.loads(self.rfile.read(int(self.headers["content-length"])))
                body = json.dumps({"jsonrpc": "2.0", "id": call["id"]} | double.answer(call["method"], call["params"])).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, method, parameters):
        if method == "eth_chainId":
            return {"result": hex(self.chain_id)}
        if method == "eth_getCode":
            is_oracle = parameters[0].startswith("0x42")
            return {"result": ("0x60" if self.has_oracle else "0x") if is_oracle else self.code}
        if method == "eth_getBlockByNumber":
            return {"result": {"number": "0x10", "hash": "0x" + "aa" * 32, "parentHash": "0x" + "bb" * 32,
                               "timestamp": hex(int(time.time()) - self.age_s), "baseFeePerGas": "0x1"}}
        if method == "eth_call":
            # PoolUnknown or any other revert: what is asked about is not there.
            return {"error": {"code": 3, "message": "execution reverted", "data": "0x"}}
        return {"error": {"code": -32601, "message": "the method does not exist"}}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Clinic:
    """One shard's files, and what `teetee node` would be told."""

    def __init__(self, teetee: Teetee):
        self.teetee, self.network = teetee, teetee.network(1)
        self.folder = self.network.folder
        self.options = {"--shard": self.folder / "shard-000-of-001.gguf", "--manifest": self.folder / "manifest.json",
                        "--policy": self.folder / "policy.json", "--dev-tee": self.folder / "dev-tee.seed",
                        "--listen": f"127.0.0.1:{self.network.port + 2}", "--api": f"127.0.0.1:{self.network.port}",
                        "--pccs": "none"}

    def examine(self, options=None, *extra, wrap=(), limit=None):
        merged = self.options | {k: v for k, v in (options or {}).items()}
        flags = [str(word) for name, value in merged.items() if value is not None for word in (name, value)]
        set_limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))) if limit else None
        done = subprocess.run([*wrap, self.teetee.program, "--json", "doctor", *flags, *map(str, extra)], capture_output=True,
                              text=True, env=self.teetee.environment, timeout=120, preexec_fn=set_limit)
        assert done.returncode >= 0 and done.stdout, done
        report = json.loads(done.stdout)
        assert all(f["fix"] for f in report["findings"] if f["finding"] != "ok"), report
        return done.returncode, report

    def problems(self, *arguments, **kwargs):
        code, report = self.examine(*arguments, **kwargs)
        found = [f for f in report["findings"] if f["finding"] == "problem"]
        assert code == (1 if found else 0) and report["problems"] == len(found), report
        return found

    def demand(self, check: str, cause: str, fix: str, options=None, *extra, only=True, **kwargs):
        """This problem is found, with this cause and this fix; and no other, unless what is broken breaks more."""
        found = self.problems(options, *extra, **kwargs)
        right = [f for f in found if f["check"] == check and cause in f["cause"] and fix in (f["fix"] or "")]
        assert right, (check, cause, fix, found)
        assert not only or len(found) == 1, found


def test_a_good_setup_has_no_problem(teetee):
    network = teetee.network(2)
    network.start(1)
    wait_until(lambda: "serving layers" in network.nodes[1].text(), 60, "the peer listens")
    doctor = ["--json", "doctor", *network.arguments(0)[1:], "--state", teetee.folder / "keep", "--deep"]
    code, out, err = teetee.run(*doctor)
    report = json.loads(out)
    assert code == 0 and report["problems"] == 0, out
    assert {f["check"] for f in report["findings"] if f["finding"] == "warning"} <= {"policy", "TEE"}, out
    texts = {f["check"]: f["cause"] for f in report["findings"]}
    assert "its evidence is accepted" in texts["peers"] and "every byte" in texts["shard"], texts
    assert texts["evidence"] == "the policy accepts this machine's own"
    # Nothing was made or left behind.
    assert not (teetee.folder / "keep").exists()
    # Beside the running node: its ports are its own, and its entry answers.
    network.start(0)
    wait_until(network.http.ready, 60, "the route is ready")
    code, out, err = teetee.run(*doctor)
    report = json.loads(out)
    assert code == 0, out
    assert any(f["check"] == "entry" and "it serves" in f["cause"] for f in report["findings"]), out
    ports = [f for f in report["findings"] if "in use by a node that runs" in f["cause"]]
    assert ports and all(f"kill {network.nodes[0].pid}" in f["fix"] for f in ports), out
    assert any(f["check"] == "memory" and "the node that runs has" in f["cause"] for f in report["findings"]), out
    # Without a manifest nobody can say whether a peer's evidence is good.
    flags = network.arguments(0)[1:]
    at = flags.index("--manifest")
    code, out, _ = teetee.run("--json", "doctor", *flags[:at], *flags[at + 2:])
    peers = [f for f in json.loads(out)["findings"] if f["check"] == "peers"]
    assert [f["finding"] for f in peers] == ["warning"] and "is a node; not judged" in peers[0]["cause"], out


def test_without_options_it_looks_at_the_machine(teetee):
    code, report = Clinic.examine(type("Bare", (), {"options": {}, "teetee": teetee})(),
                                  {"--listen": f"127.0.0.1:{free_ports(1)}", "--api": "127.0.0.1:0"})
    assert code == 0, report
    assert {"clock", "ports", "disk", "memory", "descriptors", "processor"} <= {f["check"] for f in report["findings"]}
    assert any("--shard" in f["cause"] and f["finding"] == "warning" for f in report["findings"])
    code, out, _ = teetee.run("doctor", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0")
    assert code == 0 and "problems" in out, out


def test_ports(teetee):
    clinic = Clinic(teetee)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        taken = f"127.0.0.1:{held.getsockname()[1]}"
        # Which process it is, and nobody is told to end one that is no node.
        clinic.demand("ports", f"--listen {taken} is in use by 'python3', process {os.getpid()}", f"ps -fp {os.getpid()}", {"--listen": taken})
        assert not any("kill" in (f["fix"] or "") for f in clinic.problems({"--listen": taken}))
        clinic.demand("ports", f"--api {taken} is in use by 'python3'", "another --api", {"--api": taken})
    clinic.demand("ports", "no interface of this machine has the address", "--listen 0.0.0.0:", {"--listen": "203.0.113.7:5010"})
    clinic.demand("ports", "others cannot dial that", "--advertise tls://HOST:", {"--listen": f"0.0.0.0:{clinic.network.port + 2}"})
    clinic.demand("ports", "have the same port", "another port", {"--api": clinic.options["--listen"]})
    port = clinic.network.port + 2
    clinic.demand("ports", "have the same port", "another port", {"--api": f"0.0.0.0:{port}"})
    # Of two addresses both may have it.
    assert not clinic.problems({"--api": f"127.0.0.2:{port}"})
    clinic.demand("ports", "--listen", "HOST:PORT", {"--listen": "no-port"})


def test_clock(teetee):
    if not shutil.which("faketime"):
        raise Skipped("no faketime")
    clinic = Clinic(teetee)
    clinic.demand("clock", "before this program was built", "timedatectl set-ntp true", wrap=("faketime", "2020-01-01 00:00:00"), only=False)
    with Pccs(None) as service:
        name = service.url.removeprefix("http://")
        clinic.demand("clock", f"3 hours ahead of {name}", "timedatectl set-ntp true", {"--pccs": service.url}, wrap=("faketime", "-f", "+3h"))


def test_tee(teetee):
    clinic = Clinic(teetee)
    real = {"--dev-tee": None}
    if not os.path.exists("/var/run/dstack.sock") and not os.path.exists("/var/run/tappd.sock"):
        clinic.demand("TEE", "/var/run/dstack.sock", "/var/run/dstack.sock:/var/run/dstack.sock", real | {"--tee": "dstack"})
    dead = teetee.folder / "dead.sock"
    with socket.socket(socket.AF_UNIX) as nobody:
        nobody.bind(str(dead))
    clinic.demand("TEE", "dead.sock", "guest agent runs behind", real | {"--tee": "dstack", "--dstack-socket": dead})
    plain = teetee.folder / "plain.sock"
    plain.write_text("")
    clinic.demand("TEE", "plain.sock", "is no socket", real | {"--tee": "dstack", "--dstack-socket": plain})
    if not os.path.exists("/sys/kernel/config/tsm/report"):
        clinic.demand("TEE", "tsm", "modprobe tdx_guest", real | {"--tee": "tsm"})
        clinic.demand("TEE", "need one", "TDX guest", real)
    clinic.demand("TEE", "absent.seed", "teetee up --prepare-only", {"--dev-tee": teetee.folder / "absent.seed"})


def test_model_files(teetee):
    clinic = Clinic(teetee)
    shard = clinic.options["--shard"]
    clinic.demand("shard", "absent.gguf", "teetee shard cut", {"--shard": teetee.folder / "absent.gguf"})
    clinic.demand("shard", "not given, and teetee node needs it: --shard", "--shard FILE", {"--shard": None})
    content = shard.read_bytes()
    damaged = teetee.folder / "damaged.gguf"
    damaged.write_bytes(content[:len(content) // 2])
    clinic.demand("shard", "damaged.gguf", "copy it again", {"--shard": damaged})
    damaged.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    assert not clinic.problems({"--shard": damaged})
    clinic.demand("shard", "damaged.gguf: shard_mismatch", "copy it again", {"--shard": damaged}, "--deep")
    other = teetee.network(2)
    clinic.demand("shard", "shard_mismatch", "of the same cut", {"--shard": other.folder / "shard-000-of-002.gguf"})
    broken = teetee.folder / "broken.json"
    broken.write_text("{")
    clinic.demand("manifest", "broken.json: manifest_malformed", "make it anew", {"--manifest": broken})
    clinic.demand("manifest", "absent.json", "--manifest FILE", {"--manifest": teetee.folder / "absent.json"})
    clinic.demand("draft model", "broken.json", "--draft-model FILE", {"--draft-model": broken})
    clinic.demand("memory", "of keys and values", "--kv-memory", {"--kv-memory": "100TiB"})
    clinic.demand("shard", "--kv-memory", "--kv-memory SIZE", {"--kv-memory": "much"})


def test_policy_and_collateral(teetee):
    clinic = Clinic(teetee)
    policy = json.loads((clinic.folder / "policy.json").read_text())
    broken = clinic.folder / "other-policy.json"
    broken.write_text(json.dumps(policy | {"allow_simulatd": True}))
    clinic.demand("policy", "policy_malformed", "get the pool's policy file again", {"--policy": broken})
    broken.write_text(json.dumps(policy | {"allow_simulated": False}))
    clinic.demand("evidence", "refuse this machine", "without --dev-tee", {"--policy": broken})
    other = teetee.network(2)
    clinic.demand("evidence", "root_untrusted", "a policy of the same dev TEE", {"--dev-tee": other.folder / "dev-tee.seed"})
    closed = free_ports(1)
    clinic.demand("collateral", f"http://127.0.0.1:{closed}", f"curl -v http://127.0.0.1:{closed}", {"--pccs": f"http://127.0.0.1:{closed}"})


def test_collateral_that_has_run_out(teetee):
    if not shutil.which("faketime"):
        raise Skipped("no faketime")
    clinic = Clinic(teetee)
    seconds = int(time.time()) - 400 * 86400
    old = teetee.folder / "old"
    old.mkdir()
    # Of 400 days ago: what Intel issued then has run out.
    made = subprocess.run(["faketime", f"@{seconds}", teetee.program, "attest", "collateral", "--dev-tee", clinic.options["--dev-tee"],
                           "--out", old / "platform.json"], capture_output=True, text=True, env=teetee.environment)
    assert made.returncode == 0, made
    clinic.demand("collateral", "collateral_expired", "teetee attest collateral", {"--collateral": old}, only=False)
    clinic.demand("evidence", "refuse this machine: collateral", "--pccs URL", {"--collateral": old}, only=False)


def test_api_keys(teetee):
    clinic = Clinic(teetee)
    keys = teetee.folder / "api keys.json"
    create = f"teetee api-key create --file '{keys}'"
    clinic.demand("API keys", "api keys.json", create, {"--api-keys": keys})
    keys.write_text("{")
    clinic.demand("API keys", "config_invalid", create, {"--api-keys": keys})

    def finding() -> dict:
        return next(f for f in clinic.examine({"--api-keys": keys})[1]["findings"] if f["check"] == "API keys")

    keys.write_text('{"keys":[{"name":"a","sha256":"0x%s","expires":1}]}' % ("a" * 64))
    assert finding()["finding"] == "warning" and "all keys have run out" in finding()["cause"], finding()
    teetee.json("api-key", "create", "--file", keys, "--name", "b")
    assert finding()["finding"] == "ok" and "1 of 2 are good" in finding()["cause"], finding()
    if os.geteuid() != 0:
        keys.chmod(0)
        clinic.demand("API keys", "api keys.json", "setfacl", {"--api-keys": keys})


def test_chain(teetee):
    clinic = Clinic(teetee)
    state = teetee.folder / "state-of-node"
    on_chain = {"--pool": 1, "--state": state, "--contract": CONTRACT, "--chain-id": CHAIN_ID}
    closed = f"http://127.0.0.1:{free_ports(1)}"
    clinic.demand("chain", f"--rpc {closed}: rpc_unavailable", "eth_chainId", on_chain | {"--rpc": closed + "/v2/KEY"})
    doubles = [Rpc(chain_id=1), Rpc(code="0x"), Rpc(), Rpc(age_s=7200, has_oracle=True)]
    try:
        wrong, empty, poolless, stale = (d.url for d in doubles)
        clinic.demand("chain", f"is of chain 1, the contract is on chain {CHAIN_ID}", f"--rpc URL of chain {CHAIN_ID}", on_chain | {"--rpc": wrong})
        clinic.demand("chain", "there is no contract at", "--deployment FILE", on_chain | {"--rpc": empty})
        clinic.demand("chain", "--pool 1: ", "teetee pool list", on_chain | {"--rpc": poolless})
        clinic.demand("chain", "does not follow its chain", "another --rpc", on_chain | {"--rpc": stale}, only=False)
        clinic.demand("chain", "need --deployment", "--deployment FILE", {"--pool": 1, "--state": state, "--rpc": poolless})
        clinic.demand("chain", "--pool needs --state", "--state /var/lib/teetee", on_chain | {"--rpc": poolless, "--state": None}, only=False)
    finally:
        for double in doubles:
            double.close()
    # A provider's key in a URL is shown to nobody.
    assert "KEY" not in json.dumps(clinic.examine(on_chain | {"--rpc": closed + "/v2/KEY"})[1])


def test_machine(teetee):
    clinic = Clinic(teetee)
    plain = teetee.folder / "plain"
    plain.write_text("")
    clinic.demand("disk", f"--state {plain}/state cannot be written", "mkdir -p", {"--state": plain / "state"})
    clinic.demand("disk", "--weights-cache /proc/teetee cannot be written", "--weights-cache", {"--weights-cache": "/proc/teetee"})
    clinic.demand("descriptors", "have 100 file descriptors", "ulimit -n 65536", limit=100)
    clinic.demand("processor", "kernel 'neon' is not available here", "--kernel auto", {"--kernel": "neon"})
    state = teetee.folder / "state-of-node"
    state.mkdir()
    (state / "ledger.sqlite").write_bytes(b"no database" * 1000)
    clinic.demand("ledger", "ledger.sqlite", ".recover", {"--state": state})


def test_peers(teetee):
    network = teetee.network(2)
    clinic = Clinic(teetee)
    clinic.options |= {"--shard": network.folder / "shard-000-of-002.gguf", "--manifest": network.folder / "manifest.json",
                       "--policy": network.folder / "policy.json", "--dev-tee": network.folder / "dev-tee.seed"}
    clinic.demand("peers", "no other node is named", "--next tls://HOST:PORT")
    closed = free_ports(1)
    clinic.demand("peers", f"127.0.0.1:{closed} cannot be reached", f"nc -vz 127.0.0.1 {closed}", {"--next": f"tls://127.0.0.1:{closed}"})
    registry = teetee.folder / "registry.json"
    registry.write_text('[{"uri": "tls://127.0.0.1:1"}]')
    clinic.demand("peers", "registry.json", '[{"url": "tls://HOST:PORT"}, ..]', {"--registry": registry}, only=False)
    double = Rpc()
    try:
        plain = double.url.removeprefix("http://")
        registry.write_text(json.dumps([{"url": f"tls://{plain}"}]))
        clinic.demand("peers", f"{plain} answers, but is no node", "--listen", {"--registry": registry})
    finally:
        double.close()
    # A node of other people: another root, another model.
    stranger = teetee.network(2)
    stranger.start(1)
    clinic.options["--listen"] = "127.0.0.1:0"
    wait_until(lambda: "serving layers" in stranger.nodes[1].text(), 60, "the stranger listens")
    clinic.demand("peers", "shows evidence that is refused", "the same policy, manifest and contract", {"--next": f"tls://{stranger.link(1)}"})


def test_an_entry_that_runs_and_does_not_serve(teetee):
    network = teetee.network(2)
    network.start(0)
    wait_until(lambda: "serving layers" in network.nodes[0].text(), 60, "the entry is up, without a route")
    code, out, _ = teetee.run("--json", "doctor", *network.arguments(0)[1:])
    found = [f for f in json.loads(out)["findings"] if f["finding"] == "problem"]
    assert code == 1 and {f["check"] for f in found} == {"entry", "peers"}, out
    assert any("/health says 503" in f["cause"] and "log" in f["fix"] for f in found), found


def test_the_configuration_file_counts(teetee):
    clinic = Clinic(teetee)
    config = teetee.folder / "config.toml"
    lines = [f'{name[2:]} = "{value}"' for name, value in clinic.options.items() if name != "--pccs"]
    config.write_text("[node]\npccs = [\"none\"]\n" + "\n".join(lines) + "\n")
    code, out, err = teetee.run("--json", "--config", config, "doctor")
    assert code == 0, out + err
    config.write_text(config.read_text().replace(str(clinic.options["--shard"]), "/nowhere.gguf"))
    code, out, _ = teetee.run("--json", "--config", config, "doctor")
    assert code == 1 and [f["check"] for f in json.loads(out)["findings"] if f["finding"] == "problem"] == ["shard"], out
    config.write_text(config.read_text().replace("listen =", "lisen ="))
    code, _, err = teetee.run("--config", config, "doctor")
    assert code == 2 and 'did you mean \'listen\'?' in err, err
