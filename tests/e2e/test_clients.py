# SPDX-License-Identifier: Apache-2.0
"""Clients that applications use, from npm, against an entry: they work by another base URL."""
import json
import os
import shutil
import subprocess

from harness import ROOT, Skipped
from test_serve_local import Local

CLIENTS = ROOT / "tests/clients"


def run_client(http, script: str, **environment):
    if not shutil.which("npm"):
        raise Skipped("npm is absent")
    if not (CLIENTS / "node_modules/.package-lock.json").exists():
        installed = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=CLIENTS, capture_output=True, text=True, timeout=300)
        if installed.returncode != 0:
            raise Skipped("npm ci in tests/clients: " + installed.stderr[-300:])
    done = subprocess.run(["node", script], cwd=CLIENTS, capture_output=True, text=True, timeout=300,
                          env={**os.environ, "BASE_URL": f"http://127.0.0.1:{http.port}/v1", "MODEL": "teetee-story", **environment})
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    failed = [one for one in results if not one["ok"]]
    assert done.returncode == 0 and not failed and results, (failed, done.stderr[-3000:], done.stdout[-500:])
    return {one["name"] for one in results}


def network_of_two(teetee):
    network = teetee.network(2)
    network.start_all()
    return network


def test_npm_openai(teetee):
    assert len(run_client(network_of_two(teetee).http, "openai.mjs")) >= 19


def test_npm_ai_sdk_openai_compatible(teetee):
    assert len(run_client(network_of_two(teetee).http, "ai_sdk.mjs")) >= 7


def test_npm_openai_through_serve_local(teetee):
    network = network_of_two(teetee)
    local = Local(teetee, *network.chat_flags())
    assert len(run_client(local.http, "openai.mjs", THROUGH="serve-local")) >= 19
