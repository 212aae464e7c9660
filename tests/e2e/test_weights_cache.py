# SPDX-License-Identifier: Apache-2.0
"""Packed weights are kept between starts, and nothing else than what was kept is computed with."""
import os

from harness import STORY_MODEL, wait_until

ANSWER = ("run", "--prompt", "Once upon a time", "-n", 24, "--temperature", 0)


def run(teetee, model, cache):
    """(text, stderr) of a greedy run."""
    code, out, err = teetee.run(*ANSWER, "--model", model, "--weights-cache", cache)
    assert code == 0, err
    return out, err


def only_blob(folder):
    blobs = list(folder.iterdir())
    assert len(blobs) == 1, blobs
    return blobs[0]


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_second_run_uses_what_the_first_has_kept(teetee):
    cache = teetee.folder / "cache"
    expected, _ = run(teetee, STORY_MODEL, "off")
    assert not cache.exists()
    assert run(teetee, STORY_MODEL, cache) == (expected, "")
    blob = only_blob(cache)
    written = blob.stat()
    os.utime(blob, ns=(0, 0))
    assert run(teetee, STORY_MODEL, cache) == (expected, "")
    # Opened, which sets its time of use, and not written anew.
    assert blob.stat().st_ino == written.st_ino and blob.stat().st_mtime_ns > 0


def test_a_changed_byte_of_the_cache_does_not_pass(teetee):
    cache = teetee.folder / "cache"
    expected, _ = run(teetee, STORY_MODEL, cache)
    blob = only_blob(cache)
    size = blob.stat().st_size
    for at in (0, 20, 100, size // 2, size - 1):
        flip(blob, at)
        out, err = run(teetee, STORY_MODEL, cache)
        assert out == expected and "weights cache: " in err, (at, out, err)
        # Written anew.
        assert run(teetee, STORY_MODEL, cache) == (expected, ""), at
    os.truncate(blob, size - 1)
    out, err = run(teetee, STORY_MODEL, cache)
    assert out == expected and "weights cache: " in err, err


def test_the_cache_of_another_state_of_the_file_is_not_used(teetee):
    cache, model = teetee.folder / "cache", teetee.folder / "model.gguf"
    data = bytearray(STORY_MODEL.read_bytes())
    model.write_bytes(data)
    run(teetee, model, cache)
    data[-20000:] = bytes(20000)
    model.write_bytes(data)
    changed, _ = run(teetee, model, "off")
    assert run(teetee, model, cache) == (changed, "")
    assert len(list(cache.iterdir())) == 2


def test_a_folder_that_cannot_be_written_is_told_and_does_no_harm(teetee):
    file = teetee.folder / "file"
    file.write_text("")
    expected, _ = run(teetee, STORY_MODEL, "off")
    out, err = run(teetee, STORY_MODEL, file / "cache")
    assert out == expected and "weights cache: " in err, err


def test_a_node_uses_only_what_its_tee_has_kept(teetee):
    network = teetee.network(2)
    cache = teetee.folder / "cache"
    used = "packed weights come from the cache"

    def start():
        for node in network.nodes:
            if node:
                node.stop()
        network.start_all("--weights-cache", cache)
        return [node.text() for node in network.nodes]

    assert not any(used in log for log in start())
    assert all(used in log for log in start())
    blobs = sorted(cache.iterdir())
    assert len(blobs) == 2
    for blob in blobs:
        flip(blob, blob.stat().st_size - 1)
    logs = start()
    assert all("weights cache: weights_cache_rejected" in log and used not in log for log in logs), logs
    assert all(used in log for log in start())
    # Another seed is another TEE: its key did not write these.
    (network.folder / "dev-tee.seed").write_bytes(os.urandom(32).hex().encode())
    node = network.nodes[1]
    node.stop()
    node = network.start(1, "--weights-cache", cache)
    wait_until(lambda: "serving layers" in node.text(), 30, node.text())
    assert used not in node.text() and "not by this key" in node.text(), node.text()
