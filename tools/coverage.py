#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Branch coverage of the verifier (src/attest) by its own tests; fails below PERCENT_MIN.

usage: coverage.py BUILD_DIR [--uncovered]      (`make coverage` builds and runs it)

Counted is every outcome of every condition as it stands in the source: both ways of an if, a loop, a
?: and of each operand of && and ||, and every case of a switch, in all files of the module but tests,
fuzz targets, benchmarks and test doubles. A macro counts where it is used, so that each TT_TRY has a
way on and a way out. Instances of a template are one. What a compiler adds (unwinding of exceptions,
destructors) is in no source and does not count, and neither does a constant condition.

Two figures: by own vectors alone, which must reach the minimum, and with those of ../shared/data.
--uncovered lists each outcome that own vectors do not reach.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULE = ROOT / "src" / "attest"
PERCENT_MIN = 95.0
SHARED_SUITES = "shared_*"
NO_PRODUCT = re.compile(r"_(test|fuzz|bench)\.cpp$")
TEST_DOUBLE = re.compile(r"^namespace teetee::\w+::test ", re.M)
CONSTANTS = ("true", "false")
REGION_EXPANSION = 1


def counted_files() -> list[pathlib.Path]:
    files = [f for f in sorted(MODULE.glob("*.[ch]pp")) if not NO_PRODUCT.search(f.name)]
    return [f for f in files if not TEST_DOUBLE.search(f.read_text())]


def run_tests(build: pathlib.Path, tests: str, profile: str) -> pathlib.Path:
    raw = build / f"{profile}.profraw"
    run = subprocess.run([build / "attest_test", f"--gtest_filter={tests}", "--gtest_brief=1"],
                         env=os.environ | {"LLVM_PROFILE_FILE": str(raw)})
    if run.returncode != 0:
        sys.exit(f"attest_test with {tests}: ended with {run.returncode}")
    return raw


def export(build: pathlib.Path, raws: list[pathlib.Path]) -> dict:
    merged = build / "coverage.profdata"
    subprocess.run(["llvm-profdata", "merge", "-sparse", *raws, "-o", merged], check=True)
    text = subprocess.run(["llvm-cov", "export", build / "attest_test", f"-instr-profile={merged}"],
                          check=True, capture_output=True).stdout
    data = json.loads(text)["data"][0]
    # Compiled through ccache, paths go by way of the build folder.
    for function in data["functions"]:
        function["filenames"] = [os.path.normpath(name) for name in function["filenames"]]
    return data


class Sources:
    """Texts of files by their lines, for positions as llvm-cov gives them."""

    def __init__(self):
        self.lines = {}

    def line(self, file: str, number: int) -> str:
        if file not in self.lines:
            self.lines[file] = pathlib.Path(file).read_text().splitlines()
        return self.lines[file][number - 1]

    def is_constant(self, file: str, branch: list) -> bool:
        line, column, end_line, end_column = branch[:4]
        text = self.line(file, line)
        return "if constexpr" in text or (line == end_line and text[column - 1:end_column - 1] in CONSTANTS)


def count_outcomes(data: dict, files: set[str], sources: Sources) -> dict:
    """{file: {(line, column, place within macros, outcome): how often}}"""
    counts = {file: collections.Counter() for file in files}
    for function in data["functions"]:
        names = function["filenames"]
        if not files.intersection(names):
            continue
        # Where each macro is used: (file, line, column) of the use, itself in a file or a macro.
        uses = {region[6]: region for region in function["regions"] if region[7] == REGION_EXPANSION}
        for branch in function["branches"]:
            if sources.is_constant(names[branch[6]], branch):
                continue
            line, column, place = branch[0], branch[1], branch[6]
            inner = []
            while place in uses:
                inner.append((line, column))
                line, column, place = uses[place][0], uses[place][1], uses[place][5]
            if names[place] in files:
                for outcome, count in ((True, branch[4]), (False, branch[5])):
                    counts[names[place]][line, column, tuple(inner), outcome] += count
    return counts


def reached(counts: collections.Counter) -> int:
    return sum(count > 0 for count in counts.values())


def print_table(own: dict, both: dict) -> None:
    def row(name: str, outcomes: int, *hits: int) -> None:
        print(f"{name:28}{outcomes:9}" + "".join(f"{100 * hit / outcomes:10.1f} %" for hit in hits))

    print(f"{'':28}{'outcomes':>9}{'own':>12}{'+ shared':>12}")
    for file in sorted(own, key=lambda name: (reached(own[name]) - len(own[name]), name)):
        if own[file]:
            row(pathlib.Path(file).name, len(own[file]), reached(own[file]), reached(both[file]))
    row("together", *(sum(values) for values in (map(len, own.values()), map(reached, own.values()),
                                                 map(reached, both.values()))))


def print_uncovered(own: dict, sources: Sources) -> None:
    for file in sorted(own):
        for (line, column, _, outcome), count in sorted(own[file].items()):
            if count == 0:
                print(f"{pathlib.Path(file).relative_to(ROOT)}:{line}:{column}: never "
                      f"{str(outcome).lower()}: {sources.line(file, line).strip()}")


def main() -> int:
    build, sources = pathlib.Path(sys.argv[1]).resolve(), Sources()
    files = {str(file) for file in counted_files()}
    raw_own = run_tests(build, f"-{SHARED_SUITES}", "own")
    raw_shared = run_tests(build, SHARED_SUITES, "shared")
    data = export(build, [raw_own])
    own = count_outcomes(data, files, sources)
    both = count_outcomes(export(build, [raw_own, raw_shared]), files, sources)
    # What no test links is in no profile.
    linked = {name for function in data["functions"] for name in function["filenames"]}
    unlinked = {file for file in files if file.endswith(".cpp")} - linked
    if unlinked or not any(own.values()):
        sys.exit(f"not measured: {', '.join(sorted(unlinked)) or 'nothing was'}")

    print_table(own, both)
    if "--uncovered" in sys.argv[2:]:
        print_uncovered(own, sources)
    share = sum(map(reached, own.values())) / sum(map(len, own.values()))
    if 100 * share < PERCENT_MIN:
        print(f"own vectors reach less than {PERCENT_MIN} % of the outcomes; --uncovered lists the rest")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
