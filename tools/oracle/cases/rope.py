"""Group rope."""
from cases.format import grads_of, make_case
from cases.inputs import normal
from tauformer.model import rope, rope_tables


def expect_rope(inputs, dtype):
    x = inputs["x"].clone().requires_grad_()
    out = rope(x, inputs["start"], inputs["base"])
    cos, sin = rope_tables(inputs["start"], x.shape[-2], x.shape[-1], inputs["base"], dtype)
    return {"cos": cos, "sin": sin, "out": out.detach(), "grad_x": grads_of(out, inputs["r"], {"x": x})["x"]}


def rope_group(rng):
    cases = []
    for shape, start, base in (((1, 1, 3, 2), 0, 1e4), ((2, 3, 9, 8), 0, 1e4), ((1, 2, 5, 6), 7, 1e4),
                               ((1, 1, 4, 64), 1000, 1e4), ((1, 2, 1, 16), 511, 1e4), ((1, 1, 6, 4), 3, 100.0)):
        inputs = {"x": normal(rng, *shape), "start": start, "base": base, "r": normal(rng, *shape, digits=3)}
        cases.append(make_case("x".join(map(str, shape)) + f"_start{start}_base{base:g}", inputs, expect_rope))
    return cases
