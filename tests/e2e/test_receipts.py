# SPDX-License-Identifier: Apache-2.0
"""Receipts of real answers: fetched, verified, audited, and a stage that lies found out."""
import http.client
import json
import shutil

from harness import STORY_MODEL, wait_until

REQUEST = {"prompt": "Once upon a time there was a", "max_tokens": 24, "temperature": 0.8, "seed": 7}


def fetch(network_http, path):
    """The receipt's bytes as they came."""
    connection = http.client.HTTPConnection("127.0.0.1", network_http.port, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 200, body
    return body


def answered(teetee, network_http, request=REQUEST, name="receipt.json"):
    """(answer, file with its receipt)."""
    status, answer = network_http.post("/v1/completions", json.dumps(request).encode())
    assert status == 200, answer
    path = teetee.folder / name
    path.write_bytes(fetch(network_http, answer["receipt"]))
    return answer, path


def terms(network):
    return ["--policy", network.folder / "policy.json", "--manifest", network.folder / "manifest.json"]


def verdict(teetee, *arguments):
    """(exit code, report) of a command with --json."""
    code, out, err = teetee.run(*arguments, "--json")
    assert code in (0, 1), err
    return code, json.loads(out)


def test_an_answer_over_three_shards_is_verified_and_audited(teetee):
    network = teetee.network(3)
    network.start_all()
    answer, receipt = answered(teetee, network.http)
    request_file, text_file = teetee.folder / "request.json", teetee.folder / "answer.txt"
    request_file.write_text(json.dumps(REQUEST))
    text_file.write_text(answer["choices"][0]["text"])
    code, report = verdict(teetee, "verify", receipt, *terms(network), "--request", request_file, "--answer", text_file)
    assert code == 0 and report["verdict"] == "accept", report
    assert report["simulated"] and report["stages"] == 3, report
    assert report["completion_tokens"] == answer["usage"]["completion_tokens"] == 24, report
    assert all(check["passed"] for check in report["checks"]) and len(report["checks"]) == 17, report
    code, out, err = teetee.run("verify", receipt, *terms(network))
    assert code == 0 and "SIMULATED" in out and out.endswith("accept\n"), (out, err)
    code, report = verdict(teetee, "audit", receipt, "--model", STORY_MODEL)
    assert code == 0 and report["verdict"] == "match" and report["stages"] == 3, report

    # Another answer's text, another policy, another model.
    text_file.write_text(answer["choices"][0]["text"] + "!")
    code, report = verdict(teetee, "verify", receipt, *terms(network), "--answer", text_file)
    assert code == 1 and report["verdict"] == "reject", report
    policy = json.loads((network.folder / "policy.json").read_text())
    del policy["allow_simulated"]
    production = teetee.folder / "production.json"
    production.write_text(json.dumps(policy))
    code, report = verdict(teetee, "verify", receipt, "--policy", production, *terms(network)[2:])
    assert code == 1 and "simulated_rejected" in json.dumps(report), report
    other = bytearray(STORY_MODEL.read_bytes())
    other[-1000] ^= 1
    other_model = teetee.folder / "other.gguf"
    other_model.write_bytes(other)
    code, _, err = teetee.run("audit", receipt, "--model", other_model)
    assert code != 0 and "shard_mismatch" in err, err


def test_streams_chats_and_stopped_answers_have_receipts(teetee):
    network = teetee.network(2)
    network.start_all()
    paths = []
    for _, data in network.http.stream("/v1/completions", REQUEST):
        if data != "[DONE]" and "receipt" in data:
            paths.append(data["receipt"])
    assert len(paths) == 1, paths
    # A stop string ends the answer by a cancel.
    first = network.http.post("/v1/completions", REQUEST)[1]["choices"][0]["text"]
    _, stopped = answered(teetee, network.http, REQUEST | {"stop": [first.split()[3]]}, "stopped.json")
    _, whole = answered(teetee, network.http, REQUEST | {"max_tokens": 1}, "one.json")
    streamed = teetee.folder / "streamed.json"
    streamed.write_bytes(fetch(network.http, paths[0]))
    for receipt in (stopped, whole, streamed):
        code, report = verdict(teetee, "verify", receipt, *terms(network))
        assert code == 0, report
        code, report = verdict(teetee, "audit", receipt, "--model", STORY_MODEL)
        assert code == 0 and report["verdict"] == "match", report
    saved = teetee.folder / "chat.json"
    code, out, err = teetee.run("chat", "--entry", f"https://127.0.0.1:{network.port + 1}", *terms(network),
                                "--prompt", "Tell me of a cat", "-n", 8, "--receipt", saved)
    assert code == 0, err
    assert verdict(teetee, "verify", saved, *terms(network))[0] == 0


def test_an_entry_with_all_layers_signs_alone(teetee):
    network = teetee.network(1)
    network.start_all()
    _, receipt = answered(teetee, network.http)
    code, report = verdict(teetee, "verify", receipt, *terms(network))
    assert code == 0 and report["stages"] == 1, report
    assert verdict(teetee, "audit", receipt, "--model", STORY_MODEL)[0] == 0
    alone = with_fresh_quotes(teetee, network)
    code, report = verdict(teetee, "verify", alone, *terms(network), "--require-fresh-quotes")
    assert code == 0 and report["fresh_quotes"] == 1, report


def test_a_prefix_from_the_cache_is_billed_as_such(teetee):
    network = teetee.network(2)
    network.start_all()
    request = {"prompt": "Once upon a time " * 20, "max_tokens": 4}
    headers = {"Authorization": "Bearer one"}
    for _ in range(2):
        status, answer = network.http.post("/v1/completions", json.dumps(request).encode(), headers=headers)
        assert status == 200, answer
    path = teetee.folder / "cached.json"
    path.write_bytes(fetch(network.http, answer["receipt"]))
    code, report = verdict(teetee, "verify", path, *terms(network))
    assert code == 0 and report["cached_tokens"] > 0, report
    assert verdict(teetee, "audit", path, "--model", STORY_MODEL)[0] == 0


def test_unknown_receipts_are_not_there(teetee):
    network = teetee.network(1)
    network.start_all()
    for name in ("00" * 16, "chatcmpl-" + "ab" * 16, "", "..", "zz" * 16, "0x" + "00" * 15):
        status, body = network.http.get("/v1/receipts/" + name)
        assert status == 404 and body["error"]["code"] == "receipt_unknown", (name, body)
    assert network.http.post("/v1/receipts/" + "00" * 16, {})[0] == 405


def with_a_liar(teetee, shard_count, liar, position):
    """A ring in which one node is tests/lying_stage, and a policy that accepts it."""
    lying = teetee.program.parent / "teetee-lying"
    network = teetee.network(shard_count)
    other = teetee.folder / "lying-network"
    other.mkdir()
    shutil.copy(network.folder / "dev-tee.seed", other / "dev-tee.seed")
    code, _, err = teetee.run("up", "--prepare-only", "--shards", shard_count, "--model", STORY_MODEL, "--dir", other,
                              program=lying)
    assert code == 0, err
    policy = json.loads((network.folder / "policy.json").read_text())
    policy["measurements"] += json.loads((other / "policy.json").read_text())["measurements"]
    (network.folder / "policy.json").write_text(json.dumps(policy))
    for i in range(shard_count):
        if i == liar:
            network.start(i, program=lying, environment={"TEETEE_LIE_AT": str(position)})
        else:
            network.start(i)
    wait_until(network.http.ready, 60, "the route is ready: " + " / ".join(n.text()[-500:] for n in network.nodes))
    return network


def test_a_stage_that_changes_one_bit_is_found_by_the_audit(teetee):
    network = with_a_liar(teetee, 3, liar=1, position=12)
    answer, receipt = answered(teetee, network.http)
    prompt_tokens = answer["usage"]["prompt_tokens"]
    assert prompt_tokens <= 12 < prompt_tokens + 23
    # Signed and consistent: without the weights nothing shows.
    assert verdict(teetee, "verify", receipt, *terms(network))[0] == 0
    code, report = verdict(teetee, "audit", receipt, "--model", STORY_MODEL)
    assert code == 1 and report["verdict"] == "mismatch", report
    found = report["mismatch"]
    assert (found["stage"], found["position"], found["what"]) == (1, 12, "row"), found
    assert found["answer_token"] == 12 - prompt_tokens, found
    code, out, _ = teetee.run("audit", receipt, "--model", STORY_MODEL)
    assert code == 1 and "stage 1" in out and "position 12" in out, out


def test_a_tail_that_picks_another_token_is_found_by_the_audit(teetee):
    network = with_a_liar(teetee, 2, liar=1, position=14)
    _, receipt = answered(teetee, network.http)
    assert verdict(teetee, "verify", receipt, *terms(network))[0] == 0
    code, report = verdict(teetee, "audit", receipt, "--model", STORY_MODEL)
    assert code == 1, report
    found = report["mismatch"]
    assert (found["stage"], found["position"], found["what"]) == (1, 15, "token"), found


def with_fresh_quotes(teetee, network, name="fresh.json"):
    return answered(teetee, network.http, REQUEST | {"attest": "quote"}, name)[1]


def failed_checks(report):
    return [check["check"] for check in report["checks"] if not check["passed"]]


def test_every_stage_of_three_makes_a_fresh_quote_where_it_is_asked_for(teetee):
    network = teetee.network(3)
    network.start_all()
    receipt = with_fresh_quotes(teetee, network)
    code, report = verdict(teetee, "verify", receipt, *terms(network), "--require-fresh-quotes")
    assert code == 0 and report["verdict"] == "accept" and report["fresh_quotes"] == 3, report
    assert sum(check["check"].startswith("fresh quote of") for check in report["checks"]) == 3, report
    code, out, _ = teetee.run("verify", receipt, *terms(network))
    assert code == 0 and out.count("  ok  fresh quote of layers") == 3, out
    assert verdict(teetee, "audit", receipt, "--model", STORY_MODEL)[0] == 0

    # Not asked for, not there: and then nothing says that they have been.
    _, plain = answered(teetee, network.http)
    code, report = verdict(teetee, "verify", plain, *terms(network))
    assert code == 0 and report["fresh_quotes"] == 0, report
    code, report = verdict(teetee, "verify", plain, *terms(network), "--require-fresh-quotes")
    assert code == 1 and len(failed_checks(report)) == 3, report

    text = receipt.read_text()
    stages = json.loads(text)["stages"]
    others = json.loads(with_fresh_quotes(teetee, network, "other.json").read_text())["stages"]
    own = stages[1]["fresh_quote"]
    forgeries = {
        "another receipt's": others[1]["fresh_quote"],
        "another stage's": stages[2]["fresh_quote"],
        "the one from its start": stages[1]["quote"],
        "one letter changed": own[:1000] + ("A" if own[1000] != "A" else "B") + own[1001:],
        "none": None,
    }
    for what, quote in forgeries.items():
        member = f',"fresh_quote":"{own}"'
        assert text.count(member) == 1
        tampered = teetee.folder / "tampered.json"
        tampered.write_text(text.replace(member, f',"fresh_quote":"{quote}"' if quote else ""))
        code, report = verdict(teetee, "verify", tampered, *terms(network))
        layers = "{} to {}".format(stages[1]["layers"][0], stages[1]["layers"][1] - 1)
        assert code == 1 and failed_checks(report) == [f"fresh quote of layers {layers}",
                                                       "entry: signature over the fresh quotes"], (what, report)


def test_fresh_quotes_are_asked_for_in_every_way_a_request_is_made(teetee):
    network = teetee.network(2)
    network.start_all()
    _, by_query = network.http.post("/generate?attest=quote", {"prompt": "Once", "max_tokens": 4})
    streamed = [data["receipt"] for _, data in network.http.stream("/v1/completions", REQUEST | {"attest": "quote"})
                if data != "[DONE]" and "receipt" in data]
    receipts = {"query": by_query["receipt"], "stream": streamed[0]}
    for name, path in receipts.items():
        receipts[name] = teetee.folder / f"{name}.json"
        receipts[name].write_bytes(fetch(network.http, path))
    for flags in ([], ["--sealed"]):
        name = "chat" + "".join(flags)
        receipts[name] = teetee.folder / f"{name}.json"
        entry = f"http://127.0.0.1:{network.port}" if flags else f"https://127.0.0.1:{network.port + 1}"
        code, _, err = teetee.run("chat", "--entry", entry, *terms(network), *flags, "--prompt", "Tell me of a cat",
                                  "-n", 4, "--receipt", receipts[name], "--fresh-quotes")
        assert code == 0 and "--require-fresh-quotes" in err, err
    for name, receipt in receipts.items():
        code, report = verdict(teetee, "verify", receipt, *terms(network), "--require-fresh-quotes")
        assert code == 0 and report["fresh_quotes"] == 2, (name, report)
    for path, body in (("/generate", {"prompt": "a", "attest": "quotes"}), ("/generate?attest=1", {"prompt": "a"}),
                       ("/v1/completions", {"prompt": "a", "attest": True})):
        status, answer = network.http.post(path, body)
        assert status == 400 and "attest" in answer["error"]["message"], answer
