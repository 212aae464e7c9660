# SPDX-License-Identifier: Apache-2.0
"""Requests as llama-server's and OpenAI's documentation have them, replayed: each is answered with the fields that
its clients read, and request and answer fit the OpenAPI document that the entry serves."""
import base64
import concurrent.futures
import http.client
import json
import math
import os
import struct

from harness import STORY_MODEL, wait_until
from json_schema import misfits
from test_receipts import fetch

CHAT = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": "Once upon a time"}]
FUNCTION = {"name": "get_current_weather", "description": "Get the current weather", "parameters": {
    "type": "object", "properties": {"location": {"enum": ["Boston", "Paris"]}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}}, "required": ["location"]}}
TOOL = {"type": "function", "function": FUNCTION}
SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
CHAT_FIELDS = ["id", "object", "created", "model", "choices", "usage", "choices.0.index", "choices.0.finish_reason", "choices.0.message.role",
               "usage.prompt_tokens", "usage.completion_tokens", "usage.total_tokens", "timings.predicted_per_second"]
TEXT_FIELDS = ["id", "object", "created", "model", "choices.0.text", "choices.0.index", "choices.0.finish_reason", "usage.total_tokens"]
LLAMA_FIELDS = ["content", "stop", "model", "prompt", "generation_settings.temperature", "tokens_predicted", "tokens_evaluated", "stop_type",
                "stopping_word", "timings.prompt_n", "truncated", "tokens_cached"]
RESPONSE_FIELDS = ["id", "object", "created_at", "status", "model", "output", "usage.input_tokens", "usage.output_tokens", "output.0.type"]

