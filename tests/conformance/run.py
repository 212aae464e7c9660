#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Everything that public reference data says about the engine, in one table that closes with
'N passed, N failed'. Takes about half an hour and 5 GB of disk the first time; needs NumPy.

usage: run.py BUILD_DIR [--llama-quantize PROGRAM] [--only SECTION]

Without llama.cpp's llama-quantize, oracles of files that it made are skipped. The models are made once
and kept in BUILD_DIR/conformance. docs/conformance.md shows and explains a run.
"""
import argparse
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "e2e")]

import attestation_conformance  # noqa: E402
import harness  # noqa: E402
import oracles  # noqa: E402
import perplexity  # noqa: E402
import run_tests  # noqa: E402
from exceptions import EXCEPTIONS  # noqa: E402
from models import Models  # noqa: E402
from report import Report  # noqa: E402

# Program of the build, filter of its tests, what they cover. A module whose unit tests read public data
# has its line here: tokenizers (data/tokenizers), templates (data/templates) and so on.
UNIT_TESTS = (
    ("model_test", "*QuantOracle*:quant_oracle.*", "data/models/quants, layer by layer"),
    ("model_test", "*Architecture*", "every architecture against tests/reference"),
    ("model_test", "gguf.*:shard_model.*malformed*:vocabulary.*:safetensors.*", "data/malformed"),
    ("model_test", "*tokenizer*:bpe_split.*", "data/tokenizers"),
    ("attest_test", "shared_data.*", "data/attestation"),
)
E2E_TESTS = ("test_trained_models.py", "test_bad_input.py")


def run_unit_tests(report, build) -> None:
    for program, only, title in UNIT_TESTS:
        totals = run_tests.Totals()
        if (build / program).exists():
            run_tests.run_unit_tests(build / program, totals, only)
        add(report, f"{title} ({program})", totals)


def run_e2e_tests(report, build) -> None:
    for only in E2E_TESTS:
        totals = run_tests.Totals()
        run_tests.run_e2e_tests(build, totals, only)
        add(report, only, totals)


def check_attestation(report, build) -> None:
    total, equal = attestation_conformance.check_all(build, harness.shared("data/attestation"))
    report.check("verdicts of 'attest verify'", 0 < equal == total, f"{equal} of {total} as expected")


def add(report, name: str, totals) -> None:
    """A filter that finds no test would be a check that cannot fail."""
    report.check(name, totals.passed > 0 and not totals.failed, f"{totals.passed} passed, {totals.failed} failed")
    for skip in totals.skips:
        report.skip(name, skip)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--llama-quantize")
    parser.add_argument("--only", choices=("unit", "e2e", "attestation", "quants", "oracles", "perplexity"))
    options = parser.parse_args()
    report = Report(EXCEPTIONS)
    models = Models(options.build / "conformance", options.llama_quantize)
    with tempfile.TemporaryDirectory() as folder:
        teetee = harness.Teetee(options.build, pathlib.Path(folder))
        # No model is loaded often enough to be worth gigabytes of packed weights.
        teetee.environment["TEETEE_WEIGHTS_CACHE"] = "off"
        for section, title, run in (
                ("unit", "Unit tests", lambda: run_unit_tests(report, options.build)),
                ("e2e", "Trained models and malformed files", lambda: run_e2e_tests(report, options.build)),
                ("attestation", "Quotes and collateral", lambda: check_attestation(report, options.build)),
                ("quants", "One micro model in every type", lambda: oracles.check_quants(report, teetee, models)),
                ("oracles", "TinyLlama's shape", lambda: oracles.check_oracles(report, teetee, models)),
                ("perplexity", "Perplexity", lambda: perplexity.check_perplexity(report, teetee, models))):
            if options.only not in (None, section):
                continue
            report.section(title)
            try:
                run()
            except harness.Skipped as reason:
                report.skip(section, str(reason))
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
