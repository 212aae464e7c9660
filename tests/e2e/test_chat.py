# SPDX-License-Identifier: Apache-2.0
"""Conversations on a real terminal: editing, commands, proof, cost."""
import contextlib
import fcntl
import json
import os
import pty
import re
import subprocess
import termios
import threading

from harness import STORY_MODEL, wait_until
from test_entry_death import PROMPT
from test_money import Shop

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z~]|\x1b[=>]|\r")


class Terminal:
    """`teetee chat` on a terminal of its own; what it shows, and what answers it printed."""

    def __init__(self, teetee, *arguments, **environment):
        self.master, slave = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            [teetee.program, "chat", *map(str, arguments)], stdin=slave, stdout=slave, stderr=slave,
            env=teetee.environment | {"TERM": "xterm"} | environment, start_new_session=True,
            # Ctrl-C goes to the foreground of the controlling terminal.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        data = b""
        with contextlib.suppress(OSError):
            while piece := os.read(self.master, 4096):
                data += piece
                self.shown = data.decode(errors="ignore")

    def text(self) -> str:
        """As people see it, without colours and the like."""
        return ESCAPES.sub("", self.shown)

    def type(self, keys: str):
        os.write(self.master, keys.encode())

    def wait_for(self, what: str, after=0, seconds=60) -> int:
        """Where it stands behind `after`."""
        wait_until(lambda: what in self.text()[after:] or self.process.poll() is not None, seconds,
                   f"{what!r} in {self.text()[after:]!r}")
        assert what in self.text()[after:], self.text()[after:]
        return self.text().index(what, after)

    def prompt(self, after=0) -> int:
        """Waits until it asks for something."""
        wait_until(lambda: self.text()[after:].rstrip(" ").endswith("\n>") or self.process.poll() is not None, 60,
                   f"a prompt behind {self.text()[after:]!r}")
        assert self.process.poll() is None, self.text()
        return len(self.text())

    def enter(self, line: str) -> str:
        """What it says to this line, up to the next prompt."""
        begin = self.prompt()
        self.type(line + "\r")
        # The line is shown as it is typed; behind it comes the answer.
        wait_until(lambda: "\n" in self.text()[begin:], 20, f"the line is taken: {self.text()[begin:]!r}")
        end = self.prompt(begin + 1)
        return self.text()[begin:end]

    def end(self, keys="\x04") -> int:
        self.prompt()
        self.type(keys)
        return self.process.wait(30)


def test_lines_are_edited_and_remembered(teetee):
    _, client = teetee.up("--shards", 2)
    history = teetee.folder / "history"
    terminal = Terminal(teetee, "--port", client.port, "-n", 4, "--temperature", 0, "--history", history)
    begin = terminal.prompt()
    assert "SIMULATED" in terminal.text()[:begin]
    saved = teetee.folder / "talk.json"

    def prompts() -> list:
        terminal.enter(f"/save {saved}")
        assert saved.stat().st_mode & 0o777 == 0o600
        return [m["content"] for m in json.loads(saved.read_text())["messages"] if m["role"] == "user"]

    # Arrows, deleting, characters of several bytes.
    terminal.enter("A cut\x1b[D\x1b[Da\x1b[C\x1b[C\x7f.")
    terminal.enter("\u00e9\u6f22x\x7f\U0001f600\x1b[D\x1b[D\x7f!")
    terminal.enter("bc\x01a\x05d")
    assert prompts() == ["A cau.", "!\u6f22\U0001f600", "abcd"], prompts()
    # The one before, and one that is looked for.
    terminal.enter("\x1b[A\x1b[A\x1b[Aye")
    terminal.enter("\x12cau\x05?")
    assert prompts()[3:] == ["!\u6f22\U0001f600ye", "A cau.?"], prompts()
    # Several lines.
    terminal.prompt()
    terminal.type("one\\\r")
    terminal.wait_for(". ")
    terminal.type("two\r")
    assert prompts()[5:] == ["one\ntwo"], prompts()
    terminal.prompt()
    terminal.type('"""\rthree\r\rfour\r"""\r')
    terminal.wait_for("four")
    assert prompts()[5:] == ["one\ntwo", "three\n\nfour"], prompts()
    # A paste is one text, whatever is in it.
    terminal.enter("\x1b[200~past\u00e9d \u6f22\r/quit\x03\r\x1b[201~!")
    assert prompts()[-1].startswith("past\u00e9d \u6f22\n/quit") and prompts()[-1].endswith("!"), prompts()
    # Ctrl-C gives up a line, Ctrl-D on an empty one ends.
    terminal.prompt()
    terminal.type("never mind\x03")
    terminal.wait_for("^C\n")
    assert "never mind" not in "".join(prompts()) and "never mind" in terminal.text()
    assert terminal.end() == 0, terminal.text()
    assert history.stat().st_mode & 0o777 == 0o600
    kept = [json.loads(line) for line in history.read_text().splitlines()]
    assert kept[0] == "A cau." and "one\ntwo" in kept and "never mind" not in kept, kept
    # And is known again.
    again = Terminal(teetee, "--port", client.port, "-n", 4, "--history", history)
    again.enter("/new")
    again.enter("\x12abcd\x05 e")
    assert '"abcd e"' in history.read_text(), history.read_text()
    assert again.end("/quit\r") == 0
    # Without the flag nothing is kept anywhere.
    before = {str(p) for p in teetee.folder.rglob("*")}
    third = Terminal(teetee, "--port", client.port, "-n", 4)
    third.enter("something secret")
    assert third.end() == 0
    assert {str(p) for p in teetee.folder.rglob("*")} == before


