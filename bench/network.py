#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a network of shards costs and bears: speed beside one process, kills, distance, a long run.

  bench/network.py throughput --model F.gguf      two shards beside one process
  bench/network.py failover [--rtt-ms 40]         kill -9 in the middle of streams
  bench/network.py ring --model F.gguf            three stages apart: RTT, loss, 100 Mbit/s
  bench/network.py soak --minutes 30              four shards x 2, clients, a kill every 20 s
  bench/network.py wan                            what the emulated network itself does

Everything with an RTT takes root: each node gets a network namespace. Between them `tc netem` or, where
the kernel has none, bench/wan_emulator.cpp delays and drops packets; the result says which.
Flags for the nodes come last: `-- --kernel avx2`.
"""
import argparse
import importlib
import json
import pathlib
import signal
import sys
import tempfile

from netbench.output import ROOT, machine, progress

STORY_MODEL = ROOT / "models/story/story-q8_0.gguf"


def add_common(command):
    command.add_argument("--teetee", type=pathlib.Path, default=ROOT / "build/release/teetee")
    command.add_argument("--model", type=pathlib.Path, default=STORY_MODEL)
    command.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    command.add_argument("--seed", type=int, default=1, help="of losses, and of when who is killed")
    command.add_argument("--with", dest="shaper", choices=["netem", "emulator", "auto"], default="auto")
    command.add_argument("--congestion", default="", metavar="NAME", help="TCP's congestion control between nodes, "
                         "of those in tcp_allowed_congestion_control; default: the machine's")
    command.add_argument("--logs", type=pathlib.Path, help="folder to keep shards and logs in")
    command.add_argument("flags", nargs="*", metavar="-- FLAG", help="for every node")
    return command


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    add_common(commands.add_parser("wan"))
    throughput = add_common(commands.add_parser("throughput"))
    throughput.add_argument("--rounds", type=int, default=5)
    throughput.add_argument("--tokens", type=int, default=64)
    throughput.add_argument("--keep-awake", action="store_true", help="a spinning thread of the lowest priority on each core, "
                            "so that a virtual machine does not give up cores that idle")
    failover = add_common(commands.add_parser("failover"))
    failover.add_argument("--kills", type=int, default=100, help="that meet a stream")
    failover.add_argument("--tokens", type=int, default=120, help="at most, of each stream")
    failover.add_argument("--kill-before", type=int, default=60, help="the kill comes before this token")
    failover.add_argument("--freeze", action="store_true", help="stop the stage instead (SIGSTOP); its links stay up")
    failover.add_argument("--rtt-ms", type=float, help="in namespaces; default: on loopback")
    ring = add_common(commands.add_parser("ring"))
    ring.add_argument("--rtt-ms", type=float, default=40)
    ring.add_argument("--rounds", type=int, default=3)
    ring.add_argument("--tokens", type=int, default=48)
    ring.add_argument("--temperature", type=float, default=0)
    ring.add_argument("--prompt-tokens", type=int, default=1000, help="of the long prompt, about")
    ring.add_argument("--prompts", choices=["prose", "quote", "code"], default="prose")
    ring.add_argument("--against", metavar="FLAGS", help="also with nodes that have these flags, in the same run")
    ring.add_argument("--draft-model", metavar="FILE", help="also with an entry that has this draft model, in the same run")
    soak = add_common(commands.add_parser("soak"))
    soak.add_argument("--minutes", type=float, default=30)
    soak.add_argument("--clients", type=int, default=16)
    soak.add_argument("--tokens", type=int, default=200, help="at most, of each answer")
    soak.add_argument("--kill-every", type=float, default=20, metavar="SECONDS")
    soak.add_argument("--away", type=float, default=1, metavar="SECONDS", help="from a death to the new start")
    soak.add_argument("--kill", choices=["any", "stages"], default="any", help="stages: never an entry")
    soak.add_argument("--out", type=pathlib.Path, default=pathlib.Path("soak"), help="folder for soak.csv and soak.svg")
    return parser.parse_args()


MODULES = {"wan": "check_wan"}


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # By way of everything that tidies up.
    measurement = importlib.import_module(f"netbench.{MODULES.get(options.command, options.command)}")
    about = machine()
    progress(f"{options.command} on {about}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.logs or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        result = measurement.measure(options, folder)
    if options.json:
        print(json.dumps({"command": options.command, "arguments": sys.argv[1:], "machine": about, "result": result}))
        return
    print(f"{about['processor']}, {about['cores']} cores, Linux {about['kernel']}, TCP {about['congestion_control']}; "
          f"load {about['load']:.1f} at the start; commit {about['commit']}, {about['date']}")
    measurement.show(result)


if __name__ == "__main__":
    main()
