"""while_loop: values, carries, reverse mode of unknown length, lanes of their own length."""

from __future__ import annotations

import functools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fnx
import fnx.control.while_loop as while_module
import fnx.numpy as jnp
from fnx import lax
from fnx.core.check import check_jaxpr
from fnx.errors import LoopBoundError

WRAPS = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])


def grown(x: Any, limit: Any = 10.0) -> Any:
    """x, multiplied by sin(x) + 2 until it passes the limit."""
    return lax.while_loop(lambda c: c < limit, lambda c: c * (jnp.sin(x) + 2.0), x)


def in_python(x: float, limit: float = 10.0) -> tuple[float, int]:
    c, n = x, 0
    while c < limit:
        c, n = c * (np.sin(x) + 2.0), n + 1
    return c, n


@WRAPS
@pytest.mark.parametrize("x", [0.7, 3.0, 12.0])
def test_values_and_derivatives(wrap: Any, x: float) -> None:
    value, n = in_python(x)
    a = np.sin(x) + 2.0
    slope = a**n + x * n * a ** (n - 1) * np.cos(x) if n else 1.0
    point = np.float64(x)
    np.testing.assert_allclose(wrap(grown)(point), value, rtol=1e-12)
    np.testing.assert_allclose(wrap(fnx.grad(grown))(point), slope, rtol=1e-12)
    np.testing.assert_allclose(wrap(fnx.jacfwd(grown))(point), slope, rtol=1e-12)
    second = wrap(fnx.grad(fnx.grad(grown)))(point)
    np.testing.assert_allclose(second, fnx.jacfwd(fnx.jacfwd(grown))(point), rtol=1e-11, atol=1e-12)


@WRAPS
def test_lanes_have_their_own_length(wrap: Any) -> None:
    x = np.array([0.7, 3.0, 12.0, 0.1])
    wanted = [in_python(v)[0] for v in x]
    np.testing.assert_allclose(wrap(fnx.vmap(grown))(x), wanted, rtol=1e-12)
    slopes = [float(fnx.grad(grown)(v)) for v in x]
    np.testing.assert_allclose(wrap(fnx.vmap(fnx.grad(grown)))(x), slopes, rtol=1e-12)
    limits = wrap(fnx.vmap(grown, (None, 0)))(np.float64(0.7), np.array([1.0, 50.0]))
    np.testing.assert_allclose(limits, [in_python(0.7, v)[0] for v in (1.0, 50.0)], rtol=1e-12)


@WRAPS
def test_unmapped_predicates_stay_in_step(wrap: Any) -> None:
    def counted(x: Any) -> Any:
        return lax.while_loop(lambda c: c[0] < 4, lambda c: (c[0] + 1, jnp.sin(c[1])), (0, x))

    x = np.array([0.5, 1.0])
    n, out = wrap(fnx.vmap(counted, out_axes=(None, 0)))(x)
    assert int(n) == 4
    np.testing.assert_allclose(out, np.sin(np.sin(np.sin(np.sin(x)))), rtol=1e-12)


@WRAPS
def test_carries(wrap: Any) -> None:
    body = lambda c: {"n": c["n"] + 1, "x": (c["x"][0] * 2,)}  # noqa: E731
    start = {"n": 0, "x": (1.0,)}
    out = wrap(lambda: lax.while_loop(lambda c: c["n"] < 3, body, start))()
    assert int(out["n"]) == 3 and float(out["x"][0]) == 8 and out["n"].weak_type
    assert float(wrap(lambda x: lax.while_loop(lambda c: False, lambda c: c, x))(2.0)) == 2
    widened = wrap(lambda: lax.while_loop(lambda x: x < 10, lambda x: x * 2.5, 1))()
    assert widened.dtype == np.float32 and float(widened) == 15.625
    strong = wrap(lambda: lax.while_loop(lambda x: x < 10, lambda x: x * np.float32(2), 1.0))()
    assert not strong.weak_type


