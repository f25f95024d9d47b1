"""Groups model_tau, model_nano, model_gated and model_bias."""
import math

import numpy as np

from cases.format import make_case, round9
from cases.inputs import laplacian_tensor, manifold_laplacian, normal, random_laplacian, uniform
from tauformer.graphs import chain_laplacian, to_coo
from tauformer.model import cross_entropy, forward, loss_and_grads


def model_config(attention, vocab, layers, heads, kv_heads, head_size, **extra):
    config = {"attention": attention, "vocab_size": vocab, "n_layer": layers, "n_head": heads,
              "n_kv_head": kv_heads, "n_embd": heads * head_size, "rope_base": 10000.0}
    tau = {"tau": {"name": "fixed", "value": 1.0}, "eps": 1e-6, "temperature": 1.0}
    return {**config, **(tau if attention == "tau" else {"qk_layernorm": False}), **extra}


def random_weights(rng, config, scale=1.0, head_scale=1.0, per_head=False):
    """State dict of numpy arrays, Linear weights [out, in]."""
    c, heads = config["n_embd"], config["n_head"]
    kv = c // heads * config["n_kv_head"]
    spread = scale / math.sqrt(c)
    weights = {"wte.weight": normal(rng, config["vocab_size"], c)}
    for layer in range(config["n_layer"]):
        name = f"blocks.{layer}"
        for part, rows in (("c_q", c), ("c_k", kv), ("c_v", kv), ("c_proj", c)):
            weights[f"{name}.attn.{part}.weight"] = normal(rng, rows, c, scale=spread)
        if per_head:
            weights[f"{name}.attn.temperature"] = uniform(rng, heads, low=0.02, high=0.5, digits=4)
            weights[f"{name}.attn.gamma"] = uniform(rng, heads, low=0.01, high=0.4, digits=4)
        if config.get("qk_layernorm"):
            for part in ("qk_norm_q", "qk_norm_k"):
                weights[f"{name}.attn.{part}.weight"] = 1 + normal(rng, c // heads, scale=0.2, digits=4)
                weights[f"{name}.attn.{part}.bias"] = normal(rng, c // heads, scale=0.2, digits=4)
        weights[f"{name}.mlp.c_fc.weight"] = normal(rng, 4 * c, c, scale=spread)
        weights[f"{name}.mlp.c_proj.weight"] = normal(rng, c, 4 * c, scale=spread / 2)
    weights["lm_head.weight"] = normal(rng, config["vocab_size"], c, scale=spread * head_scale)
    return weights


def gated_weights(rng, config):
    """random_weights of a tau_gated model: adds tau, temperature, c_f, c_g, and c_b with key_bias; no gamma."""
    weights, c, heads = random_weights(rng, config), config["n_embd"], config["n_head"]
    for layer in range(config["n_layer"]):
        name = f"blocks.{layer}.attn"
        weights[f"{name}.tau"] = uniform(rng, config["n_kv_head"], low=0.3, high=2.0, digits=4)
        weights[f"{name}.temperature"] = uniform(rng, heads, low=0.02, high=0.5, digits=4)
        weights[f"{name}.c_f.weight"] = normal(rng, heads, c, scale=0.5 / math.sqrt(c))
        weights[f"{name}.c_f.bias"] = round9(np.linspace(0.5, 5.5, heads))
        weights[f"{name}.c_g.weight"] = normal(rng, c, c, scale=1 / math.sqrt(c))
        if config.get("key_bias"):
            weights[f"{name}.c_b.weight"] = normal(rng, heads, c, scale=1 / math.sqrt(c))
        if config.get("manifold_dim"):
            for part, rows in (("c_q", heads), ("c_k", config["n_kv_head"])):
                weights[f"{name}.{part}.weight"] = normal(rng, rows * config["manifold_dim"], c, scale=1 / math.sqrt(c))
        if config.get("score") == "dot":
            del weights[f"{name}.tau"], weights[f"{name}.temperature"]
    return weights


def model_inputs(rng, config, lap=None, batch=2, length=9, **weights):
    """Everything a model case needs; targets are the tokens one step later."""
    text = rng.integers(0, config["vocab_size"], size=(batch, length + 1))
    inputs = {"config": config, "weights": random_weights(rng, config, **weights),
              "tokens": text[:, :-1], "targets": text[:, 1:]}
    return inputs if lap is None else {**inputs, "laplacian": to_coo(lap)}


def tau_models(rng):
    """Inputs of the model_tau.json cases by name."""
    median = {"tau": {"name": "reference_median"}}
    return {
        "chain_mha": model_inputs(rng, model_config("tau", 29, 2, 2, 2, 8), chain_laplacian(8)),
        "graph_gqa_per_head": model_inputs(rng, model_config("tau", 31, 2, 4, 2, 6), random_laplacian(rng, 6),
                                           length=12, per_head=True),
        "manifold_single_head": model_inputs(rng, model_config("tau", 23, 1, 1, 1, 16, temperature=0.05),
                                             manifold_laplacian(16), length=16),
        "reference_median_mqa": model_inputs(rng, model_config("tau", 13, 1, 3, 1, 4, **median),
                                             chain_laplacian(4), length=6),
        "clamps_active": model_inputs(rng, model_config("tau", 11, 1, 2, 1, 4, temperature=0.1),
                                      random_laplacian(rng, 4), length=7, scale=8.0, head_scale=4.0),
        "one_token": model_inputs(rng, model_config("tau", 7, 1, 2, 2, 2), chain_laplacian(2),
                                  batch=1, length=1),
    }


def nano_models(rng):
    """Inputs of the model_nano.json cases by name."""
    return {
        "mha": model_inputs(rng, model_config("dot", 29, 2, 2, 2, 8)),
        "gqa": model_inputs(rng, model_config("dot", 31, 2, 4, 2, 6), length=12),
        "reference_qk_layernorm": model_inputs(rng, model_config("dot", 19, 1, 4, 1, 4, qk_layernorm=True)),
        "clamps_active": model_inputs(rng, model_config("dot", 11, 1, 2, 1, 4), length=7, scale=8.0, head_scale=4.0),
    }


def expect_model(inputs, dtype):
    weights, config, tokens = inputs["weights"], inputs["config"], inputs["tokens"]
    lap = laplacian_tensor(inputs, dtype)
    plain, capped = (forward(weights, config, lap, tokens, softcap) for softcap in (False, True))
    loss, grads = loss_and_grads(weights, config, lap, tokens, inputs["targets"])
    return {"logits": plain, "logits_softcap": capped, "loss": loss,
            "loss_no_softcap": cross_entropy(plain, inputs["targets"]), "grads": grads}


def gradient_noise(exact):
    """Float32 noise of a weight gradient, from the largest of all weight gradients."""
    return dict.fromkeys(exact["grads"], 3e-7 * max(float(g.abs().max()) for g in exact["grads"].values()))


def model_tau_group(rng):
    return [make_case(name, inputs, expect_model, noise=gradient_noise)
            for name, inputs in tau_models(rng).items()]


def model_nano_group(rng):
    return [make_case(name, inputs, expect_model, noise=gradient_noise)
            for name, inputs in nano_models(rng).items()]


def model_gated_group(rng):
    """The default model: forward, loss and every gradient."""
    cases = []
    for name, lap, shape, length in (("mha", chain_laplacian(8), (29, 2, 2, 2, 8), 9),
                                     ("gqa", random_laplacian(rng, 6), (31, 2, 4, 2, 6), 12),
                                     ("manifold", manifold_laplacian(16), (23, 1, 2, 1, 16), 16)):
        config = model_config("tau_gated", *shape, eps=1e-6)
        config.pop("qk_layernorm", None)
        inputs = {**model_inputs(rng, config, lap, length=length), "weights": gated_weights(rng, config)}
        cases.append(make_case(name, inputs, expect_model, noise=gradient_noise))
    return cases


def model_bias_group(rng):
    """Many narrow heads, a bias per key, RoPE off or on, M apart from D; the dot product with the same parts."""
    def case(name, lap, shape, length, **switches):
        config = model_config("tau_gated", *shape, eps=1e-6, **switches)
        config.pop("qk_layernorm", None)
        inputs = {**model_inputs(rng, config, lap, length=length), "weights": gated_weights(rng, config)}
        return make_case(name, inputs, expect_model, noise=gradient_noise)
    return [
        case("narrow_heads", chain_laplacian(4), (29, 2, 8, 8, 4), 12, key_bias=True, rope=False),
        case("narrow_gqa_rope", random_laplacian(rng, 6), (31, 2, 4, 2, 6), 12, key_bias=True, rope=True),
        case("wide_manifold", manifold_laplacian(16), (23, 1, 4, 2, 4), 16, key_bias=True, rope=False, manifold_dim=16),
        case("no_bias_no_rope", chain_laplacian(8), (29, 1, 2, 1, 8), 9, key_bias=False, rope=False),
        case("dot_all_parts", None, (29, 2, 4, 4, 6), 12, key_bias=True, rope=True, score="dot"),
        case("dot_gqa_no_rope", None, (31, 1, 4, 2, 4), 10, key_bias=True, rope=False, score="dot"),
    ]
