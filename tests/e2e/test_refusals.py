# SPDX-License-Identifier: Apache-2.0
"""Who is refused before any activation is sent, and that the log says why."""
import json
import pathlib
import shutil

from harness import STORY_MODEL, Skipped, wait_until


def refused(network, reason, seconds=20):
    """Some node's log names the reason, and the route never becomes ready."""
    wait_until(lambda: any(n and reason in n.text() for n in network.nodes), seconds,
               f"{reason} in a log: " + " / ".join(n.text()[-800:] for n in network.nodes if n))
    assert not network.http.ready()


def test_refuses_another_program(teetee):
    # The same code with one more byte is another program: another measurement.
    other = teetee.folder / "teetee-other"
    shutil.copy(teetee.program, other)
    with open(other, "ab") as f:
        f.write(b"x")
    network = teetee.network(2)
    network.start(0)
    network.start(1, program=other)
    refused(network, "measurement_rejected")


def test_refuses_another_model(teetee):
    network = teetee.network(2)
    data = bytearray(STORY_MODEL.read_bytes())
    data[-1000] ^= 1
    other_model = teetee.folder / "other.gguf"
    other_model.write_bytes(data)
    code, _, err = teetee.run("shard", "cut", "--model", other_model, "--shards", 2, "--out", teetee.folder / "other")
    assert code == 0, err
    network.start(0)
    arguments = network.arguments(1)
    arguments[2] = teetee.folder / "other/shard-001-of-002.gguf"
    arguments[4] = teetee.folder / "other/manifest.json"
    network.nodes[1] = teetee.start(*arguments)
    refused(network, "statement_mismatch")


def test_refuses_a_shard_of_another_cut(teetee):
    # The same weights, cut elsewhere: its layers are none of this manifest's shards.
    network = teetee.network(3)
    halves = teetee.folder / "halves"
    code, _, err = teetee.run("shard", "cut", "--model", STORY_MODEL, "--shards", 2, "--out", halves)
    assert code == 0, err
    network.start(0)
    arguments = network.arguments(1)
    arguments[2] = halves / "shard-001-of-002.gguf"
    arguments[4] = halves / "manifest.json"
    network.nodes[1] = teetee.start(*arguments)
    refused(network, "shard_rejected")


def test_refuses_an_expired_statement(teetee):
    # A node whose clock is an hour behind shows a statement that ended 59 minutes ago.
    if "san" in teetee.program.parent.name:
        raise Skipped("libfaketime and a sanitizer's runtime cannot both be loaded first")
    library = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
    if library is None:
        raise Skipped("libfaketime is not installed")
    network = teetee.network(2)
    network.start(0)
    network.start(1, "--statement-seconds", 60,
                  environment={"LD_PRELOAD": str(library), "FAKETIME": "-1h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    refused(network, "certificate_expired")


def test_refuses_a_policy_that_does_not_know_the_root(teetee):
    network = teetee.network(2)
    stranger = teetee.network(2)
    network.start(0)
    arguments = network.arguments(1)
    arguments[8] = stranger.folder / "dev-tee.seed"
    network.nodes[1] = teetee.start(*arguments)
    refused(network, "root_untrusted")


def test_refuses_a_node_with_a_looser_policy(teetee):
    # Its program is the right one, but its host told it to accept any program behind it.
    network = teetee.network(2)
    network.start(0)
    policy = json.loads((network.folder / "policy.json").read_text())
    policy["allow_debug"] = True
    looser = teetee.folder / "looser.json"
    looser.write_text(json.dumps(policy))
    arguments = network.arguments(1)
    arguments[arguments.index("--policy") + 1] = looser
    network.nodes[1] = teetee.start(*arguments)
    refused(network, "policy_hash: have")


def test_refuses_to_start_on_a_changed_shard(teetee):
    network = teetee.network(2)
    path = network.folder / "shard-001-of-002.gguf"
    data = bytearray(path.read_bytes())
    data[-4000] ^= 1
    path.write_bytes(data)
    node = network.start(1)
    assert node.process.wait(20) == 1
    assert "shard_mismatch" in node.text() and "blk." in node.text(), node.text()
    code, _, err = teetee.run("shard", "info", path)
    assert code == 1 and "shard_mismatch" in err, err


def test_refuses_a_stranger_with_a_plain_certificate(teetee):
    import socket
    import ssl
    import subprocess
    network = teetee.network(2)
    network.start_all()
    key, cert = teetee.folder / "key.pem", teetee.folder / "cert.pem"
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                           "-keyout", key, "-out", cert, "-days", "1", "-subj", "/CN=stranger"], capture_output=True)
    assert made.returncode == 0, made.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(cert, key)
    with socket.create_connection(("127.0.0.1", network.port + 3)) as raw:
        with context.wrap_socket(raw) as tls:
            tls.settimeout(10)
            received = b""
            try:
                while piece := tls.recv(4096):
                    received += piece
            except OSError:
                pass
            assert received == b"", "nothing may be sent to an unverified peer"
    wait_until(lambda: "evidence_missing" in network.nodes[1].text(), 10, network.nodes[1].text()[-500:])
    assert network.http.ready()
