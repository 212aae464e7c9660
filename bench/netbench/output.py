# SPDX-License-Identifier: Apache-2.0
"""Progress on stderr, and what every result says of where it was measured."""
import os
import pathlib
import platform
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def progress(text: str):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def machine() -> dict:
    models = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return {"processor": models[0] if models else platform.processor(), "cores": os.cpu_count(),
            "kernel": platform.release(), "congestion_control": sysctl("net/ipv4/tcp_congestion_control"),
            "load": os.getloadavg()[0], "commit": commit.stdout.strip(), "date": time.strftime("%Y-%m-%d %H:%M")}


def sysctl(name: str) -> str:
    try:
        return pathlib.Path("/proc/sys", name).read_text().strip()
    except OSError:
        return "unknown"
