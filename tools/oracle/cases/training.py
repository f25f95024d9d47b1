"""Groups adamw and train_trace."""
import numpy as np
import torch

from cases.format import make_case
from cases.inputs import laplacian_tensor, normal, random_laplacian
from cases.model import model_config, random_weights
from tauformer.graphs import chain_laplacian, to_coo
from tauformer.model import loss_and_grads
from tauformer.optimizer import optimize


def optimizer_config(peak=0.01, floor=0.001, warmup=3, total=10, betas=(0.9, 0.95), eps=1e-8,
                     weight_decay=0.1, clip=1.0):
    return {"schedule": {"peak": peak, "floor": floor, "warmup": warmup, "total": total},
            "betas": list(betas), "eps": eps, "weight_decay": weight_decay, "clip": clip}


def expect_adamw(inputs, _):
    grads = inputs["grads"]
    trace = list(optimize(dict(inputs["params"]), lambda step, __: {n: g[step] for n, g in grads.items()},
                          inputs["optimiser"], 10))
    norms, rates, params = zip(*trace)
    return {"grad_norm": torch.stack(norms), "learning_rate": torch.tensor(rates),
            "params": {n: torch.stack([p[n] for p in params]) for n in inputs["params"]}}


def adamw_group(rng):
    def case(name, scale=1.0, **optimizer):
        params = {"matrix": normal(rng, 4, 3), "vector": normal(rng, 5)}
        grads = {n: normal(rng, 10, *p.shape, scale=scale) for n, p in params.items()}
        inputs = {"params": params, "grads": grads, "optimiser": optimizer_config(**optimizer)}
        return make_case(name, inputs, expect_adamw)
    return [
        case("plain", weight_decay=0.0, clip=None, peak=0.01, floor=0.01, warmup=0),
        case("decay_schedule_clip"),
        case("schedule_shorter_than_run", total=6, warmup=2, floor=0.0),
        case("huge_grads_clipped", scale=1e3, clip=0.5),
        case("tiny_grads", scale=1e-3, clip=1.0, betas=(0.8, 0.999), eps=1e-6),
        case("zero_grads_only_decay", scale=0.0, weight_decay=0.5),
    ]


def expect_training(inputs, dtype):
    config, lap = inputs["config"], laplacian_tensor(inputs, dtype)
    losses = []

    def grads_at(step, weights):
        loss, grads = loss_and_grads(weights, config, lap, inputs["tokens"][step], inputs["targets"][step])
        losses.append(loss)
        return grads

    history = list(optimize(dict(inputs["weights"]), grads_at, inputs["optimiser"], len(inputs["tokens"])))
    norms, rates, weights = zip(*history)
    return {"loss": torch.stack(losses), "grad_norm": torch.stack(norms),
            "learning_rate": torch.tensor(rates), "final_weights": weights[-1]}


def training_inputs(rng, config, lap, steps=20, batch=4, length=12, **weights):
    """A learnable toy language: every token is followed by (3 token + 1) mod V, with 10% noise."""
    vocab = config["vocab_size"]
    text = np.empty((steps, batch, length + 1), dtype=int)
    text[..., 0] = rng.integers(0, vocab, size=(steps, batch))
    for t in range(length):
        noise = rng.random((steps, batch)) < 0.1
        text[..., t + 1] = np.where(noise, rng.integers(0, vocab, size=noise.shape), (3 * text[..., t] + 1) % vocab)
    return {"config": config, "laplacian": to_coo(lap), "weights": random_weights(rng, config, **weights),
            "tokens": text[..., :-1], "targets": text[..., 1:],
            "optimiser": optimizer_config(peak=0.02, floor=0.002, warmup=4, total=steps)}


def train_trace_group(rng):
    plain = training_inputs(rng, model_config("tau", 17, 2, 2, 1, 6), chain_laplacian(6))
    learned = training_inputs(rng, model_config("tau", 17, 1, 2, 2, 6), random_laplacian(rng, 6), per_head=True)
    return [make_case(name, inputs, expect_training, relative=2e-4)
            for name, inputs in (("chain_gqa", plain), ("graph_per_head", learned))]
