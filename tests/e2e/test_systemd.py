# SPDX-License-Identifier: Apache-2.0
"""The systemd unit, as systemd itself judges it."""
import re
import shutil
import subprocess

from harness import ROOT, Skipped

UNIT = ROOT / "deploy/systemd/teetee-node.service"


def analyze(*arguments) -> subprocess.CompletedProcess:
    if not shutil.which("systemd-analyze"):
        raise Skipped("no systemd-analyze")
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_unit_is_right_and_hardened(teetee):
    # Where the program is installed is another machine's business, and so are its manual pages.
    text = UNIT.read_text().replace("/usr/bin/teetee", str(teetee.program))
    unit = teetee.folder / UNIT.name
    unit.write_text(re.sub(r"Documentation=.*\n", "", text))
    done = analyze("verify", unit)
    assert done.returncode == 0 and not done.stderr, done
    done = analyze("security", "--offline=true", "--threshold=20", unit)
    assert done.returncode == 0, done.stdout[-500:]


def test_settings_of_the_unit_are_settings_of_the_program(teetee):
    known = {s["name"]: s for s in teetee.json("config", "show", "node")["settings"] if s["command"] == "node"}
    # A variable would go before the file, and 'teetee doctor --config' would not know of it.
    assert re.findall(r"^Environment=(\w+)=", UNIT.read_text(), re.M) == ["TEETEE_CONFIG"]
    # What the documents have instead is what the program takes, and is in the folders that the unit makes.
    section = (ROOT / "docs/nodes.md").read_text().split("## Under systemd")[1]
    config = teetee.folder / "config.toml"
    config.write_text(re.search(r"^```toml\n(.*?)^```", section, re.M | re.S)[1])
    shown = {s["name"]: s for s in teetee.json("--config", config, "config", "show", "node")["settings"] if s["command"] == "node"}
    assert shown["state"]["value"] == "/var/lib/teetee" and shown["weights-cache"]["value"] == "/var/cache/teetee/weights", shown
    assert "StateDirectory=teetee\n" in UNIT.read_text() and "CacheDirectory=teetee\n" in UNIT.read_text()
    # What it grants for an orderly end is longer than what the program takes.
    seconds = int(re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.M)[1])
    assert seconds > int(known["drain-seconds"]["value"])


def test_unit_is_never_given_up(_):
    text = UNIT.read_text()
    assert re.search(r"^StartLimitIntervalSec=0$", text, re.M) and "StartLimitBurst" not in text
    assert re.search(r"^Restart=on-failure$", text, re.M) and 5 <= int(re.search(r"^RestartSec=(\d+)$", text, re.M)[1]) <= 15
