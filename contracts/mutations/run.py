#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Applies every mutation of list.json, one at a time, to a copy of the contracts, and expects the
tests to fail. Exits with 1 if a mutation survives or no longer applies.

usage: run.py [NAME ..]   only mutations whose name contains one of these
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FORGE = ROOT / "node_modules/@foundry-rs/forge-linux-amd64/bin/forge"
TEST_SECONDS_MAX = 900


def copy_contracts(folder: pathlib.Path) -> None:
    for name in ("src", "test", "tools"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("foundry.toml", "package.json"):
        shutil.copy(ROOT / name, folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")


def run_tests(folder: pathlib.Path) -> tuple[bool, str]:
    """Whether all passed, and the first test that did not."""
    environment = {**os.environ, "FOUNDRY_FUZZ_RUNS": "64", "FOUNDRY_INVARIANT_RUNS": "4",
                   "FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT": "0"}
    environment.pop("TEETEE_ARTIFACTS", None)
    # What failed under one mutation is not tried again under the next.
    for kept in ("fuzz", "invariant"):
        shutil.rmtree(folder / "cache" / kept, ignore_errors=True)
    done = subprocess.run([FORGE, "test", "--fail-fast", "--fuzz-seed", "1"], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TEST_SECONDS_MAX)
    # The name stands behind the reason, or below the calls that led to it.
    failure = re.search(r"^\[FAIL.*?\b((?:test|testFuzz|invariant)_\w+)\(", done.stdout, re.M | re.S)
    if done.returncode != 0 and not failure:
        sys.exit(f"no test failed, forge ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.returncode == 0, failure[1] if failure else ""


def main() -> int:
    mutations = json.loads((ROOT / "mutations/list.json").read_text())
    wanted = [m for m in mutations if not sys.argv[1:] or any(w in m["name"] for w in sys.argv[1:])]
    survivors = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        copy_contracts(folder)
        passed, failure = run_tests(folder)
        if not passed:
            sys.exit(f"the tests fail without any mutation: {failure}")
        for mutation in wanted:
            path = folder / mutation["file"]
            sound = path.read_text()
            if sound.count(mutation["old"]) != 1:
                sys.exit(f"{mutation['name']}: its text stands {sound.count(mutation['old'])} times in "
                         f"{mutation['file']}, need once")
            path.write_text(sound.replace(mutation["old"], mutation["new"]))
            start = time.time()
            passed, failure = run_tests(folder)
            path.write_text(sound)
            print(f"{'SURVIVED' if passed else 'caught  '} {time.time() - start:5.0f} s  "
                  f"{mutation['name']}{'' if passed else '  <- ' + failure}", flush=True)
            survivors += [mutation["name"]] if passed else []
    print(f"{len(wanted) - len(survivors)} caught, {len(survivors)} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
