#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test of a build and closes with 'N passed, N failed'.

usage: run_tests.py BUILD_DIR [--e2e FILE ..]

Unit tests are the *_test programs of the build (GoogleTest); end-to-end tests are the test_* functions
of tests/e2e/*.py, or of those that are named, which start real processes of the build's teetee. The page's
tests (web/, vitest) are run where there is npm, unless files of tests/e2e are named: its parts by
themselves, the built page in Chromium, and both against networks of the build's teetee.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
PROGRAM_SECONDS_MAX = 1200
# Their scripts in web/package.json.
WEB_SUITES = (("web", "test"), ("web in a network", "test:network"), ("web in a browser", "test:browser"),
              ("web, page and network", "test:page"))


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


def count_web_tests(suite: str, report: dict, totals: Totals) -> None:
    for file in report["testResults"]:
        cases = file["assertionResults"]
        # One that could not be read has no cases.
        if file["status"] == "failed" and not any(case["status"] == "failed" for case in cases):
            totals.failed += 1
            totals.faults.append(f"{suite}: {pathlib.Path(file['name']).relative_to(WEB)}: {file.get('message', '')[:300]}")
        for case in cases:
            name = f"{suite}: {case['fullName']}"
            if case["status"] == "passed":
                totals.passed += 1
            elif case["status"] == "failed":
                totals.failed += 1
                totals.faults.append(name)
                print("\n".join(case.get("failureMessages", []))[:4000])
            else:
                totals.skipped += 1
                totals.skips.append(name)


def run_web_suite(suite: str, script: str, build: pathlib.Path, totals: Totals) -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        start, before = time.time(), totals.failed
        command = ["npm", "run", "--silent", script, "--", "--reporter=json", f"--outputFile={report}"]
        environment = os.environ | {"TEETEE": str(build / "teetee"), "CI": "1"}
        try:
            run = subprocess.run(command, cwd=WEB, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, errors="replace", timeout=PROGRAM_SECONDS_MAX)
            said, code = run.stdout, run.returncode
        except subprocess.TimeoutExpired:
            said, code = f"did not end within {PROGRAM_SECONDS_MAX} s", 1
        if report.exists():
            count_web_tests(suite, json.loads(report.read_text()), totals)
        if code != 0 and totals.failed == before:
            totals.failed += 1
            totals.faults.append(f"{suite}: ended with {code}")
            print(said[-8000:])
    state = "ok" if totals.failed == before else "FAILED"
    print(f"{suite:24} {state:7} {time.time() - start:6.1f} s", flush=True)


def run_web_tests(build: pathlib.Path, totals: Totals) -> None:
    if not (WEB / "dist/index.html").exists() or shutil.which("npm") is None:
        totals.skipped += 1
        totals.skips.append("web: the page is not built (make web, which takes npm)")
        return
    for suite, script in WEB_SUITES:
        run_web_suite(suite, script, build, totals)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--e2e", nargs="*", metavar="FILE")
    options = parser.parse_args()
    build = options.build.resolve()
    totals = Totals()
    for program in sorted(build.glob("*_test")):
        run_unit_tests(program, totals)
    for pattern in ["test_*.py"] if options.e2e is None else options.e2e:
        run_e2e_tests(build, totals, pattern)
    if options.e2e is None:
        run_web_tests(build, totals)
    for name in totals.skips:
        print("skipped:", name)
    for name in totals.faults:
        print("failed:", name)
    print(f"{totals.passed} passed, {totals.failed} failed" +
          (f", {totals.skipped} skipped" if totals.skipped else ""))
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
