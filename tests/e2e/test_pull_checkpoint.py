# SPDX-License-Identifier: Apache-2.0
"""`teetee pull` of checkpoints: safetensors that are fetched whole and imported."""
import pathlib
import shutil

from hf_checkpoint import Fixture, write_checkpoint
from hub_fakes import FileServer, HuggingFace, sha256
from test_pull import pull, pulled, refused, files_under, models


def checkpoint_hub(teetee, files=3):
    folder = write_checkpoint(teetee.folder / "tiny", Fixture("qwen2"), files=files)
    (folder / "pytorch_model.bin").write_bytes(b"never fetched")
    server = FileServer()
    return folder, server, HuggingFace("owner/tiny", {p.name: p.read_bytes() for p in sorted(folder.iterdir())}, server)


def test_a_checkpoint_is_imported(teetee):
    for files in (1, 3):
        folder, server, hub = checkpoint_hub(teetee, files)
        reference = teetee.folder / "reference.gguf"
        teetee.json("import", folder, "--out", reference)
        with server, hub:
            # What somebody has in the folder already is not the pull's to remove.
            own = teetee.folder / f"out{files}/tiny.checkpoint/notes/mine.txt"
            own.parent.mkdir(parents=True)
            own.write_text("mine")
            report = pulled(teetee, "hf:owner/tiny", "--mirror", hub.url, "--out", str(teetee.folder / f"out{files}") + "/")
            assert files_under(teetee.folder / f"out{files}") == ["tiny.checkpoint/notes/mine.txt", "tiny.gguf", "tiny.source.json"]
            shutil.rmtree(own.parents[1])
            made = teetee.folder / f"out{files}/tiny.gguf"
            assert report["file"] == str(made) and made.read_bytes() == reference.read_bytes()
            assert report["architecture"] == "qwen2" and files_under(made.parent) == ["tiny.gguf", "tiny.source.json"]
            assert hub.count("pytorch_model.bin") == 0
            sent = server.sent
            assert pulled(teetee, "hf:owner/tiny", "--mirror", hub.url, "--out", made)["was_there"] and server.sent == sent
            refused(teetee, "already_exists", "hf:owner/tiny", "--mirror", hub.url, "--out", made, "--type", "f16")
            report = pulled(teetee, "hf:owner/tiny", "--mirror", hub.url, "--type", "q8_0", "--keep-checkpoint")
            assert report["file"].endswith("/hf/owner/tiny/tiny-q8_0.gguf")
            kept = models(teetee) / "hf/owner/tiny/tiny-q8_0.checkpoint"
            assert (kept / "config.json").read_bytes() == hub.files["config.json"]
            # A checkpoint that is there is checked, and not fetched again.
            sent = server.sent
            pathlib.Path(report["file"]).unlink()
            again = pulled(teetee, "hf:owner/tiny", "--mirror", hub.url, "--type", "q8_0")
            assert again["fetched_bytes"] == 0 and server.sent == sent and not kept.exists()
            pathlib.Path(again["file"]).unlink()
        for path in folder.iterdir():
            path.unlink()


def test_a_checkpoint_that_cannot_be_imported(teetee):
    _, server, hub = checkpoint_hub(teetee)
    with server, hub:
        arguments = "hf:owner/tiny", "--mirror", hub.url
        config = hub.files["config.json"]
        hub.files["config.json"] = config.replace(b'"qwen2"', b'"mamba"')
        refused(teetee, "architecture_unsupported", *arguments)
        assert server.sent == 0, "no weights are fetched for nothing"
        # Git's own digest is checked, too: the kept one is another file now.
        hub.files["config.json"] = config
        assert "another file" in refused(teetee, "already_exists", *arguments)
        (models(teetee) / "hf/owner/tiny/tiny.checkpoint/config.json").unlink()
        hub.listed = {"config.json": {"oid": "1" * 40}}
        assert "git's SHA-1" in refused(teetee, "download_mismatch", *arguments)
        hub.listed = {}
        weights = next(name for name in hub.large)
        digest = sha256(hub.files[weights])
        server.files[f"repos/{digest}"] = hub.files[weights][:-1] + b"x"
        refused(teetee, "download_mismatch", *arguments)
        assert not (models(teetee) / "hf/owner/tiny/tiny.gguf").exists()
        del hub.files[weights]
        assert "which is not there" in refused(teetee, "hub_malformed", *arguments)
        for name in list(hub.files):
            if name.startswith("model"):
                del hub.files[name]
        assert "neither a GGUF" in refused(teetee, "unsupported", *arguments)
