"""The compiler from end to end: compiled programs give what their equations give one by one."""

from __future__ import annotations

import numpy as np
import pytest

from fnx.compiler.pipeline import compile_jaxpr
from fnx.control.cond import cond_p
from fnx.control.scan import scan_p
from fnx.control.while_loop import while_p
from fnx.core.array import adopt
from fnx.core.primitive import Primitive, Undefined, registry
from fnx.errors import CompilationError
from fnx.primitives.arithmetic import add, mul, neg, sub
from fnx.primitives.comparison import lt, select
from fnx.primitives.dynamic_slicing import dynamic_slice, dynamic_update_slice
from fnx.primitives.exponential import exp
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.shaping import broadcast_in_dim, reshape, rev, transpose
from tests.support.staged_programs import assert_same, aval, evaluated, staged


def check(jaxpr, *arrays, scale=1.0):
    """Compile, run twice (memory of the first run must not matter), compare with evaluation."""
    executable = compile_jaxpr(jaxpr)
    wanted = evaluated(jaxpr, arrays)
    for _ in range(2):
        for got, expected in zip(executable(arrays), wanted, strict=True):
            assert_same(got, expected, scale)
    return executable


# --- programs -------------------------------------------------------------------------------------


def softmax(x):
    total = reduce_sum(x, (1,))
    shifted = exp(sub(x, broadcast_in_dim(total, x.shape, (0,))))
    return [mul(shifted, broadcast_in_dim(reduce_sum(shifted, (1,)), x.shape, (0,)))]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 1), (5, 7), (64, 33), (3, 5000)])
def test_reductions_with_what_surrounds_them(shape, rng):
    x = rng.uniform(-0.01, 0.01, shape)
    check(staged(softmax, x), x)


@pytest.mark.parametrize("size", [1, 3, 100_000])
def test_full_reduction_then_elementwise(size, rng):
    def normalised(x):
        return [mul(x, broadcast_in_dim(reduce_sum(mul(x, x), (0,)), x.shape, ()))]

    x = rng.normal(size=size)
    check(staged(normalised, x), x, scale=size**0.5)


def test_results_that_are_inputs_literals_or_equal(rng):
    def f(x, y):
        z = mul(x, y)
        return [x, z, z, adopt(np.float32(2.5)), reshape(z, (3, 2)), y]

    x, y = rng.normal(size=(2, 2, 3)).astype(np.float32)
    jaxpr = staged(f, x, y)
    results = check(jaxpr, x, y)([x, y])
    owners = {r.ctypes.data for r in results} | {x.ctypes.data, y.ctypes.data}
    assert len(owners) == len(results) + 2, "results must be fresh arrays"


def test_a_program_without_equations():
    x = np.arange(3.0)
    check(staged(lambda x: [x], x), x)
    assert compile_jaxpr(staged(lambda: []))([]) == []


def test_reshapes_cost_nothing_between_kernels(rng):
    def f(x):
        rows = reduce_sum(x, (0,))
        return [reduce_sum(reshape(rows, (4, 500)), (0,))]

    x = rng.normal(size=(40, 2000))
    executable = check(staged(f, x), x)
    kinds = [step.kind for step in executable.explain().steps]
    assert "host" not in kinds


def filled(number, shape):
    return broadcast_in_dim(adopt(np.float64(number)), shape, ())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_zeros_of_both_signs_are_two_constants(dtype):
    """They are equal numbers: whatever keeps constants by value gives one for the other."""

    def f(x):
        zeros = [broadcast_in_dim(adopt(dtype(z)), x.shape, ()) for z in (-0.0, 0.0, -0.0)]
        return [mul(x, z) for z in zeros] + [select(lt(x, zeros[1]), *zeros[:2])]

    x = np.array([1.0, -1.0, 2.0], dtype)
    jaxpr = staged(f, x)
    for got, wanted in zip(compile_jaxpr(jaxpr)([x]), evaluated(jaxpr, [x]), strict=True):
        np.testing.assert_array_equal(np.signbit(got), np.signbit(wanted))


