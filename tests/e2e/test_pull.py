# SPDX-License-Identifier: Apache-2.0
"""`teetee pull` against servers that speak as the hubs do (hub_fakes.py): what comes is what the hub's digest says or
nothing, and what was fetched once is not fetched again."""
import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import struct
import subprocess

from harness import STORY_MODEL, wait_until
from hub_fakes import COMMIT, FileServer, HuggingFace, Ollama, sha256
from test_collateral import web_certificate

STORY = STORY_MODEL.read_bytes()
# Bytes a second of each connection, where a pull is to be caught in the middle.
SLOW = 400_000


HUB_VARIABLES = {"HF_TOKEN", "HF_ENDPOINT", "TEETEE_OLLAMA_REGISTRY"}


def pull(teetee, *arguments, **environment):
    """(exit code, JSON or None, stderr)"""
    teetee.environment = {k: v for k, v in teetee.environment.items() if k not in HUB_VARIABLES} | environment
    code, out, err = teetee.run("pull", *arguments, "--json")
    return code, json.loads(out) if out.strip() else None, err


def pulled(teetee, *arguments, **environment):
    code, report, err = pull(teetee, *arguments, **environment)
    assert code == 0, (code, report, err)
    return report


def refused(teetee, expected: str, *arguments, **environment):
    """The error's detail; whatever was asked for must not be under its name."""
    code, report, err = pull(teetee, *arguments, **environment)
    assert code != 0 and report["error"]["code"] == expected, (code, report, err)
    assert f"teetee: {expected}: " in err, err
    return report["error"]["detail"]


