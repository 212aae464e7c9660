# SPDX-License-Identifier: Apache-2.0
"""Configuration, manual pages and completion, all of the tree behind --help."""
import json
import os
import re
import shutil
import subprocess
import tomllib

from harness import Skipped, Teetee


def write(teetee: Teetee, text: str, name="config.toml"):
    path = teetee.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def setting(teetee: Teetee, config, name: str, *flags, command=("node",), **environment) -> tuple:
    """(value, source, origin) as `config show` says."""
    before = teetee.environment
    teetee.environment = before | environment
    try:
        code, out, err = teetee.run("--json", "--config", config, "config", "show", *command, *flags)
    finally:
        teetee.environment = before
    assert code == 0, err
    found = [s for s in json.loads(out)["settings"] if s["name"] == name and s["command"] == " ".join(command)]
    assert len(found) == 1, (name, out)
    return found[0]["value"], found[0]["source"], found[0]["origin"]


def refused(teetee: Teetee, text: str, *parts: str, command=("node",)):
    config = write(teetee, text)
    code, out, err = teetee.run("--config", config, *command)
    assert code == 2, (text, code, out, err)
    for part in (str(config), *parts):
        assert part in err, (part, err)


def test_flag_over_variable_over_file_over_default(teetee):
    config = write(teetee, '[node]\nlisten = "127.0.0.1:3"\nreroute-seconds = 4\nnext = ["tls://a:1", "tls://b:2"]\n')
    assert setting(teetee, "none", "listen") == ("127.0.0.1:5010", "default", None)
    assert setting(teetee, config, "listen") == ("127.0.0.1:3", "file", f"{config}:2")
    assert setting(teetee, config, "listen", TEETEE_LISTEN="127.0.0.1:2") == ("127.0.0.1:2", "environment", "TEETEE_LISTEN")
    own = {"TEETEE_LISTEN": "127.0.0.1:2", "TEETEE_NODE_LISTEN": "127.0.0.1:9"}
    assert setting(teetee, config, "listen", **own) == ("127.0.0.1:9", "environment", "TEETEE_NODE_LISTEN")
    assert setting(teetee, config, "listen", "--listen", "127.0.0.1:1", **own) == ("127.0.0.1:1", "flag", None)
    assert setting(teetee, config, "next")[0] == ["tls://a:1", "tls://b:2"]
    # doctor looks at what node would do.
    assert setting(teetee, config, "listen", command=("doctor",)) == ("127.0.0.1:3", "file", f"{config}:2")


def test_a_command_takes_its_settings_from_the_file(teetee):
    config = write(teetee, '[tokenize]\nmodel = "/nowhere/model.gguf"\n')
    code, _, err = teetee.run("--config", config, "tokenize")
    assert code == 3 and "/nowhere/model.gguf" in err, err
    code, _, err = teetee.run("--config", config, "tokenize", "--model", "/elsewhere.gguf")
    assert code == 3 and "/elsewhere.gguf" in err, err
    teetee.environment["TEETEE_CONFIG"] = str(config)
    code, _, err = teetee.run("tokenize")
    assert code == 3 and "/nowhere/model.gguf" in err, err
    # A variable of a command that is not called does no harm; one of the command that is, does.
    teetee.environment["TEETEE_NODE_THREADS"] = "many"
    assert teetee.run("tokenize")[0] == 3
    code, _, err = teetee.run("node")
    assert code == 2 and "TEETEE_NODE_THREADS" in err, err


def test_files_in_their_usual_places(teetee):
    home = teetee.folder / "home"
    user = write(teetee, '[node]\nthreads = 3\n', "home/.config/teetee/config.toml")
    teetee.environment |= {"HOME": str(home)}
    del teetee.environment["TEETEE_CONFIG"]
    teetee.environment.pop("XDG_CONFIG_HOME", None)
    shown = teetee.json("config", "show", "--set-only")
    assert str(user) in shown["files"]
    assert {"command": "node", "name": "threads", "value": "3", "source": "file", "origin": f"{user}:2"} in shown["settings"]
    teetee.environment["XDG_CONFIG_HOME"] = str(teetee.folder / "other")
    assert str(user) not in teetee.json("config", "show")["files"]
    for wrong in (["nod"], ["node", "--no-such-flag"], ["attest", "verify", "--listen", "x"]):
        code, _, err = teetee.run("config", "show", *wrong)
        assert code == 2 and next(word for word in wrong if word not in ("node", "attest", "verify")) in err, (code, err)
    code, _, err = teetee.run("--config", teetee.folder / "absent.toml", "config", "show")
    assert code == 3 and "absent.toml" in err, err


