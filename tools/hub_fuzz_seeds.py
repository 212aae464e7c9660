#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the inputs that the fuzzers of src/hub begin with (tests/corpus/NAME_fuzz/); needs nothing built. make_fuzz_seeds.py
calls it too. What hubs answer is what tests/e2e/hub_fakes.py answers."""
import json
import pathlib
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "e2e")]
from chain_fuzz_seeds import put  # noqa: E402
from hub_fakes import COMMIT, FileServer, HuggingFace, Ollama  # noqa: E402


def ask(url: str, **headers) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
        return response.read()


def make_hub_seeds():
    files = {"README.md": b"#", "config.json": b"{}", "story-Q4_K_M.gguf": b"GGUF", "sub/model.safetensors": b"x"}
    with HuggingFace("owner/story", files, FileServer()) as hub:
        put("hugging_face", "model", ask(f"{hub.url}/api/models/owner/story/revision/main"))
        put("hugging_face", "files", ask(f"{hub.url}/api/models/owner/story/tree/{COMMIT}?recursive=true"))
    layers = [("model", b"GGUF"), ("template", b"{{ .Prompt }}"), ("license", b"MIT"), ("params", b"{}")]
    with Ollama("library/story", "latest", layers, FileServer()) as hub:
        put("ollama", "manifest", ask(f"{hub.url}/v2/library/story/manifests/latest",
                                      Accept="application/vnd.docker.distribution.manifest.v2+json"))
    for i, text in enumerate(("hf:owner/name/sub/file.gguf@refs/pr/1", "hf:owner/name:Q4_K_M", "ollama:library/name:7b",
                              "https://example.org:8443/a/model.gguf?key=1#x")):
        put("reference", f"{i}", text.encode())
    for i, text in enumerate(("bytes 0-99/1234", "bytes */1234", "Sun, 06 Nov 1994 08:49:37 GMT", "/a/b?c=d",
                              "https://b.example/c", '<https://a/b?cursor=c>; rel="next"', 'W/"etag"')):
        put("headers", f"{i}", text.encode())
    put("journal", "half", json.dumps({"version": 1, "bytes": 100, "validator": '"etag"', "digest": "sha256:" + "a" * 64,
                                       "done": [[0, 10], [50, 60]]}).encode())
    put("source_record", "url", json.dumps({"version": 1, "source": "https://a/b", "state": '"etag"',
                                            "sha256": "a" * 64}).encode())


if __name__ == "__main__":
    make_hub_seeds()