@pytest.mark.parametrize("seed", range(8))
def test_values_that_many_others_read(seed):
    """Groups must not depend on each other in a circle, whatever reads what."""
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, 1 << 20, (120, 2)).tolist()

    def f(x, y):
        values = [x, y, transpose(y, (1, 0)), rev(x, (0,))]
        rows = [reduce_sum(x, (0,))]
        for k, (first, second) in enumerate(picks):
            a, b = values[first % len(values)], values[second % len(values)]
            if k % 7 == 0:
                rows.append(mul(reduce_sum(a, (k % 2,)), filled(0.1, (8,))))
                values.append(broadcast_in_dim(rows[-1], a.shape, (k % 2,)))
            elif k % 11 == 0:
                values.append(transpose(a, (1, 0)))
            else:
                values.append([add, sub, mul][k % 3](a, mul(b, filled(0.3, b.shape))))
        return [values[-1], values[60], rows[-1], rows[3]]

    x, y = rng.normal(size=(2, 8, 8))
    check(staged(f, x, y), x, y, scale=1e3)


def test_a_long_chain_of_scalars_is_few_kernels(rng):
    def f(x):
        y = x
        for k in range(300):
            y = add(mul(y, adopt(np.float64(0.5 + k / 1000))), neg(x))
        return [y]

    executable = check(staged(f, aval((), np.float64)), np.array(0.7))
    assert len(executable.explain().steps) == 1


def test_non_contiguous_and_unaligned_arrays(rng):
    x = rng.normal(size=(6, 8)).astype(np.float32)
    raw = np.zeros(6 * 8 * 4 + 1, np.uint8)
    unaligned = raw[1:].view(np.float32).reshape(6, 8)
    unaligned[:] = x
    jaxpr = staged(lambda x: [exp(x)], x)
    (wanted,) = evaluated(jaxpr, [x])
    executable = compile_jaxpr(jaxpr)
    for array in (np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], unaligned):
        assert_same(executable([array])[0], wanted)


# --- control flow ---------------------------------------------------------------------------------


def scan(body, length, *, consts=(), carry=(), xs=(), reverse=False):
    slices = [aval(x.shape[1:], x.dtype) for x in xs]
    jaxpr = staged(body, *consts, *carry, *slices)

    def f(*arrays):
        return scan_p(
            *arrays, jaxpr=jaxpr, length=length, reverse=reverse, num_consts=len(consts),
            num_carry=len(carry), unroll=1,
        )  # fmt: skip

    return staged(f, *consts, *carry, *xs), (*consts, *carry, *xs)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [0, 1, 7])
def test_scan(length, reverse, rng):
    def body(c, h, k, x):
        new = add(mul(h, c), x)
        return [new, add(k, h), mul(new, x), k]

    c, h, k = rng.normal(size=(3, 4))
    jaxpr, arrays = scan(
        body, length, consts=[c], carry=[h, k], xs=[rng.normal(size=(length, 4))], reverse=reverse
    )
    executable = check(jaxpr, *arrays)
    assert executable.explain().python_calls_between_kernels == 0


def test_scan_whose_carries_change_places():
    jaxpr, arrays = scan(
        lambda a, b, c: [b, c, a, add(a, b)], 5, carry=[np.array(k, np.float32) for k in range(3)]
    )
    check(jaxpr, *arrays)


def test_scan_with_a_carry_that_is_read_after_its_successor_is_made(rng):
    def body(h, k):
        new = reduce_sum(mul(h, broadcast_in_dim(k, h.shape, ())), (0,))
        return [rev(mul(h, broadcast_in_dim(new, h.shape, ())), (0,)), mul(new, filled(0.1, ()))]

    jaxpr, arrays = scan(body, 4, carry=[rng.normal(size=5), np.array(0.3)])
    check(jaxpr, *arrays, scale=100)


def test_scans_in_scans_move_in_both(rng):
    inner = staged(lambda h, x: [mul(h, x), add(h, x)], aval(()), aval(()))

    def outer(h, xs):
        return scan_p(
            h, xs, jaxpr=inner, length=3, reverse=True, num_consts=0, num_carry=1, unroll=1
        )

    xs = rng.normal(size=(4, 3)).astype(np.float32)
    jaxpr, arrays = scan(outer, 4, carry=[np.array(1.5, np.float32)], xs=[xs])
    check(jaxpr, *arrays)