def test_refusals_name_file_line_and_what_is_meant(teetee):
    refused(teetee, '[node]\nlisen = "127.0.0.1:1"\n', "config.toml:2", 'did you mean \'listen\'?')
    refused(teetee, '\n[noed]\n', "config.toml:2", "did you mean [node]?")
    refused(teetee, '[attest.verfy]\n', "config.toml:1", "did you mean [attest.verify]?")
    refused(teetee, '[chat]\nlisten = "127.0.0.1:1"\n', "config.toml:2", "it is of", "[node]")
    refused(teetee, '[node]\nthreads = "3"\n', "config.toml:2", "have a string, need a whole number")
    refused(teetee, '[node]\nthreads = 999\n', "config.toml:2", "256")
    refused(teetee, '[node]\ntee = "sgx"\n', "config.toml:2", "dstack")
    refused(teetee, '[node]\nself-register = 1\n', "config.toml:2", "true or false")
    refused(teetee, '[node]\nlisten = ["a", "b"]\n', "config.toml:2", "one value")
    refused(teetee, '[node]\nlisten = \n', "config.toml:2", "no TOML")
    refused(teetee, '[node]\nlisten = 2020-01-01\n', "config.toml:2")
    refused(teetee, "a" + ".a" * 2000 + " = 1\n", "config.toml:1", "bytes")
    # The whole file counts, whichever command is called.
    refused(teetee, '[chat]\nprot = 1\n', "config.toml:2", 'did you mean \'port\'?', command=("tokenize", "--model", "x"))
    # Help and the version are to be had with any file.
    config = write(teetee, "nonsense\n")
    for flag in ("--help", "--version"):
        assert teetee.run("--config", config, flag)[0] == 0
    assert teetee.run("--config", config, "node", "--help")[0] == 0
    code, out, _ = teetee.run("--json", "--config", config, "node")
    assert code == 2 and json.loads(out)["error"]["code"] == "config_invalid"


def test_nodes_of_up_take_none_of_it(teetee):
    config = write(teetee, '[node]\nkernel = "neon"\n')
    teetee.environment |= {"TEETEE_CONFIG": str(config), "TEETEE_NODE_API_TLS": "nonsense"}
    code, _, err = teetee.run("node", "--shard", "a", "--manifest", "b", "--policy", "c")
    assert code != 0 and err
    _, http = teetee.up()
    assert http.get("/health")[0] == 200


def test_show_keeps_secrets_to_itself(teetee):
    config = write(teetee, '[node]\nrpc = ["https://user:pw@rpc.example/v2/APIKEY"]\n[run]\nprompt = "private words"\n')
    teetee.environment |= {"TEETEE_KEY": "ab" * 32, "TEETEE_KEYSTORE_PASSWORD": "sesame"}
    for arguments in (["config", "show"], ["--json", "config", "show"]):
        code, out, err = teetee.run("--config", config, *arguments)
        assert code == 0, err
        assert "rpc.example" in out
        for secret in ("APIKEY", "pw@", "private", "ab" * 32, "sesame"):
            assert secret not in out + err, secret


