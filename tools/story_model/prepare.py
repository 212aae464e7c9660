#!/usr/bin/python3
"""Text -> token streams for the built-in story model.

usage: prepare.py TEXT_DIR OUT_DIR

TEXT_DIR holds tinystories/ (a cased and a lower-cased sample) and children_pd/ (public-domain
children's books). Writes OUT_DIR/{tokenizer.model, tinystories.bin, books.bin, heldout_*.bin}; a
.bin file is a flat array of uint16 token ids, each document opened by <s> and closed by </s>.
Held out: one TinyStories story in twenty (by hash of its text) and one whole book.
"""
import collections
import hashlib
import pathlib
import re
import sys

import numpy as np
import sentencepiece as spm

VOCAB = 2048
HELD_OUT_BOOK = "se_aesop_fables_v-s-vernon-jones.txt"
# Long novels for older readers: their sentences are far from what a small model can hold.
SKIP_BOOKS = {
    "se_jack-london_white-fang.txt",
    "se_robert-louis-stevenson_treasure-island.txt",
    "se_mark-twain_the-adventures-of-tom-sawyer.txt",
    "se_l-m-montgomery_anne-of-avonlea.txt",
}
WORD = re.compile(r"[A-Za-z]+")


def ascii_text(text: str) -> str:
    for a, b in (("\u2018", "'"), ("\u2019", "'"), ("\u201c", '"'), ("\u201d", '"'),
                 ("\u2014", "--"), ("\u2013", "-"), ("\u2026", "..."), ("\u00a0", " "), ("\r", "")):
        text = text.replace(a, b)
    return text


def cased_stories(path: pathlib.Path) -> list[str]:
    text = ascii_text(path.read_text(encoding="utf-8", errors="ignore"))
    return [s.strip() for s in text.split("<|endoftext|>") if len(s.strip()) > 80]


def proper_nouns(stories: list[str]) -> set[str]:
    """Words that stand capitalised in the middle of sentences more often than not."""
    upper, lower = collections.Counter(), collections.Counter()
    for story in stories:
        for m in WORD.finditer(story):
            before = story[: m.start()].rstrip(' "')
            at_start = not before or before[-1] in ".!?\n:" or story[m.start() - 1] == '"'
            w = m.group()
            if w[0].islower():
                lower[w] += 1
            elif not at_start:
                upper[w.lower()] += 1
    return {w for w, n in upper.items() if n > lower[w]} | {"i"}


def restore_case(story: str, names: set[str]) -> str:
    named = {m.lower() for m in re.findall(r"\bnamed ([a-z]+)", story)} - {"after", "the", "a"}
    out, last = [], 0
    for m in WORD.finditer(story):
        before = story[: m.start()].rstrip(" ")
        opening = before.endswith('"') and before.count('"') % 2 == 1
        bare = before.rstrip('" ')
        ends = not bare or bare[-1] in ".!?\n"
        speaks = opening and (not bare or bare[-1] in ".!?,\n:")
        w = m.group()
        if ends or speaks or w in names or w in named:
            # "said mom" after a closing quote goes on with the sentence.
            if not (ends and before.endswith('"') and not opening and bare and bare[-1] in "!?"):
                w = w[0].upper() + w[1:]
        out += [story[last:m.start()], w]
        last = m.end()
    return "".join(out) + story[last:]


def lowercase_stories(path: pathlib.Path) -> list[str]:
    """The file joins stories by a single newline and paragraphs by a blank line."""
    text = ascii_text(path.read_text(encoding="utf-8", errors="ignore"))
    text = text.replace("\n\n", "\0")
    return [s.replace("\0", "\n").strip() for s in text.split("\n") if len(s.strip()) > 80]


def book_documents(path: pathlib.Path) -> list[str]:
    """Paragraphs joined to documents of about 1,500 characters; headings and verse are dropped."""
    docs, current = [], []
    text = ascii_text(path.read_text(encoding="utf-8", errors="ignore"))
    for raw in re.split(r"\n\s*\n", text):
        p = " ".join(raw.split())
        if len(p) < 40 or p.upper() == p or "[" in p or "Gutenberg" in p or p[-1] not in ".!?\"'":
            continue
        current.append(p)
        if sum(map(len, current)) > 1500:
            docs.append("\n".join(current))
            current = []
    return docs + (["\n".join(current)] if current else [])


def main() -> None:
    text_dir, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    cased = cased_stories(text_dir / "tinystories/tinystories_first2316_cased.txt")
    names = proper_nouns(cased)
    seen = {re.sub(r"\W+", "", s.lower())[:120] for s in cased}
    more = [s for s in lowercase_stories(text_dir / "tinystories/tinystories_lowercase_4MB.txt")
            if re.sub(r"\W+", "", s)[:120] not in seen]
    stories = cased + [restore_case(s, names) for s in more]
    held, kept = [], []
    for s in stories:
        (held if hashlib.sha256(s.lower().encode()).digest()[0] % 20 == 0 else kept).append(s)
    books, held_books = [], []
    for path in sorted((text_dir / "children_pd").glob("*.txt")):
        if path.name == HELD_OUT_BOOK:
            held_books += book_documents(path)
        elif path.name not in SKIP_BOOKS:
            books += book_documents(path)
    corpus = out / "corpus.txt"
    corpus.write_text("\n".join(kept * 3 + books))
    spm.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(out / "tokenizer"), model_type="bpe", vocab_size=VOCAB,
        character_coverage=1.0, byte_fallback=True, split_digits=True, allow_whitespace_only_pieces=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=True,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1, max_sentence_length=1 << 16, num_threads=2,
        minloglevel=2)
    sp = spm.SentencePieceProcessor(model_file=str(out / "tokenizer.model"))
    for name, docs in (("tinystories", kept), ("books", books), ("heldout_tinystories", held),
                       ("heldout_book", held_books)):
        ids = [t for d in docs for t in [1, *sp.encode(d), 2]]
        np.array(ids, np.uint16).tofile(out / f"{name}.bin")
        (out / f"{name}.txt").write_text("\n<|endoftext|>\n".join(docs))
        print(f"{name}: {len(docs)} documents, {sum(map(len, docs))} characters, {len(ids)} tokens")


if __name__ == "__main__":
    main()