def test_conversations_at_a_time_keep_one_history(teetee):
    _, client = teetee.up("--shards", 1)
    history = teetee.folder / "history"
    both = [Terminal(teetee, "--port", client.port, "-n", 2, "--history", history) for _ in range(2)]
    for number in range(2):
        for name, terminal in zip("ab", both):
            terminal.enter(f"{name}{number}")
    assert all(terminal.end() == 0 for terminal in both)
    assert [json.loads(line) for line in history.read_text().splitlines()] == ["a0", "b0", "a1", "b1"]


def test_what_a_model_writes_gives_a_terminal_no_commands(teetee):
    grammar = teetee.folder / "escape.gbnf"
    grammar.write_text('root ::= "\\x1b]0;t\\x07"')
    command = [teetee.program, "run", "--model", STORY_MODEL, "-p", "Once", "-n", "20", "--grammar", grammar]
    master, slave = pty.openpty()
    done = subprocess.run(command, stdout=slave, stderr=subprocess.PIPE, env=teetee.environment, timeout=60)
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(master, 4096):
            shown += piece
    os.close(master)
    assert done.returncode == 0 and shown == "\ufffd]0;t\ufffd\r\n".encode(), (shown, done)
    # Where no terminal reads it the text is what it is.
    done = subprocess.run(command, capture_output=True, env=teetee.environment, timeout=60)
    assert done.stdout == b"\x1b]0;t\x07\n", done


def test_commands_do_what_they_say(teetee):
    _, client = teetee.up("--shards", 2)
    saved = teetee.folder / "talk.json"
    # The built-in model has no chat template, and the entry says so.
    terminal = Terminal(teetee, "--port", client.port, "-n", 6, "--temperature", 0, "--context", "on")

    def talk() -> dict:
        terminal.enter(f"/save {saved}")
        return json.loads(saved.read_text())

    for command in ("/help", "/entry", "/cost", "/set"):
        terminal.enter(command)
    assert "/proof" in terminal.text() and f"https://127.0.0.1:{client.port + 1}" in terminal.text()
    assert "answers of this network are free" in terminal.text() and '"temperature":0' in terminal.text()
    first = terminal.enter("Once upon a time")
    messages = talk()["messages"]
    assert messages[0] == {"role": "user", "content": "Once upon a time"} and messages[1]["content"].strip() in first, (first, messages)
    # The same prompt alone has the same answer: what a conversation adds is what was said before.
    alone = teetee.json("chat", "--port", client.port, "-n", 6, "--temperature", 0, "-p", "Once upon a time")
    assert alone["text"] == messages[1]["content"]
    terminal.enter("And then")
    status, joined = client.post("/v1/chat/completions", {"messages": messages + [{"role": "user", "content": "And then"}],
                                                        "max_tokens": 6, "temperature": 0})
    assert talk()["messages"][3]["content"] == joined["choices"][0]["message"]["content"], (talk(), joined)
    terminal.enter("/set seed 7")
    terminal.enter("/set temperature=1")
    terminal.enter("/retry")
    retried = talk()
    assert len(retried["messages"]) == 4 and retried["settings"] == {"seed": 7, "temperature": 1.0}, retried
    assert retried["messages"][3] != joined["choices"][0]["message"], retried
    terminal.enter("/undo")
    assert talk()["messages"] == messages
    terminal.enter("/system Be brief.")
    assert talk()["system"] == "Be brief."
    terminal.enter("/new")
    assert talk()["messages"] == []
    saved.write_text(json.dumps({"version": 1, "system": "", "settings": {"max_tokens": 2}, "messages": messages}))
    terminal.enter(f"/load {saved}")
    assert talk()["messages"] == messages and talk()["settings"] == {"max_tokens": 2}
    for wrong, why in (("/nothing", "there is no such command"), ("/set model x", "no such setting"), ("/set seed x", "whole number"),
                       ("/load /no/such/file", "not_found"), ("/save", "needs FILE")):
        assert why in terminal.enter(wrong), wrong
    assert "prompt_tokens" not in terminal.text()
    cost = terminal.enter("/cost")
    assert re.search(r"here so far: 3 answers of \d+ tokens", cost), cost
    assert terminal.end() == 0
    # What an application could read of another one's model: whether it knows conversations.
    terminal = Terminal(teetee, "--port", client.port, "-n", 6, "--temperature", 0)
    terminal.enter("Once upon a time")
    terminal.enter("Once upon a time")
    assert "knows no conversations" in terminal.text(), terminal.text()
    both = talk()["messages"]
    assert both[1] == both[3], "each prompt alone"
    assert terminal.end() == 0


