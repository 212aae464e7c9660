# SPDX-License-Identifier: Apache-2.0
"""Measurements, compose files, Kubernetes manifests, example configurations: what operators deploy from."""
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

from compose import load, yaml
from harness import ROOT, STORY_MODEL, Http, Skipped, free_ports, shared, wait_until

DEPLOY = ROOT / "deploy"
EXAMPLE_IMAGE = "registry.example/teetee@sha256:" + "0" * 64


# ---------------------------------------------------------------------------------------- measurements

def app_compose(teetee, *flags, text="services: {}\n") -> pathlib.Path:
    compose, out = teetee.folder / "docker-compose.yaml", teetee.folder / "app-compose.json"
    compose.write_text(text)
    said = teetee.json("deploy", "app-compose", "--compose", compose, "--out", out, *flags)
    assert said["file"] == str(out) and out.read_text() == said["app_compose"]
    return out


def image_file(teetee, *digits) -> pathlib.Path:
    path = teetee.folder / "image.json"
    path.write_text(json.dumps([{name: digit * 96 for name in ("mrtd", "rtmr0", "rtmr1", "rtmr2")} for digit in digits]))
    return path


def test_an_app_has_one_file_and_one_hash(teetee):
    first = app_compose(teetee, "--env", "B,A", "--env", "B").read_bytes()
    assert first == app_compose(teetee, "--env", "A,B").read_bytes()
    assert json.loads(first)["allowed_envs"] == ["A", "B"]
    # As tools write it that sort keys and leave out white space.
    assert first.decode() == json.dumps(json.loads(first), sort_keys=True, separators=(",", ":"))
    said = teetee.json("attest", "measure", "--app-compose", app_compose(teetee, "--env", "A,B"))
    digest = hashlib.sha256(first).hexdigest()
    assert (said["compose_hash"], said["app_id"]) == (digest, digest[:40]), said
    assert said["mrconfigid"] == f"01{digest}{'00' * 15}" and said["rtmr3"] is None
    assert "--log" in said["unknown"]["rtmr3"] and said["verdict"] is None
    event = b"\x01\0\0\x08:compose-hash:" + bytes.fromhex(digest)
    assert said["events"][1]["digest"] == hashlib.sha384(event).hexdigest()
    other = teetee.json("attest", "measure", "--app-compose", app_compose(teetee, text="services: {} \n"))
    assert other["compose_hash"] != digest
    owned = teetee.json("attest", "measure", "--app-compose", teetee.folder / "app-compose.json", "--app-id", "ab" * 20)
    assert owned["app_id"] == "ab" * 20 and owned["compose_hash"] == other["compose_hash"]


def test_measurements_become_a_policy(teetee):
    app, policy = app_compose(teetee), teetee.folder / "policy.json"
    image = image_file(teetee, "1", "2")
    base = teetee.folder / "base.json"
    base.write_text(json.dumps({"roots": ["intel"], "grace_days": 7, "measurements": [{"mrtd": "3" * 96}]}))
    said = teetee.json("attest", "measure", "--app-compose", app, "--image-measurements", image, "--policy", base,
                       "--policy-out", policy)
    written = json.loads(policy.read_text())
    assert written["grace_days"] == 7 and said["policy"] == str(policy)
    assert [m["mrtd"][0] for m in written["measurements"]] == ["1", "2"]
    assert all(m["mrconfigid"] == said["mrconfigid"] and "rtmr3" not in m for m in written["measurements"])
    # The contract's name of the same is what 'pool create' would put on its list; both sizes have one.
    assert len({i["measurement"] for i in said["images"]}) == 2
    # A node takes the file, and stops at what comes next.
    seed = teetee.network(1).folder / "dev-tee.seed"
    node = ["node", "--shard", "/nowhere", "--manifest", "/nowhere", "--dev-tee", seed, "--policy"]
    code, _, err = teetee.run(*node, policy)
    assert code == 3 and "/nowhere" in err, err
    assert "policy_malformed" in teetee.run(*node, image)[2]

    def refused(exit_code, *flags) -> str:
        code, _, err = teetee.run("attest", "measure", *flags)
        assert code == exit_code, (flags, code, err)
        return err

    # Without the OS image the policy would let any program in that says it is this app.
    assert "--image-measurements" in refused(2, "--app-compose", app, "--policy-out", policy)
    assert "app-compose" in refused(2, "--app-compose", image)
    assert "mrtd" in refused(2, "--app-compose", app, "--image-measurements", base)
    assert "--app-id" in refused(2, "--app-compose", app, "--app-id", "zz")
    assert "policy_malformed" in refused(2, "--app-compose", app, "--image-measurements", image, "--policy", image,
                                         "--policy-out", policy)
    # With a key provider of its own, MRCONFIGID is another one than this program would say.
    keyed = teetee.folder / "keyed.json"
    keyed.write_text(app.read_text().replace('"key_provider_id":""', '"key_provider_id":"0a"'))
    assert "key_provider_id" in refused(1, "--app-compose", keyed)