def test_while_with_constants_on_both_sides(rng):
    n, d, x = np.array(6, np.int32), rng.normal(size=5), rng.normal(size=5)
    i = np.array(0, np.int32)
    one = adopt(np.int32(1))
    predicate = staged(lambda n, i, x: [lt(i, n)], n, i, x)
    body = staged(lambda d, i, x: [add(i, one), mul(x, d)], d, i, x)

    def f(n, d, i, x):
        return while_p(
            n, d, i, x, cond_jaxpr=predicate, body_jaxpr=body, cond_nconsts=1, body_nconsts=1
        )

    jaxpr = staged(f, n, d, i, x)
    check(jaxpr, n, d, i, x)
    check(jaxpr, np.array(0, np.int32), d, i, x)


@pytest.mark.parametrize("index", [-3, 0, 1, 2, 9])
def test_cond_clamps_its_index(index, rng):
    x, y = rng.normal(size=(2, 3))
    branches = tuple(
        staged(branch, x, y)
        for branch in (lambda x, y: [add(x, y), x], lambda x, y: [y, x], lambda x, y: [x, x])
    )
    jaxpr = staged(lambda i, x, y: cond_p(i, x, y, branches=branches), aval((), np.int32), x, y)
    check(jaxpr, np.array(index, np.int32), x, y)


def test_cond_in_a_scan_over_its_index(rng):
    h = rng.normal(size=3)
    branches = tuple(staged(op, h, h) for op in (lambda x, y: [add(x, y)], lambda x, y: [x]))
    jaxpr, arrays = scan(
        lambda h, i: [*cond_p(i, h, mul(h, h), branches=branches)],
        6,
        carry=[h],
        xs=[np.array([0, 1, 1, 0, 5, 0], np.int32)],
    )
    check(jaxpr, *arrays)


def filling(size, read_first):
    """A loop that sets one element of a large carry in each iteration."""
    one = adopt(np.int32(1))

    def body(x, k):
        old = dynamic_slice(x, [k], (1,))
        new = dynamic_update_slice(x, add(old, old), [add(k, one)])
        if read_first:
            return [new, reduce_sum(x, (0,))]
        return [new, reduce_sum(new, (0,))]

    return body


@pytest.mark.parametrize("read_first", [False, True])
def test_a_loop_changes_a_large_carry_in_place(read_first, rng):
    x = rng.normal(size=1000)
    ks = np.array([5, 6, 7, 900, -3, 2000], np.int32)
    jaxpr, arrays = scan(filling(1000, read_first), 6, carry=[x], xs=[ks])
    executable = check(jaxpr, *arrays, scale=100)
    assert executable.explain().arena_bytes < x.nbytes, "the carry is not copied"


def test_a_loop_whose_result_also_has_the_old_carry_copies_it(rng):
    x = rng.normal(size=1000)

    def body(x, k):
        return [
            dynamic_update_slice(x, dynamic_slice(x, [k], (2,)), [add(k, k)]),
            reshape(x, (20, 50)),
        ]

    jaxpr, arrays = scan(body, 3, carry=[x], xs=[np.array([5, 6, 7], np.int32)])
    check(jaxpr, *arrays)


def test_scatter_keeps_an_operand_that_is_read_later(rng):
    def f(x, k):
        y = mul(x, x)
        z = dynamic_update_slice(y, dynamic_slice(x, [k], (1,)), [k])
        return [z, sub(z, y)]

    x = rng.normal(size=1000)
    check(staged(f, x, aval((), np.int32)), x, np.array(3, np.int32))


# --- errors ---------------------------------------------------------------------------------------


def test_a_primitive_that_is_not_lowered_is_an_error(monkeypatch):
    names = dict(registry)
    unlowered = Primitive(
        "unlowered_for_a_test",
        infer=lambda x: x,
        evaluate=lambda x: x,
        jvp=Undefined("a test"),
        vmap=Undefined("a test"),
        lower=Undefined("a test"),
    )
    registry.clear()
    registry.update(names)
    with pytest.raises(CompilationError, match=r"`unlowered_for_a_test`.*lower slot"):
        compile_jaxpr(staged(lambda x: [unlowered(x)], aval((3,))))
