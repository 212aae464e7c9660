# SPDX-License-Identifier: Apache-2.0
"""Cuts by the speed and memory of hosts, and networks that run them."""
import json

from harness import STORY_MODEL

ASK = {"prompt": "Once upon a time", "max_tokens": 40, "seed": 3}


def write_hosts(teetee, **speeds):
    path = teetee.folder / "hosts.json"
    path.write_text(json.dumps({"hosts": [{"name": name, "memory": "8GiB", "weight_bytes_per_s": speed}
                                          for name, speed in speeds.items()]}))
    return path


def test_a_planned_cut_answers_as_an_even_one(teetee):
    up, client = teetee.up("--shards", 2)
    expected = client.post("/generate", ASK)[1]["text"]
    up.stop()
    plan = teetee.json("plan", "--model", STORY_MODEL, "--hosts", write_hosts(teetee, slow=1e8, fast=4e8))
    assert plan["cut"] == "0,1-4" and plan["slowest"] == "fast", plan
    path = teetee.folder / "plan.json"
    path.write_text(json.dumps(plan))
    cut = teetee.json("shard", "cut", "--model", STORY_MODEL, "--plan", path, "--out", teetee.folder / "cut")
    assert [shard["layers"] for shard in cut["shards"]] == [[0, 1], [1, 5]], cut
    for shard in cut["shards"]:
        assert teetee.json("shard", "info", teetee.folder / "cut" / shard["file"])["verified"]
    for arguments in (["--plan", path], ["--cut", "0-2,3,4"]):
        up, client = teetee.up(*arguments)
        status, body = client.post("/generate", ASK)
        assert status == 200 and body["text"] == expected, body
        layers = [hop["layers"] for hop in client.get("/health")[1]["route"]]
        assert layers == ([[0, 1], [1, 5]] if "--plan" in arguments else [[0, 3], [3, 4], [4, 5]]), layers
        up.stop()


def test_bench_measures_what_plan_takes(teetee):
    measured = teetee.json("bench", "--model", STORY_MODEL, "--prompt-tokens", 32, "--gen-tokens", 8, "--threads", 1)
    assert measured["multiply_adds_per_s"] > 0 and measured["memory_bytes"] > 2**20, measured
    path = teetee.folder / "bench.json"
    path.write_text(json.dumps(measured))
    plan = teetee.json("plan", "--model", STORY_MODEL, "--host", f"a={path}", "--host", f"b={path}", "--shards", 2,
                       "--rows", 4, "--rtt-ms", 40)
    assert [shard["host"] for shard in plan["shards"]] == ["a", "b"], plan
    assert abs(plan["round_s"] - sum(s["batch_s"] for s in plan["shards"]) - 0.040) < 1e-6, plan
    code, text, _ = teetee.run("plan", "--model", STORY_MODEL, "--host", f"a={path}", "--host", f"b={path}",
                               "--shards", 2)
    assert code == 0 and f"cut {plan['cut']}" in text and "is the slowest" in text, text


def test_plan_says_what_lacks(teetee):
    hosts = {"hosts": [{"name": name, "memory": "56MiB", "weight_bytes_per_s": 1e9} for name in "ab"]}
    path = teetee.folder / "hosts.json"
    path.write_text(json.dumps(hosts))
    plan = ["plan", "--model", STORY_MODEL, "--hosts", path, "--positions", 1 << 20]
    code, out, err = teetee.run(*plan, "--json")
    assert code == 1 and "with every host full, layers 0 to 4" in err and "lack" in err, err
    assert json.loads(out)["error"]["code"] == "limit_exceeded"
    for broken, named in (({"hosts": [{"name": "a"}]}, "memory"), ({"hosts": 1}, "hosts"), ([], "object"),
                          ({"hosts": [{"name": "a", "memory": "1GiB", "weight_bytes_per_s": -1}]}, "weight_bytes_per_s"),
                          ({"hosts": [{"name": "a", "memory": "1GiB", "weight_bytes_per_s": 1, "x": 1}]}, "x"),
                          ({"hosts": hosts["hosts"] * 2}, "twice")):
        path.write_text(json.dumps(broken))
        code, _, err = teetee.run(*plan)
        assert code == 2 and named in err, (broken, code, err)


def test_a_cut_that_is_none_of_the_model_is_refused(teetee):
    for cut in ("0-3", "0-1,3-4", "0-5", "0-4,5", "1-4", "four"):
        code, _, err = teetee.run("shard", "cut", "--model", STORY_MODEL, "--cut", cut, "--out", teetee.folder / "cut")
        assert code == 2 and "shard" in err, (cut, code, err)
    code, _, err = teetee.run("up", "--prepare-only", "--shards", 2, "--cut", "0-4", "--dir", teetee.folder / "cut")
    assert code == 2 and "--cut" in err, err
    assert not (teetee.folder / "cut").exists()
