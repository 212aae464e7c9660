#!/usr/bin/python3
"""Trains the built-in story model (llama architecture) on the output of prepare.py.

usage: train.py DATA_DIR OUT_DIR [--steps N] [--max-minutes M] [--threads K] [--story-share S]
                [--hold H] [--rate R] [--resume model.pt]

Matrices inside the blocks are trained with Muon (Jordan et al. 2024: momentum orthogonalised by a
Newton-Schulz iteration), everything else with AdamW; the rate rises over 100 steps, is held, and
falls to zero along max(step / steps, elapsed / max_minutes), so a run always ends annealed. Writes
OUT_DIR/{model.pt, log.tsv}.
"""
import argparse
import json
import math
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

CONFIG = dict(dim=256, hidden=768, layers=5, heads=4, kv_heads=2, vocab=2048, context=512,
              rope_base=10000.0, eps=1e-5)
ROWS, EVAL_EVERY = 16, 200


class RmsNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + CONFIG["eps"]) * self.weight


def rope_tables(length, head_dim):
    freq = CONFIG["rope_base"] ** (-torch.arange(0, head_dim, 2).float() / head_dim)
    angle = torch.outer(torch.arange(length).float(), freq)
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    """Adjacent pairs, the order GGUF's llama uses."""
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, hd = c["dim"], c["dim"] // c["heads"]
        self.heads, self.kv_heads, self.head_dim = c["heads"], c["kv_heads"], hd
        self.attn_norm, self.ffn_norm = RmsNorm(d), RmsNorm(d)
        self.attn_q = nn.Linear(d, d, bias=False)
        self.attn_k = nn.Linear(d, c["kv_heads"] * hd, bias=False)
        self.attn_v = nn.Linear(d, c["kv_heads"] * hd, bias=False)
        self.attn_output = nn.Linear(d, d, bias=False)
        self.ffn_gate = nn.Linear(d, c["hidden"], bias=False)
        self.ffn_up = nn.Linear(d, c["hidden"], bias=False)
        self.ffn_down = nn.Linear(c["hidden"], d, bias=False)

    def forward(self, x, cos, sin, mask):
        b, t, d = x.shape
        h = self.attn_norm(x)
        q = self.attn_q(h).view(b, t, self.heads, self.head_dim).transpose(1, 2)
        k = self.attn_k(h).view(b, t, self.kv_heads, self.head_dim).transpose(1, 2)
        v = self.attn_v(h).view(b, t, self.kv_heads, self.head_dim).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        group = self.heads // self.kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        p = torch.softmax(torch.baddbmm(
            mask, q.reshape(-1, t, self.head_dim), k.reshape(-1, t, self.head_dim).transpose(1, 2),
            alpha=self.head_dim ** -0.5), -1)
        o = torch.bmm(p, v.reshape(-1, t, self.head_dim)).view(b, self.heads, t, self.head_dim)
        x = x + self.attn_output(o.transpose(1, 2).reshape(b, t, d))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class StoryModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.token_embd = nn.Embedding(c["vocab"], c["dim"])
        self.blk = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.output_norm = RmsNorm(c["dim"])
        for p in self.parameters():
            if p.ndim == 2:
                nn.init.normal_(p, std=0.02 if p.shape[0] == c["vocab"] else p.shape[1] ** -0.5 / 2)
        for b in self.blk:
            nn.init.zeros_(b.attn_output.weight)
            nn.init.zeros_(b.ffn_down.weight)

    def forward(self, ids):
        t = ids.shape[1]
        cos, sin = rope_tables(t, self.c["dim"] // self.c["heads"])
        mask = torch.full((t, t), -1e9).triu(1)
        x = self.token_embd(ids)
        for b in self.blk:
            x = b(x, cos, sin, mask)
        return F.linear(self.output_norm(x), self.token_embd.weight)


def orthogonalise(g, steps=5):
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = g.shape[0] > g.shape[1]
    x = g.T if tall else g
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return x.T if tall else x


class Muon:
    def __init__(self, params, momentum=0.95, decay=0.05):
        self.params, self.momentum, self.decay = list(params), momentum, decay
        self.state = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self, lr):
        for p, m in zip(self.params, self.state):
            m.lerp_(p.grad, 1 - self.momentum)
            u = orthogonalise(p.grad.lerp(m, self.momentum))
            p.mul_(1 - lr * self.decay)
            p.add_(u, alpha=-lr * max(1.0, p.shape[0] / p.shape[1]) ** 0.5)
            p.grad = None


