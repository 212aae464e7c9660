# SPDX-License-Identifier: Apache-2.0
"""Rows that travel in 16 or 8 bits: the same answers whatever happens, and receipts that say so."""
import json

from harness import STORY_MODEL, wait_until
from test_failover import PROMPT, epoch_of, read, wait_for_nodes
from test_receipts import answered, terms, verdict

BODY = {"prompt": PROMPT, "max_tokens": 300, "temperature": 0.7, "seed": 3, "logprobs": 1}


def start(network, form, *extra):
    """Only the entry chooses."""
    network.start(0, "--activations", form, *extra)
    for shard in (1, 2):
        network.start(shard, *extra)
    wait_until(network.http.ready, 60, "the route is ready")


def test_receipts_name_the_format_and_audits_round_as_the_stages_did(teetee):
    for form in ("f16", "q8"):
        network = teetee.network(3)
        start(network, form)
        _, receipt = answered(teetee, network.http)
        code, report = verdict(teetee, "verify", receipt, *terms(network))
        assert code == 0 and report["verdict"] == "accept", report
        stated = json.loads(receipt.read_text())
        assert stated["opening"]["sampling"]["activations"] == form, stated["opening"]
        code, report = verdict(teetee, "audit", receipt, "--model", STORY_MODEL)
        assert code == 0 and report["verdict"] == "match" and report["stages"] == 3, report
        # The format is signed for as well.
        receipt.write_text(receipt.read_text().replace(f'"activations":"{form}"', '"activations":"f32"'))
        code, report = verdict(teetee, "verify", receipt, *terms(network))
        assert code == 1 and report["verdict"] == "reject", report
        for node in network.nodes:
            node.kill()


def test_a_lost_stage_changes_no_token_of_rounded_rows(teetee):
    network = teetee.network(3)
    start(network, "q8", "--kernel", "scalar")
    expected, _ = read(network.http, "/v1/completions", BODY)
    # What a new middle stage lacks the entry replays, what a new tail lacks the stage before it.
    for shard in (1, 2):
        count = 0

        def lose_the_stage():
            """It is the only one of its shard until the answer runs over it."""
            nonlocal count
            count += 1
            if count == 10:
                network.start_another(shard)
                wait_for_nodes(network.http, 4)
                network.nodes[shard].kill()

        events, receipt = read(network.http, "/v1/completions", BODY, lose_the_stage)
        assert events == expected, shard
        assert epoch_of(teetee, network.http, receipt, *terms(network)) > 1
        code, report = verdict(teetee, "audit", teetee.folder / "receipt.json", "--model", STORY_MODEL)
        assert code == 0 and report["verdict"] == "match", report


def test_an_unknown_format_is_named(teetee):
    network = teetee.network(2)
    code, _, err = teetee.run(*network.arguments(0), "--activations", "q4")
    assert code == 2 and "q4 not in {f32,f16,q8}" in err, (code, err)


def test_another_entry_goes_on_in_the_same_format_only(teetee):
    network = teetee.network(2)
    network.start(0, "--activations", "q8")
    network.start(1)
    wait_until(network.http.ready, 60, "the route is ready")
    others = []
    for form in ("f32", "q8"):
        _, entry = network.start_another(0, "--activations", form)
        wait_until(entry.ready, 60, "the route is ready")
        others.append(entry)
    exact, rounded = others
    body = BODY | {"return_token_ids": True, "max_tokens": 40}
    _, whole = network.http.post("/v1/completions", body)
    assert whole["activations"] == "q8", whole
    known = whole["choices"][0]["token_ids"][:15]
    rest = body | {key: whole[key] for key in ("created", "activations")} | {"answer_token_ids": known}
    status, refused = exact.post("/v1/completions", rest)
    # No fault of the request: clients turn to the next entry.
    assert status == 409 and refused["error"]["code"] == "activations_differ", refused
    assert refused["error"]["type"] == "server_error" and "as f32" in refused["error"]["message"], refused
    status, taken_up = rounded.post("/v1/completions", rest)
    assert status == 200, taken_up
    assert known + taken_up["choices"][0]["token_ids"] == whole["choices"][0]["token_ids"]
    status, refused = rounded.post("/v1/completions", rest | {"activations": "q4"})
    assert status == 400 and refused["error"]["code"] == "field_invalid", refused