def test_a_real_td_showed_what_is_foretold(teetee):
    """A real app's file, the published registers of its image, its quote and log."""
    app, image = shared("data/attestation/dstack/near-mpc-app_compose.json"), shared("data/attestation/dstack/near-mpc-tcb_info.json")
    quote, log = shared("data/attestation/quotes/tdx4_b0c06f000000_b9e238b2.bin"), shared("data/attestation/eventlogs/b9e238b2.json")
    policy = teetee.folder / "policy.json"
    said = teetee.json("attest", "measure", "--app-compose", app, "--image-measurements", image, "--quote", quote, "--log", log,
                       "--policy-out", policy)
    assert said["verdict"] == "accept" and said["error"] is None, said
    # Up to what the app measured itself: one event more than RTMR3 when it starts.
    rtmr3 = bytes.fromhex(said["rtmr3"])
    last = json.loads(log.read_text())[-1]
    assert hashlib.sha384(rtmr3 + bytes.fromhex(last["digest"])).hexdigest() == json.loads(image.read_text())["rtmr3"]
    collateral = ["--collateral", shared("data/attestation/collateral/dc25a753802b.json"), "--time", 1787894484]
    rules = json.loads(policy.read_text()) | {"accepted_statuses": ["UpToDate", "OutOfDate", "SWHardeningNeeded"]}
    policy.write_text(json.dumps(rules))
    verdict = teetee.json("attest", "verify", "--quote", quote, *collateral, "--policy", policy)
    assert verdict["verdict"] == "accept", verdict
    # Another app on the same image, or the same app on another one, is refused by both.
    other = app_compose(teetee)
    teetee.json("attest", "measure", "--app-compose", other, "--image-measurements", image, "--policy-out", policy)
    policy.write_text(json.dumps(json.loads(policy.read_text()) | {"accepted_statuses": rules["accepted_statuses"]}))
    code, out, _ = teetee.run("attest", "verify", "--quote", quote, *collateral, "--policy", policy, "--json")
    assert code == 1 and json.loads(out)["error"]["code"] == "measurement_rejected", out
    for flags, wanted in ((["--app-compose", other], "compose_hash_mismatch"),
                          (["--app-compose", app, "--image-measurements", image_file(teetee, "1")], "measurement_rejected")):
        code, out, _ = teetee.run("attest", "measure", *flags, "--quote", quote, "--json")
        assert code == 1 and json.loads(out)["error"]["code"] == wanted, out
    # No policy comes of what a quote speaks against.
    policy.unlink()
    code, out, _ = teetee.run("attest", "measure", "--app-compose", app, "--image-measurements", image_file(teetee, "1"),
                              "--quote", quote, "--policy-out", policy, "--json")
    assert code == 1 and json.loads(out)["policy"] is None and not policy.exists(), out


# --------------------------------------------------------------------------------------- compose files

def test_checked_in_compose_files_are_the_program_s(teetee):
    made = teetee.json("deploy", "compose", "--shards", 2)["compose"]
    version = teetee.run("--version")[1].strip()
    assert made.replace(f"teetee:{version}", "teetee:local") == (DEPLOY / "docker-compose.yml").read_text()
    example, out = DEPLOY / "dstack/docker-compose.example.yaml", teetee.folder / "made.yaml"
    teetee.json("deploy", "app-compose", "--image", EXAMPLE_IMAGE, "--compose-out", out)
    assert out.read_text() == example.read_text()
    for wrong in (["--image", "teetee:1"], [], ["--image", EXAMPLE_IMAGE, "--compose", example]):
        assert teetee.run("deploy", "app-compose", *wrong)[0] == 2, wrong
    for path in (DEPLOY / "docker-compose.yml", example):
        services = load(path)["services"]
        for name, service in services.items():
            assert service["read_only"] and service["cap_drop"] == ["ALL"], (path, name)
            # Every flag is one of the program's.
            command = [w for w in service["command"] if w.startswith("--")]
            help_text = teetee.run(service["command"][0], "--help")[1]
            assert all(re.search(rf"{w}\b", help_text) for w in command), (name, command)


