# SPDX-License-Identifier: Apache-2.0
"""Intel's documents: fetched from a local service, kept in a folder, refreshed, and who is refused by them."""
import base64
import json
import shutil
import subprocess
import time

from harness import wait_until
from pccs import Pccs

DAY = 24 * 3600


def made(teetee, network, *flags, path=None) -> dict:
    """Collateral of the network's simulated platform; also in the file `path`."""
    path = path or teetee.folder / "made.json"
    code, _, err = teetee.run("attest", "collateral", "--dev-tee", network.folder / "dev-tee.seed", "--out", path, *flags)
    assert code == 0, err
    return json.loads(path.read_text())


def root_of(teetee, network):
    path = teetee.folder / "root.pem"
    path.write_text(json.loads((network.folder / "policy.json").read_text())["roots"][0])
    return path


def quote_of(teetee, network):
    status, answer = network.http.get("/attestation")
    assert status == 200, answer
    path = teetee.folder / "quote.bin"
    path.write_bytes(base64.b64decode(answer["nodes"][0]["quote"]))
    return path


def logs(network) -> str:
    return "\n".join(node.text() for node in network.nodes if node)


def refused(network, *reasons):
    """Some node's log names the reasons on one line, and the route does not become ready."""
    wait_until(lambda: any(all(r in line for r in reasons) for line in logs(network).splitlines()), 20,
               f"{reasons} in a log: {logs(network)[-2000:]}")
    assert not network.http.ready()


