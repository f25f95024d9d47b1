"""Group decode."""
import numpy as np
import torch

from cases.format import make_case, map_tree, round9, tensors
from cases.inputs import laplacian_tensor, normal, uniform
from cases.model import nano_models, tau_models
from tauformer.attention import lambda_attention
from tauformer.model import decode


def expect_decode(model):
    """Step logits of a model; its weights stay in the model's own fixture."""
    def expect(inputs, dtype):
        m = tensors(map_tree(round9, model), dtype)
        lap = laplacian_tensor(m, dtype)
        logits, cache = decode(m["weights"], m["config"], lap, m["tokens"], inputs["prefix"], False)
        capped, _ = decode(m["weights"], m["config"], lap, m["tokens"], inputs["prefix"], True)
        cached = {"tau": "lambda_k", "dot": "k"}[m["config"]["attention"]]
        return {"logits": logits, "logits_softcap": capped,
                f"cache_{cached}": torch.stack([cache[layer][1] for layer in sorted(cache)])}
    return expect


def expect_steps(inputs, dtype):
    """The newest query of every prefix against all keys of that prefix [P, H, D]."""
    def step(n):
        return lambda_attention(inputs["lambda_q"][:, n - 1:n], inputs["lambda_k"][:, :n],
                                inputs["v"][:, :n], inputs["temperature"], inputs["gamma"])[:, 0]
    return {"out": torch.stack([step(n) for n in inputs["prefix_lengths"].tolist()])}


def steps_case(rng, heads, kv_heads, length, size, temperature, gamma):
    lengths = np.array([n for n in (1, 2, 3, 7, 16, 33, 64, 130) if n <= length])
    inputs = {"lambda_q": uniform(rng, heads, length), "lambda_k": uniform(rng, kv_heads, length),
              "v": normal(rng, kv_heads, length, size, digits=3), "temperature": temperature * np.ones(heads),
              "gamma": gamma * np.ones(heads), "prefix_lengths": lengths}
    return make_case(f"attention_h{heads}_kv{kv_heads}_t{length}_temp{temperature}_gamma{gamma}",
                     inputs, expect_steps)


def decode_group(rng_of):
    cases = [steps_case(rng_of("decode"), *args) for args in (
        (1, 1, 64, 4, 1.0, 0.0), (4, 2, 130, 8, 0.05, 0.02), (2, 1, 130, 3, 1e-3, 0.0))]
    for group, models in (("model_tau", tau_models), ("model_nano", nano_models)):
        for name, model in models(rng_of(group)).items():
            for prefix in sorted({0, model["tokens"].shape[1] // 2}):
                inputs = {"fixture": f"{group}.json", "case": name, "prefix": prefix}
                cases.append(make_case(f"{group}_{name}_prefix{prefix}", inputs, expect_decode(model)))
    return cases
