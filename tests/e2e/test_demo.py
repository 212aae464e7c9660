# SPDX-License-Identifier: Apache-2.0
"""The demo script does what it says."""
import json
import re
import subprocess

from chain import ANVIL
from harness import ROOT, Skipped


def test_two_hosts_share_a_model_and_its_revenue(teetee):
    if not ANVIL.exists():
        raise Skipped("no anvil: make contracts")
    folder = teetee.folder / "demo"
    done = subprocess.run([ROOT / "demo/two_hosts.sh", folder], env=teetee.environment | {"TEETEE": str(teetee.program)},
                          capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    payment = json.loads((folder / "receipt.json").read_text())["payment"]
    charged = int(payment["charged"])
    assert charged > 0
    withdrawn = [int(amount) for amount in re.findall(r"^withdrew (\d+) credits", done.stdout, re.M)]
    # 5 % are the creator's, A; the rest goes by layers, 3 to 2, and A has what rounding leaves.
    fee = charged * 500 // 10_000
    share_of_b = (charged - fee) * 2 // 5
    assert withdrawn == [charged - share_of_b, share_of_b], (charged, withdrawn)
    assert f"{charged} credits settled" in done.stdout
    assert "ok  the receipt is anchored in the contract" in done.stdout and done.stdout.count("\naccept\n") == 1