def test_a_network_runs_as_its_compose_file_says(teetee):
    shards = 3
    code, _, err = teetee.run("up", "--prepare-only", "--shards", shards, "--model", STORY_MODEL, "--dir", teetee.folder / "net")
    assert code == 0, err
    path = teetee.folder / "docker-compose.yaml"
    teetee.json("deploy", "compose", "--shards", shards, "--out", path)
    services = load(path)["services"]
    assert len(services) == shards
    first = free_ports(4 * shards)
    ports = {name: {inside: first + 4 * i + k for k, inside in enumerate((5001, 5002, 5003, 5010))}
             for i, name in enumerate(services)}

    def here(name: str, word: str) -> str:
        """A path of the container's, an address that it listens on, a name that it dials."""
        word = re.sub(r"^0\.0\.0\.0:(\d+)$", lambda m: f"127.0.0.1:{ports[name][int(m[1])]}", word)
        word = re.sub(r"^tls://([\w-]+):(\d+)$", lambda m: f"tls://localhost:{ports[m[1]][int(m[2])]}", word)
        return word.replace("/net/", f"{teetee.folder}/net/") if word.startswith("/net/") else word

    nodes = [teetee.start(*[here(name, w) for w in service["command"]]) for name, service in services.items()]
    http = Http(ports["node-0"][5002])
    wait_until(http.ready, 60, "the network answers: " + " / ".join(n.text()[-500:] for n in nodes))
    status, answer = http.post("/generate", {"prompt": "Once upon a time", "max_tokens": 8, "temperature": 0})
    assert status == 200 and answer["text"], answer


def test_commands_of_the_page_work(teetee):
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/deploy.md").read_text(), re.S)
    assert len(blocks) >= 2
    for block in blocks:
        script = block.replace("build/release/teetee", str(teetee.program))
        done = subprocess.run(["sh", "-eu", "-c", script], cwd=teetee.folder, env=teetee.environment, capture_output=True,
                              text=True, timeout=120)
        assert done.returncode == 0, (block, done.stderr)
    assert (teetee.folder / "app-compose.json").exists() and (teetee.folder / "net/shard-002-of-003.gguf").exists()


# ------------------------------------------------------------------------------- configuration examples

def test_example_configurations_are_right(teetee):
    examples = sorted((DEPLOY / "config").glob("*.toml")) + [DEPLOY / "kubernetes/base/config.toml"]
    assert len(examples) >= 5
    for path in examples:
        code, out, err = teetee.run("--config", path, "config", "show", "--set-only", "--json")
        assert code == 0, (path, err)
        assert len(json.loads(out)["settings"]) >= 5, (path, out)
    # And a wrong one is not.
    wrong = teetee.folder / "wrong.toml"
    wrong.write_text((DEPLOY / "config/entry.toml").read_text().replace("listen =", "lisen ="))
    assert teetee.run("--config", wrong, "config", "show")[0] == 2


# ------------------------------------------------------------------------------------------ Kubernetes

