# SPDX-License-Identifier: Apache-2.0
"""Checks of a conformance run that are known not to hold, each with its reason."""

NOT_THIS_FILE = ("the oracle was computed with the file that llama-quantize makes of tinyllama-f16, whose output is in "
                 "Q6_K; Q4_0 of the rounded weights has the other sign in one block of 2,000")
EXCEPTIONS = {
    "tinyllama-q4_0 of make_gguf.py: made from this file": NOT_THIS_FILE,
    "tinyllama-q4_0 of make_gguf.py.amx": NOT_THIS_FILE,
    "tinyllama-q4_0 of make_gguf.py.norepack": NOT_THIS_FILE,
    "tinyllama-q4_0 of make_gguf.py.numpy-f32": NOT_THIS_FILE,
    "tinyllama-q8_0 of make_gguf.py: made from this file":
        "the oracle was computed with the file that llama-quantize makes of tinyllama-f16",
    "tinyllama-q4_k_m.amx": "llama.cpp's AMX kernels differ by 0.26 from exact activations here, TeeTee by 0.16",
    "perplexity tok361 Q8_0/F16 on wikitext2":
        "a model of a million weights, on text unlike its own: Q8_0 weights alone move it further, in exact arithmetic "
        "(-0.63 % over the first 20,000 tokens) and in llama.cpp (-0.35 %, TeeTee -0.34 %)",
    "perplexity tok105 stories 0 to 50":
        "the figure was made with every newline taken for token 13 (with that, float64 gives 0.681889 too); here it is "
        "the unknown token, as the README asks",
    "micro-iq4_nl": "not among the formats that TeeTee computes with",
    "micro-iq4_xs": "not among the formats that TeeTee computes with",
    "micro-bf16": "llama.cpp rounds activations to BF16 and differs by 0.028 from exact ones, TeeTee by 0.004",
}
