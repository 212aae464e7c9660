# SPDX-License-Identifier: Apache-2.0
"""Rows that travel in 16 or 8 bits: the same answers whatever happens, and receipts that say so."""
import json

from test_failover import PROMPT, epoch_of, read, wait_for_nodes
from test_receipts import answered, terms, verdict
from harness import STORY_MODEL

BODY = {"prompt": PROMPT, "max_tokens": 100, "temperature": 0.7, "seed": 3, "logprobs": 1}


def test_receipts_name_the_format_and_audits_round_as_the_stages_did(teetee):
    hashes = {}
    for form in ("f16", "q8"):
        network = teetee.network(3)
        network.start(0, "--activations", form)
        for shard in (1, 2):
            network.start(shard)
        wait_for_nodes(network.http, 3)
        _, receipt = answered(teetee, network.http)
        code, report = verdict(teetee, "verify", receipt, *terms(network))
        assert code == 0 and report["verdict"] == "accept", report
        stated = json.loads(receipt.read_text())
        assert stated["opening"]["sampling"]["activations"] == form, stated["opening"]
        code, report = verdict(teetee, "audit", receipt, "--model", STORY_MODEL)
        assert code == 0 and report["verdict"] == "match" and report["stages"] == 3, report
        hashes[form] = stated["stages"][0]["record"]["output"] if "record" in stated["stages"][0] else stated["stages"][0]["output"]
        # What was signed is the format as well.
        stated["opening"]["sampling"]["activations"] = "f32"
        receipt.write_text(json.dumps(stated))
        code, report = verdict(teetee, "verify", receipt, *terms(network))
        assert code == 1 and report["verdict"] == "reject", report
        teetee.end()
    assert hashes["f16"] != hashes["q8"]


def test_a_lost_stage_changes_no_token_of_rounded_rows(teetee):
    network = teetee.network(3)
    network.start(0, "--activations", "q8")
    for shard in (1, 2):
        network.start(shard)
    expected, _ = (wait_for_nodes(network.http, 3), read(network.http, "/v1/completions", BODY))[1]
    network.start_another(1)
    wait_for_nodes(network.http, 4)
    count = 0

    def kill_in_the_middle():
        nonlocal count
        count += 1
        if count == 40:
            network.nodes[1].kill()

    events, receipt = read(network.http, "/v1/completions", BODY, kill_in_the_middle)
    assert events == expected
    assert epoch_of(teetee, network.http, receipt, *terms(network)) >= 1
    code, report = verdict(teetee, "audit", teetee.folder / "receipt.json", "--model", STORY_MODEL)
    assert code == 0 and report["verdict"] == "match", report


def test_an_unknown_format_is_named(teetee):
    network = teetee.network(2)
    code, _, err = teetee.run("node", *network.arguments(0), "--activations", "q4")
    assert code == 2 and "need f32, f16 or q8" in err, (code, err)