def test_template_is_a_file_that_sets_nothing_and_can_set_all(teetee):
    code, template, err = teetee.run("config", "template")
    assert code == 0, err

    def is_empty(table: dict) -> bool:
        return all(isinstance(value, dict) and is_empty(value) for value in table.values())

    assert "node" in tomllib.loads(template) and is_empty(tomllib.loads(template))
    config = write(teetee, template)
    assert all(s["source"] != "file" for s in teetee.json("--config", config, "config", "show")["settings"])
    # With the marks taken off, every key is known and of the right kind; an empty text may be no value.
    lines = [line[2:] if re.match(r"# [a-z0-9-]+ = ", line) else line for line in template.splitlines()]
    keys = sum(1 for a, b in zip(lines, template.splitlines()) if a != b)
    assert keys > 300, keys
    known = teetee.json("config", "show")["settings"]
    assert keys == len(known), (keys, len(known))
    assert {s["name"] for s in known} >= {"listen", "pool", "prompt", "json"}
    document = tomllib.loads("\n".join(lines))
    assert document["node"]["listen"] == "127.0.0.1:5010" and document["node"]["threads"] == 1
    # What has a default may be set to it.
    defaults = {(s["command"], s["name"]) for s in known if s["value"] not in (None, [])}
    table, kept = "", []
    for line in lines:
        if match := re.match(r"\[(.*)\]$", line):
            table = match[1].replace(".", " ")
        key = re.match(r"([a-z0-9-]+) = ", line)
        if not key or (table, key[1]) in defaults:
            kept.append(line)
    # Some have a default that says "decide for me", which nobody may set: a number out of their range.
    for _ in range(60):
        config = write(teetee, "\n".join(kept))
        code, out, err = teetee.run("--json", "--config", config, "config", "show")
        if code == 0:
            break
        assert "not in range" in err and re.search(r"Value (-1|0) ", err), err
        kept[int(re.search(r"config.toml:(\d+): ", err)[1]) - 1] = ""
    assert code == 0, err
    shown = json.loads(out)["settings"]
    assert sum(s["source"] == "file" for s in shown) > 150, shown
    before = {(s["command"], s["name"]): s["value"] for s in known}
    for s in shown:
        if s["source"] == "file" and s["name"] != "json":
            assert s["value"] == before[s["command"], s["name"]] or before[s["command"], s["name"]] == "now", s


def commands_of(teetee: Teetee, *path) -> list[tuple[str, ...]]:
    """Every command, by what --help lists."""
    code, out, err = teetee.run(*path, "--help")
    assert code == 0, err
    found = [path]
    if "Subcommands:" in out:
        for line in out.split("Subcommands:")[1].splitlines():
            if match := re.match(r"  ([a-z][a-z-]*)(\s|$)", line):
                found += commands_of(teetee, *path, match[1])
    return found


def options_of(teetee: Teetee, path) -> set[str]:
    out = teetee.run(*path, "--help")[1]
    return {o for line in out.splitlines() if line.startswith("  -")
            for o in re.findall(r"(?:^|[ ,])(--?[a-zA-Z][a-z0-9-]*)", line[:40].split("  ", 2)[1] if line[2:].find("  ") >= 0 else line)}


def test_manual_pages_hold_every_option_of_help(teetee):
    folder = teetee.folder / "man"
    code, out, err = teetee.run("man", "--out", folder)
    assert code == 0, err
    commands = commands_of(teetee)
    assert len(commands) > 40, commands
    assert {p.name for p in folder.iterdir()} == {"-".join(("teetee", *c)) + ".1" for c in commands}
    for command in commands:
        page = (folder / ("-".join(("teetee", *command)) + ".1")).read_text().replace("\\-", "-")
        options = options_of(teetee, command)
        assert "--help" in options, command
        for option in options:
            assert f"\\fB{option}\\fR" in page, (command, option)
    again = teetee.folder / "again"
    teetee.run("man", "--out", again)
    assert all((again / p.name).read_bytes() == p.read_bytes() for p in folder.iterdir())


def test_manual_pages_please_groff(teetee):
    if not shutil.which("groff"):
        raise Skipped("no groff")
    folder = teetee.folder / "man"
    assert teetee.run("man", "--out", folder)[0] == 0
    for page in sorted(folder.iterdir()):
        done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-z", page], capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, (page.name, done.stderr)
    text = subprocess.run(["groff", "-man", "-Tutf8", "-P-cbou", folder / "teetee-node.1"], capture_output=True, text=True).stdout
    assert "--drain-seconds" in text and "TEETEE_NODE_DRAIN_SECONDS" in text and "[node]" in text
    if shutil.which("man"):
        done = subprocess.run(["man", "-l", "--warnings", folder / "teetee.1"], capture_output=True, text=True,
                              env=os.environ | {"MANPAGER": "cat", "LC_ALL": "C.UTF-8"})
        assert done.returncode == 0 and not done.stderr and "teetee-node(1)" in done.stdout, done