def web_certificate(teetee):
    """(PEM of key and certificate for localhost, PEM of the authority)."""
    f = teetee.folder
    extensions = f / "extensions"
    extensions.write_text("subjectAltName=DNS:localhost\n")
    for command in (
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f / "ca.key", "-out",
             f / "ca.pem", "-days", "1", "-subj", "/CN=test authority"],
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f / "web.key", "-out",
             f / "web.csr", "-subj", "/CN=localhost"],
            ["x509", "-req", "-in", f / "web.csr", "-CA", f / "ca.pem", "-CAkey", f / "ca.key", "-CAcreateserial", "-days", "1",
             "-extfile", extensions, "-out", f / "web.crt"]):
        done = subprocess.run(["openssl", *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    web = f / "web.pem"
    web.write_text((f / "web.key").read_text() + (f / "web.crt").read_text())
    return web, f / "ca.pem"


def test_a_network_gets_collateral_from_a_local_pccs_and_keeps_it(teetee):
    network = teetee.network(2)
    shutil.rmtree(network.folder / "collateral")
    kept = network.folder / "kept"
    web, authority = web_certificate(teetee)
    flags = ["--collateral", kept]
    with Pccs(made(teetee, network), web) as pccs:
        network.start_all(*flags, "--pccs", pccs.url, "--pccs-ca", authority)
        assert len(pccs.asked) in (4, 8), pccs.asked  # the second node may find what the first has kept
    assert "collateral_missing" in logs(network), "nobody is believed before the documents are there"
    file = kept / "tdx-444556544545-platform.json"
    code, report, _ = teetee.run("attest", "verify", "--quote", quote_of(teetee, network), "--collateral", file, "--policy",
                                 network.folder / "policy.json", "--json")
    report = json.loads(report)
    assert code == 0 and report["status"] == "UpToDate" and report["simulated"], report
    # The service is gone, and the next start does not need it.
    for node in network.nodes:
        node.stop()
    network.start_all(*flags, "--pccs", "none")
    assert network.http.post("/v1/completions", {"prompt": "Once", "max_tokens": 4})[0] == 200


def test_a_service_that_the_web_does_not_know_is_told_nothing(teetee):
    network = teetee.network(2)
    shutil.rmtree(network.folder / "collateral")
    web, _ = web_certificate(teetee)
    with Pccs(made(teetee, network), web) as pccs:
        for i in range(2):
            network.start(i, "--pccs", pccs.url)
        refused(network, pccs.url, "tls_failed", "local issuer")
        assert not pccs.asked, pccs.asked


def test_stale_collateral_refuses_the_link_until_newer_comes(teetee):
    network = teetee.network(2)
    file = network.folder / "collateral/dev-tee.json"
    made(teetee, network, "--dev-time", int(time.time()) - 40 * DAY, path=file)
    for i in range(2):
        network.start(i, "--collateral-seconds", 1)
    refused(network, "dev-tee.json is not used", "collateral_expired", "need")
    refused(network, "collateral_missing", "444556544545")
    made(teetee, network, path=file)
    wait_until(network.http.ready, 30, "the nodes take over what was dropped in: " + logs(network)[-2000:])


def test_collateral_that_runs_out_soon_is_told_a_week_ahead(teetee):
    network = teetee.network(2)
    made(teetee, network, "--dev-time", int(time.time()) - 25 * DAY, path=network.folder / "collateral/dev-tee.json")
    network.start_all()
    for part in ("runs out at", "tdx-444556544545-platform", str(network.folder / "collateral")):
        assert part in network.nodes[0].text(), network.nodes[0].text()


def test_refuses_a_node_whose_certificate_is_revoked(teetee):
    network = teetee.network(2)
    made(teetee, network, "--dev-revoked", path=network.folder / "collateral/dev-tee.json")
    for i in range(2):
        network.start(i)
    refused(network, "certificate_revoked", "PCK")


def test_refuses_every_node_where_there_is_no_collateral(teetee):
    network = teetee.network(2)
    shutil.rmtree(network.folder / "collateral")
    with Pccs(None) as pccs:
        for i in range(2):
            network.start(i, "--pccs", pccs.url)
        refused(network, "collateral_missing", "444556544545")
        refused(network, pccs.url, "404", "knows nothing of such a platform")


def test_refuses_a_route_and_a_receipt_without_collateral(teetee):
    network = teetee.network(1)
    network.start_all()
    where = ["--policy", network.folder / "policy.json", "--manifest", network.folder / "manifest.json"]
    chat = ["chat", "--entry", f"https://127.0.0.1:{network.port + 1}", *where, "--prompt", "Once", "-n", 4]
    receipt = teetee.folder / "receipt.json"
    code, _, err = teetee.run(*chat, "--receipt", receipt)
    assert code == 0, err
    assert teetee.run("verify", receipt, *where)[0] == 0
    nothing = teetee.folder / "nothing"
    nothing.mkdir()
    code, _, err = teetee.run(*chat, "--collateral", nothing)
    assert code == 1 and "collateral_missing" in err and "444556544545" in err, (code, err)
    code, out, _ = teetee.run("verify", receipt, *where, "--collateral", nothing)
    assert code == 1 and "collateral_missing" in out, (code, out)
    # A client may ask a service itself.
    with Pccs(made(teetee, network)) as pccs:
        code, _, err = teetee.run(*chat, "--collateral", nothing, "--pccs", pccs.url)
        assert code == 0, err
    assert teetee.run("verify", receipt, *where, "--collateral", nothing)[0] == 0
    # Documents that were not in force when the answer was given say nothing of it.
    later = teetee.folder / "later"
    later.mkdir()
    made(teetee, network, "--dev-time", int(time.time()) + 3 * DAY, path=later / "a.json")
    code, out, _ = teetee.run("verify", receipt, *where, "--collateral", later)
    assert code == 1 and "collateral_missing" in out, (code, out)


def test_fetching_what_a_quote_needs(teetee):
    network = teetee.network(1)
    network.start_all()
    quote, root, out = quote_of(teetee, network), root_of(teetee, network), teetee.folder / "out.json"
    fetch = ["attest", "collateral", "--quote", quote, "--root", root, "--out", out]
    need = made(teetee, network)
    with Pccs(need) as pccs:
        report = teetee.json(*fetch, "--pccs", pccs.url)
        assert report["platform"] == "tdx-444556544545-platform" and report["file"] == str(out), report
        assert json.loads(out.read_text()) == need
        assert all("early" not in path for path in pccs.asked), pccs.asked
        teetee.json(*fetch, "--pccs", pccs.url, "--early")
        assert sum("update=early" in path for path in pccs.asked) == 2, pccs.asked
        shown = teetee.json("attest", "show-collateral", out, "--root", root)
        assert shown["expires"] == report["expires"] and shown["revoked_pcks"] == 0, shown
        code, _, err = teetee.run("attest", "show-collateral", out)
        assert code == 1 and "root_untrusted" in err, (code, err)

        out.unlink()
        pccs.collateral = need | {"tcb_info": need["tcb_info"].replace("UpToDate", "SWHarden")}
        code, _, err = teetee.run(*fetch, "--pccs", pccs.url)
        assert code == 1 and "collateral_signature_invalid" in err and not out.exists(), (code, err)
        pccs.collateral = None
        code, _, err = teetee.run(*fetch, "--pccs", pccs.url)
        assert code == 3 and "404" in err and "444556544545" in err and not out.exists(), (code, err)
    assert teetee.run("attest", "collateral", "--out", out)[0] == 2
    assert teetee.run(*fetch, "--pccs", "none")[0] == 2
    assert teetee.run(*fetch, "--pccs", "ftp://x")[0] == 2


def test_up_renews_its_collateral_in_time(teetee):
    network = teetee.network(2)
    file = network.folder / "collateral/dev-tee.json"

    def prepared() -> str:
        code, _, err = teetee.run("up", "--prepare-only", "--shards", 2, "--dir", network.folder)
        assert code == 0, err
        return file.read_text()

    fresh = file.read_text()
    assert prepared() == fresh, "what is good for weeks stays"
    for days in (20, 40):
        made(teetee, network, "--dev-time", int(time.time()) - days * DAY, path=file)
        stale = file.read_text()
        assert prepared() != stale, days
    file.write_text("{")
    assert len(prepared()) > 1000
    policy = json.loads((network.folder / "policy.json").read_text())
    assert policy.get("require_collateral", True) and policy["allow_simulated"], policy