@pytest.mark.parametrize(
    ("predicate", "body", "init", "words"),
    [
        (
            lambda x: x.sum() < 9,
            lambda x: jnp.concatenate([x, x]),
            np.ones(1),
            r"f64\[1\] on input and f64\[2\]",
        ),
        (lambda x: x < 9, lambda x: x.astype("int32"), np.float32(1), "astype"),
        (lambda x: x < 9, lambda x: jnp.int32(3), 1.5, r"~f32\[\] on input and i32\[\] on output"),
        (lambda x: x < 9, lambda x: x > 0, 1.5, "bool"),
        (lambda c: c[0] < 9, lambda c: [c[0] + 1], (1,), "structure"),
        (lambda c: c["w"] < 9, lambda c: {"w": c["w"] * 1j}, {"w": np.float32(1)}, r"carry\['w'\]"),
        (lambda x: x, lambda x: x - 1, 3.0, r"boolean scalar, it gave ~f32\[\]"),
        (lambda x: x < 2, lambda x: x + 1, np.zeros(2), r"boolean scalar, it gave bool\[2\]"),
        (lambda x: (x < 2,), lambda x: x + 1, 0, "boolean scalar"),
        (lambda x: x < 2, lambda x: x + 1 if x > 0 else x, 0, "lax.cond"),
        (lambda x: x < 2, lambda x: x, "text", "str"),
        (3, lambda x: x, 0, "expected a function"),
    ],
)
def test_errors(predicate: Any, body: Any, init: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        lax.while_loop(predicate, body, init)


def test_reverse_mode_of_a_long_loop_of_unknown_length() -> None:
    def long(x: Any) -> Any:
        state = lax.while_loop(lambda c: c[0] < 300, lambda c: (c[0] + 1, c[1] * x), (0, 1.0 * x))
        return state[1]

    x = np.float64(1.001)
    for wrap in (lambda f: f, fnx.jit):
        np.testing.assert_allclose(wrap(fnx.grad(long))(x), 301 * x**300, rtol=1e-12)


def test_programs_are_well_formed() -> None:
    for function in (fnx.grad(grown), fnx.vmap(grown), fnx.jacfwd(grown)):
        argument = np.float64(1) if function is not None else None
        try:
            jaxpr = fnx.jit(function).trace(argument).jaxpr.jaxpr
        except ValueError:  # vmap wants an axis
            jaxpr = fnx.jit(function).trace(np.ones(2)).jaxpr.jaxpr
        check_jaxpr(jaxpr)


@WRAPS
def test_newton_is_differentiated_through(wrap: Any) -> None:
    def root(a: Any) -> Any:
        return lax.while_loop(
            lambda x: jnp.abs(x * x - a) > 1e-12, lambda x: 0.5 * (x + a / x), jnp.maximum(a, 1.0)
        )

    a = np.float64(2)
    np.testing.assert_allclose(wrap(root)(a), np.sqrt(2), rtol=1e-12)
    np.testing.assert_allclose(wrap(fnx.grad(root))(a), 0.5 / np.sqrt(2), rtol=1e-6)
    np.testing.assert_allclose(
        wrap(fnx.vmap(fnx.grad(root)))(np.array([2.0, 9.0])), [0.5 / np.sqrt(2), 1 / 6], rtol=1e-6
    )


# ----------------------------------------------------------------- derivatives of any trip count

ORDER = 3


class Taylor:
    """A cubic in t, for derivatives of the unrolled loop: NumPy and recurrences only."""

    def __init__(self, terms: Any) -> None:
        self.terms = np.asarray(terms, float)

    def __add__(self, other: Any) -> Taylor:
        return Taylor(self.terms + _terms(other))

    def __mul__(self, other: Any) -> Taylor:
        return Taylor(np.convolve(self.terms, _terms(other))[: ORDER + 1])

    __radd__, __rmul__ = __add__, __mul__


def _terms(value: Any) -> np.ndarray:
    return value.terms if isinstance(value, Taylor) else np.array([value, 0.0, 0.0, 0.0])


def sine(x: Any) -> Any:
    """Of a cubic: s' = x' c, c' = -x' s; of an array: its own."""
    if not isinstance(x, Taylor):
        return jnp.sin(x)
    s, c = np.zeros(ORDER + 1), np.zeros(ORDER + 1)
    s[0], c[0] = np.sin(x.terms[0]), np.cos(x.terms[0])
    for k in range(1, ORDER + 1):
        slopes = [j * x.terms[j] for j in range(1, k + 1)]
        s[k] = sum(d * c[k - j] for j, d in enumerate(slopes, 1)) / k
        c[k] = -sum(d * s[k - j] for j, d in enumerate(slopes, 1)) / k
    return Taylor(s)


BODIES: dict[str, Any] = {
    "product": lambda a, b, x: (a * x, b),
    "wave": lambda a, b, x: (sine(a) * x + 0.5 * a, b),
    "pair": lambda a, b, x: (b * x + 0.1, sine(a)),
}


def repeated(body: str) -> Any:
    """The loop of a body, run n times from (x, 0.5 x)."""

    def function(x: Any, n: Any) -> Any:
        def step(state: Any) -> Any:
            return state[0] + 1, *BODIES[body](state[1], state[2], x)

        _, a, b = lax.while_loop(lambda s: s[0] < n, step, (0, 1.0 * x, 0.5 * x))
        return a + b

    return function


def unrolled(body: str, x: float, n: int) -> np.ndarray:
    """Derivatives of order 0 to 3 of the same, step by step."""
    start = Taylor([x, 1.0, 0.0, 0.0])
    a, b = 1.0 * start, 0.5 * start
    for _ in range(n):
        a, b = BODIES[body](a, b, start)
    return (a + b).terms * [1.0, 1.0, 2.0, 6.0]


@functools.cache
def derivatives(body: str, compiled: bool) -> Any:
    """Functions of (x, n): the loop and its derivatives by reverse mode."""
    functions = [repeated(body)]
    for _ in range(ORDER):
        functions.append(fnx.grad(functions[-1]))
    return [fnx.jit(f) if compiled else f for f in functions]


TRIPS = st.sampled_from([0, 1, 2, 127, 128, 129]) | st.integers(0, 400)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@settings(max_examples=12)
@given(body=st.sampled_from(sorted(BODIES)), n=TRIPS, x=st.floats(0.3, 0.9))
def test_any_number_of_steps_equals_the_unrolled_loop(
    compiled: bool, body: str, n: int, x: float
) -> None:
    wanted = unrolled(body, x, n)
    found = [float(f(np.float64(x), np.int32(n))) for f in derivatives(body, compiled)]
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12 * scale)


