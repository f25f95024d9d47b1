"""The JSON format of the files, and the tolerances. README.md describes both."""
import numpy as np
import torch


def is_array(x):
    return isinstance(x, (np.ndarray, torch.Tensor))


def is_float(x):
    return is_array(x) and np.asarray(x).dtype.kind == "f"


def map_tree(f, tree):
    """Apply f to every leaf of nested dicts and lists."""
    if isinstance(tree, dict):
        return {key: map_tree(f, value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [map_tree(f, value) for value in tree]
    return f(tree)


def round9(x):
    """9 significant digits, for arrays and floats; everything else passes."""
    if is_float(x):
        a = np.asarray(x, dtype=np.float64)
        return np.array([float(f"{value:.9g}") for value in a.ravel()]).reshape(a.shape)
    return float(f"{x:.9g}") if isinstance(x, float) else x


def to_json(tree):
    """Arrays become {"shape", "data"}; floats keep 9 significant digits."""
    def leaf(x):
        x = round9(x)
        return {"shape": list(x.shape), "data": np.asarray(x).ravel().tolist()} if is_array(x) else x
    return map_tree(leaf, tree)


def from_json(tree):
    """Inverse of to_json."""
    if isinstance(tree, dict) and set(tree) == {"shape", "data"}:
        return np.array(tree["data"]).reshape(tree["shape"])
    if isinstance(tree, dict):
        return {key: from_json(value) for key, value in tree.items()}
    return [from_json(value) for value in tree] if isinstance(tree, list) else tree


def tensors(tree, dtype):
    """Float arrays -> tensors of `dtype`, integer arrays -> int64 tensors."""
    def leaf(x):
        return torch.tensor(np.asarray(x), dtype=dtype if is_float(x) else torch.int64) if is_array(x) else x
    return map_tree(leaf, tree)


def tolerances(exact, single, relative, noise, key=None):
    """Absolute tolerances {f64, f32} for every float array, from the error of a float32 run `single`.

    relative: smallest float32 tolerance, relative to the array's largest element.
    noise: {key: absolute float32 rounding noise} for arrays that may vanish in exact arithmetic.
    """
    if isinstance(exact, dict):
        pairs = {key: tolerances(exact[key], single[key], relative, noise, key) for key in exact}
        return {key: pair for key, pair in pairs.items() if pair}
    if not is_float(exact):
        return None
    exact, single = np.asarray(exact, dtype=np.float64), np.asarray(single, dtype=np.float64)
    size, error = np.abs(exact).max(initial=0.0), np.abs(exact - single).max(initial=0.0)
    wide = max(noise.get(key, 0.0), 10 * error if np.isfinite(error) else 0.0)  # not finite: overflow
    return {"f64": float(f"{max(1e-8 * size, 1e-7 * wide, 1e-13):.1e}"),
            "f32": float(f"{max(relative * size, wide, 1e-9):.1e}")}


def make_case(name, inputs, expect, relative=1e-5, noise=lambda exact: {}):
    """One fixture case; expect(inputs, dtype) -> dict of outputs, run in float64 and in float32."""
    inputs = map_tree(round9, inputs)  # the oracle sees exactly the numbers that are written
    exact, single = (expect(tensors(inputs, dtype), dtype) for dtype in (torch.float64, torch.float32))
    return {"name": name, "inputs": to_json(inputs), "expected": to_json(exact),
            "tolerance": tolerances(exact, single, relative, noise(exact))}


def grads_of(output, weight, wrt):
    """Gradients of sum(output * weight) for the dict of leaves `wrt`."""
    return dict(zip(wrt, torch.autograd.grad((output * weight).sum(), list(wrt.values()))))
