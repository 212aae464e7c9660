# SPDX-License-Identifier: Apache-2.0
"""Runs what a compose file says as processes of this machine: each volume is a folder, each port a free one."""
import json
import pathlib
import re
import subprocess

from harness import Process, Skipped, Teetee, free_ports

try:
    import yaml
except ImportError:
    yaml = None


def load(path: pathlib.Path) -> dict:
    if yaml is None:
        raise Skipped("no python3-yaml")
    return yaml.safe_load(path.read_text())


def read_env(path: pathlib.Path) -> dict[str, str]:
    """As compose reads .env."""
    out = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, value = line.split("=", 1)
            out[name] = value[1:-1] if value.startswith("'") else value
    return out


class Stack:
    """A folder with docker-compose.yaml, its override and .env."""

    def __init__(self, teetee: Teetee, folder: pathlib.Path, uses_override=False, **variables):
        self.teetee, self.folder = teetee, folder
        self.variables = read_env(folder / ".env") | variables
        self.services = load(folder / "docker-compose.yaml")["services"]
        if uses_override:
            for name, changes in load(folder / "docker-compose.override.yaml")["services"].items():
                kept = {v.split(":")[1]: v for v in self.services[name]["volumes"]}
                kept |= {v.split(":")[1]: v for v in changes["volumes"]}
                self.services[name]["volumes"] = list(kept.values())
        first = free_ports(4)
        inside = [int(p.split(":")[1]) for p in self.services["node"]["ports"]]
        self.ports = {port: first + i for i, port in enumerate(sorted(inside))}

    def path(self, service: str, inside: str) -> str:
        """Where a path of the container is here; the longest volume that it lies in says so."""
        best = ""
        for volume in self.services[service]["volumes"]:
            source, target = volume.split(":")[:2]
            if (inside == target or inside.startswith(target + "/")) and len(target) > len(best):
                # A volume with a name is kept by the engine.
                place = self.folder / source if source.startswith(".") else self.folder / "volumes" / source
                best, found = target, str(place) + inside[len(target):]
        return found if best else inside

    def arguments(self, service: str) -> list[str]:
        out = []
        for word in self.services[service]["command"]:
            listens = re.fullmatch(r"0\.0\.0\.0:(\d+)", word)
            out.append(f"127.0.0.1:{self.ports[int(listens[1])]}" if listens else self.path(service, word))
        return out

    def environment(self, service: str) -> dict[str, str]:
        """Nothing of the tests' own: what the compose file passes on."""
        out = {}
        for name, value in self.services[service]["environment"].items():
            wanted = re.fullmatch(r"\$\{(\w+):-\}", value)
            out[name] = self.variables.get(wanted[1], "")
        return out

    def prepare(self):
        for service in self.services.values():
            for volume in service["volumes"]:
                if not volume.startswith((".", "/")):
                    (self.folder / "volumes" / volume.split(":")[0]).mkdir(parents=True, exist_ok=True)

    def run(self, service: str) -> tuple[int, str]:
        self.prepare()
        done = subprocess.run([self.teetee.program, *self.arguments(service)], capture_output=True, text=True,
                              env=self.teetee.environment | self.environment(service), timeout=120)
        return done.returncode, done.stdout + done.stderr

    def start(self, service: str, *extra) -> Process:
        self.prepare()
        return self.teetee.start(*self.arguments(service), *extra, environment=self.environment(service))

    def describe(self) -> str:
        return json.dumps(self.services)