def complete_bash(script: str, words: list[str], folder) -> list[str]:
    quoted = " ".join("'" + w + "'" for w in words)
    program = f"{script}\nCOMP_WORDS=({quoted})\nCOMP_CWORD={len(words) - 1}\n_teetee\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    done = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


def test_completion_in_bash(teetee):
    code, script, err = teetee.run("completion", "bash")
    assert code == 0, err
    (teetee.folder / "shard-file.gguf").write_text("")
    ask = lambda *words: complete_bash(script, ["teetee", *words], teetee.folder)
    assert "node" in ask("") and "attest" in ask("")
    assert ask("nod") == ["node"]
    assert set(ask("attest", "ver")) == {"verify"}
    assert {"--shard", "--tee", "--self-register", "--json", "--config"} <= set(ask("node", "--"))
    assert "--shard" not in ask("chat", "--")
    assert set(ask("node", "--draf")) == {"--drafts-max", "--draft-model", "--draft-kv-memory", "--draft-threads"}
    assert set(ask("node", "--tee", "")) == {"auto", "dstack", "tsm", "dev"}
    assert ask("node", "--tee", "=", "ds") == ["dstack"]
    assert ask("node", "--tee", "dev", "--verifier-kind", "a") == ["automata"]
    assert ask("node", "--shard", "shard-f") == ["shard-file.gguf"]
    assert ask("node", "--threads", "") == []
    assert set(ask("completion", "")) == {"bash", "zsh", "fish"}
    assert ask("verify", "shard-f") == ["shard-file.gguf"]
    # What stands in a value's place is no command.
    assert "--shard" not in ask("--config", "node", "--")
    # Every option of --help of every command.
    for command in commands_of(teetee):
        assert options_of(teetee, command) <= set(ask(*command, "-")) | {"-h"}, command


def test_completion_in_zsh(teetee):
    if not shutil.which("zsh"):
        raise Skipped("no zsh")
    code, script, _ = teetee.run("completion", "zsh")
    assert code == 0
    path = write(teetee, script, "_teetee")
    assert subprocess.run(["zsh", "-n", path], capture_output=True).returncode == 0
    # A real shell on a terminal of its own, asked with the tab key.
    program = (f"zmodload zsh/zpty; zpty z zsh -f -i; "
               f"zpty -w z 'autoload -Uz compinit; compinit -u -D; source {path}; PS1=READY; cd {teetee.folder}'; "
               "zpty -r z out '*READY*READY*'; zpty -n -w z $'teetee node --tee ds\\t'; "
               "zpty -r z out '*dstack*'; print -r -- $out; zpty -d z")
    done = subprocess.run(["zsh", "-f", "-c", program], capture_output=True, text=True, timeout=60, errors="replace")
    assert "dstack" in done.stdout, (done.stdout, done.stderr)


def test_completion_in_fish(teetee):
    if not shutil.which("fish"):
        raise Skipped("no fish")
    code, script, _ = teetee.run("completion", "fish")
    assert code == 0
    path = write(teetee, script, "teetee.fish")
    teetee.environment["HOME"] = str(teetee.folder)

    def ask(line: str) -> list[str]:
        done = subprocess.run(["fish", "--no-config", "-c", f"source {path}; complete -C '{line}'"], capture_output=True,
                              text=True, env=teetee.environment, timeout=60)
        assert done.returncode == 0 and not done.stderr, done.stderr
        return [entry.split("\t")[0] for entry in done.stdout.splitlines()]

    assert "node" in ask("teetee ")
    assert ask("teetee attest ver") == ["verify"]
    assert {"--shard", "--tee", "--json"} <= set(ask("teetee node --"))
    assert "--shard" not in ask("teetee chat --")
    assert set(ask("teetee completion ")) >= {"bash", "zsh", "fish"}
    assert set(ask("teetee node --tee ")) == {"auto", "dstack", "tsm", "dev"}
