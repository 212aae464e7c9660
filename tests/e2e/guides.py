# SPDX-License-Identifier: Apache-2.0
"""Runs a guide of docs/ as its reader would: every fenced block of shell commands, from the first to the last, in one
folder and one shell.

    ```sh               is run, and must end with 0
    ```sh background    is started, and goes on until the guide's end (a terminal of its own)
    ```sh elsewhere     is not run here: it takes hardware, accounts or hosts that a test has not. Of its lines that
                        call teetee, command and flags are checked

A comment before a block says what is expected of it, so that no reader is bothered with it:

    <!-- shows: TEXT -->    its output has TEXT; of one in the background, it is waited for
    <!-- fails: CODE -->    it ends with this code

Ports of the guides (5002 and up, 8787, ..) become free ones, so that a guide can be tested beside anything.
"""
import dataclasses
import os
import pathlib
import re
import shlex
import subprocess

from harness import ROOT, free_ports, wait_until

PORT = re.compile(r"(?<![\w.])(50\d\d|60\d\d|70\d\d|8545|8787|9\d\d\d)(?![\w.])")
SECONDS_MAX = 180


@dataclasses.dataclass
class Block:
    line: int
    kind: str
    text: str
    shows: list
    fails: int


def blocks_of(text: str) -> list:
    blocks, shows, fails, begun = [], [], 0, None
    for number, line in enumerate(text.splitlines(), 1):
        if begun is not None:
            if line == "```":
                if begun is not False:
                    blocks.append(begun)
                begun = None
            elif begun is not False:
                begun.text += line + "\n"
            continue
        if line.startswith("```"):
            word, _, kind = line[3:].partition(" ")
            assert kind in ("", "background", "elsewhere"), f"line {number}: no such kind of block: {kind}"
            begun = Block(number, kind, "", shows, fails) if word == "sh" else False
            shows, fails = [], 0
        elif found := re.fullmatch(r"<!-- (shows|fails): (.+) -->", line):
            if found[1] == "shows":
                shows.append(found[2])
            else:
                fails = int(found[2])
    assert begun is None, "a block has no end"
    return blocks


def with_free_ports(text: str) -> str:
    """Ports that are near each other stay so: `up` takes those behind its own."""
    near = 64
    groups = sorted({int(port) // near for port in PORT.findall(text)})
    first = free_ports(near * max(1, len(groups)))
    return PORT.sub(lambda m: str(first + near * groups.index(int(m[0]) // near) + int(m[0]) % near), text)


class Guide:
    def __init__(self, teetee, name: str):
        self.teetee, self.name = teetee, name
        self.folder = teetee.folder / "reader"
        self.folder.mkdir()
        self.blocks = blocks_of(with_free_ports((ROOT / "docs" / name).read_text()))
        assert any(block.kind != "elsewhere" for block in self.blocks), f"{name} has no command"
        programs = teetee.folder / "bin"
        programs.mkdir()
        (programs / "teetee").symlink_to(teetee.program)
        home = {"HOME": str(self.folder), "PATH": f"{programs}:{os.environ['PATH']}", "TEETEE_CONFIG": "none", "REPOSITORY": str(ROOT)}
        kept = {k: v for k, v in teetee.environment.items() if not k.startswith(("XDG_", "TEETEE_"))}
        self.environment = kept | home

    def fail(self, block: Block, why: str, text: str):
        raise AssertionError(f"docs/{self.name}, line {block.line}: {why}\n{block.text}---\n{text[-4000:]}")

    def check_only(self, block: Block):
        lines = block.text.replace("\\\n", " ").splitlines()
        calls = [shlex.split(line, comments=True) for line in lines]
        for call in calls:
            while call and re.fullmatch(r"[A-Z_]+=.*|sudo", call[0]):
                call.pop(0)
            if not call or call[0] != "teetee":
                continue
            done = subprocess.run([self.teetee.program, "config", "show", "--set-only", *call[1:]], env=self.environment, capture_output=True, text=True)
            if done.returncode != 0:
                self.fail(block, f"no such command or flag: {call}", done.stderr)

    def start(self, block: Block):
        script = self.folder / f".block-{block.line}"
        script.write_text("cd " + shlex.quote(str(self.folder)) + "\nset -e\n[ ! -e .variables ] || . ./.variables\nexec " + block.text)
        log = self.folder / f".block-{block.line}.log"
        with open(log, "w") as out:
            process = subprocess.Popen(["bash", script], cwd=self.folder, env=self.environment, stdout=out, stderr=subprocess.STDOUT)
        from harness import Process
        started = Process(process, log)
        self.teetee.started.append(started)
        assert block.shows, f"line {block.line}: what runs in the background must say what is waited for"
        for text in block.shows:
            try:
                wait_until(lambda: text in started.text() or process.poll() is not None, 90, text)
            except AssertionError:
                pass
            if text not in started.text():
                self.fail(block, f"did not show {text!r}", started.text())

    def execute(self, block: Block):
        # Variables of one block are known in the next ones, as in a reader's terminal.
        script = f"set -e -o pipefail\n[ ! -e .variables ] || . ./.variables\nset -a\n{block.text}\nset +a\nexport -p > .variables\n"
        done = subprocess.run(["bash", "-c", script], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=SECONDS_MAX)
        if done.returncode != block.fails:
            self.fail(block, f"ended with {done.returncode}", done.stdout)
        for text in block.shows:
            if text not in done.stdout:
                self.fail(block, f"did not show {text!r}", done.stdout)

    def run(self):
        for block in self.blocks:
            if block.kind == "elsewhere":
                self.check_only(block)
            elif block.kind == "background":
                self.start(block)
            else:
                self.execute(block)
