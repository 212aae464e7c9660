# SPDX-License-Identifier: Apache-2.0
"""The commands that the documents show work as they stand, with other ports and this build's program."""
import re
import subprocess

from harness import ROOT, Http, free_ports, wait_until
from test_up_chain import need_contracts


def shell_blocks(page: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.S)


def test_nodes_by_hand(teetee):
    ports = free_ports(16)

    def commands_of(block: int) -> list[str]:
        script = shell_blocks("docs/nodes.md")[block].replace("build/release/teetee", str(teetee.program))
        script = re.sub(r"60(\d\d)", lambda m: str(ports + int(m.group(1)) % 16), script)
        return script.replace("\\\n", " ").strip().splitlines()

    def start(command: str):
        teetee.start(*[str(teetee.folder / w) if w.startswith("net/") else w for w in command.rstrip("& ").split()[1:]])

    *commands, ask = commands_of(0)
    assert commands[0].startswith(str(teetee.program)) and len(commands) == 3, commands
    done = subprocess.run(commands[0], shell=True, cwd=teetee.folder, env=teetee.environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    for command in commands[1:]:
        start(command)
    client = Http(int(re.search(r"localhost:(\d+)", ask).group(1)))
    wait_until(client.ready, 20, "the two nodes are linked")
    answer = subprocess.run(ask, shell=True, capture_output=True, text=True)
    assert '"text"' in answer.stdout, answer
    replica, = commands_of(2)
    start(replica)
    wait_until(lambda: len(client.get("/health")[1]["route"]) == 3, 20, "the replica is used")


def test_what_readme_and_up_say_to_type_next(teetee):
    need_contracts()
    port = free_ports(24)
    up = teetee.start("up", "--port", port)
    wait_until(lambda: "Ctrl-C stops it." in up.text() or up.process.poll() is not None, 240, "the network is up")
    said = up.text().partition("a voucher of ")[2]
    readme = shell_blocks("README.md")[1].replace("build/release/teetee", str(teetee.program)).replace("5002", str(port))
    typed = "\n".join(line.strip() for line in said.splitlines() if line.startswith("  "))
    for script in (typed, readme):
        done = subprocess.run(["sh", "-eu", "-c", script], env=teetee.environment | {"TEETEE_PORT": str(port)},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0 and '"text"' in done.stdout, (script, done)
    assert up.stop(20) == 0


def test_every_link_between_documents_leads_somewhere(teetee):
    pages = [ROOT / n for n in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")]
    pages += sorted((ROOT / "docs").rglob("*.md"))
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
