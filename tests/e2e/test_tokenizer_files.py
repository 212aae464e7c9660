# SPDX-License-Identifier: Apache-2.0
"""tokenizer.json and tokenizer.model files of published models against the ids that Hugging Face
tokenizers and llama.cpp give."""
import json

from harness import shared

# Cases of hf-tests that are not to be reproduced, by name, and why.
CLEANED = "transformers removes spaces before punctuation here (clean_up_tokenization_spaces); that loses text"

# Which published tokenizer stands in shared/data for one of hf-tests, and what its cases differ by.
# Qwen 3 has Qwen 1.5's vocabulary and rules; Llama 2's tokenizer.json is made of its tokenizer.model.
HF_TESTS = [
    ("Xenova/llama3-tokenizer", "llama3", {"PUNCTUATION": CLEANED}, None),
    # This one's files add <|begin_of_text|>, those in shared/data do not: it is taken off.
    ("Xenova/llama3-tokenizer-new", "llama3", {"PUNCTUATION": CLEANED}, 128000),
    ("Xenova/Qwen1.5-0.5B-Chat", "qwen3", {}, None),
    # The file of SentencePiece: a space behind <s> is taken off when decoding, by tokenizer.json it stays.
    ("Xenova/llama-tokenizer", "llama2/tokenizer.model", {}, None),
]
# Vectors of llama.cpp, for tokenizers without a GGUF of their own in shared/data too.
LLAMA_CPP = [("llama-bpe", "llama3"), ("qwen2", "qwen3"), ("deepseek-r1-qwen", "qwen3"),
             ("llama-spm", "llama2/tokenizer.model")]


def lines(teetee, command, model, values, *flags):
    text = "\n".join(json.dumps(v) for v in values) + "\n"
    code, out, err = teetee.run(command, "--model", model, *flags, stdin=text)
    assert code == 0, (command, model, err)
    return [json.loads(line) for line in out.splitlines()]


def test_ids_and_texts_of_hugging_face(teetee):
    tests = json.loads(shared("data/tokenizers/hf-tests/transformersjs_tokenization.json").read_text())
    count = 0
    for name, files, exceptions, bos in HF_TESTS:
        model = shared(f"data/tokenizers/{files}")
        cases = tests[name]["cases"]
        ids = lines(teetee, "tokenize", model, [c["text"] for c in cases], "--special")
        expected = [c["ids"][1:] if bos is not None and c["ids"][:1] == [bos] else c["ids"] for c in cases]
        for case, have, need in zip(cases, ids, expected):
            assert have == need, (name, case["name"], have, need)
        texts = lines(teetee, "detokenize", model, [c["ids"] for c in cases], "--special")
        for case, text in zip(cases, texts):
            if case["name"] in exceptions:
                continue
            need = case["decoded"].removeprefix("<s>").lstrip(" ") if files.endswith(".model") else case["decoded"]
            have = text.removeprefix("<s>").lstrip(" ") if files.endswith(".model") else text
            assert have == need, (name, case["name"], text, case["decoded"])
        count += len(cases)
    assert count >= 80


def test_ids_of_llama_cpp(teetee):
    for name, files in LLAMA_CPP:
        vectors = shared(f"data/tokenizers/llama.cpp-vocabs/ggml-vocab-{name}.gguf.inp")
        texts = vectors.read_bytes().decode().split("\n__ggml_vocab_test__\n")
        expected = [[int(i) for i in line.split()]
                    for line in vectors.with_suffix(".out").read_text().splitlines()]
        texts = texts[:len(expected)]
        model = shared(f"data/tokenizers/{files}")
        ids = lines(teetee, "tokenize", model, texts)
        for text, have, need in zip(texts, ids, expected):
            assert have == need, (name, text, have, need)


def test_texts_come_back(teetee):
    texts = ["Hello,  world!\n\n\t1234567 caf\u00e9 \u4f60\u597d \U0001F999 it's  ", "<|im_start|>user", "  ", "a\u0000b"]
    for files in ("llama3", "qwen3", "deepseek_v3", "mistral7b_v01", "llama2/tokenizer.model"):
        model = shared(f"data/tokenizers/{files}")
        assert lines(teetee, "detokenize", model, lines(teetee, "tokenize", model, texts)) == texts, files


def test_special_tokens_are_text_unless_asked_for(teetee):
    model = shared("data/tokenizers/qwen3")
    text = "<|im_start|>user\nhi<|im_end|>"
    plain, special = (lines(teetee, "tokenize", model, [text], *flags)[0] for flags in ([], ["--special"]))
    assert special == [151644, 872, 198, 6023, 151645] and not {151644, 151645} & set(plain)


def test_a_tokenizer_of_another_form_is_refused(teetee):
    code, _, err = teetee.run("tokenize", "--model", shared("data/tokenizers/llama3/tokenizer.model"), stdin='"a"\n')
    assert code == 1 and "vocabulary_invalid" in err, err
    empty = teetee.folder / "empty"
    empty.mkdir()
    code, _, err = teetee.run("tokenize", "--model", empty, stdin='"a"\n')
    assert code == 1 and "tokenizer.json" in err, err
    code, _, err = teetee.run("tokenize", "--model", empty / "tokenizer.json", stdin='"a"\n')
    assert code == 3, err
