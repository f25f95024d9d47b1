"""The groups of cases. Each group is a function from a random generator to a list of cases."""
import numpy as np

from cases.attention import attention_bias_group, attention_clock_group, attention_group
from cases.decode import decode_group
from cases.laplacian import laplacian_group
from cases.model import model_bias_group, model_gated_group, model_nano_group, model_tau_group
from cases.rope import rope_group
from cases.taumode import taumode_group
from cases.training import adamw_group, train_trace_group

# The position of a group seeds its random stream: append new groups at the end.
GROUPS = {"taumode": taumode_group, "attention": attention_group, "rope": rope_group,
          "laplacian": laplacian_group, "model_tau": model_tau_group, "model_nano": model_nano_group,
          "adamw": adamw_group, "train_trace": train_trace_group, "decode": decode_group,
          "attention_clock": attention_clock_group, "model_gated": model_gated_group,
          "attention_bias": attention_bias_group, "model_bias": model_bias_group}

# Groups of what the packages cannot compute yet, a bias per key. generate.py writes them only when they are named.
LATER = ("attention_bias", "model_bias")


def build_group(name, seed):
    """Cases of one group. Every group has its own random stream, so groups never shift each other."""
    def rng_of(group):
        return np.random.default_rng([seed, list(GROUPS).index(group)])
    # decode repeats the models of other groups, so it needs their streams too
    return GROUPS[name](rng_of if name == "decode" else rng_of(name))
