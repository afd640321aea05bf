"""Executables: fresh results, threads, donated inputs, steps in Python, and what they tell."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import fnx
from fnx.compiler import pipeline
from fnx.compiler.pipeline import compile_jaxpr
from fnx.compiler.program import LARGE_ARENA
from fnx.control.cond import cond_p
from fnx.control.scan import scan_p
from fnx.control.while_loop import while_p
from fnx.core.array import adopt
from fnx.core.lowering import Host
from fnx.core.primitive import Primitive, Undefined
from fnx.core.types import Effect, ShapedArray
from fnx.errors import KernelError
from fnx.primitives.arithmetic import add, mul, neg
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import lt
from fnx.primitives.exponential import exp
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.shaping import broadcast_in_dim, rev, transpose
from tests.support.staged_programs import assert_same, aval, evaluated, staged

_SEEN: list[np.ndarray] = []


def _keep(x):
    _SEEN.append(x)
    return x + 1


def _unregistered(name, **slots):
    """A primitive for these tests only: without a sampler it is not in the registry."""
    return Primitive(name, jvp=Undefined("a test"), vmap=Undefined("a test"), **slots)


solve = _unregistered(
    "host_solve",
    infer=lambda a, b: b,
    evaluate=lambda a, b: np.linalg.solve(a, b),
    lower=Host("LAPACK"),
)
keep = _unregistered(
    "host_keep",
    infer=lambda x: x,
    evaluate=_keep,
    lower=Host("a callback"),
    effects=lambda params: frozenset([Effect("keep")]),
)
liar = _unregistered(
    "host_liar", infer=lambda x: x, evaluate=lambda x: x[:1], lower=Host("wrong type")
)


def test_results_are_fresh_and_writeable(rng):
    x = rng.normal(size=5)
    executable = compile_jaxpr(staged(lambda x: [exp(x)], x))
    (first,), (second,) = executable([x]), executable([x])
    first[:] = 0
    assert_same(second, np.exp(x))
    assert second.flags.owndata


def test_wrong_arrays_are_refused(rng):
    executable = compile_jaxpr(staged(lambda x, y: [add(x, y)], aval((3,)), aval((3,))))
    x = np.zeros(3, np.float32)
    with pytest.raises(KernelError, match=r"takes 2 arrays, got 1"):
        executable([x])
    with pytest.raises(KernelError, match=r"array 1 is f32\[4\].*compiled for f32\[3\]"):
        executable([x, np.zeros(4, np.float32)])
    with pytest.raises(KernelError, match=r"array 0 is f64\[3\]"):
        executable([np.zeros(3), x])
    with pytest.raises(KernelError, match=r"array 0"):
        executable([x.astype(">f4"), x])


@pytest.mark.parametrize("side", [40, 1200])
def test_many_threads_at_once(side, rng):
    """Each call has memory of its own, whether the arena is small or shared."""

    def f(x):
        y = transpose(exp(x), (1, 0))
        return [transpose(add(rev(y, (0,)), y), (1, 0)), reduce_sum(y, (0,))]

    jaxpr = staged(f, aval((side, side)))
    executable = compile_jaxpr(jaxpr)
    assert (executable.explain().arena_bytes >= LARGE_ARENA) == (side == 1200)
    inputs = [rng.normal(size=(side, side)).astype(np.float32) for _ in range(4)]
    wanted = [evaluated(jaxpr, [x]) for x in inputs]
    failures = []

    def work(k):
        try:
            for _ in range(10 if side == 40 else 2):
                for got, expected in zip(executable([inputs[k]]), wanted[k], strict=True):
                    assert_same(got, expected, scale=10)
        except AssertionError as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_donated_inputs_become_results(rng):
    def step(p, g):
        return [add(p, mul(g, g)), reduce_sum(g, (0,))]

    p, g = rng.normal(size=(2, 1000))
    jaxpr = staged(step, p, g)
    wanted = evaluated(jaxpr, [p, g])
    executable = compile_jaxpr(jaxpr, donated=(0,))
    given = p.copy()
    results = executable([given, g])
    assert results[0] is given
    for got, expected in zip(results, wanted, strict=True):
        assert_same(got, expected, scale=10)


def test_a_donated_input_that_is_read_later_is_not_overwritten(rng):
    def step(p):
        y = reduce_sum(exp(p), (0,))
        return [rev(p, (0,)), add(broadcast_in_dim(y, p.shape, ()), p)]

    p = rng.normal(size=100)
    jaxpr = staged(step, p)
    wanted = evaluated(jaxpr, [p])
    for got, expected in zip(compile_jaxpr(jaxpr, donated=(0,))([p.copy()]), wanted, strict=True):
        assert_same(got, expected, scale=10)


# --- steps in Python ------------------------------------------------------------------------------


def test_a_host_step_splits_the_program(rng):
    def f(a, b):
        return [exp(solve(add(a, a), transpose(b, (1, 0)))), mul(b, b)]

    a, b = rng.normal(size=(4, 4)) + 5 * np.eye(4), rng.normal(size=(2, 4))
    jaxpr = staged(f, a, b)
    executable = compile_jaxpr(jaxpr)
    for got, expected in zip(executable([a, b]), evaluated(jaxpr, [a, b]), strict=True):
        assert_same(got, expected)
    explanation = executable.explain()
    assert explanation.python_calls_between_kernels == 1
    assert explanation.native_segments == 2
    assert [s.kernel for s in explanation.host_steps] == ["LAPACK"]
    assert "in Python: host_solve: LAPACK" in str(explanation)


def test_effects_keep_their_order_and_their_arrays(rng):
    def f(x):
        first = keep(exp(x))
        second = keep(mul(first, first))
        return [add(second, first)]

    x = rng.normal(size=3)
    jaxpr = staged(f, x)
    executable = compile_jaxpr(jaxpr)
    _SEEN.clear()
    executable([x])
    (result,) = executable([2 * x])
    first = np.exp(2 * x) + 1
    assert_same(result, first * first + 1 + first)
    assert len(_SEEN) == 4
    assert_same(_SEEN[0], np.exp(x))
    assert_same(_SEEN[2], np.exp(2 * x))


def test_effects_keep_their_order_where_groups_could_be_merged(rng):
    def f(x):
        first = keep(mul(x, x))
        second = keep(x)
        return [keep(add(second, second)), first]  # no group of both: it waits, the first doesn't

    x = rng.normal(size=3)
    _SEEN.clear()
    compile_jaxpr(staged(f, x))([x])
    for seen, wanted in zip(_SEEN, (x * x, x, 2 * x + 2), strict=True):
        assert_same(seen, wanted)


def test_a_host_step_with_another_type_than_its_rule_says():
    executable = compile_jaxpr(staged(lambda x: [liar(x)], aval((3,))))
    with pytest.raises(KernelError, match=r"result 0 .* f32\[1\], its rule said f32\[3\]"):
        executable([np.zeros(3, np.float32)])


def test_loops_around_host_steps_are_driven_by_python(rng):
    a = rng.normal(size=(3, 3)) + 4 * np.eye(3)
    body = staged(lambda a, h, x: [solve(a, add(h, x)), h], a, aval((3,), np.float64), a[0])
    one = aval((3,), np.float64)
    limit = adopt(np.float64(1e-3))
    above = staged(lambda h: [lt(limit, reduce_sum(mul(h, h), (0,)))], one)
    shrink = staged(lambda a, h: [solve(a, h)], a, one)
    branches = (staged(lambda a, h: [solve(a, h)], a, one), staged(lambda a, h: [h], a, one))

    def f(a, h, xs, i):
        h, ys = scan_p(
            a, h, xs, jaxpr=body, length=4, reverse=True, num_consts=1, num_carry=1, unroll=1
        )
        (k,) = while_p(
            a,
            reduce_sum(xs, (0,)),
            cond_jaxpr=above,
            body_jaxpr=shrink,
            cond_nconsts=0,
            body_nconsts=1,
        )
        return [h, ys, k, *cond_p(i, a, h, branches=branches)]

    arrays = [a, 8 * rng.normal(size=3), rng.normal(size=(4, 3))]
    for index in (0, 1):
        given = [*arrays, np.array(index, np.int32)]
        jaxpr = staged(f, *given)
        executable = compile_jaxpr(jaxpr)
        for got, expected in zip(executable(given), evaluated(jaxpr, given), strict=True):
            assert_same(got, expected, scale=10)
        assert executable.explain().python_calls_between_kernels == 3


# --- what it tells --------------------------------------------------------------------------------


def test_explain_names_what_runs_and_where_it_was_written(rng):
    x = rng.normal(size=(30, 40))
    executable = compile_jaxpr(staged(lambda x: [exp(neg(x))], x))
    explanation = executable.explain()
    (step,) = explanation.steps
    assert step.kind == "loops"
    assert step.primitives == ("neg", "exp")
    assert "test_executable.py" in step.sources[0]
    assert (step.bytes, step.flops) == (2 * x.nbytes, 2 * x.size)
    assert explanation.python_calls_between_kernels == 0
    assert explanation.native_segments == 1
    assert dict(explanation)["steps"] == explanation.steps == explanation["steps"]
    with pytest.raises(KeyError, match="no field 'stepps'"):
        explanation["stepps"]
    assert "1 native calls, 0 Python calls between kernels" in str(explanation)


def test_checks_between_passes(monkeypatch, rng):
    """With `enable_checks`, a pass that breaks a program is found where it breaks it."""
    from fnx.config import enable_checks
    from fnx.core.jaxpr import Jaxpr
    from fnx.errors import JaxprTypeError

    def broken(jaxpr):
        return Jaxpr(jaxpr.in_vars, jaxpr.eqns[1:], jaxpr.outs)

    monkeypatch.setattr(pipeline, "layout", broken)
    jaxpr = staged(lambda x: [exp(add(x, x))], aval((3,)))
    with enable_checks(True), pytest.raises(JaxprTypeError, match="layout"):
        pipeline.prepare(jaxpr)


def test_types_in_messages_are_those_of_printed_programs():
    assert repr(ShapedArray((2,), np.dtype(np.float32))) == "f32[2]"


def test_constants_of_different_dtypes_are_different_kernels():
    for constant in (np.float32(2.5), np.int32(2), np.int64(3)):

        def scaled(x, value=constant):
            return x * convert_element_type(adopt(np.array(value)), np.float64)

        found = fnx.jit(scaled)(np.array([3.0, 4.0]))
        np.testing.assert_array_equal(found, [3 * constant, 4 * constant])