@pytest.mark.parametrize(
    "transform",
    [
        fnx.grad,
        lambda f: fnx.grad(fnx.grad(f)),
        lambda f: lambda x, n: fnx.vmap(fnx.grad(f), (0, None))(jnp.stack([x, x]), n)[0],
        lambda f: lambda x, n: fnx.vmap(fnx.grad(f))(jnp.stack([x, x]), jnp.stack([n - 1, n]))[1],
        lambda f: lambda x, n: lax.fori_loop(0, 2, lambda k, _: fnx.grad(f)(x, n), x),
    ],
    ids=["grad", "second", "unmapped lanes", "lanes", "in a loop"],
)
def test_loops_beyond_the_bound_raise(monkeypatch: pytest.MonkeyPatch, transform: Any) -> None:
    monkeypatch.setattr(while_module, "WIDTH", 3)
    monkeypatch.setattr(while_module, "DEPTH", 2)
    x, run = np.float64(0.7), fnx.jit(transform(repeated("product")))
    closed = transform(lambda x, n: x ** (n + 1.0) + 0.5 * x)
    for n in (0, 1, 3, 4, 9):
        np.testing.assert_allclose(run(x, np.int32(n)), closed(x, np.int32(n)), rtol=1e-12)
    for n in (10, 1000):
        with pytest.raises(LoopBoundError, match=r"while of step: .* more than 9 steps.*jacfwd"):
            run(x, np.int32(n))
    np.testing.assert_allclose(run(x, np.int32(2)), closed(x, np.int32(2)), rtol=1e-12)


