# SPDX-License-Identifier: Apache-2.0
"""Sampling options and constrained answers over the whole path: API, two nodes, sampler; and in `teetee run`."""
import json
import re

from harness import STORY_MODEL

PROMPT = "Once upon a time"
SCHEMA = {"type": "object", "required": ["name", "age"], "additionalProperties": False, "properties": {
    "name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "minimum": 1, "maximum": 99}}}


def check_person(text: str):
    person = json.loads(text)
    assert set(person) == {"name", "age"} and len(person["name"]) <= 12 and 1 <= person["age"] <= 99, text


def test_options_over_two_nodes(teetee):
    _, client = teetee.up("--shards", 2)
    base = {"prompt": PROMPT, "max_tokens": 40, "seed": 3}
    ask = lambda **more: client.post("/v1/completions", base | more)
    as_schema = {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}}
    for seed in range(3):
        status, body = ask(seed=seed, response_format=as_schema, max_tokens=120)
        assert status == 200 and body["choices"][0]["finish_reason"] == "stop", body
        check_person(body["choices"][0]["text"])
    status, body = ask(grammar='root ::= " yes" | " no"')
    assert body["choices"][0]["text"] in (" yes", " no") and body["choices"][0]["finish_reason"] == "stop", body
    chat = {"messages": [{"role": "user", "content": PROMPT}], "seed": 3, "response_format": as_schema, "max_tokens": 120}
    events = [data for _, data in client.stream("/v1/chat/completions", chat)][:-1]
    check_person("".join(e["choices"][0]["delta"].get("content", "") for e in events))

    plain = ask(temperature=0)[1]["choices"][0]["text"]
    assert ask(temperature=0, repetition_penalty=1.5, presence_penalty=1)[1]["choices"][0]["text"] != plain
    assert ask(temperature=0, min_p=0.5, typical_p=0.9)[1]["choices"][0]["text"] == plain

    scores = ask(logprobs=2, max_tokens=5)[1]["choices"][0]
    assert len(scores["logprobs"]["tokens"]) == 5 and "".join(scores["logprobs"]["tokens"]) == scores["text"]
    assert all(value <= 0 for value in scores["logprobs"]["token_logprobs"])
    status, body = client.post("/v1/chat/completions", {
        "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 4, "temperature": 0, "logprobs": True, "top_logprobs": 2})
    content = body["choices"][0]["logprobs"]["content"]
    assert len(content) == 4 and all(entry["top_logprobs"][0]["logprob"] == entry["logprob"] for entry in content), body


def test_wrong_options_are_refused_by_name(teetee):
    _, client = teetee.up()
    schema = lambda s: {"response_format": {"type": "json_schema", "json_schema": {"schema": s}}}
    for field, name in (({"min_p": 2}, "min_p"), ({"typical_p": 0}, "typical_p"), ({"repetition_penalty": 0}, "repetition_penalty"),
                        ({"presence_penalty": 3}, "presence_penalty"), ({"frequency_penalty": "x"}, "frequency_penalty"),
                        ({"logit_bias": {"a": 1}}, "logit_bias"), ({"logit_bias": {"1": 101}}, "logit_bias"),
                        ({"logit_bias": {"99999999": 1}}, "logit_bias"), ({"logprobs": 21}, "logprobs"),
                        ({"response_format": {"type": "xml"}}, "response_format"), ({"grammar": "root ::= ("}, "grammar"),
                        (schema({"not": {}}), "not"), (schema({"properties": {"a": {"multipleOf": 2}}}), "multipleOf")):
        status, body = client.post("/v1/completions", {"prompt": PROMPT, "max_tokens": 2} | field)
        assert status == 400 and name in body["error"]["message"], (field, status, body)


def test_run_takes_the_same_options(teetee):
    schema, grammar = teetee.folder / "schema.json", teetee.folder / "grammar.gbnf"
    schema.write_text(json.dumps(SCHEMA))
    grammar.write_text('root ::= " " [a-z]+ "!"')
    run = lambda *flags: teetee.json("run", "--model", STORY_MODEL, "--prompt", PROMPT, "--temperature", 0.8,
                                     *(() if "-n" in flags else ("-n", 120)), *flags)
    check_person(run("--json-schema", schema)["text"])
    assert re.fullmatch(r" [a-z]+!", run("--grammar", grammar, "--min-p", 0.01)["text"])
    plain = run("--seed", 5)
    stop = plain["text"].split()[4]
    stopped = run("--seed", 5, "--stop", stop)
    assert stopped["text"] == plain["text"][:plain["text"].index(stop)] and stopped["finish_reason"] == "stop"
    scores = run("-n", 4, "--logprobs", 2, "--logit-bias", f"{plain['tokens'][0]}:-100", "--seed", 5)
    assert len(scores["logprobs"]) == 4 and len(scores["logprobs"][0]["top"]) == 2
    assert scores["tokens"][0] != plain["tokens"][0]
    code, _, err = teetee.run("run", "--model", STORY_MODEL, "--prompt", "x", "--logit-bias", "nonsense")
    assert code == 2 and "--logit-bias" in err