def render(teetee, name: str) -> list[dict]:
    if not shutil.which("kubectl"):
        raise Skipped("no kubectl")
    if yaml is None:
        raise Skipped("no python3-yaml")
    folder = teetee.folder / "kubernetes"
    if not folder.exists():
        code, _, err = teetee.run("up", "--prepare-only", "--shards", 2, "--model", STORY_MODEL, "--dir", teetee.folder / "net")
        assert code == 0, err
        shutil.copytree(DEPLOY / "kubernetes", folder)
        net = teetee.folder / "net"
        for source, target in ((net / "manifest.json", "base"), (net / "policy.json", "base"),
                               (net / "dev-tee.seed", "simulated"), (net / "collateral/dev-tee.json", "simulated")):
            shutil.copy(source, folder / target)
    done = subprocess.run(["kubectl", "kustomize", folder / name], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def test_kubernetes_manifests_fit_together(teetee):
    for name in ("base", "simulated"):
        objects = render(teetee, name)
        named = {(o["kind"], o["metadata"]["name"]): o for o in objects}
        kinds = {kind for kind, _ in named}
        assert {"StatefulSet", "Service", "ConfigMap", "Secret", "PodDisruptionBudget", "NetworkPolicy", "Namespace"} == kinds
        maps = {n: o.get("data", {}) for (k, n), o in named.items() if k in ("ConfigMap", "Secret")}
        for service in (o for o in objects if o["kind"] == "Service"):
            chosen = [o for o in objects if o["kind"] == "StatefulSet" and
                      service["spec"]["selector"].items() <= o["spec"]["template"]["metadata"]["labels"].items()]
            assert chosen, service
            for port in service["spec"]["ports"]:
                for one in chosen:
                    ports = {p["name"]: p["containerPort"] for p in one["spec"]["template"]["spec"]["containers"][0]["ports"]}
                    assert ports[port["targetPort"]] == port["port"], (service["metadata"]["name"], port)
        for one in (o for o in objects if o["kind"] == "StatefulSet"):
            assert ("Service", one["spec"]["serviceName"]) in named
            check_pod(one, maps)


def check_pod(one: dict, maps: dict):
    pod = one["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["terminationGracePeriodSeconds"] > 30
    volumes = {v["name"] for v in pod["volumes"]} | {c["metadata"]["name"] for c in one["spec"]["volumeClaimTemplates"]}
    for volume in pod["volumes"]:
        for wanted in (volume.get("configMap", {}).get("name"), volume.get("secret", {}).get("secretName")):
            assert wanted is None or wanted in maps, (wanted, list(maps))
    node, fetch = pod["containers"][0], pod["initContainers"][0]
    for container in (node, fetch):
        assert {m["name"] for m in container["volumeMounts"]} <= volumes
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert "@sha256:" in container["image"]
        for variable in container["env"]:
            source = variable.get("valueFrom", {})
            for kind in ("configMapKeyRef", "secretKeyRef"):
                if kind in source:
                    assert source[kind]["key"] in maps[source[kind]["name"]], variable
    ports = {p["name"] for p in node["ports"]}
    for probe, path in (("startupProbe", "/health"), ("livenessProbe", "/health"), ("readinessProbe", "/ready")):
        assert node[probe]["httpGet"] == {"path": path, "port": "status"} and "status" in ports


def test_kubernetes_fields_are_those_of_the_api(teetee):
    folder = ROOT / "tests/kubernetes"
    rendered = [render(teetee, name) for name in ("base", "simulated")]
    if not shutil.which("npm"):
        raise Skipped("npm is absent")
    if not (folder / "node_modules/.package-lock.json").exists():
        installed = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                                   capture_output=True, text=True, timeout=300)
        if installed.returncode != 0:
            raise Skipped("npm ci in tests/kubernetes: " + installed.stderr[-300:])

    def check(objects) -> dict:
        done = subprocess.run(["node", "check.mjs"], input=yaml.safe_dump_all(objects), cwd=folder, capture_output=True,
                              text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    for objects in rendered:
        assert check(objects) == {"objects": len(objects), "errors": []}
    # The check itself sees a wrong name and a wrong type.
    stateful = next(o for o in rendered[0] if o["kind"] == "StatefulSet")
    stateful["spec"]["replica"] = 1
    assert "replica" in check(rendered[0])["errors"][0]


def test_a_pod_runs_as_its_manifest_says(teetee):
    """The containers' commands and variables, run here: shard 1, then the entry."""
    objects = render(teetee, "simulated")
    maps = {o["metadata"]["name"].rsplit("-", 1)[0]: o for o in objects if o["kind"] == "ConfigMap"}
    etc = teetee.folder / "etc"
    etc.mkdir()
    ports = free_ports(8)
    here = {"0.0.0.0:5010": ports, "0.0.0.0:5001": ports + 1, "0.0.0.0:5002": ports + 2, "0.0.0.0:5003": ports + 3}
    for shard in (0, 1):
        config = maps["teetee"]["data"]["config.toml"]
        for address, port in here.items():
            config = config.replace(address, f"127.0.0.1:{port + 4 * shard}")
        for inside, outside in (("/slot/shard.gguf", f"{teetee.folder}/net/shard-{shard:03}-of-002.gguf"),
                                ("/etc/teetee/", f"{teetee.folder}/net/"), ("/state/", f"{teetee.folder}/state-{shard}/")):
            config = config.replace(inside, outside)
        (etc / f"{shard}.toml").write_text(config)
    key = teetee.json("api-key", "create", "--file", etc / "api-keys", "--name", "app")["key"]
    for name in ("shard-1", "shard-0"):
        one = next(o for o in objects if o["kind"] == "StatefulSet" and o["metadata"]["name"] == name)
        container, shard = one["spec"]["template"]["spec"]["containers"][0], int(name[-1])
        pod = {"$(POD_NAME).links:5010": f"localhost:{ports + 4 * shard}", "$(POD_NAME)": f"{name}-0",
               f"shard-{1 - shard}-0.links:5010": f"localhost:{ports + 4 * (1 - shard)}",
               "/etc/teetee-dev/dev-tee.seed": f"{teetee.folder}/net/dev-tee.seed",
               "/etc/teetee-dev": f"{teetee.folder}/net/collateral", "/etc/teetee-secret": str(etc),
               "/etc/teetee/config.toml": str(etc / f"{shard}.toml")}

        def outside(text: str) -> str:
            for inside, value in pod.items():
                text = text.replace(inside, value)
            return text

        variables = {v["name"]: outside(v["value"]) for v in container["env"] if "value" in v}
        node = teetee.start(*[outside(a) for a in container["args"]], environment=variables)
        wait_until(lambda: Http(here["0.0.0.0:5001"] + 4 * shard).ready(), 60, f"{name} runs: {node.text()}")
    http = Http(here["0.0.0.0:5002"])
    wait_until(lambda: http.get("/ready")[0] == 200, 60, "both shards are linked")
    body = {"prompt": "Once upon a time", "max_tokens": 4}
    assert http.post("/generate", body)[0] == 401
    assert http.post("/generate", body, headers={"authorization": f"Bearer {key}"})[0] == 200


# ---------------------------------------------------------------------------------------------- images

def test_an_image_is_the_same_bytes_twice(teetee):
    roots = []
    for name in ("one", "two"):
        root = teetee.folder / name
        for path in (("usr/bin/teetee", "etc/passwd", "state/", "slot/", "tmp/") if name == "one" else
                     ("tmp/", "slot/", "state/", "etc/passwd", "usr/bin/teetee")):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            if path.endswith("/"):
                (root / path).mkdir()
            else:
                (root / path).write_text(path)
        (root / "usr/bin/teetee").chmod(0o755)
        roots.append(root)
    digests = []
    for root in roots:
        out = teetee.folder / f"{root.name}.tar"
        done = subprocess.run([sys.executable, DEPLOY / "oci_image.py", root, "teetee:test", out], capture_output=True,
                              text=True, env=teetee.environment | {"SOURCE_DATE_EPOCH": "1700000000"}, timeout=60)
        assert done.returncode == 0, done.stderr
        digests.append((done.stdout, hashlib.sha256(out.read_bytes()).hexdigest()))
    assert digests[0] == digests[1] and digests[0][0].startswith("sha256:")


def test_a_release_is_packed_to_the_same_bytes_and_becomes_an_image(teetee):
    """Of this build's program; 'make release-check' also compiles it twice."""
    if not (ROOT / ".git").exists() or not all(shutil.which(need) for need in ("dpkg-query", "npm")):
        raise Skipped("no clone of the repository, no Debian, or no npm")
    build, tarballs = teetee.program.parent, []
    for place in ("one", "another/way/to/it"):
        clone, out = teetee.folder / place, teetee.folder / f"out-{len(tarballs)}"
        for command in (["git", "clone", "-q", "--no-local", ROOT, clone],
                        [clone / "tools/release.sh", "--built", build, "--out", out]):
            done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stderr
        tarballs.append(next(out.glob("*.tar.gz")))
    assert tarballs[0].read_bytes() == tarballs[1].read_bytes()
    names = subprocess.run(["tar", "-tzf", tarballs[0]], capture_output=True, text=True, check=True).stdout
    for wanted in ("bin/teetee", "share/man/man1/teetee-host.1", "completions/teetee", "teetee-node.service", "sbom.cdx.json",
                   "licences/libssl-dev", "deploy/docker-compose.yml", "doc/teetee/LICENSE",
                   "share/teetee/web/index.html", "share/teetee/web/licences.md"):
        assert wanted in names, wanted
    images = []
    for number in (1, 2):
        done = subprocess.run([DEPLOY / "build_image.sh", "--tarball", tarballs[0], "--out", teetee.folder / f"image-{number}"],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        images.append(done.stdout.splitlines()[-1])
    assert images[0] == images[1] and re.fullmatch(r"teetee@sha256:[0-9a-f]{64}", images[0]), images
    root = teetee.folder / "image-1/root"
    assert b"<!doctype html>" in (root / "usr/share/teetee/web/index.html").read_bytes().lower()
    bill = json.loads((root / "usr/share/doc/teetee/sbom.cdx.json").read_text())
    assert {"pkg:deb", "pkg:npm"} == {part["purl"].split("/")[0] for part in bill["components"]}
    # What is in it runs without anything of this machine.
    if subprocess.run(["chroot", root, "/usr/bin/teetee", "--version"], capture_output=True).returncode == 125:
        raise Skipped("chroot is not allowed here")
    done = subprocess.run(["chroot", root, "/usr/bin/teetee", "--version"], capture_output=True, text=True)
    assert done.stdout.strip() == teetee.run("--version")[1].strip(), done
