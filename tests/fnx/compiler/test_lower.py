"""Fused groups against the NumPy rules of their equations, equation by equation."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fnx.numpy  # noqa: F401  (registers the primitives)
from fnx.compiler import build
from fnx.compiler.launches import GroupKernel
from fnx.compiler.lower import compile_group
from fnx.core.jaxpr import Eqn, Var
from fnx.core.lowering import Element
from fnx.core.primitive import registry
from fnx.kernels import native
from tests.support.element_groups import (
    Group,
    call_launch,
    evaluate_group,
    random_group,
    run_group,
)


def softmax(shape=(33, 50)):
    g = Group()
    x = g.input(shape)
    peak = g("reduce_max", x, axes=(1,))
    e = g("exp", g("sub", x, g.broadcast(peak, shape, (0,))))
    return g.jaxpr(g("div", e, g.broadcast(g.sum(e, 1), shape, (0,))))


def layer_norm(shape=(33, 50)):
    g = Group()
    x, scale = g.input(shape), g.input(shape[1:])
    count = g.broadcast(g.number(shape[1]), shape[:1])

    def mean(v):
        return g("div", g.sum(v, 1), count)

    middle = mean(x)
    d = g("sub", x, g.broadcast(middle, shape, (0,)))
    spread = g("add", mean(g("mul", d, d)), g.broadcast(g.number(1e-5), shape[:1]))
    r = g("rsqrt", spread)
    y = g("mul", g("mul", d, g.broadcast(r, shape, (0,))), g.broadcast(scale, shape, (1,)))
    return g.jaxpr(y, middle, r)


def normalised_by_its_sum(n=300_001):
    g = Group()
    x = g.input((n,))
    total = g.sum(g("mul", x, x), 0)
    return g.jaxpr(total, g("div", x, g.broadcast(total, (n,))))


def column_sums(shape=(5000, 70)):
    g = Group()
    x = g.input(shape)
    return g.jaxpr(g.sum(x, 0), g.sum(g("mul", x, x), 0))


def variance(n=70_000):
    g = Group()
    x = g.input((n,), np.float64)
    mean = g("div", g.sum(x, 0), g.number(n, np.float64))
    d = g("sub", x, g.broadcast(mean, (n,)))
    return g.jaxpr(g.sum(g("mul", d, d), 0))


def turned_again_and_again(n=100, times=12):
    g = Group()
    x = g.input((n,))
    for _ in range(times):
        y = g("rev", x, dimensions=(0,))
        x = g("tanh", g("sub", g("add", x, y), g("mul", x, y)))
    return g.jaxpr(x)


def long_chain(n=1000, length=800):
    g = Group()
    x = y = g.input((n,))
    for k in range(length):
        y = g("mul" if k % 3 else "sub", y, x)
        if k % 10 == 9:
            y = g("tanh", y)
    return g.jaxpr(y)


def long_chain_below_a_sum(shape=(8, 40), length=300):
    g = Group()
    x = y = g.input(shape)
    for k in range(length):
        y = g("sin" if k % 7 == 0 else "neg", y)
    return g.jaxpr(g.sum(g("mul", x, y), 1))


def image_layout(shape=(4, 5, 6, 7)):
    g = Group()
    x, bias = g.input(shape), g.input(shape[1:2])
    y = g("add", x, g.broadcast(bias, shape, (1,)))
    t = g("transpose", y, permutation=(0, 2, 3, 1))
    n, c, h, w = shape
    flat = g("reshape", t, new_sizes=(n * h, w * c))
    return g.jaxpr(y, flat, g.sum(y, 0, 2, 3), g.sum(y, 0, 1, 2, 3))


def attention_heads(b=2, t=10, h=3, d=8):
    g = Group()
    x = g.input((b, t, h * d))
    y = g("transpose", g("reshape", x, new_sizes=(b, t, h, d)), permutation=(0, 2, 1, 3))
    y = g("mul", y, y)
    back = g("transpose", y, permutation=(0, 2, 1, 3))
    return g.jaxpr(y, g("reshape", back, new_sizes=(b * t, h * d)))


def big_transposition(shape=(130, 70)):
    g = Group()
    x, y = g.input(shape), g.input(shape[::-1])
    return g.jaxpr(g("add", g("transpose", x, permutation=(1, 0)), y))


def few_long_rows(shape=(3, 50_001)):
    g = Group()
    x, y = g.input(shape), g.input(shape[:1])
    return g.jaxpr(g("add", x, g.broadcast(y, shape, (0,))))


def large_sums_below_several_axes(shape=(3, 50, 20, 25)):
    g = Group()
    x = g.input(shape, np.float64)
    return g.jaxpr(g.sum(x, 1), g.sum(x, 1, 2))


def sums_below_a_larger_sum(shape=(300, 400)):
    g = Group()
    x = g.input(shape, np.float64)
    d = g("sub", x, g.broadcast(g.sum(x, 0), shape, (1,)))
    return g.jaxpr(g.sum(g("mul", d, d), 0, 1))


def statistics_across(n=40, m=30):
    g = Group()
    a, x = g.input((m, 25)), g.input((n, m))
    return g.jaxpr(g("add", x, g.broadcast(g("exp", g.sum(a, 1)), (n, m), (1,))))


def outputs_that_are_inputs():
    g = Group()
    x = g.input((6,), np.int32)
    y = g("add", x, x)
    return g.jaxpr(y, y, x, g.number(3, np.int32))


def sums_of_sums(shape=(6, 7, 40)):
    g = Group()
    x = g.input(shape)
    rows = g.sum(x, 2)
    return g.jaxpr(g.sum(g("mul", rows, rows), 1), g.sum(g("exp", g.sum(x, 1)), 1))


def running_sums(shape=(3, 40, 5)):
    g = Group()
    x = g.input(shape)
    a = g("cumsum", x, axis=1, reverse=False)
    b = g("cumsum", g("mul", a, x), axis=2, reverse=True)
    return g.jaxpr(a, g("exp", g("neg", g("mul", b, b))))


def narrow_numbers(dtype="float16", shape=(9, 21)):
    g = Group()
    x = g.input(shape, dtype)
    y = g("mul", g("exp", x), x)
    return g.jaxpr(y, g.sum(y, 1), g("lt", x, y))


GROUPS = {
    f.__name__: f
    for f in (
        softmax,
        layer_norm,
        normalised_by_its_sum,
        column_sums,
        variance,
        turned_again_and_again,
        long_chain,
        long_chain_below_a_sum,
        image_layout,
        attention_heads,
        big_transposition,
        few_long_rows,
        large_sums_below_several_axes,
        sums_below_a_larger_sum,
        statistics_across,
        outputs_that_are_inputs,
        sums_of_sums,
        running_sums,
        narrow_numbers,
    )
}


def operands(jaxpr, rng):
    arrays = []
    for variable in jaxpr.in_vars:
        shape, dtype = variable.aval.shape, variable.aval.dtype
        if dtype.kind in "iu":
            arrays.append(rng.integers(0, 100, shape).astype(dtype))
        else:
            arrays.append(rng.standard_normal(shape).astype(dtype))
    return arrays


def assert_near(got, want):
    """Equal up to n eps for float32 and float64, where sums may be in another order."""
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    if got.dtype.kind in "iub":
        np.testing.assert_array_equal(got, want)
        return
    relative = {2: 4e-3, 4: 3e-5, 8: 1e-12}[got.dtype.itemsize]
    scale = np.abs(want.astype(np.float64)).max(initial=1.0)
    np.testing.assert_allclose(
        got.astype(np.float64), want.astype(np.float64), rtol=relative, atol=relative * scale
    )


@pytest.mark.parametrize("name", GROUPS)
def test_group(name, rng):
    jaxpr = GROUPS[name]()
    group = compile_group(jaxpr)
    arrays = operands(jaxpr, rng)
    whole = run_group(group, arrays)
    for got, want in zip(whole, evaluate_group(jaxpr, arrays)):
        assert_near(got, want)
    # the same bits, however the parallel axis is cut
    for pieces in (3, 7):
        for got, want in zip(run_group(group, arrays, pieces), whole):
            assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("name", ["layer_norm", "image_layout", "variance"])
def test_extents_from_one_up(name, rng):
    sizes = {
        "layer_norm": [(1, 1), (1, 15), (2, 16), (3, 17), (1, 64), (2, 65), (5, 127)],
        "image_layout": [(1, 1, 1, 1), (1, 2, 1, 3), (2, 1, 3, 1), (1, 3, 4, 16), (2, 4, 5, 33)],
        "variance": [1, 2, 7, 8, 9, 31, 33, 65_537, 100_000],
    }
    for size in sizes[name]:
        jaxpr = GROUPS[name](size)
        arrays = operands(jaxpr, rng)
        for got, want in zip(
            run_group(compile_group(jaxpr), arrays, 2), evaluate_group(jaxpr, arrays)
        ):
            assert_near(got, want)


@pytest.mark.parametrize("seed", range(60))
def test_random_group(seed):
    rng = np.random.default_rng(seed)
    jaxpr = random_group(rng, int(rng.integers(4, 40)))
    arrays = operands(jaxpr, rng)
    outs = run_group(compile_group(jaxpr), arrays, 1 + seed % 3)
    for got, want in zip(outs, evaluate_group(jaxpr, arrays)):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


def test_empty_results_and_empty_sums(rng):
    g = Group()
    x = g.input((0, 4))
    jaxpr = g.jaxpr(g("mul", x, x), g.sum(x, 0), g.sum(x, 0, 1))
    outs = run_group(compile_group(jaxpr), [np.zeros((0, 4), np.float32)])
    assert outs[0].shape == (0, 4)
    np.testing.assert_array_equal(outs[1], np.zeros(4))
    assert outs[2] == 0


def test_statistics_of_rows_stay_in_the_loop_of_the_rows():
    group = compile_group(layer_norm())
    assert len(group.launches) == 1
    assert group.temporaries == ()


def test_a_large_sum_is_cut_into_blocks_whatever_the_threads():
    group = compile_group(normalised_by_its_sum())
    assert [launch.units for launch in group.launches][1:] == [1, 300_001]
    assert 8 <= group.launches[0].units <= 64


def test_work_is_not_repeated_in_inner_loops():
    group = compile_group(statistics_across(400, 300))
    assert [launch.units for launch in group.launches] == [300, 400]
    assert len(group.temporaries) == 1


def test_an_exponential_of_a_softmax_is_computed_once():
    lines = compile_group(softmax((64, 512))).launches[0].form.text.splitlines()
    assert sum("exp(" in line for line in lines) == 1


def test_a_sum_inside_of_a_sum_is_computed_first():
    launches = compile_group(sums_below_a_larger_sum()).launches
    assert [launch.units for launch in launches] == [14, 400, 14, 1]


def test_an_elementwise_group_may_write_over_its_operand(rng):
    g = Group()
    x = g.input((1000,))
    jaxpr = g.jaxpr(g("add", g("exp", x), x))
    group = compile_group(jaxpr)
    assert group.in_place() == ((0, 0),)
    array = rng.standard_normal(1000).astype(np.float32)
    want = run_group(group, [array])[0]
    shared = array.copy()
    call_launch(group.launches[0], {"in": [shared], "out": [shared], "temp": []})
    assert shared.tobytes() == want.tobytes()


@pytest.mark.parametrize("name", ["turned_again_and_again", "softmax", "big_transposition"])
def test_what_is_read_elsewhere_may_not_be_written_over(name):
    pairs = compile_group(GROUPS[name]()).in_place()
    assert (0, 0) not in pairs


def test_a_group_survives_json():
    group = compile_group(layer_norm())
    again = GroupKernel.from_json(json.loads(json.dumps(group.to_json())))
    assert again == group
    with pytest.raises(ValueError, match="version"):
        GroupKernel.from_json({**group.to_json(), "version": 0})


def test_a_warm_process_generates_nothing(rng, monkeypatch):
    jaxpr = softmax((12, 34))
    group = compile_group(jaxpr)
    arrays = operands(jaxpr, rng)
    want = run_group(group, arrays)

    def refuse(*args, **kwargs):
        raise AssertionError("code was generated")

    monkeypatch.setattr(native, "compile_ir", refuse)
    monkeypatch.setattr(build, "module_text", refuse)
    again = GroupKernel.from_json(group.to_json())
    for got, expected in zip(run_group(again, arrays), want):
        assert got.tobytes() == expected.tobytes()


def test_a_lost_kernel_asks_for_lowering():
    g = Group()
    x = g.input((10,))
    for _ in range(17):
        x = g("add", g("mul", x, x), x)
    launch = compile_group(g.jaxpr(x)).launches[0]
    lost = type(launch).from_json({**launch.to_json(), "key": "0" * 40})
    with pytest.raises(build.KernelMissing, match="Lower the group again"):
        build.load(lost)


def test_only_element_rules_may_be_in_a_group():
    g = Group()
    x = g.input((4, 4))
    numbers = (((1,), (0,)), ((), ()))
    dot = registry["dot_general"]
    params = {"dimension_numbers": numbers, "precision": None, "preferred_element_type": None}
    out = Var(x.aval)
    g.eqns.append(Eqn(dot, (x, x), (out,), params))
    with pytest.raises(TypeError, match="dot_general.*no element rule"):
        compile_group(g.jaxpr(out))


def samples():
    found = []
    for name, primitive in sorted(registry.items()):
        if isinstance(primitive.lower, Element) and primitive.sample is not None:
            found.append(name)
    return found


@pytest.mark.parametrize("name", samples())
def test_every_element_rule(name):
    """One sample of every combination of dtypes (the laws run them all)."""
    primitive = registry[name]
    seen = set()
    for sample in primitive.sample(np.random.default_rng(5)):
        arrays = [np.asarray(a) for a in sample.args]
        kinds = tuple(a.dtype for a in arrays)
        if kinds in seen:
            continue
        seen.add(kinds)
        g = Group()
        out = g(name, *[g.input(a.shape, a.dtype) for a in arrays], **sample.params)
        jaxpr = g.jaxpr(*(out if isinstance(out, list) else [out]))
        group = compile_group(jaxpr)
        for got, want in zip(run_group(group, arrays), evaluate_group(jaxpr, arrays)):
            assert got.shape == want.shape
            assert got.dtype == want.dtype
            if got.dtype.kind in "iub":
                np.testing.assert_array_equal(got, want)
            else:
                wide = np.complex128 if got.dtype.kind == "c" else np.float64
                bits = np.dtype(got.dtype).itemsize * (4 if got.dtype.kind == "c" else 8)
                relative = {16: 2e-2, 32: 1e-5, 64: 1e-12}[bits]
                np.testing.assert_allclose(
                    got.astype(wide), want.astype(wide), rtol=relative, atol=relative
                )