# Method, path, body, status, fields of the answer, and maybe a check of it.
REQUESTS = [
    ("GET", "/health", None, 200, ["status"]),
    ("GET", "/v1/models", None, 200, ["object", "data.0.id", "data.0.object", "data.0.created", "data.0.owned_by"]),
    ("GET", "/models", None, 200, ["data.0.id"]),
    ("GET", "/v1/models/teetee-story", None, 200, ["id", "object"]),
    ("GET", "/props", None, 200, ["default_generation_settings.n_ctx", "total_slots", "chat_template", "build_info"]),
    ("GET", "/v1/network", None, 200, ["object", "model.shards.1.1", "nodes.1.history.buckets.0.probes", "routes.0.1"]),
    ("GET", "/v1/network?history=none", None, 200, ["nodes.1.round_trip_ms"], lambda a: a["nodes"][0]["history"]["buckets"] == []),
    ("GET", "/v1/pools", None, 200, ["object", "block"], lambda a: a["data"] == []),
    ("GET", "/v1/pools?after=x", None, 400, ["error.param"], lambda a: a["error"]["param"] == "after"),
    ("GET", "/v1/policy", None, 200, ["allow_simulated"]),
    ("GET", "/v1/manifest", None, 200, ["model_root", "shards.1"]),
    ("GET", "/v1/collateral", None, 200, ["object", "data.0.platform", "data.0.collateral.tcb_info"]),
    ("POST", "/completion", {"prompt": "Building a website can be done in 10 simple steps:", "n_predict": 16}, 200, LLAMA_FIELDS),
    ("POST", "/completion", {"prompt": "Once", "n_predict": 8, "temperature": 0, "stop": ["zzz"], "cache_prompt": True, "id_slot": -1}, 200, LLAMA_FIELDS,
     lambda a: a["stop_type"] == "limit" and a["tokens_predicted"] == 8),
    ("POST", "/completion", {"prompt": "Once", "n_predict": 4, "n_probs": 2, "seed": -1}, 200, ["completion_probabilities.0.token", "completion_probabilities.0.top_logprobs.1.logprob"]),
    ("POST", "/completion", {"prompt": [1, 557, 527], "n_predict": 4, "return_tokens": True}, 200, ["tokens.3"]),
    ("POST", "/completion", {"prompt": "Once", "n_predict": 40, "json_schema": SCHEMA}, 200, LLAMA_FIELDS, lambda a: isinstance(json.loads(a["content"])["ok"], bool)),
    ("POST", "/completion", {"prompt": "Once", "n_predict": 40, "grammar": 'root ::= "yes" | "no"'}, 200, LLAMA_FIELDS, lambda a: a["content"] in ("yes", "no")),
    ("POST", "/completion", {"prompt": "Once", "n_predict": 4, "logit_bias": [[557, 1.0], [3, False]], "top_k": 40, "top_p": 0.95, "min_p": 0.05,
                             "repeat_penalty": 1.1, "repeat_last_n": 64, "presence_penalty": 0, "mirostat": 0, "samplers": ["top_k"]}, 200, LLAMA_FIELDS,
     lambda a: a["generation_settings"]["repeat_penalty"] == 1.1),
    ("POST", "/completions", {"prompt": "Once", "n_predict": 2}, 200, LLAMA_FIELDS),
    ("POST", "/v1/embeddings", {"input": "The food was delicious and the waiter...", "model": "teetee-story", "encoding_format": "float"}, 200,
     ["object", "data.0.object", "data.0.embedding.0", "data.0.index", "model", "usage.prompt_tokens", "usage.total_tokens"]),
    ("POST", "/embeddings", {"input": ["a cat", [557, 527]], "encoding_format": "base64"}, 200, ["data.1.embedding"], lambda a: isinstance(a["data"][0]["embedding"], str)),
    ("POST", "/v1/embeddings", {"input": "x", "dimensions": 8}, 400, ["error.param"], lambda a: a["error"]["param"] == "dimensions"),
    ("POST", "/tokenize", {"content": "Hello world", "add_special": False, "with_pieces": False}, 200, ["tokens.0"]),
    ("POST", "/tokenize", {"content": "Hello world", "with_pieces": True}, 200, ["tokens.0.id", "tokens.0.piece"],
     lambda a: "".join(one["piece"] for one in a["tokens"]).strip() == "Hello world"),
    ("POST", "/detokenize", {"tokens": [557, 527, 261, 429]}, 200, ["content"], lambda a: a["content"].strip() == "Once upon a time"),
    ("POST", "/apply-template", {"messages": CHAT}, 200, ["prompt"], lambda a: "Once upon a time" in a["prompt"]),
    ("POST", "/v1/completions", {"model": "teetee-story", "prompt": "Say this is a test", "max_tokens": 7, "temperature": 0}, 200, TEXT_FIELDS),
    ("POST", "/v1/completions", {"prompt": ["Once", "The"], "max_tokens": 3}, 200, TEXT_FIELDS, lambda a: [c["index"] for c in a["choices"]] == [0, 1]),
    ("POST", "/v1/completions", {"prompt": [557, 527], "max_tokens": 3, "logprobs": 2, "user": "someone", "best_of": 1}, 200,
     TEXT_FIELDS + ["choices.0.logprobs.tokens.0", "choices.0.logprobs.text_offset.0"]),
    ("POST", "/v1/chat/completions", {"model": "teetee-story", "messages": CHAT, "max_tokens": 8}, 200, CHAT_FIELDS + ["choices.0.message.content"]),
    ("POST", "/chat/completions", {"messages": CHAT, "max_tokens": 4}, 200, CHAT_FIELDS),
    ("POST", "/v1/chat/completions", {"messages": [{"role": "developer", "content": "x"}, {"role": "user", "content": [{"type": "text", "text": "Once"}]}],
                                      "max_completion_tokens": 8, "n": 2, "store": False, "metadata": {"a": "b"}, "service_tier": "auto"}, 200, CHAT_FIELDS + ["choices.1.message.content"]),
    ("POST", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 4, "logprobs": True, "top_logprobs": 2}, 200,
     CHAT_FIELDS + ["choices.0.logprobs.content.0.token", "choices.0.logprobs.content.0.bytes.0", "choices.0.logprobs.content.0.top_logprobs.1.logprob"]),
    ("POST", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 160, "tools": [TOOL], "tool_choice": "required", "seed": 1}, 200,
     CHAT_FIELDS + ["choices.0.message.tool_calls.0.id", "choices.0.message.tool_calls.0.function.arguments"],
     lambda a: a["choices"][0]["finish_reason"] == "tool_calls" and json.loads(a["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"])["location"] in ("Boston", "Paris")),
    ("POST", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 8, "tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": False}, 200, CHAT_FIELDS),
    ("POST", "/v1/chat/completions", {"messages": CHAT + [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "get_current_weather", "arguments": "{\"location\":\"Paris\"}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}], "tools": [TOOL], "max_tokens": 4}, 200, CHAT_FIELDS),
    ("POST", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 100, "response_format": {"type": "json_object"}, "temperature": 0}, 200, CHAT_FIELDS),
    ("POST", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 40, "response_format": {"type": "json_object", "schema": SCHEMA}}, 200, CHAT_FIELDS,
     lambda a: isinstance(json.loads(a["choices"][0]["message"]["content"])["ok"], bool)),
    ("POST", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 40, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}}}, 200,
     CHAT_FIELDS, lambda a: isinstance(json.loads(a["choices"][0]["message"]["content"])["ok"], bool)),
    ("POST", "/v1/responses", {"model": "teetee-story", "input": "Tell me a story.", "max_output_tokens": 8}, 200, RESPONSE_FIELDS + ["output.0.content.0.text"],
     lambda a: a["status"] == "incomplete" and a["incomplete_details"]["reason"] == "max_output_tokens"),
    ("POST", "/responses", {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Once"}]}], "instructions": "x", "max_output_tokens": 160,
                            "tools": [{"type": "function", **FUNCTION}], "tool_choice": "required"}, 200, RESPONSE_FIELDS + ["output.0.call_id", "output.0.arguments"],
     lambda a: a["output"][0]["type"] == "function_call"),
    ("GET", "/v1/models/gpt-4", None, 404, ["error.message", "error.code"]),
    ("POST", "/v1/chat/completions", {"model": "gpt-4", "messages": CHAT}, 404, ["error.message", "error.type", "error.code"]),
    ("POST", "/v1/chat/completions", {"messages": CHAT, "temperature": "hot"}, 400, ["error.param"], lambda a: a["error"]["param"] == "temperature"),
    ("POST", "/v1/chat/completions", {"messages": "hi"}, 400, ["error.param"], lambda a: a["error"]["param"] == "messages"),
    ("POST", "/v1/chat/completions", {"messages": CHAT, "tools": [TOOL], "tool_choice": "sometimes"}, 400, ["error.param"], lambda a: a["error"]["param"] == "tool_choice"),
    ("POST", "/v1/completions", {"prompt": "x", "echo": True}, 400, ["error.param"], lambda a: a["error"]["param"] == "echo"),
    ("POST", "/v1/responses", {"input": "x", "previous_response_id": "resp_1"}, 400, ["error.param"], lambda a: a["error"]["param"] == "previous_response_id"),
    ("POST", "/v1/completions", b"{", 400, ["error.code"], lambda a: a["error"]["code"] == "invalid_json"),
    ("GET", "/v1/chat/completions", None, 405, ["error.code"], lambda a: a["error"]["code"] == "method_not_allowed"),
    ("POST", "/v1/images/generations", {"prompt": "x"}, 404, ["error.code"], lambda a: a["error"]["code"] == "route_unknown"),
]