def files_under(folder: pathlib.Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def models(teetee) -> pathlib.Path:
    return teetee.folder / "data-home/teetee/models"


def story_hub(files=None):
    server = FileServer()
    return server, HuggingFace("owner/story-GGUF", files or {"README.md": b"# Story\n", "story-q8_0.gguf": STORY}, server)


def test_a_repository_with_one_model(teetee):
    server, hub = story_hub()
    with server, hub:
        report = pulled(teetee, "hf:owner/story-GGUF", "--mirror", hub.url)
        path = models(teetee) / "hf/owner/story-GGUF/story-q8_0.gguf"
        assert report["file"] == str(path) and path.read_bytes() == STORY
        assert report["digest"] == f"sha256:{sha256(STORY)}" and report["commit"] == COMMIT
        assert report["licence"] == "apache-2.0" and report["fetched_bytes"] == len(STORY)
        assert files_under(models(teetee)) == ["hf/owner/story-GGUF/story-q8_0.gguf"]
        # A byte to learn what can be learnt, then parts that make up the whole, each sent once.
        parts = sorted(server.ranges)
        assert parts[0] == (0, 1) and len(parts) >= 5, parts
        assert [first for first, _ in parts[1:]] == [0] + [end for _, end in parts[1:-1]], parts
        assert parts[-1][1] == len(STORY) and server.sent == len(STORY) + 1
        # All parts are of one commit, and every one was asked for at the hub.
        assert hub.count(f"/resolve/{COMMIT}/story-q8_0.gguf") == len(parts)
        again = pulled(teetee, "hf:owner/story-GGUF", "--mirror", hub.url)
        assert again["was_there"] and again["fetched_bytes"] == 0 and server.sent == len(STORY) + 1
        code, out, _ = teetee.run("pull", "hf:owner/story-GGUF", "--mirror", hub.url)
        assert code == 0 and str(path) in out and "licence: apache-2.0" in out, out
        command = shlex.split(next(line for line in out.splitlines() if line.startswith("next: ")))[2:]
        command[-1] = str(teetee.folder / "shards")
        assert teetee.run(*command)[0] == 0, command
        path.write_bytes(STORY[:-1] + b"x")
        assert "another file" in refused(teetee, "already_exists", "hf:owner/story-GGUF", "--mirror", hub.url)


def test_connections_and_places(teetee):
    server, hub = story_hub()
    with server, hub:
        out = teetee.folder / "one.gguf"
        pulled(teetee, "hf:owner/story-GGUF@v1", "--out", out, "--connections", 1, HF_ENDPOINT=hub.url + "/")
        assert out.read_bytes() == STORY and server.ranges == [(0, 1), (0, len(STORY))], server.ranges
        report = pulled(teetee, "hf:owner/story-GGUF/story-q8_0.gguf", "--out", str(teetee.folder / "new") + "/",
                        HF_ENDPOINT=hub.url)
        assert report["file"] == str(teetee.folder / "new/story-q8_0.gguf")
        code, _, _ = pull(teetee, "hf:owner/story-GGUF", "--connections", 0, HF_ENDPOINT=hub.url)
        assert code == 2
        before = len(server.asked)
        plan = pulled(teetee, "hf:owner/story-GGUF", "--dry-run", HF_ENDPOINT=hub.url)
        assert plan["files"][0]["bytes"] == len(STORY) and plan["files"][0]["digest"] == f"sha256:{sha256(STORY)}"
        assert len(server.asked) == before and not models(teetee).exists()


def start_slowly(teetee, server, *arguments, part):
    """A pull that is under way, with something in its journal."""
    server.bytes_per_second = SLOW
    journal = pathlib.Path(f"{part}.part.json")

    def kept():
        try:
            return sum(end - begin for begin, end in json.loads(journal.read_text())["done"])
        except OSError:
            return 0

    before = kept()
    process = teetee.start("pull", *arguments)

    def is_half_there():
        assert process.process.poll() is None, process.text()
        return kept() > before + 600_000

    wait_until(is_half_there, 60, "a part is kept")
    assert not part.exists()
    return process


def test_a_killed_pull_goes_on(teetee):
    server, hub = story_hub()
    with server, hub:
        path = teetee.folder / "story.gguf"
        arguments = "hf:owner/story-GGUF", "--mirror", hub.url, "--out", path
        process = start_slowly(teetee, server, *arguments, part=path)
        process.kill()
        server.bytes_per_second, before = 0, server.sent
        report = pulled(teetee, *arguments)
        assert path.read_bytes() == STORY and not list(teetee.folder.glob("*.part*"))
        assert report["resumed_bytes"] > 600_000
        assert report["fetched_bytes"] == len(STORY) - report["resumed_bytes"]
        # One byte more to learn whether it is the same file; and what was on its way to the one that was killed.
        wait_until(lambda: server.sent - before >= report["fetched_bytes"] + 1, 10, "all is counted")
        assert server.sent - before <= report["fetched_bytes"] + 1 + 5 * 16384


def test_ctrl_c_loses_nothing(teetee):
    server, hub = story_hub()
    with server, hub:
        path = teetee.folder / "story.gguf"
        arguments = "hf:owner/story-GGUF", "--mirror", hub.url, "--out", path
        for stop in (signal.SIGINT, signal.SIGTERM):
            process = start_slowly(teetee, server, *arguments, part=path)
            process.process.send_signal(stop)
            assert process.process.wait(10) == 3
            assert "cancelled" in process.text() and "the same command goes on from here" in process.text()
        assert "going on, " in process.text()
        kept = json.loads(pathlib.Path(f"{path}.part.json").read_text())["done"]
        server.bytes_per_second = 0
        report = pulled(teetee, *arguments)
        assert report["resumed_bytes"] == sum(end - begin for begin, end in kept)
        assert path.read_bytes() == STORY


def test_two_at_once(teetee):
    server, hub = story_hub()
    with server, hub:
        path = teetee.folder / "story.gguf"
        arguments = "hf:owner/story-GGUF", "--mirror", hub.url, "--out", path
        process = start_slowly(teetee, server, *arguments, part=path)
        assert "another process" in refused(teetee, "already_exists", *arguments)
        server.bytes_per_second = 0
        assert process.process.wait(30) == 0 and path.read_bytes() == STORY


def test_connections_that_break(teetee):
    server, hub = story_hub()
    with server, hub:
        server.cut_after, server.cuts = 300_000, 6
        report = pulled(teetee, "hf:owner/story-GGUF", "--mirror", hub.url)
        assert server.cuts == 0 and pathlib.Path(report["file"]).read_bytes() == STORY
        assert report["fetched_bytes"] == len(STORY) and server.sent == len(STORY) + 1, "nothing came twice"


def test_signed_addresses_run_out(teetee):
    server, hub = story_hub()
    with server, hub:
        server.refusals = [(403, {})] * 2
        report = pulled(teetee, "hf:owner/story-GGUF", "--mirror", hub.url, "--connections", 2)
        assert pathlib.Path(report["file"]).read_bytes() == STORY


def test_busy_servers(teetee):
    server, hub = story_hub()
    with server, hub:
        hub.refusals = [(429, {"Retry-After": "1"}), (503, {})]
        server.refusals = [(500, {}), (429, {"Retry-After": "1"})]
        code, report, err = pull(teetee, "hf:owner/story-GGUF", "--mirror", hub.url)
        assert code == 0 and pathlib.Path(report["file"]).read_bytes() == STORY, err
        assert "HTTP status 429; trying again in 1.0 s" in err, err
        pathlib.Path(report["file"]).unlink()
        hub.refusals = [(429, {"Retry-After": "4000"})]
        assert "4000 s" in refused(teetee, "rate_limited", "hf:owner/story-GGUF", "--mirror", hub.url)
        hub.refusals = [(451, {"X-Error-Message": "Disabled by law"})]
        assert "Disabled by law" in refused(teetee, "hub_refused", "hf:owner/story-GGUF", "--mirror", hub.url)
    assert "times in a row" in refused(teetee, "hub_unavailable", "hf:owner/story-GGUF", "--mirror", hub.url)


def test_what_is_damaged_is_not_kept(teetee):
    server, hub = story_hub()
    damaged = STORY[:2_000_000] + b"x" + STORY[2_000_001:]
    with server, hub:
        name = f"repos/{sha256(STORY)}"
        arguments = "hf:owner/story-GGUF", "--mirror", hub.url
        for bad, code in ((damaged, "download_mismatch"), (STORY[:-1], "download_mismatch"),
                          (STORY + b"x", "download_mismatch")):
            server.files[name] = bad
            refused(teetee, code, *arguments)
            assert not [f for f in files_under(models(teetee)) if not f.endswith(".part")]
        server.files[name] = damaged
        detail = refused(teetee, "download_mismatch", *arguments)
        assert sha256(damaged) in detail and sha256(STORY) in detail and "removed" in detail
        assert files_under(models(teetee)) == []
        # Redirect, list and server must say the same of it.
        server.files[name] = STORY
        before = server.sent
        for lie in ({"X-Linked-Size": "7"}, {"X-Repo-Commit": "f" * 40}):
            hub.redirect_headers = lie
            assert "redirect" in refused(teetee, "download_mismatch", *arguments)
        assert server.sent <= before + 2 and files_under(models(teetee)) == []
        hub.redirect_headers = {}
        # A list that lies is found out too, before anything is fetched where the hub contradicts itself.
        server.files[name] = STORY
        for lie in ({"lfs": {"oid": "1" * 64, "size": len(STORY)}}, {"lfs": {"oid": sha256(STORY), "size": 7}}):
            hub.listed = {"story-q8_0.gguf": lie}
            refused(teetee, "download_mismatch", *arguments)
        hub.listed = {}
        assert pathlib.Path(pulled(teetee, *arguments)["file"]).read_bytes() == STORY


def test_what_is_no_model_is_not_kept(teetee):
    text = b"<!doctype html><title>Not found</title>" * 100
    server, hub = story_hub({"page.gguf": text, "cut.gguf": STORY[:100_000]})
    with server, hub:
        for name in ("page.gguf", "cut.gguf"):
            code = "gguf_malformed" if name == "page.gguf" else "gguf_truncated"
            refused(teetee, code, f"hf:owner/story-GGUF/{name}", "--mirror", hub.url)
        assert files_under(models(teetee)) == []


def test_a_long_file_that_is_no_use_is_not_fetched_whole(teetee):
    name = b"a.weight"
    unknown = struct.pack("<4sIQQ", b"GGUF", 3, 1, 0) + struct.pack("<Q", len(name)) + name + struct.pack("<IQIQ", 1, 32, 99, 0)
    server, hub = story_hub({"a.gguf": unknown + bytes(60 << 20), "b.gguf": bytes(60 << 20)})
    with server, hub:
        refused(teetee, "gguf_unsupported", "hf:owner/story-GGUF/a.gguf", "--mirror", hub.url)
        refused(teetee, "gguf_malformed", "hf:owner/story-GGUF/b.gguf", "--mirror", hub.url)
        assert server.sent == 2 * ((16 << 20) + 1) and files_under(models(teetee)) == []


def test_hostile_lists(teetee):
    server, hub = story_hub()
    entry = {"type": "file", "oid": "1" * 40, "size": 3}
    with server, hub:
        arguments = "hf:owner/story-GGUF", "--mirror", hub.url
        for path in ("../../../escaped.gguf", "/tmp/escaped.gguf", "a/../../b.gguf", "a\n.gguf", "", "a//b.gguf"):
            hub.extra_entries = [entry | {"path": path}]
            refused(teetee, "hub_malformed", *arguments)
        for bad in ({"path": "a.gguf", "size": -1}, {"path": "a.gguf", "size": 1 << 60}, {"path": "a.gguf", "oid": "x"},
                    {"path": "a.gguf", "lfs": {"oid": "../../x", "size": 1}}):
            hub.extra_entries = [entry | bad]
            refused(teetee, "hub_malformed", *arguments)
        hub.extra_entries = [entry | {"path": f"f{i}"} for i in range(20_001)]
        hub.page_files = 30_000
        assert refused(teetee, "hub_malformed", *arguments)
        hub.extra_entries, hub.page_files = [entry | {"path": f"f{i}"} for i in range(100)], 1
        assert "too many files" in refused(teetee, "limit_exceeded", *arguments)
        assert not (teetee.folder / "escaped.gguf").exists() and not models(teetee).exists()


def test_choosing_among_models(teetee):
    names = ["story-Q2_K.gguf", "story-Q4_K_M.gguf", "Q8_0/story.gguf", "mmproj-story.gguf",
             "big-Q4_0-00001-of-00002.gguf", "big-Q4_0-00002-of-00002.gguf"]
    server, hub = story_hub({name: STORY for name in names})
    hub.page_files = 2
    with server, hub:
        def name_of(report):
            return report["file"].removeprefix(str(models(teetee)) + "/hf/owner/story-GGUF/")
        code, report, err = pull(teetee, "hf:owner/story-GGUF", "--mirror", hub.url)
        assert code == 0 and name_of(report) == "story-Q4_K_M.gguf" and "another one: --file" in err, (report, err)
        assert hub.count("cursor=") == 3
        for arguments in (["hf:owner/story-GGUF:q8_0"], ["hf:owner/story-GGUF/Q8_0/story.gguf"],
                          ["hf:owner/story-GGUF", "--file", "Q8_0/story.gguf"]):
            assert name_of(pulled(teetee, *arguments, "--mirror", hub.url)) == "Q8_0/story.gguf"
        detail = refused(teetee, "unsupported", "hf:owner/story-GGUF:Q4_0", "--mirror", hub.url)
        assert "2 parts" in detail and "llama-gguf-split --merge" in detail
        del hub.files["story-Q4_K_M.gguf"]
        detail = refused(teetee, "file_ambiguous", "hf:owner/story-GGUF", "--mirror", hub.url)
        assert "4.572 MiB  story-Q2_K.gguf" in detail and "(2 parts, not supported)" in detail, detail
        assert "--file" in detail and "mmproj" not in detail
        for missing in ("hf:owner/story-GGUF:Q6_K", "hf:owner/story-GGUF/none.gguf"):
            assert "story-Q2_K.gguf" in refused(teetee, "not_found", missing, "--mirror", hub.url)
        assert pull(teetee, "hf:owner/story-GGUF:Q8_0", "--file", "a.gguf", "--mirror", hub.url)[0] == 2


def test_gated_and_private_repositories(teetee):
    server, hub = story_hub()
    hub.gated, hub.good_token = True, "hf_secret"
    arguments = "hf:owner/story-GGUF", "--mirror", hub.url
    token = teetee.folder / "token"
    token.write_text("hf_secret\n")
    with server, hub:
        detail = refused(teetee, "access_denied", *arguments)
        assert "accept its conditions at" in detail and "HF_TOKEN" in detail and "/owner/story-GGUF" in detail
        # A mirror of the command line has not been trusted with the variable's token.
        code, _, err = pull(teetee, *arguments, HF_TOKEN="hf_secret")
        assert code == 3 and "HF_TOKEN is not sent to a --mirror" in err, err
        assert hub.tokens() == {None}
        detail = refused(teetee, "access_denied", arguments[0], HF_ENDPOINT=hub.url, HF_TOKEN="hf_wrong")
        assert "does not take the token" in detail and "hf_wrong" not in detail
        hub.granted = False
        detail = refused(teetee, "access_denied", *arguments, "--token-file", token)
        assert "ask for access at" in detail
        hub.granted = True
        report = pulled(teetee, arguments[0], HF_ENDPOINT=hub.url, HF_TOKEN="hf_secret")
        pathlib.Path(report["file"]).unlink()
        report = pulled(teetee, *arguments, "--token-file", token)
        assert pathlib.Path(report["file"]).read_bytes() == STORY
        assert server.tokens() == {None}, "the token is the hub's alone"
        hub.private = True
        assert "private" in refused(teetee, "access_denied", *arguments)
        assert "no such repository" in refused(teetee, "not_found", "hf:owner/other", "--mirror", hub.url,
                                               "--token-file", token)
        assert "no revision 'v9'" in refused(teetee, "not_found", "hf:owner/story-GGUF@v9", "--mirror", hub.url,
                                             "--token-file", token)
        for code, _, err in (pull(teetee, "hf:owner/story-GGUF", "--mirror", "http://192.0.2.1", "--token-file", token),
                             pull(teetee, "hf:owner/story-GGUF", "--mirror", hub.url, "--token-file", teetee.folder / "x"),
                             pull(teetee, "hf:owner/story-GGUF", HF_ENDPOINT=hub.url, HF_TOKEN="two words")):
            assert code in (2, 3) and "hf_secret" not in err and "two words" not in err, err
        # Whoever named a server that is none is named.
        for source, result in (("--mirror", pull(teetee, "hf:owner/story-GGUF", "--mirror", "hub.example")),
                               ("HF_ENDPOINT", pull(teetee, "hf:owner/story-GGUF", HF_ENDPOINT="hub.example")),
                               ("HF_ENDPOINT", pull(teetee, "hf:owner/story-GGUF", HF_ENDPOINT=hub.url + "?x")),
                               ("TEETEE_OLLAMA_REGISTRY", pull(teetee, "ollama:story", TEETEE_OLLAMA_REGISTRY="hub.example"))):
            assert result[0] == 2 and f"{source}: have" in result[2], (source, result)


def test_https_and_redirects(teetee):
    web, authority = web_certificate(teetee)
    server = FileServer(certificate=web)
    hub = HuggingFace("owner/story-GGUF", {"story.gguf": STORY}, server, certificate=web)
    hub.good_token, hub.gated = "hf_secret", True
    token = teetee.folder / "token"
    token.write_text("hf_secret")
    arguments = "hf:owner/story-GGUF", "--mirror", hub.url, "--token-file", token
    with server, hub, FileServer(server.files) as plain:
        refused(teetee, "tls_failed", *arguments)
        assert not hub.asked, "nothing is said to a server that is not known"
        arguments += "--ca", authority
        report = pulled(teetee, *arguments)
        path = pathlib.Path(report["file"])
        assert path.read_bytes() == STORY and len(server.ranges) >= 5 and server.tokens() == {None}
        path.unlink()
        for location in (f"{plain.url}/repos/{sha256(STORY)}", "file:///etc/passwd", "ftp://localhost/x", "", "//"):
            hub.location = location or " "
            code, report, err = pull(teetee, *arguments)
            assert code == 1 and report["error"]["code"] in ("hub_refused", "hub_malformed"), (location, report)
        assert not plain.asked
        hub.location = f"{hub.url}/owner/story-GGUF/resolve/{COMMIT}/story.gguf"
        asked = len(hub.asked)
        assert "sent on more than 5 times" in refused(teetee, "hub_refused", *arguments)
        assert len(hub.asked) - asked == 2 + 1 + 5 and files_under(models(teetee)) == []


def test_a_url(teetee):
    with FileServer({"a/story.gguf": STORY, "b/page.gguf": b"<html>"}) as server:
        url = f"{server.url}/a/story.gguf"
        code, report, err = pull(teetee, url + "?key=secret")
        path = models(teetee) / "url/localhost/story.gguf"
        assert code == 0 and report["file"] == str(path) and path.read_bytes() == STORY
        assert report["digest"] == f"sha256:{sha256(STORY)}" and "secret" not in json.dumps(report)
        assert "plain http" in err and "--sha256" in err
        sent = server.sent
        again = pulled(teetee, url)
        assert again["was_there"] and again["digest"] == report["digest"] and server.sent <= sent + 1
        assert pulled(teetee, url, "--sha256", sha256(STORY))["was_there"]
        server.files["a/story.gguf"] = STORY + b"x"
        assert "exists" in refused(teetee, "already_exists", url)
        server.files["a/story.gguf"] = STORY
        path.write_bytes(STORY + b"x")
        assert "exists and is another file" in refused(teetee, "already_exists", url)
        path.unlink()
        path.with_suffix(".source.json").unlink()
        detail = refused(teetee, "download_mismatch", url + "?key=secret", "--sha256", "1" * 64)
        assert sha256(STORY) in detail and "secret" not in detail and not path.exists()
        refused(teetee, "gguf_malformed", f"{server.url}/b/page.gguf")
        refused(teetee, "not_found", f"{server.url}/none.gguf")
        for place in ([], ["--out", teetee.folder], ["--out", "new/"]):
            assert pull(teetee, f"{server.url}/", *place)[0] == 2
        assert pull(teetee, url, "--sha256", "12")[0] == 2
        assert pull(teetee, "somewhere")[0] == 2
        server.refusals = [(401, {})]
        assert "--token-file" in refused(teetee, "access_denied", url)
        plan = pulled(teetee, url, "--dry-run")
        assert plan["bytes"] == len(STORY) and files_under(models(teetee)) == []


def test_a_bar_on_a_terminal(teetee):
    with FileServer({"story.gguf": STORY}) as server:
        server.bytes_per_second = SLOW
        terminal, stderr = pty.openpty()
        process = subprocess.Popen([teetee.program, "pull", f"{server.url}/story.gguf", "--out", teetee.folder / "a.gguf"],
                                   stdout=subprocess.PIPE, stderr=stderr, env=teetee.environment)
        os.close(stderr)
        shown = b""
        while b" left" not in shown:
            shown += os.read(terminal, 4096)
        server.bytes_per_second = 0
        assert re.search(rb"fetching a\.gguf \[#* *\] +\d+ % of 4\.572 MiB, [\d.]+ [KM]iB/s, \d+ s left", shown), shown
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0 and b"\x1b" not in out and b"sha256:" in out, out
        os.close(terminal)


def test_a_url_of_a_hub_is_checked_by_what_the_hub_says(teetee):
    server, hub = story_hub()
    with server, hub:
        url = f"{hub.url}/owner/story-GGUF/resolve/{COMMIT}/story-q8_0.gguf"
        assert pulled(teetee, url, "--dry-run")["files"][0]["digest"] == f"sha256:{sha256(STORY)}"
        server.files[f"repos/{sha256(STORY)}"] = STORY[:-1] + b"x"
        refused(teetee, "download_mismatch", url)
        server.files[f"repos/{sha256(STORY)}"] = STORY
        assert pathlib.Path(pulled(teetee, url)["file"]).read_bytes() == STORY


def test_servers_without_ranges(teetee):
    with FileServer({"story.gguf": STORY}) as server:
        server.has_ranges = False
        arguments = f"{server.url}/story.gguf", "--out", teetee.folder / "story.gguf"
        for setting in ({}, {"chunked": True}, {"etags": False}, {"cut_after": 1_000_000, "cuts": 1}):
            for name, value in setting.items():
                setattr(server, name, value)
            report = pulled(teetee, *arguments)
            path = pathlib.Path(report["file"])
            assert path.read_bytes() == STORY, setting
            path.unlink()
            server.chunked, server.etags, server.cut_after = False, True, None
        # Nobody can tell whether such an answer is whole, unless its digest is known.
        server.without_length = True
        assert "--sha256" in refused(teetee, "hub_refused", *arguments)
        assert pulled(teetee, *arguments, "--sha256", sha256(STORY))["bytes"] == len(STORY)
        path.unlink()
        server.cut_after, server.cuts = 1_000_000, None
        refused(teetee, "download_mismatch", *arguments, "--sha256", sha256(STORY))


def test_answers_that_are_not_what_was_asked_for(teetee):
    with FileServer({"story.gguf": STORY}) as server:
        arguments = f"{server.url}/story.gguf", "--out", teetee.folder / "story.gguf"
        server.extra_headers = {"Content-Encoding": "gzip"}
        assert "compresses" in refused(teetee, "hub_refused", *arguments)
        server.extra_headers = {}
        server.claimed_bytes = 1 << 41
        assert "free on this disk" in refused(teetee, "io_failed", *arguments)
        server.claimed_bytes = 1 << 43
        refused(teetee, "limit_exceeded", *arguments)
        server.claimed_bytes, server.on_sent = None, lambda _: setattr(server, "shift", 1)
        refused(teetee, "http_malformed", *arguments)
        assert not (teetee.folder / "story.gguf").exists()


def test_a_file_that_changes_while_it_is_fetched(teetee):
    other = STORY[:3_000_000] + b"y" * 10 + STORY[3_000_010:]
    with FileServer({"story.gguf": STORY}) as server:
        out = teetee.folder / "story.gguf"

        def change(total):
            if total > 1_000_000:
                server.files["story.gguf"] = other

        server.on_sent, server.cut_after, server.cuts = change, 200_000, 8
        report = pulled(teetee, f"{server.url}/story.gguf", "--out", out)
        assert out.read_bytes() == other and report["digest"] == f"sha256:{sha256(other)}", "never a mixture"
        out.unlink()
        versions = iter(range(10**9))

        def change_always(_):
            server.files["story.gguf"] = STORY + b"%d" % next(versions)

        server.on_sent, server.cuts = change_always, None
        assert "changed" in refused(teetee, "download_changed", f"{server.url}/story.gguf", "--out", out)
        assert not out.exists()


def test_a_part_of_another_file_is_not_gone_on_with(teetee):
    other = bytes(reversed(STORY[4096:])) + STORY[:4096]
    with FileServer({"story.gguf": STORY}) as server:
        path = teetee.folder / "story.gguf"
        arguments = f"{server.url}/story.gguf", "--out", path
        start_slowly(teetee, server, *arguments, part=path).kill()
        server.bytes_per_second = 0
        server.files["story.gguf"] = other
        refused(teetee, "gguf_malformed", *arguments)  # whole, and what the server has now
        start_slowly(teetee, server, *arguments, part=path).kill()
        server.bytes_per_second = 0
        server.files["story.gguf"] = STORY
        for damage in ("{", json.dumps({"version": 1}), "x" * (2 << 20)):
            journal = pathlib.Path(f"{path}.part.json")
            journal.write_text(damage)
            report = pulled(teetee, *arguments)
            assert report["resumed_bytes"] == 0 and path.read_bytes() == STORY
            path.rename(f"{path}.part")


def test_an_image_of_ollama(teetee):
    licence, template = b"\n  Apache License\n Version 2.0\n", b"{{ .Prompt }}"
    server = FileServer()
    hub = Ollama("library/story", "latest", [("model", STORY), ("template", template), ("license", licence),
                                             ("license", b"and another"), ("params", b'{"stop":["x"]}'),
                                             ("projector", b"p" * 10)], server)
    with server, hub:
        code, report, err = pull(teetee, "ollama:story", TEETEE_OLLAMA_REGISTRY=hub.url)
        assert code == 0 and "licence: Apache License" in err and "pictures" in err, err
        folder = models(teetee) / "ollama/library/story"
        assert (folder / "latest.gguf").read_bytes() == STORY and report["file"] == str(folder / "latest.gguf")
        assert files_under(folder) == ["latest.gguf", "latest.license-2.txt", "latest.license.txt", "latest.params.json",
                                       "latest.template.txt"]
        assert (folder / "latest.template.txt").read_bytes() == template and report["licence"] == "Apache License"
        sent = server.sent
        assert pulled(teetee, "ollama:library/story:latest", "--mirror", hub.url)["was_there"] and server.sent == sent
        assert "no such model or tag" in refused(teetee, "not_found", "ollama:story:7b", "--mirror", hub.url)
        (folder / "latest.gguf").unlink()
        server.files[f"blobs/{sha256(STORY)}"] = STORY[:-1] + b"x"
        refused(teetee, "download_mismatch", "ollama:story", "--mirror", hub.url)
        assert "latest.gguf" not in files_under(folder)
        hub.manifest["layers"].append({"mediaType": "application/vnd.ollama.image.adapter", "size": 1,
                                       "digest": "sha256:" + "1" * 64})
        assert "adapter" in refused(teetee, "unsupported", "ollama:story", "--mirror", hub.url)
        hub.manifest["layers"][0]["digest"] = "sha256:../../../x"
        refused(teetee, "hub_malformed", "ollama:story", "--mirror", hub.url)
