# SPDX-License-Identifier: Apache-2.0
"""From a pool on the contract to an answer: hosts choose slots, fetch shards, deploy, register (docs/deploy.md)."""
import hashlib
import http.client
import json
import pathlib
import socket
import ssl
import threading

from chain import Chain
from compose import Stack
from harness import STORY_MODEL, Http, free_ports, wait_until
from hub_fakes import FileServer
from test_collateral import web_certificate

CREATOR, HOST = 1, 2
BODY = {"prompt": "Once upon a time there was", "max_tokens": 12, "temperature": 0}


class Offer:
    """A pool of two slots, whose files a web server has."""

    def __init__(self, teetee, files: FileServer, shards=2):
        self.teetee, self.files = teetee, files
        self.net = teetee.folder / "net"
        code, _, err = teetee.run("up", "--prepare-only", "--shards", shards, "--model", STORY_MODEL, "--dir", self.net)
        assert code == 0, err
        for path in self.net.glob("*.*"):
            if path.suffix in (".gguf", ".json"):
                files.files[f"cut/{path.name}"] = path.read_bytes()
        self.chain = Chain(teetee, "--network", "optimism", "--block-time", 1)
        self.chain.deploy_with_dev_verifier()
        self.creator, self.host = self.chain.wallet(CREATOR), self.chain.wallet(HOST)
        self.pool = self.creator.json(
            "pool", "create", "--manifest", self.net / "manifest.json", "--manifest-uri", f"{files.url}/cut/manifest.json",
            "--policy", self.net / "policy.json", "--policy-uri", f"{files.url}/cut/policy.json", "--prices", "2,5")["pool"]
        self.seed = self.net / "dev-tee.seed"

    def flags(self, folder: pathlib.Path) -> list:
        return ["host", "--pool", self.pool, "--dir", folder, "--dev-tee", self.seed]

    def node(self, slot: int) -> dict:
        nodes = self.creator.json("pool", "show", self.pool)["slots"][slot]["nodes"]
        return nodes[0] if nodes else {}


