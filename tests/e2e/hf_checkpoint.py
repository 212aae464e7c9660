# SPDX-License-Identifier: Apache-2.0
"""Checkpoints in Hugging Face's layout, made of the micro models in tests/reference/fixtures: the
way back from GGUF's names, shapes and order of rows to those that Transformers stores. Plain
Python, sharing nothing with src/."""
import array
import json
import pathlib
import struct

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "reference/fixtures"
MASK = (1 << 64) - 1


def weights(name: str, count: int, center: float, spread: float) -> array.array:
    """As tests/reference/micro_model.py, without NumPy."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & MASK
    values = array.array("f")
    for i in range(1, count + 1):
        z = seed + i * 0x9E3779B97F4A7C15 & MASK
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        values.append(center + spread * (((z ^ z >> 31) >> 40) / 2.0**23 - 1.0))
    return values


def rows(values, width):
    return [values[i:i + width] for i in range(0, len(values), width)]


def joined(parts):
    out = array.array("f")
    for part in parts:
        out.extend(part)
    return out


def halves_from_neighbours(values, shape, heads):
    """GGUF turns neighbouring rows of a head together for llama, Transformers rows n/2 apart."""
    lines = rows(values, shape[1] if len(shape) == 2 else 1)
    n = len(lines) // heads
    return joined(lines[h * n + 2 * i + part] for h in range(heads) for part in (0, 1) for i in range(n // 2))


def transposed(values, shape):
    return array.array("f", (values[r * shape[1] + c] for c in range(shape[1]) for r in range(shape[0])))


ROTARY = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
          "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "attn_qkv": "self_attn.qkv_proj",
          "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm", "ffn_norm": "post_attention_layernorm",
          "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
          "ffn_gate_inp": "mlp.gate"}
GEMMA2 = ROTARY | {"post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
                   "post_ffw_norm": "post_feedforward_layernorm"}
GPT2 = {"attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj", "ffn_norm": "ln_2",
        "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"}
EXPERTS = {"ffn_gate_exps": ("gate_proj", "w1"), "ffn_up_exps": ("up_proj", "w3"), "ffn_down_exps": ("down_proj", "w2")}
OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
GPT2_OUTER = {"token_embd": "transformer.wte", "position_embd": "transformer.wpe", "output_norm": "transformer.ln_f",
              "output": "lm_head"}


class Fixture:
    def __init__(self, name: str):
        document = json.loads((FIXTURES / f"{name}.json").read_text())
        self.__dict__.update(document)
        self.name = name

    def key(self, name, fallback=None):
        return self.keys.get(f"{self.architecture}.{name}", fallback)

    @property
    def tokens(self):
        return [(i * i * 31 + 7 * i) % self.vocabulary for i in range(self.token_count)]


def place(fixture, name):
    """The names in the checkpoint for a tensor of the GGUF; several for a stack of experts."""
    base, ending = name.rsplit(".", 1)
    if not base.startswith("blk."):
        outer = GPT2_OUTER if fixture.architecture == "gpt2" else OUTER
        return [f"{outer[base]}.{ending}"]
    _, layer, part = base.split(".")
    if fixture.architecture == "gpt2":
        return [f"transformer.h.{layer}.{GPT2[part]}.{ending}"]
    is_mixtral = fixture.architecture == "llama" and fixture.key("expert_count")
    if part in EXPERTS:
        folder, which = ("block_sparse_moe", 1) if is_mixtral else ("mlp", 0)
        return [f"model.layers.{layer}.{folder}.experts.{e}.{EXPERTS[part][which]}.{ending}"
                for e in range(fixture.key("expert_count"))]
    if is_mixtral and part == "ffn_gate_inp":
        return [f"model.layers.{layer}.block_sparse_moe.gate.{ending}"]
    names = GEMMA2 if fixture.architecture == "gemma2" else ROTARY
    if fixture.architecture == "phi3" and part == "ffn_up":
        return [f"model.layers.{layer}.mlp.gate_up_proj.{ending}"]
    return [f"model.layers.{layer}.{names[part]}.{ending}"]


def tensors(fixture):
    """{name in the checkpoint: (shape, values)}"""
    out = {}
    for name, t in fixture.tensors.items():
        shape, count = t["shape"], 1
        for length in shape:
            count *= length
        if name.startswith("rope_"):
            continue  # config.json says it
        values = weights(name, count, t["center"], t["spread"])
        part = name.split(".")[-2]
        if fixture.architecture == "llama" and part in ("attn_q", "attn_k"):
            heads = fixture.key("attention.head_count" + ("_kv" if part == "attn_k" else ""))
            values = halves_from_neighbours(values, shape, heads)
        elif fixture.architecture == "gpt2" and name.startswith("blk.") and len(shape) == 2:
            values, shape = transposed(values, shape), shape[::-1]
        elif fixture.architecture == "gemma2" and part.endswith("_norm"):
            values = array.array("f", (v - 1.0 for v in values))
        places = place(fixture, name)
        size = len(values) // len(places)
        for i, target in enumerate(places):
            out[target] = (shape[-2:], values[i * size:(i + 1) * size])
    return out


def config(fixture):
    key, a = fixture.key, fixture.architecture
    tied = "output.weight" not in fixture.tensors
    if a == "gpt2":
        return {"model_type": "gpt2", "n_positions": key("context_length"), "n_embd": key("embedding_length"),
                "n_layer": key("block_count"), "n_head": key("attention.head_count"), "n_inner": None,
                "layer_norm_epsilon": key("attention.layer_norm_epsilon"), "activation_function": "gelu_new",
                "vocab_size": fixture.vocabulary, "tie_word_embeddings": tied, "attn_pdrop": 0.1}
    out = {"architectures": ["X"], "hidden_act": "silu", "hidden_size": key("embedding_length"),
           "intermediate_size": key("feed_forward_length"), "max_position_embeddings": key("context_length"),
           "num_attention_heads": key("attention.head_count"), "num_hidden_layers": key("block_count"),
           "num_key_value_heads": key("attention.head_count_kv"), "rope_theta": key("rope.freq_base", 10000.0),
           "rms_norm_eps": key("attention.layer_norm_rms_epsilon"), "rope_scaling": None,
           "tie_word_embeddings": tied, "use_cache": True, "vocab_size": fixture.vocabulary}
    if key("attention.key_length"):
        out["head_dim"] = key("attention.key_length")
    if key("attention.sliding_window"):
        out["sliding_window"] = key("attention.sliding_window")
    out["model_type"] = {"qwen3moe": "qwen3_moe"}.get(a, a)
    if a == "llama" and key("attention.sliding_window"):
        out["model_type"] = "mistral"
    if a == "llama" and key("expert_count"):
        out |= {"model_type": "mixtral", "num_local_experts": key("expert_count"),
                "num_experts_per_tok": key("expert_used_count")}
    if a == "qwen3moe":
        out |= {"num_experts": key("expert_count"), "num_experts_per_tok": key("expert_used_count"),
                "moe_intermediate_size": key("expert_feed_forward_length"), "decoder_sparse_step": 1,
                "mlp_only_layers": [], "norm_topk_prob": key("expert_weights_norm", True)}
    if a == "gemma2":
        out |= {"hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": key("attention.scale")**-2,
                "attn_logit_softcapping": key("attn_logit_softcapping"),
                "final_logit_softcapping": key("final_logit_softcapping")}
    if a == "phi3":
        n = key("rope.dimension_count")
        out |= {"partial_rotary_factor": n / (out["hidden_size"] / out["num_attention_heads"]),
                "original_max_position_embeddings": key("rope.scaling.original_context_length"),
                "rope_scaling": {"type": "longrope", "attention_factor": key("rope.scaling.attn_factor")}}
        for length in ("long", "short"):
            t = fixture.tensors[f"rope_factors_{length}.weight"]
            out["rope_scaling"][f"{length}_factor"] = list(
                weights(f"rope_factors_{length}.weight", n // 2, t["center"], t["spread"]))
    kind = key("rope.scaling.type")
    if kind:
        out["rope_scaling"] = {"rope_type": kind, "factor": key("rope.scaling.factor")}
        if kind == "yarn":
            out["rope_scaling"]["original_max_position_embeddings"] = key("rope.scaling.original_context_length")
    return out


def tokenizer(count):
    """Byte-level BPE of `count` tokens: letters, and one pair that is merged."""
    vocab = {chr(0x61 + i): i for i in range(26)} | {"\u0120": 26, "ab": 27}
    vocab |= {f"x{i}": i for i in range(28, count - 1)}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [{"id": count - 1, "content": "<|end|>", "special": True, "normalized": False,
                              "lstrip": False, "rstrip": False, "single_word": False}],
            "normalizer": None, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
            "post_processor": None, "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "vocab": vocab, "merges": ["a b"]}}


def packed(values, dtype):
    if dtype == "F32":
        return values.tobytes()
    if dtype == "F16":
        return struct.pack(f"<{len(values)}e", *values)
    bits = struct.unpack(f"<{len(values)}I", values.tobytes())
    return struct.pack(f"<{len(values)}H", *((b + 0x7FFF + (b >> 16 & 1)) >> 16 for b in bits))


def safetensors(named, dtype="F32"):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (shape, values) in named.items():
        raw = packed(values, dtype)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write_checkpoint(folder, fixture, dtype="F32", files=1):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(fixture)))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(fixture.vocabulary)))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|end|>", "chat_template": "{{ 1 }}"}))
    named = tensors(fixture)
    if files == 1:
        (folder / "model.safetensors").write_bytes(safetensors(named, dtype))
        return folder
    index, names = {}, list(named)
    for i in range(files):
        file = f"model-{i + 1:05}-of-{files:05}.safetensors"
        part = {name: named[name] for name in names[i::files]}
        (folder / file).write_bytes(safetensors(part, dtype))
        index |= {name: file for name in part}
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": 1}, "weight_map": index}))
    return folder
