#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test of a build and closes with 'N passed, N failed'.

usage: run_tests.py BUILD_DIR [--e2e FILE ..]

Unit tests are the *_test programs of the build (GoogleTest); end-to-end tests are the test_* functions
of tests/e2e/*.py, or of those that are named, which start real processes of the build's teetee.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM_SECONDS_MAX = 1200


class Totals:
    def __init__(self):
        self.passed, self.failed, self.skipped, self.faults, self.skips = 0, 0, 0, [], []


def run_unit_tests(program: pathlib.Path, totals: Totals, only: str = "*") -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        start = time.time()
        before = totals.failed
        try:
            run = subprocess.run([program, f"--gtest_filter={only}", f"--gtest_output=json:{report}", "--gtest_brief=1"],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                 timeout=PROGRAM_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            totals.failed += 1
            totals.faults.append(f"{program.name}: did not end within {PROGRAM_SECONDS_MAX} s")
            return
        if report.exists():
            for suite in json.loads(report.read_text())["testsuites"]:
                for case in suite["testsuite"]:
                    name = f"{program.name}: {case['classname']}.{case['name']}"
                    if case.get("failures"):
                        totals.failed += 1
                        totals.faults.append(name)
                    elif case.get("result") == "SKIPPED":
                        totals.skipped += 1
                        totals.skips.append(name)
                    else:
                        totals.passed += 1
        if run.returncode != 0 and totals.failed == before:
            totals.failed += 1
            totals.faults.append(f"{program.name}: ended with {run.returncode}")
        if run.returncode != 0:
            print(run.stdout[-8000:])
    state = "ok" if totals.failed == before else "FAILED"
    print(f"{program.name:24} {state:7} {time.time() - start:6.1f} s", flush=True)


def run_e2e_tests(build: pathlib.Path, totals: Totals, only: str = "test_*.py") -> None:
    sys.path.insert(0, str(ROOT / "tests" / "e2e"))
    import harness
    for name, outcome, seconds, text in harness.run_all(build, only):
        print(f"{name:60} {outcome:7} {seconds:6.1f} s", flush=True)
        if outcome == "ok":
            totals.passed += 1
        elif outcome == "skipped":
            totals.skipped += 1
            totals.skips.append(f"{name}: {text}")
        else:
            totals.failed += 1
            totals.faults.append(name)
            print(text)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--e2e", nargs="*", default=["test_*.py"], metavar="FILE")
    options = parser.parse_args()
    build = options.build.resolve()
    totals = Totals()
    for program in sorted(build.glob("*_test")):
        run_unit_tests(program, totals)
    for pattern in options.e2e:
        run_e2e_tests(build, totals, pattern)
    for name in totals.skips:
        print("skipped:", name)
    for name in totals.faults:
        print("failed:", name)
    print(f"{totals.passed} passed, {totals.failed} failed" +
          (f", {totals.skipped} skipped" if totals.skipped else ""))
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
