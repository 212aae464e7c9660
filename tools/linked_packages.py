#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes which packages the handed-out program and page are made of: usage: linked_packages.py BUILD_DIR PAGE OUT_DIR

OUT_DIR/sbom.cdx.json (CycloneDX 1.4), OUT_DIR/packages.txt and OUT_DIR/licences/PACKAGE: those whose archives are on
the linker's line, whose headers the sources include, the C library, and the compiler; in sbom.cdx.json also the npm
packages that are in the page, as its licences.md names them.
"""
import json
import os
import pathlib
import re
import subprocess
import sys


def output(*command) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def link_line(build: pathlib.Path) -> str:
    return output("ninja", "-C", str(build), "-t", "commands", "-s", "teetee")


def system_files(build: pathlib.Path) -> set[str]:
    """Archives that are linked, headers that were read, and what every program of this compiler has."""
    files = set(re.findall(r"/usr/lib/\S+\.a\b", link_line(build)))
    for line in output("ninja", "-C", str(build), "-t", "deps").splitlines():
        path = line.strip()
        if path.startswith("/usr/"):
            files.add(os.path.realpath(path))
    for library in ("libc.so.6", "libstdc++.a", "libgcc.a"):
        files.add(os.path.realpath(output("g++", f"-print-file-name={library}").strip()))
    return one_of_each_folder(f for f in files if os.path.exists(f))


def one_of_each_folder(files) -> set[str]:
    """A library's headers lie in a folder of their own under include, and dpkg takes long over thousands."""
    found: dict[str, str] = {}
    for path in sorted(files):
        parts = path.split("/")
        depth = 5 if "x86_64-linux-gnu" in parts[:5] else 4
        own = "/".join(parts[:depth]) if "/include/" in path and len(parts) > depth else path
        found.setdefault(own, path)
    return set(found.values())


def packages_of(files: set[str]) -> set[str]:
    owners = set()
    paths = sorted(files)
    for first in range(0, len(paths), 500):
        part = paths[first:first + 500]
        # A path may be a symbolic link of an unmerged /lib; what is not found so is found without /usr.
        done = subprocess.run(["dpkg-query", "-S", *part], capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            owners.update(name.strip().split(":")[0] for name in line.rsplit(": ", 1)[0].split(","))
        missing = re.findall(r"no path found matching pattern /usr(\S+)", done.stderr)
        if missing:
            done = subprocess.run(["dpkg-query", "-S", *missing], capture_output=True, text=True, check=False)
            for line in done.stdout.splitlines():
                owners.update(name.strip().split(":")[0] for name in line.rsplit(": ", 1)[0].split(","))
    return owners


def npm_components(page: pathlib.Path) -> list[dict]:
    found = re.findall(r"^## (\S+) - (\S+) \(", (page / "licences.md").read_text(), re.M)
    if not found:
        sys.exit(f"linked_packages: {page}/licences.md names no package")
    return [{"type": "library", "name": name, "version": version,
             "purl": f"pkg:npm/{name.replace('@', '%40')}@{version}"} for name, version in sorted(set(found))]


def main():
    build, page, out = (pathlib.Path(argument) for argument in sys.argv[1:4])
    packages = []
    for name in sorted(packages_of(system_files(build))):
        version, architecture = output("dpkg-query", "-W", "-f=${Version} ${Architecture}\n", name).splitlines()[0].split()
        packages.append((name, version, architecture))
        licence = pathlib.Path(f"/usr/share/doc/{name}/copyright")
        if licence.exists():
            (out / "licences").mkdir(parents=True, exist_ok=True)
            (out / "licences" / name).write_bytes(licence.read_bytes())
    if len(packages) < 10:
        sys.exit(f"linked_packages: only {packages}; is {build} built?")
    (out / "packages.txt").write_text("".join(f"{name} {version}\n" for name, version, _ in packages))
    components = [{"type": "library", "name": name, "version": version,
                   "purl": f"pkg:deb/debian/{name}@{version}?arch={architecture}"}
                  for name, version, architecture in packages]
    components += npm_components(page)
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.4", "version": 1, "components": components}
    (out / "sbom.cdx.json").write_text(json.dumps(bom, indent=1, sort_keys=True) + "\n")


main()
