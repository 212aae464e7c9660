#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on an include that goes against the module ranks, with file and line.

The DEPS of each src/MODULE/CMakeLists.txt say what a module may include; CMake checks them against
the ranks, this checks every #include "module/..." against the DEPS. The page's modules (web/src/MODULE)
are held against WEB_MODULES by their imports.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
# Modules that one file alone may include, whatever its module's DEPS say: nothing else of the product
# depends on the simulator.
ONLY_FROM = {"sim": "src/cli/sim.cpp"}
WEB_SOURCE = ROOT / "web" / "src"
WEB_MODULES = {
    "base": set(),
    "attest": {"base"},
    "sealed": {"base"},
    "chain": {"base"},
    "client": {"base", "attest", "sealed", "chain"},
    "scene": set(),
    "app": {"base", "attest", "sealed", "chain", "client", "scene"},
}
IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.[^"']*)["']""")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def allowed_modules() -> dict[str, set[str]]:
    direct = {}
    for listfile in SOURCE.glob("*/CMakeLists.txt"):
        words = " ".join(re.findall(r"teetee_module\((.*?)\)", listfile.read_text(), re.S)).split()
        deps, taking = set(), False
        for word in words:
            if word in ("NAME", "LIBS", "PRIVATE_LIBS"):
                taking = False
            elif word == "DEPS":
                taking = True
            elif taking:
                deps.add(word)
        direct[listfile.parent.name] = deps
    return {m: deps | {m} for m, deps in direct.items()}


def web_faults() -> list[str]:
    faults = []
    for path in sorted([*WEB_SOURCE.rglob("*.ts"), *WEB_SOURCE.rglob("*.tsx")]):
        parts = path.relative_to(WEB_SOURCE).parts
        # What starts the page stands above all modules.
        if len(parts) == 1 or ".test." in path.name:
            continue
        if parts[0] not in WEB_MODULES:
            faults.append(f"{path.relative_to(ROOT)}: no module has the name {parts[0]}")
            continue
        for match in IMPORT.finditer(path.read_text()):
            target = (path.parent / match.group(1)).resolve()
            if not target.is_relative_to(WEB_SOURCE):
                faults.append(f"{path.relative_to(ROOT)}: imports {match.group(1)}, which is not of web/src")
                continue
            module = target.relative_to(WEB_SOURCE).parts[0]
            if module != parts[0] and module != "styles" and module not in WEB_MODULES[parts[0]]:
                faults.append(f"{path.relative_to(ROOT)}: {parts[0]} must not import {module}")
    return faults


def main() -> int:
    allowed, faults = allowed_modules(), web_faults()
    for path in sorted(SOURCE.rglob("*.[ch]pp")):
        module = path.relative_to(SOURCE).parts[0]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1).split("/")[0]
            place = f"{path.relative_to(ROOT)}:{number}"
            if "/" not in match.group(1):
                if not match.group(1).endswith(".pb.h"):
                    faults.append(f"{place}: include by module: \"{module}/{match.group(1)}\"")
            elif (target in ONLY_FROM and module != target
                  and str(path.relative_to(ROOT)) != ONLY_FROM[target]):
                faults.append(f"{place}: only {ONLY_FROM[target]} may include {target}")
            elif target not in allowed.get(module, set()):
                faults.append(f"{place}: {module} must not include {target}")
    print("\n".join(faults) or f"layers: {len(allowed)} modules and {len(WEB_MODULES)} of the page, no forbidden include")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