def at(value, path: str):
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def operation_of(document, method: str, path: str):
    for pattern, operations in document["paths"].items():
        if pattern == path or ("{id}" in pattern and path.startswith(pattern.split("{id}")[0]) and not pattern.endswith("anchor")):
            return operations.get(method.lower())
    return None


def schema_in(part):
    return part["content"]["application/json"]["schema"]


def test_documented_requests_are_answered_with_their_fields(teetee):
    network = teetee.network(2)
    network.start_all()
    status, document = network.http.get("/openapi.json")
    assert status == 200 and document["openapi"].startswith("3.1")
    assert len(REQUESTS) >= 40
    for method, path, body, expected, fields, *check in REQUESTS:
        if isinstance(body, dict) and expected == 200 and "tokenize" not in path:
            body = {"seed": 7, **body}
        status, answer = network.http.request(method, path, body)
        assert status == expected, (path, body, status, answer)
        for field in fields:
            try:
                at(answer, field)
            except (KeyError, IndexError, TypeError):
                raise AssertionError(f"{path} {body}: no {field} in {answer}")
        assert not check or check[0](answer), (path, body, answer)
        operation = operation_of(document, method, path.partition("?")[0])
        if operation is None:
            assert expected in (404, 405), path
            continue
        if expected == 200 and body is not None:
            assert not list(misfits(body, schema_in(operation["requestBody"]), document)), (path, list(misfits(body, schema_in(operation["requestBody"]), document)))
        answers = operation["responses"]
        described = schema_in(answers["200"] if expected == 200 else answers["default"])
        assert not list(misfits(answer, described, document)), (path, answer, list(misfits(answer, described, document)))