def batch(rng, stories, books, length, story_share):
    rows = []
    for _ in range(ROWS):
        data = stories if rng.random() < story_share else books
        i = rng.integers(0, len(data) - length - 1)
        rows.append(data[i : i + length + 1].astype(np.int64))
    x = torch.from_numpy(np.stack(rows))
    return x[:, :-1], x[:, 1:]


@torch.no_grad()
def heldout_loss(model, data, length=512, windows=24):
    total = 0.0
    for i in np.linspace(0, len(data) - length - 2, windows).astype(int):
        x = torch.from_numpy(data[i : i + length + 1].astype(np.int64))[None]
        total += F.cross_entropy(model(x[:, :-1])[0], x[0, 1:]).item()
    return total / windows


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("data", type=pathlib.Path)
    ap.add_argument("out", type=pathlib.Path)
    ap.add_argument("--steps", type=int, default=6000)
    ap.add_argument("--max-minutes", type=float, default=1e9)
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--story-share", type=float, default=0.5, help="of the rows, from TinyStories")
    ap.add_argument("--hold", type=float, default=0.3, help="part of the run at the full rate")
    ap.add_argument("--rate", type=float, default=1.0, help="of the full learning rate, at the top")
    ap.add_argument("--resume", type=pathlib.Path, help="model.pt to go on from, weights only")
    a = ap.parse_args()
    torch.manual_seed(7)
    torch.set_num_threads(a.threads)
    rng = np.random.default_rng(7)
    load = lambda name: np.fromfile(a.data / f"{name}.bin", np.uint16)
    stories, books = load("tinystories"), load("books")
    held = {"tinystories": load("heldout_tinystories"), "book": load("heldout_book")}
    model = StoryModel(CONFIG)
    if a.resume:
        model.load_state_dict(torch.load(a.resume)["state"])
    matrices = [p for b in model.blk for p in b.parameters() if p.ndim == 2]
    rest = [p for p in model.parameters() if not any(p is m for m in matrices)]
    muon = Muon(matrices)
    adam = torch.optim.AdamW(rest, lr=1.0, betas=(0.9, 0.98), weight_decay=0.0, eps=1e-9)
    a.out.mkdir(parents=True, exist_ok=True)
    print(sum(p.numel() for p in model.parameters()), "parameters", json.dumps(CONFIG), flush=True)
    start, tokens, recent, step = time.time(), 0, [], 0
    with open(a.out / "log.tsv", "w") as log:
        log.write("step\ttokens\tminutes\ttrain\theldout_tinystories\theldout_book\n")
        while True:
            done = max(step / a.steps, (time.time() - start) / 60 / a.max_minutes)
            if step % EVAL_EVERY == 0 or done >= 1:
                losses = {k: heldout_loss(model, v) for k, v in held.items()}
                line = (f"{step}\t{tokens}\t{(time.time() - start) / 60:.1f}\t"
                        f"{np.mean(recent or [math.nan]):.4f}\t{losses['tinystories']:.4f}\t{losses['book']:.4f}")
                print(line, flush=True)
                log.write(line + "\n")
                log.flush()
                torch.save({"config": CONFIG, "state": model.state_dict()}, a.out / "model.pt")
                recent = []
            if done >= 1:
                break
            rate = a.rate * min(1.0, (step + 1) / 100) * min(1.0, (1 - done) / (1 - a.hold))
            # Short windows first: most of what is to be learnt is local, and they are cheaper.
            x, y = batch(rng, stories, books, 256 if done < 0.6 else CONFIG["context"],
                         a.story_share)
            loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
            loss.backward()
            muon.step(0.015 * rate)
            for g in adam.param_groups:
                g["lr"] = 0.004 * rate
            adam.step()
            adam.zero_grad()
            recent.append(loss.item())
            tokens += x.numel()
            step += 1


if __name__ == "__main__":
    main()
