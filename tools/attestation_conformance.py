#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds `teetee attest verify` against every case of ../shared/data/attestation: real quotes with the
collateral of their time, the same with one thing changed, and quotes of a test PKI. Prints what differs
and closes with one line of counts.

usage: attestation_conformance.py BUILD_DIR [--data DIR]
"""
import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Intel's library takes the last of two equal keys in silence. The verifier calls such a document malformed.
STRICTER = {"tcb_dupkey"}


class Case(NamedTuple):
    name: str
    quote: pathlib.Path
    collateral: pathlib.Path
    time: int
    expected: dict
    root: pathlib.Path | None = None


def real_cases(data):
    for entry in json.loads((data / "manifest.json").read_text())["sets"]:
        yield Case(entry["id"], data / entry["quote"], data / entry["collateral"], entry["time"], entry["expected"])


def changed_cases(data, folder):
    blob = (data / "negative/quotes.blob").read_bytes()
    for entry in json.loads((data / "negative/index.json").read_text()):
        if "offset" in entry:
            quote = folder / entry["id"]
            quote.write_bytes(blob[entry["offset"]:entry["offset"] + entry["length"]])
        else:
            quote = data / entry["quote"]
        yield Case(f"{entry['id']} {entry['kind']}: {entry['desc']}", quote, data / entry["collateral"], entry["time"],
                   entry["expected"])


def test_pki_cases(data):
    for entry in json.loads((data / "synthetic/index.json").read_text()):
        base = data / "synthetic" / entry["name"]
        yield Case(entry["name"], base.with_suffix(".quote.bin"), base.with_suffix(".collateral.json"), entry["time"],
                   entry["expected"], data / "roots/synthetic_test_root.pem")


def expected_report(case):
    """Exit code, verdict, status and advisories. Without a policy only Revoked is rejected."""
    status = case.expected.get("status")
    if case.name in STRICTER or status is None:
        return 1, "reject", None, []
    rejected = status == "Revoked"
    return (1, "reject", status, case.expected["advisory_ids"]) if rejected else \
        (0, "accept", status, case.expected["advisory_ids"])


def actual_report(program, case):
    command = [program, "attest", "verify", "--quote", case.quote, "--collateral", case.collateral, "--time", str(case.time),
               "--json"] + (["--root", case.root] if case.root else [])
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if run.returncode not in (0, 1):
        return run.returncode, run.stderr
    report = json.loads(run.stdout)
    if (report["error"] is None) != (report["verdict"] == "accept"):
        return run.returncode, run.stdout
    return run.returncode, report["verdict"], report["status"], report["advisories"]


def check(program, title, cases):
    """How many there are, and how many came out as expected."""
    cases = list(cases)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        reports = list(pool.map(lambda case: actual_report(program, case), cases))
    equal = 0
    for case, report in zip(cases, reports):
        expected = expected_report(case)
        if report == expected:
            equal += 1
        else:
            print(f"  {case.name}\n    have {report}\n    need {expected}")
    accepted = sum(report[0] == 0 for report in reports)
    print(f"{title}: {equal} of {len(cases)} as expected, {accepted} accepted, {len(cases) - accepted} rejected", flush=True)
    return len(cases), equal


def check_all(build, data):
    program = build / "teetee"
    with tempfile.TemporaryDirectory() as folder:
        groups = [check(program, "real quotes", real_cases(data)),
                  check(program, "real quotes, one thing changed", changed_cases(data, pathlib.Path(folder))),
                  check(program, "quotes of a test PKI", test_pki_cases(data))]
    return sum(total for total, _ in groups), sum(equal for _, equal in groups)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data/attestation")
    options = parser.parse_args()
    if not options.data.exists():
        print(f"skipped: {options.data} is absent")
        return 0
    total, equal = check_all(options.build, options.data)
    print(f"attestation: {equal} of {total} verdicts as expected, {total - equal} not")
    return 0 if total == equal and total > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
