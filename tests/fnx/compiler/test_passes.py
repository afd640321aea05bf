"""Passes keep the meaning of a program, keep it well formed, and do what they are for."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from fnx.compiler.passes.bodies import everywhere
from fnx.compiler.passes.decompose import decompose
from fnx.compiler.passes.fuse import LARGEST_GROUP, cut
from fnx.compiler.passes.inline import inline
from fnx.compiler.passes.layout import layout
from fnx.compiler.passes.schedule import schedule
from fnx.compiler.passes.steps import variables
from fnx.control.checkpoint import checkpoint_p
from fnx.control.jit_call import jit_p
from fnx.control.scan import scan_p
from fnx.core.array import adopt
from fnx.core.check import check_jaxpr
from fnx.core.jaxpr import subjaxprs
from fnx.core.lowering import Element
from fnx.primitives.arithmetic import add, mul, sub
from fnx.primitives.comparison import max as maximum
from fnx.primitives.contraction import dot_general
from fnx.primitives.convolution import conv_general_dilated
from fnx.primitives.dynamic_slicing import dynamic_update_slice
from fnx.primitives.exponential import exp
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.shaping import broadcast_in_dim, full, reshape, transpose
from fnx.primitives.windows import reduce_window_max
from fnx.transforms.grad import value_and_grad
from tests.support.staged_programs import assert_same, aval, evaluated, staged


def names(jaxpr):
    return [eqn.primitive.name for eqn in jaxpr.eqns]


def assert_equal_programs(before, after, arrays):
    check_jaxpr(after)
    assert after.in_vars == before.in_vars or after.in_avals == before.in_avals
    for got, wanted in zip(evaluated(after, arrays), evaluated(before, arrays), strict=True):
        assert_same(got, wanted, scale=10)


def fused(jaxpr):
    """The primitives of each step."""
    return [[eqn.primitive.name for eqn in step.eqns] for step in cut(jaxpr).steps]


# --- inline ---------------------------------------------------------------------------------------


def call(primitive, program, *args):
    extra = {"name": "f"} if primitive is jit_p else {}
    return primitive(*args, jaxpr=program, **extra)


def test_inline_shares_values_across_calls(rng):
    program = staged(lambda x: [exp(x)], aval((3,), np.float64))

    def f(x):
        return [add(call(jit_p, program, x)[0], exp(x))]

    x = rng.normal(size=3)
    before = staged(f, x)
    after = inline(before)
    assert names(after).count("exp") == 1
    assert_equal_programs(before, after, [x])


def test_inline_computes_again_what_a_checkpoint_says(rng):
    program = staged(lambda x: [exp(x)], aval((3,), np.float64))

    def f(x):
        return [add(call(checkpoint_p, program, x)[0], exp(x))]

    x = rng.normal(size=3)
    before = staged(f, x)
    after = inline(before)
    assert names(after) == ["exp", "exp", "add"]
    assert_equal_programs(before, after, [x])


def test_inline_reaches_the_bodies_of_loops(rng):
    inner = staged(lambda x: [exp(x)], aval((), np.float64))
    body = staged(lambda h, x: [*call(jit_p, inner, add(h, x)), h], *[aval((), np.float64)] * 2)

    def f(h, xs):
        return scan_p(
            h, xs, jaxpr=body, length=3, reverse=False, num_consts=0, num_carry=1, unroll=1
        )

    arrays = [np.array(0.5), rng.normal(size=3)]
    before = staged(f, *arrays)
    after = inline(before)
    (eqn,) = after.eqns
    assert names(eqn.params["jaxpr"]) == ["add", "exp"]
    assert_equal_programs(before, after, arrays)


# --- layout ---------------------------------------------------------------------------------------


def network(w1, b1, w2, w3, x):
    """Two convolutions, a bias, a pooling, a channel mean, a dense layer; channels first."""

    def convolve(x, w):
        return conv_general_dilated(
            x, w, (1, 1), ((1, 1), (1, 1)), dimension_numbers=("NCHW", "OIHW", "NCHW")
        )

    def rectify(x):
        return maximum(x, full(x.shape, 0, x.dtype))

    h = rectify(add(convolve(x, w1), broadcast_in_dim(b1, (2, 4, 8, 8), (1,))))
    h = rectify(convolve(h, w2))
    h = reduce_window_max(h, (1, 1, 2, 2), (1, 1, 2, 2))
    h = sub(h, broadcast_in_dim(reduce_sum(h, (0, 2, 3)), h.shape, (1,)))
    y = dot_general(reshape(h, (2, 5 * 16)), w3, (((1,), (0,)), ((), ())))
    return reduce_sum(mul(y, y), (0, 1))


NETWORK = [(4, 3, 3, 3), (4,), (5, 4, 3, 3), (80, 7), (2, 3, 8, 8)]


def network_gradient(*arrays):
    value, gradients = value_and_grad(network, argnums=(0, 1, 2, 3, 4))(*arrays)
    return [value, *gradients]


def test_layout_of_a_network_and_its_gradient(rng):
    arrays = [rng.normal(size=shape) for shape in NETWORK]
    before = inline(staged(network_gradient, *arrays))
    after = layout(before)
    assert_equal_programs(before, after, arrays)
    for eqn in after.eqns:
        if eqn.primitive.name == "conv_general_dilated" and eqn.outputs[0].aval.shape[0] == 2:
            assert eqn.params["dimension_numbers"].lhs_spec == (0, 3, 1, 2)
    # In and out of the input image and its gradient, before and behind the dense layer.
    assert names(after).count("transpose") == names(before).count("transpose") + 4


def test_layout_leaves_programs_without_such_convolutions_alone(rng):
    jaxpr = staged(lambda x: [transpose(exp(x), (1, 0))], aval((2, 3)))
    assert layout(jaxpr) is jaxpr


def test_layout_meets_transpositions_of_the_user(rng):
    def f(x, w):
        h = transpose(x, (0, 3, 1, 2))
        h = conv_general_dilated(h, w, (1, 1), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW"))
        return [transpose(exp(h), (0, 2, 3, 1))]

    arrays = [rng.normal(size=(2, 6, 5, 3)), rng.normal(size=(4, 3, 3, 3))]
    before = staged(f, *arrays)
    after = layout(before)
    assert_equal_programs(before, after, arrays)
    kinds = Counter(step.kind for step in cut(after).steps)
    assert kinds["loops"] == 1, "only exp is left as a loop"


# --- decompose, bodies ----------------------------------------------------------------------------


def contraction(x, y):
    return [dot_general(x, y, (((1,), (0,)), ((), ())))]


@pytest.mark.parametrize(("size", "kind"), [(2, "loops"), (16, "kernel")])
def test_small_contractions_are_fused(size, kind, rng):
    arrays = [rng.normal(size=(size, size)) for _ in range(2)]
    before = staged(contraction, *arrays)
    after = decompose(before)
    assert_equal_programs(before, after, arrays)
    assert [step.kind for step in cut(after).steps] == [kind]


def test_passes_reach_the_bodies_of_loops(rng):
    body = staged(lambda h, x: contraction(h, x), *[aval((2, 2), np.float64)] * 2)

    def f(h, xs):
        return scan_p(
            h, xs, jaxpr=body, length=3, reverse=False, num_consts=0, num_carry=1, unroll=1
        )

    before = staged(f, aval((2, 2), np.float64), aval((3, 2, 2), np.float64))
    after = everywhere(decompose, before)
    ((_, program),) = subjaxprs(after.eqns[0].params)
    assert isinstance(program.eqns[0].primitive.lower, Element)
    check_jaxpr(after)
    assert everywhere(decompose, after) is not before


# --- cut ------------------------------------------------------------------------------------------


def test_a_softmax_is_one_group():
    def f(x):
        shifted = exp(sub(x, broadcast_in_dim(reduce_sum(x, (1,)), x.shape, (0,))))
        return [mul(shifted, broadcast_in_dim(reduce_sum(shifted, (1,)), x.shape, (0,)))]

    assert len(fused(staged(f, aval((64, 100))))) == 1


def test_a_column_statistic_is_a_group_of_its_own():
    def f(x):
        return [sub(x, broadcast_in_dim(reduce_sum(x, (0,)), x.shape, (1,)))]

    assert [group[0] for group in fused(staged(f, aval((512, 512))))] == [
        "reduce_sum",
        "broadcast_in_dim",
    ]


def test_a_value_that_two_groups_read_is_computed_once():
    def f(x):
        y = exp(x)
        return [reduce_sum(y, (0,)), reduce_sum(y, (1,)), transpose(y, (1, 0))]

    groups = fused(staged(f, aval((300, 200))))
    assert sum(group.count("exp") for group in groups) == 1


def test_siblings_that_read_one_array_are_one_pass():
    def f(x, g):
        return [add(x, g), mul(g, g), sub(x, mul(g, g))]

    assert len(fused(staged(f, aval((1000,)), aval((1000,))))) == 1


def test_groups_are_bounded():
    def f(x):
        for _ in range(3 * LARGEST_GROUP):
            x = add(mul(x, x), x)
        return [x]

    sizes = [len(group) for group in fused(staged(f, aval((50,))))]
    assert 6 <= len(sizes) <= 12
    assert max(sizes) <= LARGEST_GROUP


def test_steps_compute_every_value_once_and_in_order(rng):
    arrays = [rng.normal(size=shape) for shape in NETWORK]
    block = cut(layout(inline(staged(network_gradient, *arrays))))
    known = set(block.in_vars)
    for step in block.steps:
        assert set(variables(step.inputs)) <= known
        if step.kind == "loops":
            check_jaxpr(step.jaxpr())
        assert not known & set(step.outputs)
        known |= set(step.outputs)
    assert set(variables(block.outs)) <= known


def test_a_program_of_many_windows_is_cut_in_proportion():
    """Windows of the cut are independent: values cross them through memory."""
    import fnx.compiler.passes.fuse as fuse

    def f(x):
        y = x
        for k in range(60):
            y = add(mul(y, x), adopt(np.float32(k)) if k % 2 else x)
        return [y]

    jaxpr = staged(f, aval(()))
    window, fuse.WINDOW = fuse.WINDOW, 16
    try:
        steps = cut(jaxpr).steps
    finally:
        fuse.WINDOW = window
    assert len(steps) == -(-len(jaxpr.eqns) // 16)


def test_schedule_keeps_dependencies_whatever_order_it_gets():
    jaxpr = staged(lambda x: [reduce_sum(exp(transpose(exp(x), (1, 0))), (0,))], aval((300, 300)))
    steps = [cut_step for cut_step in cut(jaxpr).steps]
    order = {eqn: k for k, eqn in enumerate(jaxpr.eqns)}
    assert schedule(steps[::-1], order) == steps


def test_outer_products_are_fused(rng):
    arrays = [rng.normal(size=(100, 1)), rng.normal(size=(1, 90))]
    before = staged(lambda x, y: [exp(contraction(x, y)[0])], *arrays)
    after = decompose(before)
    assert_equal_programs(before, after, arrays)
    assert [step.kind for step in cut(after).steps] == ["loops"]


@pytest.mark.parametrize("start", [-5, 0, 7, 40])
def test_small_updates_of_large_arrays_are_scatters(start, rng):
    def f(x, update, k):
        return [dynamic_update_slice(x, update, [k, k])]

    arrays = [rng.normal(size=(40, 30)), rng.normal(size=(2, 3)), np.array(start, np.int32)]
    before = staged(f, *arrays)
    after = decompose(before)
    assert "scatter" in names(after)
    assert_equal_programs(before, after, arrays)


def outputs(jaxpr):
    """The shapes that steps keep in memory."""
    return [var.aval.shape for step in cut(jaxpr).steps for var in step.outputs]


def test_broadcasts_are_not_kept_in_memory():
    def f(x, row):
        spread = broadcast_in_dim(exp(row), x.shape, (1,))
        return [reduce_sum(mul(x, spread), (1,)), reduce_sum(sub(x, spread), (0,))]

    assert sorted(outputs(staged(f, aval((300, 200)), aval((200,))))) == [(200,), (200,), (300,)]


def test_light_values_are_computed_again_where_their_operands_are_read_anyway():
    def f(x, y):
        z = sub(x, y)
        return [reduce_sum(mul(z, x), (0,)), reduce_sum(mul(z, y), (1,))]

    assert sorted(outputs(staged(f, aval((300, 200)), aval((300, 200))))) == [(200,), (300,)]


def test_the_statistics_of_rows_are_kept_by_the_loop_over_the_rows():
    def f(x):
        total = reduce_sum(exp(x), (1,))
        scaled = mul(exp(x), broadcast_in_dim(total, x.shape, (0,)))
        return [scaled, total]

    (step,) = cut(staged(f, aval((300, 200)))).steps
    assert {var.aval.shape for var in step.outputs} == {(300, 200), (300,)}
