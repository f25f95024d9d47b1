"""A GPT in PyTorch with Tauformer's trunk, to compare speed with.

The trunk has RoPE, rms_norm without parameters, a relu^2 MLP and an untied head. Attention is softmax(QK'/sqrt(d)),
or with --attention tau the lambda-distance over all pairs, with the Laplacian of a chain. Weights have the names of
docs/definition.md. The clamps and the softcap cost PyTorch extra passes over large arrays, so the default leaves
them out. With --exact they are computed, and the logits are those of tools/oracle (its check.py compares them).

    python3 bench/peers/torch_gpt.py --mode train --seq 1024 --steps 5 --threads 1
    python3 bench/peers/torch_gpt.py --mode decode --contexts 128 512 1024

Prints one line of JSON. train: forward, loss, backward, clipping, AdamW; prefill: forward only; decode: one token a
step against a cache that already holds the given number of tokens.
"""
import argparse
import json
import math
import os
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


def rms_norm(x):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


def rope_tables(length, dim):
    """cos, sin [T, D/2]."""
    angle = torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(0, dim, 2) / dim)
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    """Half-split rotation of x [B, H, T, D]."""
    x1, x2 = x.chunk(2, -1)
    return torch.cat([x1 * cos + x2 * sin, x2 * cos - x1 * sin], -1)


def chain_laplacian(size):
    """Path graph [size, size]."""
    weights = torch.diag(torch.ones(size - 1), 1) + torch.diag(torch.ones(size - 1), -1)
    return torch.diag(weights.sum(1)) - weights


class Cache:
    """Keys (or their lambdas) and values of one layer, with room for `capacity` tokens."""

    def __init__(self, capacity):
        self.capacity, self.length, self.first, self.second = capacity, 0, None, None

    def extend(self, first, second):
        """Append [B, Hkv, t, ...] along time and return views of everything stored."""
        if self.first is None:
            self.first, self.second = (
                a.new_empty(*a.shape[:2], self.capacity, *a.shape[3:]) for a in (first, second))
        end = self.length + first.shape[2]
        self.first[:, :, self.length:end], self.second[:, :, self.length:end] = first, second
        self.length = end
        return self.first[:, :, :end], self.second[:, :, :end]