def test_streams_say_what_whole_answers_say(teetee):
    network = teetee.network(2)
    network.start_all()
    story = {"seed": 5, "max_tokens": 20}
    whole = network.http.post("/completion", {"prompt": "Once", "n_predict": 20, "seed": 5})[1]
    events = [data for _, data in network.http.stream("/completion", {"prompt": "Once", "n_predict": 20, "seed": 5})]
    assert "".join(event["content"] for event in events) == whole["content"]
    assert [event["stop"] for event in events] == [False] * (len(events) - 1) + [True]
    whole = network.http.post("/v1/responses", {"input": "Once", **story})[1]
    named = list(network.http.stream("/v1/responses", {"input": "Once", **story}))
    assert all(name == data["type"] for name, data in named)
    assert "".join(data["delta"] for name, data in named if name == "response.output_text.delta") == whole["output"][0]["content"][0]["text"]
    tools = {"messages": CHAT, "tools": [TOOL], "tool_choice": "required", "seed": 2, "max_tokens": 160}
    whole = network.http.post("/v1/chat/completions", tools)[1]["choices"][0]
    chunks = [data["choices"][0] for _, data in network.http.stream("/v1/chat/completions", tools) if data != "[DONE]"]
    calls = [call for chunk in chunks for call in chunk["delta"].get("tool_calls", [])]
    assert [{k: v for k, v in call.items() if k != "index"} for call in calls] == whole["message"]["tool_calls"], (calls, whole)
    assert chunks[-1]["finish_reason"] == whole["finish_reason"] == "tool_calls"
    assert not any(chunk["delta"].get("content") for chunk in chunks)


def embed(http, texts, **more):
    status, answer = http.post("/v1/embeddings", {"input": texts, "encoding_format": "base64", **more})
    assert status == 200, answer
    return [one["embedding"] for one in answer["data"]], answer


def numbers(encoded: str):
    raw = base64.b64decode(encoded)
    return struct.unpack(f"<{len(raw) // 4}f", raw)


def test_embeddings_are_the_same_bits_whatever_the_cut(teetee):
    texts = ["The cat sat on the mat.", "A dog ran in the park.", "The cat sat on the rug.", "word " * 300]
    found = []
    for shards in (1, 2, 5):
        network = teetee.network(shards)
        network.start_all()
        together, _ = embed(network.http, texts)
        assert [embed(network.http, text)[0][0] for text in texts] == together
        found.append(together)
        # Many at once, with stories between them; the last state alone is another vector.
        many, answer = embed(network.http, texts * 10)
        assert many == together * 10 and [one["index"] for one in answer["data"]] == list(range(40))
        assert embed(network.http, texts, pooling="last")[0] != together
    assert found[0] == found[1] == found[2]
    cat, dog, rug, _ = [numbers(one) for one in found[0]]
    for vector in (cat, dog, rug):
        assert abs(math.fsum(x * x for x in vector) - 1) < 1e-4

    def alike(a, b):
        return math.fsum(x * y for x, y in zip(a, b))

    assert alike(cat, rug) > alike(cat, dog), (alike(cat, rug), alike(cat, dog))


def test_an_embedding_has_a_receipt(teetee):
    network = teetee.network(2)
    network.start_all()
    encoded, answer = embed(network.http, "The cat sat on the mat.")
    path, vector = teetee.folder / "receipt.json", teetee.folder / "embedding"
    path.write_bytes(fetch(network.http, answer["data"][0]["receipt"]))
    vector.write_bytes(base64.b64decode(encoded[0]))
    code, out, err = teetee.run("verify", path, *network.verify_flags(), "--answer", vector)
    assert code == 0, (out, err)
    vector.write_bytes(vector.read_bytes()[:-1] + b"x")
    assert teetee.run("verify", path, *network.verify_flags(), "--answer", vector)[0] == 1
    assert teetee.run("audit", path, "--model", STORY_MODEL)[0] == 0


def headers_of(port: int, method: str, path: str, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, headers=headers or {})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}


def test_every_answer_has_an_id_and_pages_may_read_it(teetee):
    network = teetee.network(1)
    network.start_all()
    ids = set()
    for method, path in (("GET", "/health"), ("GET", "/nothing"), ("PUT", "/health"), ("POST", "/v1/completions"), ("OPTIONS", "/v1/completions")):
        status, headers = headers_of(network.http.port, method, path, {"Origin": "https://app.example"})
        ids.add(headers["x-request-id"])
        assert headers["access-control-allow-origin"] == "*", (path, headers)
    assert len(ids) == 5
    status, headers = headers_of(network.http.port, "OPTIONS", "/v1/completions", {
        "Origin": "https://app.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"})
    assert status == 204 and headers["access-control-allow-headers"] == "authorization,content-type", headers
    assert headers_of(network.http.port, "PUT", "/health")[1]["allow"] == "GET, HEAD, OPTIONS"
    assert "access-control-allow-origin" not in headers_of(network.http.port, "GET", "/health")[1]


