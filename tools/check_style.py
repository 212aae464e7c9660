#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that a machine can check. Limits are ratchets: OVER_LONG lists today's offenders by
name, may only shrink, and a stale entry fails."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE_LINES_MAX, LINE_COLUMNS_MAX, FILE_BYTES_MAX = 600, 100, 256 * 1024
LARGE_FILES = {"models/story/story-q8_0.gguf"}
OVER_LONG: set[str] = set()

# Marks of unfinished work, banned in comments too; spelled so that this line is none.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X{3})\b")

# pattern, where it is allowed, what to use instead
BANS = [
    (r"\bthrow\b", (), "Result"),
    (r"::now\(", ("src/base/world.cpp", "src/net/"), "a Clock or the `now` argument"),
    (r"\b(random_device|rand\(|srand\()", (), "an Rng"),
    (r"\bstd::(thread|async)\b", ("src/tensor/thread_pool", "src/net/", "src/node/", "src/hub/", "src/cli/"), "effects or ThreadPool"),
    (r"\bsleep_for\b", ("src/net/", "src/cli/"), "a timer"),
    (r"\bgetenv\b", ("src/cli/",), "the configuration"),
    (r"\bstd::(cout|cerr)\b|\bprintf\(", ("src/cli/",), "Log"),
    (r"-ffast-math", (), "nothing: bits are specified"),
]


def tracked_files() -> list[str]:
    try:
        listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                                cwd=ROOT, capture_output=True, text=True)
        if listed.returncode == 0:
            return [f for f in listed.stdout.splitlines() if (ROOT / f).is_file()]
    except OSError:
        pass
    inside = [p.relative_to(ROOT) for p in ROOT.rglob("*") if p.is_file()]
    return [str(p) for p in inside if p.parts[0] not in (".git", "build", ".cache")]


def check_source(name: str, text: str) -> list[str]:
    faults = []
    lines = text.splitlines()
    if "SPDX-License-Identifier: Apache-2.0" not in (lines[0] if lines else ""):
        faults.append(f"{name}:1: the first line names the licence")
    if name.endswith(".hpp") and "#pragma once" not in text:
        faults.append(f"{name}:1: #pragma once is missing")
    if (len(lines) > FILE_LINES_MAX) != (name in OVER_LONG):
        faults.append(f"{name}: {len(lines)} lines, at most {FILE_LINES_MAX} (or a stale entry in OVER_LONG)")
    is_test = re.search(r"_(test|fuzz|bench)\.cpp$", name)
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS_MAX:
            faults.append(f"{name}:{number}: {len(line)} columns, at most {LINE_COLUMNS_MAX}")
        if UNFINISHED.search(line):
            faults.append(f"{name}:{number}: a mark of unfinished work; file an issue")
        code = line.split("//")[0]
        for pattern, places, instead in BANS:
            if re.search(pattern, code) and not is_test and not name.startswith(tuple(places)):
                faults.append(f"{name}:{number}: {pattern} is banned here; use {instead}")
    return faults


WEB_BANS = [
    (r"\bconsole\.", "nothing: the page is silent"),
    (r"dangerouslySetInnerHTML|\.innerHTML|\beval\(", "React elements"),
]


def check_web_source(name: str, text: str) -> list[str]:
    """Layout is prettier's, and what TypeScript sees its own."""
    faults = []
    lines = text.splitlines()
    if "SPDX-License-Identifier: Apache-2.0" not in (lines[0] if lines else ""):
        faults.append(f"{name}:1: the first line names the licence")
    if len(lines) > FILE_LINES_MAX:
        faults.append(f"{name}: {len(lines)} lines, at most {FILE_LINES_MAX}")
    is_product = name.startswith("web/src/") and ".test." not in name
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            faults.append(f"{name}:{number}: a mark of unfinished work; file an issue")
        for pattern, instead in WEB_BANS:
            if is_product and re.search(pattern, line.split("//")[0]):
                faults.append(f"{name}:{number}: {pattern} is banned here; use {instead}")
    return faults


def main() -> int:
    faults, count = [], 0
    for name in tracked_files():
        path = ROOT / name
        if path.stat().st_size > FILE_BYTES_MAX and name not in LARGE_FILES:
            faults.append(f"{name}: {path.stat().st_size} bytes, at most {FILE_BYTES_MAX}")
        if name.startswith("src/") and name.endswith((".cpp", ".hpp")):
            count += 1
            faults += check_source(name, path.read_text())
        if name.startswith("web/") and name.endswith((".ts", ".tsx", ".mjs", ".mts")):
            count += 1
            faults += check_web_source(name, path.read_text())
    if count == 0:
        faults.append("no sources found")
    print("\n".join(faults) or f"style: {count} sources, no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