MILLION = """
import fnx, fnx.numpy as jnp, numpy as np
from fnx import lax

def loop(x, n):
    step = lambda s: (s[0] + 1, jnp.sin(s[1]) * x + s[1] * 0.5)
    return lax.while_loop(lambda s: s[0] < n, step, (0, x))[1]

first, second = fnx.grad(loop), fnx.grad(fnx.grad(loop))
for f in (first, second, fnx.jit(first)):
    assert np.isfinite(f(np.float64(0.7), np.int32(1_000_000)))
# Not getrusage: its maximum begins with the parent's.
(peak,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(peak.split()[1]) // 1024)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_million_steps_take_little_memory() -> None:
    found = subprocess.run(
        [sys.executable, "-c", MILLION], capture_output=True, text=True, check=True, timeout=100
    )
    assert int(found.stdout) < 200  # MiB of the whole process


# --------------------------------------------------------------------------------------- lanes


@WRAPS
def test_a_branch_that_no_lane_takes_may_never_end(wrap: Any) -> None:
    def endless(x: Any) -> Any:
        return lax.while_loop(lambda c: c[0] < 1.0, lambda c: (0.0 * c[0], c[1]), (0.0 * x, x))[1]

    def function(p: Any, x: Any) -> Any:
        return lax.cond(p, endless, lambda x: 2.0 * x, x)

    x = np.arange(3.0)
    off = np.zeros(3, bool)
    np.testing.assert_array_equal(wrap(fnx.vmap(function))(off, x), 2 * x)
    np.testing.assert_array_equal(wrap(fnx.vmap(fnx.grad(function, 1)))(off, x), 2 * np.ones(3))


@WRAPS
def test_a_lane_runs_as_often_as_it_needs_to(wrap: Any) -> None:
    calls = []

    def noted(x: Any) -> np.ndarray:
        calls.append(1)
        return np.asarray(x) * 2

    def function(x: Any) -> Any:
        kind = fnx.ShapeDtypeStruct((), x.dtype)

        def double(x: Any) -> Any:
            return fnx.pure_callback(noted, kind, x, vmap_method="sequential")

        return lax.while_loop(lambda x: x < 100, double, x)

    found = wrap(fnx.vmap(function))(np.array([1.0, 200.0, 60.0, 300.0]))
    np.testing.assert_array_equal(found, [128, 200, 120, 300])
    assert len(calls) == 8  # seven and one


@WRAPS
def test_lanes_of_lanes_and_every_transform_of_them(wrap: Any) -> None:
    limit, x = np.array([5.0, 50.0, 0.1]), np.array([0.7, 1.3])

    def one(transform: Any, x: float, limit: float) -> Any:
        return transform(lambda x: grown(x, limit))(np.float64(x))

    for transform in (lambda f: f, fnx.grad, fnx.jacfwd, lambda f: fnx.grad(fnx.grad(f))):
        wanted = [[one(transform, v, w) for w in limit] for v in x]
        lane = lambda x, w, t=transform: t(lambda x: grown(x, w))(x)  # noqa: E731
        found = wrap(fnx.vmap(fnx.vmap(lane, (None, 0)), (0, None)))(x, limit)
        np.testing.assert_allclose(found, wanted, rtol=1e-9)
        pairs = wrap(fnx.vmap(lane))(x, limit[:2])
        np.testing.assert_allclose(pairs, np.diag(np.array(wanted)[:, :2]), rtol=1e-9)


def test_lanes_of_random_lengths_are_a_python_loop() -> None:
    rng = np.random.default_rng(0)
    x, n = rng.uniform(0.3, 0.9, 20), rng.integers(0, 30, 20).astype(np.int32)
    for body in BODIES:
        function = repeated(body)
        for k, f in enumerate((function, fnx.grad(function))):
            wanted = [unrolled(body, *p)[k] for p in zip(x, n, strict=True)]
            np.testing.assert_allclose(fnx.jit(fnx.vmap(f))(x, n), wanted, rtol=1e-9)