def headers_of(port: int, path: str):
    """As a page of another origin asks: the status and the headers that its browser sees."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={"Origin": "https://page.example"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}


def sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_two_hosts_fill_a_pool_and_it_answers(teetee):
    with FileServer() as files:
        offer = Offer(teetee, files)
        shards = sorted(offer.net.glob("shard-*.gguf"))

        # A dry run chooses and writes nothing.
        first = teetee.folder / "first"
        dry = offer.creator.json(*offer.flags(first), "--dry-run")
        assert (dry["slot"], dry["dry_run"], dry["shard"]) == (0, True, None), dry
        assert not first.exists()

        # The fetch is cut off in the middle and goes on there.
        files.bytes_per_second = 500_000
        process = offer.creator.start(*offer.flags(first), "--json")
        journal = first / "slot/shard.gguf.part.json"
        wait_until(lambda: journal.exists() and json.loads(journal.read_text())["done"], 60,
                   f"some of the shard is there to stay: {process.text()}")
        process.kill()
        assert not (first / "slot/shard.gguf").exists()
        assert not (first / "docker-compose.yaml").exists()
        files.bytes_per_second = 0
        plan = offer.creator.json(*offer.flags(first), "--advertise", "tls://127.0.0.1:1")
        assert plan["slot"] == 0 and [s["live"] for s in plan["slots"]] == [0, 0], plan
        assert plan["shard"]["resumed_bytes"] > 0 and not plan["shard"]["was_there"], plan["shard"]
        assert plan["shard"]["fetched_bytes"] < plan["shard"]["bytes"], plan["shard"]
        assert sha256(first / "slot/shard.gguf") == sha256(shards[0])
        assert sha256(first / "slot/policy.json") == sha256(offer.net / "policy.json")

        # What was written has the hash that was said, and says the same again.
        assert sha256(first / "app-compose.json") == plan["compose_hash"]
        assert plan["mrconfigid"] == "01" + plan["compose_hash"] + "00" * 15
        again = offer.creator.json(*offer.flags(first), "--advertise", "tls://127.0.0.1:1")
        assert again["shard"]["was_there"] and again["compose_hash"] == plan["compose_hash"]
        assert oct((first / ".env").stat().st_mode & 0o777) == "0o600"

        # The containers' commands, run here; this one has the files already.
        entry = Stack(teetee, first, uses_override=True)
        entry.variables |= {"TEETEE_ADVERTISE": f"tls://127.0.0.1:{entry.ports[5010]}"}
        code, text = entry.run("fetch")
        assert code == 0 and "was there" in text, text
        entry_node = entry.start("node", "--confirmations", 1)
        url = f"http://127.0.0.1:{entry.ports[5001]}"
        wait_until(lambda: Http(entry.ports[5001]).ready(), 60, f"the entry runs: {entry_node.text()}")

        # Alone it is not ready to answer, and the image's probe says so.
        probe = teetee.run("deploy", "probe", f"{url}/ready")
        assert probe[0] == 1 and "503" in probe[2], probe
        assert teetee.run("deploy", "probe", f"{url}/health")[0] == 0
        assert teetee.run("deploy", "probe", "http://127.0.0.1:1/ready")[0] == 1

        # Registered by its URL; the same command again has nothing to do.
        deployed = ["host", "--pool", offer.pool, "--dir", first, "--deployed", url]
        done = offer.creator.json(*deployed)
        assert (done["slot"], done["verified"], done["simulated"]) == (0, True, True), done
        assert offer.node(0)["endpoint"] == f"tls://127.0.0.1:{entry.ports[5010]}"
        assert offer.creator.json(*deployed)["transaction"] is None

        # The next host gets the slot that is empty, and its container fetches the shard itself.
        second = teetee.folder / "second"
        plan = offer.host.json(*offer.flags(second), "--no-fetch")
        assert (plan["slot"], [s["live"] for s in plan["slots"]]) == (1, [1, 0]), plan
        assert plan["compose_hash"] == again["compose_hash"], "one code for all slots and hosts"
        assert plan["shard"] is None and not (second / "slot").exists()
        tail = Stack(teetee, second)
        tail.variables |= {"TEETEE_ADVERTISE": f"tls://127.0.0.1:{tail.ports[5010]}"}
        code, text = tail.run("fetch")
        assert code == 0 and "fetched" in text, text
        assert sha256(second / "volumes/slot/shard.gguf") == sha256(shards[1])
        tail_node = tail.start("node", "--confirmations", 1)
        wait_until(lambda: Http(tail.ports[5001]).ready(), 60, f"the tail runs: {tail_node.text()}")
        status, ready = Http(tail.ports[5001]).get("/ready")
        assert (status, ready["role"], ready["layers"]) == (200, "stage", plan["layers"]), ready
        tail_url = f"http://127.0.0.1:{tail.ports[5001]}"
        offer.host.json("host", "--pool", offer.pool, "--dir", second, "--deployed", tail_url)

        # Both slots are served: an answer over both, free to who hosts.
        http = Http(entry.ports[5002])
        wait_until(lambda: http.get("/ready")[0] == 200, 60,
                   f"a route over both: {entry_node.text()[-2000:]} {tail_node.text()[-2000:]}")
        chat = offer.host.json(
            "chat", "--entry", f"https://127.0.0.1:{entry.ports[5003]}", "--policy", first / "slot/policy.json",
            "--manifest", first / "slot/manifest.json", "--pool", offer.pool, "--deployment", offer.chain.deployment,
            "--collateral", first / "collateral", "--as-host", "--prompt", "Once upon a time")
        assert chat["text"], chat
        # Served as well as the other now: the lowest layers again.
        assert offer.host.json(*offer.flags(teetee.folder / "third"), "--dry-run")["slot"] == 0
        assert offer.host.json(*offer.flags(teetee.folder / "third"), "--dry-run", "--slot", 1)["slot"] == 1


def test_what_is_not_the_pool_s_is_refused(teetee):
    with FileServer() as files:
        offer = Offer(teetee, files)
        folder = teetee.folder / "host"
        flags = offer.flags(folder)

        def refused(*more, code=1) -> str:
            return offer.host.refused(code, *flags, *more)

        assert "need one below 2" in refused("--slot", 2, code=2)
        assert "there is no pool 9" in offer.host.refused(1, "host", "--pool", 9, "--dir", folder)
        # A real TEE's image must be pinned.
        plain = ["host", "--pool", offer.pool, "--dir", folder]
        assert "NAME@sha256:DIGEST" in offer.host.refused(2, *plain, "--image", "teetee:1")
        assert "need --account" in offer.host.refused(2, *plain, environment={"TEETEE_KEY": ""})

        # Another model's manifest, a policy that was changed, a shard with one bit turned.
        manifest = json.loads((offer.net / "manifest.json").read_text())
        code, _, err = teetee.run("shard", "cut", "--model", STORY_MODEL, "--shards", 3, "--out", teetee.folder / "three")
        assert code == 0, err
        assert "another cut" in refused("--manifest", teetee.folder / "three/manifest.json")
        changed = teetee.folder / "changed.json"
        changed.write_text((offer.net / "policy.json").read_text() + " ")
        assert "have the policy" in refused("--policy", changed)
        name = f"cut/{manifest['shards'][0]['file_name']}"
        good = files.files[name]
        files.files[name] = good[:-100] + bytes([good[-100] ^ 1]) + good[-99:]
        assert "shard_mismatch" in refused()
        assert not (folder / "slot/shard.gguf").exists() and not (folder / "slot/shard.gguf.part").exists()
        files.files[name] = good[:-64]
        assert "download_mismatch" in refused()
        # Elsewhere it is whole: the places are tried in order.
        files.files["mirror/x.gguf"] = good
        plan = offer.host.json(*flags, "--from", f"{files.url}/nowhere/", "--from", f"{files.url}/mirror/x.gguf")
        assert plan["shard"]["source"].endswith("/mirror/x.gguf"), plan
        # The pool has another policy than when the files were fetched: its own counts, not what lies there.
        (folder / "slot/policy.json").write_bytes(changed.read_bytes())
        assert offer.host.json(*flags)["shard"]["was_there"]
        assert sha256(folder / "slot/policy.json") == sha256(offer.net / "policy.json")
        # A .env that somebody changed stays, and one is told where the new one is.
        (folder / ".env").write_text("TEETEE_POOL=7\n")
        code, out, err = offer.host.run(*flags)
        assert code == 0 and f"{folder}/.env.new" in out and (folder / ".env").read_text() == "TEETEE_POOL=7\n", (out, err)
        assert "control character" in refused("--from", f"{files.url}/it's/", code=2)
        # A token is for servers that the host has named, not for those that the pool names.
        token = teetee.folder / "token"
        token.write_text("a-token\n")
        (folder / "slot/policy.json").unlink()
        files.credentials.clear()
        offer.host.json(*flags, "--token-file", token)
        assert files.credentials == {None}, files.credentials
        offer.host.json(*flags, "--token-file", token, "--policy", f"{files.url}/cut/policy.json")
        assert files.credentials == {None, "Bearer a-token"}, files.credentials
        # Files of this machine are none that a container could read.
        offer.host.json(*flags, "--policy", offer.net / "policy.json")
        assert str(offer.net) not in "".join(path.read_text() for path in folder.glob(".env*"))
        # Another slot's shard is not written over.
        assert "already_exists" in refused("--slot", 1, code=3)

        # A pool that nobody has said anything of.
        silent = offer.creator.json("pool", "create", "--manifest", offer.net / "manifest.json", "--policy",
                                    offer.net / "policy.json", "--prices", "2,5")["pool"]
        empty = ["host", "--pool", silent, "--dir", teetee.folder / "silent", "--dev-tee", offer.seed]
        assert "--manifest" in offer.host.refused(2, *empty)
        assert "--policy" in offer.host.refused(2, *empty, "--manifest", offer.net / "manifest.json")
        named = ["--manifest", offer.net / "manifest.json", "--policy", offer.net / "policy.json"]
        assert "--from" in offer.host.refused(2, *empty, *named)
        offer.creator.json("pool", "close", silent)
        assert "is closed" in offer.host.refused(1, *empty, *named)


def test_a_node_that_is_not_what_it_says_is_not_registered(teetee):
    with FileServer() as files:
        offer = Offer(teetee, files, shards=1)
        folder = teetee.folder / "host"
        offer.host.json(*offer.flags(folder))
        port = free_ports(2)
        stack = Stack(teetee, folder, uses_override=True, TEETEE_ADVERTISE=f"tls://127.0.0.1:{port}")
        deployed = ["host", "--pool", offer.pool, "--dir", folder, "--deployed", f"http://127.0.0.1:{stack.ports[5001]}"]
        assert "--status" in offer.host.refused(3, *deployed)
        node = stack.start("node", "--confirmations", 1)
        wait_until(lambda: Http(stack.ports[5001]).ready(), 60, f"it runs: {node.text()}")
        # What it advertises leads nowhere.
        assert "TEETEE_ADVERTISE" in offer.host.refused(3, *deployed)
        # The wallet of another, another pool's, another slot's.
        assert "registration.host" in offer.creator.refused(1, *deployed, "--no-dial")
        other = offer.creator.json("pool", "create", "--manifest", offer.net / "manifest.json", "--policy", offer.net / "policy.json",
                                   "--prices", "2,5")["pool"]
        assert f"serves pool {offer.pool}, need {other}" in offer.host.refused(1, "host", "--pool", other, "--dir", folder, "--deployed", deployed[-1])
        assert "serves slot 0" in offer.host.refused(1, *deployed, "--slot", 5)
        # Evidence that the pool's policy does not accept: no collateral is there to judge it by.
        collateral = folder / "collateral"
        collateral.rename(folder / "away")
        assert "collateral_missing" in offer.host.refused(1, *deployed, "--no-dial")
        (folder / "away").rename(collateral)
        # A registration that somebody changed on the way.
        status, registration = Http(stack.ports[5001]).get("/registration")
        assert status == 200
        files.files["registration"] = json.dumps(registration | {"endpoint": "tls://evil.example:1"}).encode()
        refused = offer.host.refused(1, *deployed[:-1], f"{files.url}/registration", "--no-dial")
        assert "registration.signature" in refused, refused
        assert offer.node(0) == {}
        assert offer.host.json(*deployed, "--no-dial", "--dry-run")["dry_run"]
        assert offer.node(0) == {}
        assert offer.host.json(*deployed, "--no-dial")["verified"]
        assert offer.node(0)["live"]
        # Who is shown a neighbour's node is not told that his own is well.
        assert "registration.host" in offer.creator.refused(1, *deployed, "--no-dial")


def test_nodes_without_a_pool_have_a_status_and_no_registration(teetee):
    network = teetee.network(2)
    ports = [free_ports(2), free_ports(2) + 1]
    for shard in range(2):
        network.start(shard, "--status", f"127.0.0.1:{ports[shard]}")
    for port in ports:
        wait_until(lambda: Http(port).get("/ready")[0] == 200 if Http(port).ready() else False, 60, "ready")
    status, refused = Http(ports[1]).get("/registration")
    assert (status, refused["error"]["code"]) == (404, "route_unknown"), refused
    assert Http(ports[1]).post("/ready", "x")[0] == 405
    # Pages of any origin may read what is for anybody, refusals too.
    for path, code in (("/health", 200), ("/ready", 200), ("/registration", 404), ("/metrics", 404)):
        status, headers = headers_of(ports[1], path)
        assert (status, headers.get("access-control-allow-origin")) == (code, None if path == "/metrics" else "*"), (path, headers)
    assert Http(ports[1]).get("/v1/models")[0] == 404


def test_dialers_name_the_host_that_they_dial(teetee):
    """A gateway that passes TLS through sees nothing else; an address is no name."""
    web, _ = web_certificate(teetee)
    named = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(web)
    context.sni_callback = lambda _, name, __: named.append(name)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
                context.wrap_socket(connection, server_side=True).close()
            except ssl.SSLError:
                pass
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    network = teetee.network(2)
    node = network.start(1, "--next", f"tls://localhost:{port}")
    wait_until(lambda: "localhost" in named, 30, f"the link's dialer names it: {node.text()}")
    node.kill()
    named.clear()
    chat = ["chat", "--prompt", "x", "--patience-seconds", 1, *network.verify_flags(), "--entry"]
    assert teetee.run(*chat, f"https://localhost:{port}")[0] != 0
    assert set(named) == {"localhost"}, named
    named.clear()
    assert teetee.run(*chat, f"https://127.0.0.1:{port}")[0] != 0
    assert set(named) == {None}, named
    listener.close()