def test_pages_may_be_named(teetee):
    network = teetee.network(1)
    network.start_all("--cors-origin", "https://app.example")
    named = headers_of(network.http.port, "GET", "/health", {"Origin": "https://app.example"})[1]
    assert named["access-control-allow-origin"] == "https://app.example" and named["vary"] == "Origin"
    other = headers_of(network.http.port, "GET", "/health", {"Origin": "https://evil.example"})[1]
    assert "access-control-allow-origin" not in other


def test_api_keys_of_a_file(teetee):
    keys = teetee.folder / "keys.json"
    made = teetee.json("api-key", "create", "--file", keys, "--name", "app")
    assert oct(keys.stat().st_mode & 0o777) == "0o600" and made["key"] not in keys.read_text()
    assert teetee.run("api-key", "create", "--file", keys, "--name", "app")[0] == 2
    network = teetee.network(1)
    network.start_all("--api-keys", keys)
    story = {"prompt": "Once", "max_tokens": 2}

    def ask(key, path="/v1/completions", body=None):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        status, answer = network.http.post(path, json.dumps(body or story).encode(), headers=headers)
        return status, answer.get("error", {}).get("code")

    assert ask(made["key"]) == (200, None)
    for wrong in (None, "sk-wrong", made["key"][:-1] + "x"):
        for path in ("/v1/completions", "/tokenize"):
            assert ask(wrong, path) == (401, "api_key_invalid"), (wrong, path, ask(wrong, path))
    # What an operator or a verifier asks is open.
    for path in ("/health", "/ready", "/metrics", "/attestation", "/v1/models"):
        assert network.http.get(path)[0] == 200, path
    other = teetee.json("api-key", "create", "--file", keys, "--name", "other", "--days", 3)
    teetee.json("api-key", "revoke", "--file", keys, "--name", "app")
    assert [one["name"] for one in teetee.json("api-key", "list", "--file", keys)["keys"]] == ["other"]
    wait_until(lambda: ask(made["key"])[0] == 401 and ask(other["key"])[0] == 200, 10, "the entry has read the file again")
    assert network.http.post("/v1/api-keys", {})[0] == 404


def test_key_files_lose_neither_keys_nor_readers(teetee):
    keys = teetee.folder / "keys.json"
    teetee.json("api-key", "create", "--file", keys, "--name", "first")
    keys.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(keys, 4711, 4712)
    before = keys.stat()
    names = [f"app-{number}" for number in range(12)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        made = list(pool.map(lambda name: teetee.run("api-key", "create", "--file", keys, "--name", name), names))
    assert [code for code, _, _ in made] == [0] * 12, made
    listed = [one["name"] for one in teetee.json("api-key", "list", "--file", keys)["keys"]]
    assert sorted(listed) == sorted(["first", *names]), listed
    teetee.json("api-key", "revoke", "--file", keys, "--name", "first")
    after = keys.stat()
    # A node of another user goes on reading it.
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert [p.name for p in teetee.folder.glob("keys*")] == ["keys.json"]


def test_load_reports_what_came_until_it_was_stopped(teetee):
    keys = teetee.folder / "keys.json"
    key = teetee.folder / "key"
    key.write_text(teetee.json("api-key", "create", "--file", keys, "--name", "load")["key"] + "\n")
    network = teetee.network(1)
    network.start_all("--api-keys", keys)
    url = f"http://127.0.0.1:{network.http.port}"
    code, out, _ = teetee.run("load", "--url", url, "--streams", 2, "--seconds", 1, "-n", 4, "--json")
    assert code == 1 and '"status 401"' in out, out
    process = teetee.start("load", "--url", url, "--streams", 2, "--seconds", 600, "-n", 4, "--json", "--api-key-file", key)
    wait_until(lambda: network.http.get("/health")[1]["completion_tokens"] > 40, 60, "answers have come")
    assert process.stop() == 0, process.text()
    report = json.loads(process.text())
    assert report["answers"] > 0 and report["failed"] == 0 and report["seconds"] < 300, report
    assert teetee.run("load", "--url", url, "--api-key", "secret")[0] == 2
