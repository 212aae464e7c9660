# SPDX-License-Identifier: Apache-2.0
"""The models of a conformance run, made once and kept in a folder of the build."""
import json
import pathlib
import subprocess
import sys

from harness import ROOT, shared
from trained_models import babyllama

sys.path.insert(0, str(ROOT / "tests" / "reference"))
import forward  # noqa: E402
import gguf_file  # noqa: E402
import quantise  # noqa: E402

LLAMA_VOCABULARY = "data/tokenizers/llama.cpp-vocabs/ggml-vocab-llama-spm.gguf"
STORIES_VOCABULARY = "data/models/stories260K/stories260K.gguf"


class Models:
    def __init__(self, folder: pathlib.Path, llama_quantize: str | None):
        self.folder, self.llama_quantize = folder, llama_quantize
        folder.mkdir(parents=True, exist_ok=True)

    def kept(self, name: str, make) -> pathlib.Path:
        path = self.folder / name
        if not path.exists():
            part = path.with_suffix(".part")
            make(part)
            part.rename(path)
        return path

    def random(self, shape: str, kind: str, vocabulary: str = LLAMA_VOCABULARY) -> pathlib.Path:
        """Seeded random weights in a published shape."""
        command = [sys.executable, shared("tools/make_gguf.py"), shape, kind]
        return self.kept(f"{shape}-{kind}.gguf", lambda path: subprocess.run(
            [*command, path, "--vocab", shared(vocabulary)], check=True, stdout=subprocess.DEVNULL))

    def requantised(self, source: pathlib.Path, kind: str) -> pathlib.Path | None:
        """By llama.cpp's tool, which mixes types; None where there is none."""
        if not self.llama_quantize:
            return None
        return self.kept(f"{source.stem}-to-{kind}.gguf", lambda path: subprocess.run(
            [self.llama_quantize, source, path, kind], check=True, capture_output=True))

    def trained(self, name: str, kind: str) -> pathlib.Path:
        """tok105, tok361 or stories260K as f32, f16 or q8_0."""
        return self.kept(f"{name}-{kind}.gguf",
                         lambda path: babyllama(name).write(path, getattr(quantise, kind)))


class Reference:
    """forward.py on a file; keeps the decoded matrices of small models."""

    def __init__(self, path: pathlib.Path):
        self.file, self.decoded = gguf_file.GgufModel(path), {}
        self.architecture, self.key = self.file.architecture, self.file.key
        self.is_small = path.stat().st_size < 32 << 20

    def __contains__(self, name: str) -> bool:
        return name in self.file

    def __getitem__(self, name: str):
        if not self.is_small:
            return self.file[name]
        if name not in self.decoded:
            self.decoded[name] = self.file[name]
        return self.decoded[name]

    def logits(self, tokens: list):
        """(positions, vocabulary) in float64."""
        return forward.forward(self, tokens)


def logits(teetee, model: pathlib.Path, tokens: list, *flags) -> dict:
    return teetee.json("logits", "--model", model, "--tokens", ",".join(map(str, tokens)), *flags, timeout=1200)


def encode(teetee, model: pathlib.Path, text: str) -> list:
    code, out, err = teetee.run("tokenize", "--model", model, stdin=json.dumps(text) + "\n")
    assert code == 0, err
    return json.loads(out)