def test_a_conversation_that_has_no_room_leaves_out_its_beginning(teetee):
    _, client = teetee.up("--shards", 1)
    context = client.get("/v1/models")[1]["data"][0]["context_length"]
    terminal = Terminal(teetee, "--port", client.port, "-n", 20, "--temperature", 0, "--context", "on")
    long = "The cat sat on the mat. " * (context // 16)
    for _ in range(3):
        terminal.enter(long)
    assert "its oldest prompt and answer are left out" in terminal.text(), terminal.text()[-500:]
    assert "context_exceeded" not in terminal.text()
    assert terminal.end() == 0


def test_ctrl_c_stops_the_answer_and_not_the_program(teetee):
    teetee.environment["TEETEE_KERNEL"] = "scalar"
    _, client = teetee.up("--shards", 2)
    terminal = Terminal(teetee, "--port", client.port, "-n", 220, "--temperature", 0)
    begin = terminal.prompt()
    terminal.type(PROMPT + "\r")
    wait_until(lambda: len(terminal.text()) > begin + len(PROMPT) + 30, 60, "the answer has begun")
    terminal.type("\x03")
    terminal.wait_for("stopped", begin)
    wait_until(lambda: client.get("/health")[1]["active_requests"] == 0, 20, "the entry has stopped")
    saved = teetee.folder / "talk.json"
    terminal.enter(f"/save {saved}")
    messages = json.loads(saved.read_text())["messages"]
    whole = teetee.json("chat", "--port", client.port, "-n", 220, "--temperature", 0, "-p", PROMPT)["text"]
    assert len(messages) == 2 and 0 < len(messages[1]["content"]) < len(whole) and whole.startswith(messages[1]["content"]), messages
    terminal.enter("/set max_tokens 3")
    assert len(terminal.enter("Once more")) > 10
    assert terminal.end() == 0


def test_proof_says_every_check_in_words(teetee):
    _, client = teetee.up("--shards", 2)
    terminal = Terminal(teetee, "--port", client.port, "-n", 6, "--temperature", 0)
    assert "no answer to prove" in terminal.enter("/proof")
    terminal.enter(PROMPT)
    proof = terminal.enter("/proof")
    for words in ("layers 0 to ", "hardware: SIMULATED: a development TEE, which protects nothing", "the program is one that the policy accepts",
                  "the weights are those of the manifest", "every layer of the model was computed, once and in order",
                  "the entry has signed the receipt", "it answers the request that was sent from here",
                  "it is the answer that was shown here, to the letter", "it cost nothing, so no chain has it", "every check passed"):
        assert words in proof, (words, proof)
    assert proof.count("hardware: ") == 2 and "FAIL" not in proof, proof
    assert terminal.end() == 0


def test_colours_are_for_terminals_that_want_them(teetee):
    _, client = teetee.up("--shards", 1)
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        terminal = Terminal(teetee, "--port", client.port, "-n", 3, **environment)
        terminal.enter("/cost")
        assert terminal.end() == 0
        assert ("\x1b[1;32m" in terminal.shown) == coloured, (environment, terminal.shown)
    code, out, err = teetee.run("chat", "--port", client.port, "-n", 3, stdin="Once\nupon\n")
    assert code == 0 and "\x1b" not in out + err and "> " not in err, (out, err)


def test_scripts_ask_each_line_alone_or_as_a_conversation(teetee):
    _, client = teetee.up("--shards", 1)
    common = ["chat", "--port", client.port, "-n", 6, "--temperature", 0, "--json"]

    def texts(*flags) -> list:
        code, out, err = teetee.run(*common, *flags, stdin="Once upon a time\n\nOnce upon a time\n")
        assert code == 0, err
        return [json.loads(line)["text"] for line in out.splitlines()]

    alone, together = texts(), texts("--context", "on")
    assert alone[0] == alone[1] == together[0] != together[1], (alone, together)


def test_cost_and_proof_of_answers_that_are_paid(teetee):
    shop = Shop(teetee)
    session = teetee.folder / "payment.json"
    shop.payer.json("voucher", "open", "--pool", shop.pool, "--ceiling", 5_000, "--session", session)
    terminal = Terminal(teetee, "--payment", session, *shop.network.chat_flags(), "--deployment", shop.chain.deployment, "--pool", shop.pool,
                        "--rpc", shop.chain.url, "-n", 10, "--temperature", 0)
    for _ in range(2):
        terminal.enter(PROMPT)
    cost = terminal.enter("/cost")
    spent, left = re.search(r"spent here with this entry: (\d+) credits.*left in the voucher: (\d+)", cost).groups()
    assert int(spent) >= 2 * 5 * 10 and int(spent) + int(left) == 5_000, cost
    assert "price: 2 credits a token of the prompt, 5 of the answer" in cost, cost

    def is_anchored():
        proof = terminal.enter("/proof")
        assert "FAIL" not in proof and "no more was charged than the words come to" in proof, proof
        return "the contract on the chain has the receipt" in proof

    wait_until(is_anchored, 60, "it is settled")
    assert terminal.end() == 0
