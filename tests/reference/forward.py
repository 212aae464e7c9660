# SPDX-License-Identifier: Apache-2.0
"""Forward passes of the supported architectures in float64, written from the published equations
(papers named at each) and sharing nothing with src/. forward(model, tokens) gives all logits."""
import math

import numpy as np


def rms_norm(x, weight, epsilon):  # Zhang and Sennrich 2019
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * weight


def layer_norm(x, weight, bias, epsilon):  # Ba et al. 2016
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + epsilon) * weight + bias


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def silu(x):
    return x / (1 + np.exp(-x))


def gelu_tanh(x):  # Hendrycks and Gimpel 2016
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def yarn_frequencies(base, n, factor, original, fast=32.0, slow=1.0):
    """Peng et al. 2023, with the linear ramp over dimensions of their released code."""
    plain = base ** (-np.arange(0, n, 2) / n)

    def dimension(turns):
        return n * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))

    low, high = max(math.floor(dimension(fast)), 0), min(math.ceil(dimension(slow)), n - 1)
    ramp = np.clip((np.arange(n // 2) - low) / max(high - low, 0.001), 0, 1)
    return plain * (1 - ramp) + plain / factor * ramp, 0.1 * math.log(factor) + 1


def rope_frequencies(model, n):
    """Angles per position, and what cos and sin are multiplied by."""
    base = model.key("rope.freq_base", 10000.0)
    frequencies = base ** (-np.arange(0, n, 2) / n)  # Su et al. 2021
    magnitude = model.key("rope.scaling.attn_factor", 1.0)
    kind = model.key("rope.scaling.type")
    if kind == "yarn":
        frequencies, temperature = yarn_frequencies(base, n, model.key("rope.scaling.factor"),
                                                    model.key("rope.scaling.original_context_length"))
        magnitude *= temperature
    elif kind == "linear":  # Chen et al. 2023
        frequencies = frequencies / model.key("rope.scaling.factor")
    elif "rope_factors_long.weight" in model:  # Ding et al. 2024
        is_long = model.key("context_length") > model.key("rope.scaling.original_context_length")
        frequencies = frequencies / model[f"rope_factors_{'long' if is_long else 'short'}.weight"]
    elif "rope_freqs.weight" in model:  # Llama 3.1
        frequencies = frequencies / model["rope_freqs.weight"]
    return frequencies, magnitude


def rotate(x, cos, sin, adjacent):
    """x: (positions, heads, head_dim); the first 2 * pairs elements of a head are turned."""
    pairs = cos.shape[-1]
    out = x.copy()
    first, second = (slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2)) if adjacent else \
        (slice(0, pairs), slice(pairs, 2 * pairs))
    a, b = x[..., first], x[..., second]
    out[..., first] = a * cos[:, None] - b * sin[:, None]
    out[..., second] = a * sin[:, None] + b * cos[:, None]
    return out


def attention(q, k, v, scale, window=0, cap=0.0):
    """q: (positions, heads, head_dim), k and v with fewer heads (Ainslie et al. 2023)."""
    count, heads, _ = q.shape
    group = heads // k.shape[1]
    distance = np.arange(count)[:, None] - np.arange(count)[None, :]
    hidden = (distance < 0) | ((distance >= window) if window else False)
    out = np.empty(q.shape[:2] + v.shape[2:])
    for head in range(heads):
        scores = q[:, head] @ k[:, head // group].T * scale
        if cap:
            scores = cap * np.tanh(scores / cap)
        out[:, head] = softmax(np.where(hidden, -np.inf, scores)) @ v[:, head // group]
    return out.reshape(count, -1)


def linear(model, name, x):
    y = x @ model[name + ".weight"].T
    return y + model[name + ".bias"] if name + ".bias" in model else y


def split_heads(x, head_dim):
    return x.reshape(x.shape[0], -1, head_dim)


def mixture(model, prefix, x):
    """Jiang et al. 2024: the softmax is over the chosen experts' logits; without normalisation of
    the weights, over all of them (Yang et al. 2025)."""
    used = model.key("expert_used_count")
    logits = x @ model[prefix + "ffn_gate_inp.weight"].T
    gate, up, down = (model[f"{prefix}ffn_{part}_exps.weight"] for part in ("gate", "up", "down"))
    out = np.zeros_like(x)
    for row in range(len(x)):
        chosen = np.argsort(-logits[row], kind="stable")[:used]
        weight = softmax(logits[row][chosen]) if model.key("expert_weights_norm", True) else \
            softmax(logits[row])[chosen]
        for expert, w in zip(chosen, weight):
            out[row] += w * (silu(gate[expert] @ x[row]) * (up[expert] @ x[row])) @ down[expert].T
    return out


class Decoder:
    """What the rotary architectures share; each says its own part in a subclass."""
    adjacent = False

    def __init__(self, model):
        self.model = model
        self.d = model.key("embedding_length")
        self.heads = model.key("attention.head_count")
        self.kv_heads = model.key("attention.head_count_kv", self.heads)
        self.head_dim = model.key("attention.key_length", self.d // self.heads)
        self.epsilon = model.key("attention.layer_norm_rms_epsilon")

    def norm(self, name, x):
        return rms_norm(x, self.model[name + ".weight"], self.epsilon)

    def project(self, p, x):
        return tuple(split_heads(linear(self.model, f"{p}attn_{part}", x), self.head_dim) for part in "qkv")

    def scale(self):
        return 1 / math.sqrt(self.head_dim)

    def window(self, layer):
        return self.model.key("attention.sliding_window", 0)

    def attend(self, layer, x):
        p = f"blk.{layer}."
        q, k, v = self.project(p, x)
        frequencies, magnitude = rope_frequencies(
            self.model, self.model.key("rope.dimension_count", self.head_dim))
        angles = np.arange(len(x))[:, None] * frequencies
        cos, sin = np.cos(angles) * magnitude, np.sin(angles) * magnitude
        q, k = rotate(q, cos, sin, self.adjacent), rotate(k, cos, sin, self.adjacent)
        out = attention(q, k, v, self.scale(), self.window(layer),
                        self.model.key("attn_logit_softcapping", 0.0))
        return linear(self.model, p + "attn_output", out)

    def feed(self, p, x):  # SwiGLU, Shazeer 2020
        if p + "ffn_gate_inp.weight" in self.model:
            return mixture(self.model, p, x)
        gated = silu(linear(self.model, p + "ffn_gate", x)) * linear(self.model, p + "ffn_up", x)
        return linear(self.model, p + "ffn_down", gated)

    def layer(self, i, x):
        x = x + self.attend(i, self.norm(f"blk.{i}.attn_norm", x))
        return x + self.feed(f"blk.{i}.", self.norm(f"blk.{i}.ffn_norm", x))

    def embed(self, tokens):
        return self.model["token_embd.weight"][tokens]

    def head(self, x):
        output = "output.weight" if "output.weight" in self.model else "token_embd.weight"
        return self.norm("output_norm", x) @ self.model[output].T

    def forward(self, tokens):
        x = self.embed(tokens)
        for i in range(self.model.key("block_count")):
            x = self.layer(i, x)
        return self.head(x)


class Llama(Decoder):  # Touvron et al. 2023; GGUF stores heads for neighbouring pairs
    adjacent = True


class Qwen2(Decoder):  # Yang et al. 2024: biases on q, k and v
    pass


class Qwen3(Decoder):  # Yang et al. 2025: q and k are normalised head by head
    def project(self, p, x):
        q, k, v = super().project(p, x)
        return self.norm(p + "attn_q_norm", q), self.norm(p + "attn_k_norm", k), v


class Phi3(Decoder):  # Abdin et al. 2024: fused matrices
    def project(self, p, x):
        fused = linear(self.model, p + "attn_qkv", x)
        lengths = [self.heads * self.head_dim, self.kv_heads * self.head_dim]
        return tuple(split_heads(part, self.head_dim)
                     for part in np.split(fused, np.cumsum([lengths[0], lengths[1]]), axis=-1))

    def feed(self, p, x):
        gate, up = np.split(linear(self.model, p + "ffn_up", x), 2, axis=-1)
        return linear(self.model, p + "ffn_down", silu(gate) * up)


class Gemma2(Decoder):  # Gemma Team 2024
    def window(self, layer):
        return super().window(layer) if layer % 2 == 0 else 0

    def scale(self):
        return self.model.key("attention.scale", super().scale())

    def feed(self, p, x):
        gated = gelu_tanh(linear(self.model, p + "ffn_gate", x)) * linear(self.model, p + "ffn_up", x)
        return linear(self.model, p + "ffn_down", gated)

    def layer(self, i, x):
        p = f"blk.{i}."
        x = x + self.norm(p + "post_attention_norm", self.attend(i, self.norm(p + "attn_norm", x)))
        return x + self.norm(p + "post_ffw_norm", self.feed(p, self.norm(p + "ffn_norm", x)))

    def embed(self, tokens):
        return super().embed(tokens) * math.sqrt(self.d)

    def head(self, x):
        cap = self.model.key("final_logit_softcapping")
        return cap * np.tanh(super().head(x) / cap)


class Gpt2(Phi3):  # Radford et al. 2019: fused q, k and v like Phi-3's, nothing else of it
    def norm(self, name, x):
        return layer_norm(x, self.model[name + ".weight"], self.model[name + ".bias"],
                          self.model.key("attention.layer_norm_epsilon"))

    def embed(self, tokens):
        return super().embed(tokens) + self.model["position_embd.weight"][: len(tokens)]

    def attend(self, layer, x):
        q, k, v = self.project(f"blk.{layer}.", x)
        return linear(self.model, f"blk.{layer}.attn_output", attention(q, k, v, self.scale()))

    def feed(self, p, x):
        return linear(self.model, p + "ffn_down", gelu_tanh(linear(self.model, p + "ffn_up", x)))


ARCHITECTURES = {"llama": Llama, "qwen2": Qwen2, "qwen3": Qwen3, "qwen3moe": Qwen3, "gemma2": Gemma2,
                 "phi3": Phi3, "gpt2": Gpt2}


def forward(model, tokens):
    return ARCHITECTURES[model.architecture](model).forward(np.asarray(tokens))