class Attention(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.heads, self.kv_heads, self.dim = args.heads, args.kv_heads, args.embd // args.heads
        self.tau, self.exact, self.temperature = args.attention == "tau", args.exact, args.temperature
        kv = self.kv_heads * self.dim
        self.c_q = nn.Linear(args.embd, args.embd, bias=False)
        self.c_k = nn.Linear(args.embd, kv, bias=False)
        self.c_v = nn.Linear(args.embd, kv, bias=False)
        self.c_proj = nn.Linear(args.embd, args.embd, bias=False)
        self.register_buffer("laplacian", chain_laplacian(self.dim), persistent=False)

    def project(self, layer, x, heads):
        y = layer(x)
        y = y.clamp(-5, 5) if self.exact else y
        return y.view(*x.shape[:2], heads, self.dim).transpose(1, 2)

    def taumode(self, x):
        """[B, H, T, D] -> [B, H, T]."""
        energy = ((x @ self.laplacian) * x).sum(-1) / (x.square().sum(-1) + 1e-6)
        energy = energy.clamp(min=0)
        return energy / (energy + 1.0)

    def repeat(self, x):
        return x if self.heads == self.kv_heads else x.repeat_interleave(self.heads // self.kv_heads, 1)

    def logits(self, q, k):
        """[B, H, Tq, Tk] before the mask."""
        if self.tau:
            return (q[..., :, None] - k[..., None, :]).abs() * (-1.0 / self.temperature)
        return (q * (1.0 / math.sqrt(self.dim))) @ k.transpose(-1, -2)

    def forward(self, x, cos, sin, mask, cache):
        q = rms_norm(rotate(self.project(self.c_q, x, self.heads), cos, sin))
        k = rms_norm(rotate(self.project(self.c_k, x, self.kv_heads), cos, sin))
        v = self.project(self.c_v, x, self.kv_heads)
        q, k = (self.taumode(q), self.taumode(k)) if self.tau else (q, k)
        k, v = (k, v) if cache is None else cache.extend(k, v)
        logits = self.logits(q, self.repeat(k))
        weights = torch.softmax(logits if mask is None else logits + mask, -1)
        return self.c_proj((weights @ self.repeat(v)).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.c_fc = nn.Linear(args.embd, 4 * args.embd, bias=False)
        self.c_proj = nn.Linear(4 * args.embd, args.embd, bias=False)

    def forward(self, x):
        return self.c_proj(F.relu(self.c_fc(x)).square())


class Block(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.attn, self.mlp = Attention(args), Mlp(args)

    def forward(self, x, *context):
        x = x + self.attn(rms_norm(x), *context)
        return x + self.mlp(rms_norm(x))


class PeerGpt(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.exact = args.exact
        self.wte = nn.Embedding(args.vocab, args.embd)
        self.blocks = nn.ModuleList(Block(args) for _ in range(args.layers))
        self.lm_head = nn.Linear(args.embd, args.vocab, bias=False)
        length = max([args.seq, *(c + args.warmup + args.steps for c in args.contexts)])
        for name, table in zip(("cos", "sin"), rope_tables(length, args.embd // args.heads)):
            self.register_buffer(name, table, persistent=False)
        mask = torch.full((args.seq, args.seq), -math.inf).triu(1)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, tokens, caches=None):
        """tokens [B, T] -> logits [B, T, V]; with caches, T is 1 or the caches are empty."""
        t, start = tokens.shape[1], 0 if caches is None else caches[0].length
        cos, sin = self.cos[start:start + t], self.sin[start:start + t]
        mask = None if t == 1 else self.mask[:t, :t]
        x = self.wte(tokens)
        for i, block in enumerate(self.blocks):
            x = block(x, cos, sin, mask, None if caches is None else caches[i])
        logits = self.lm_head(rms_norm(x))
        return 15 * torch.tanh(logits.clamp(-50, 50) / 15) if self.exact else logits


def median_seconds(step, warmup, steps):
    seconds = []
    for _ in range(warmup + steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[warmup:])


def time_train(model, args):
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1)
    text = torch.randint(args.vocab, (args.batch, args.seq + 1))

    def step():
        optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()

    return speed(median_seconds(step, args.warmup, args.steps), args.batch * args.seq)


def time_prefill(model, args):
    tokens = torch.randint(args.vocab, (args.batch, args.seq))
    with torch.inference_mode():
        return speed(median_seconds(lambda: model(tokens), args.warmup, args.steps), args.batch * args.seq)


def filled_caches(model, args, context):
    """Caches that hold `context` random tokens, with room for the timed steps."""
    caches = [Cache(context + args.warmup + args.steps) for _ in model.blocks]
    dtype, dim = model.lm_head.weight.dtype, args.embd // args.heads
    for cache in caches:
        v = torch.randn(args.batch, args.kv_heads, context, dim, dtype=dtype)
        cache.extend(torch.rand(v.shape[:3], dtype=dtype) if args.attention == "tau" else torch.randn_like(v), v)
    return caches


def time_decode(model, args):
    token, per_token = torch.randint(args.vocab, (args.batch, 1)), {}
    with torch.inference_mode():
        for context in args.contexts:
            caches = filled_caches(model, args, context)
            seconds = median_seconds(lambda: model(token, caches), args.warmup, args.steps)
            per_token[context] = round(1000 * seconds, 3)
    return {**speed(seconds, args.batch), "ms_per_token": per_token}


def speed(seconds, tokens):
    return {"tokens_per_second": round(tokens / seconds, 2), "ms_per_step": round(1000 * seconds, 3)}


def parse(argv=None):
    parser = argparse.ArgumentParser(description="Time a PyTorch GPT on the CPU; prints one JSON line.")
    for name, default in dict(layers=6, heads=6, embd=384, vocab=30522, seq=1024, batch=1, steps=5,
                              warmup=2, threads=1).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--kv-heads", type=int, default=None, help="default: heads")
    parser.add_argument("--contexts", type=int, nargs="+", default=[128, 512, 1024], help="decode only")
    parser.add_argument("--mode", choices=("train", "decode", "prefill"), default="train")
    parser.add_argument("--attention", choices=("dot", "tau"), default="dot")
    parser.add_argument("--temperature", type=float, default=1.0, help="tau attention only")
    parser.add_argument("--dtype", choices=("float32", "float64", "bfloat16"), default="float32")
    parser.add_argument("--exact", action="store_true", help="with the clamps and the softcap")
    args = parser.parse_args(argv)
    args.kv_heads = args.kv_heads or args.heads
    return args


def pin_threads(count):
    """Restarts once with the number of threads in the environment: BLAS and OpenMP read it when they load.

    OpenMP's threads wait passively. Otherwise idle ones spin against the threads of BLAS.
    """
    wanted = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(count))
    wanted["OMP_WAIT_POLICY"] = "PASSIVE"
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})
    torch.set_num_threads(count)
    torch.set_num_interop_threads(1)


def main():
    args = parse()
    pin_threads(args.threads)
    torch.manual_seed(1)
    model = PeerGpt(args).to(getattr(torch, args.dtype))
    timer = {"train": time_train, "prefill": time_prefill, "decode": time_decode}[args.mode]
    result = {**vars(args), "torch": torch.__version__, "parameters": sum(p.numel() for p in model.parameters()),
              **timer(model, args)}
    result["peak_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
