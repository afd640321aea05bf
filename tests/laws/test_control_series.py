"""Taylor mode through every kind of control flow and custom rule, against closed forms to order 5.

Each case is a function that equals a function of mpmath by the mathematics of its loop, branch or
rule: a loop that multiplies is a power, a root is a root.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.experimental.jet import jet

ORDER = 5
POINT = 0.7


def coefficients(function: Callable[[Any], Any], x: float) -> list[float]:
    """Derivatives of order 1 to 5, by mpmath."""
    with mpmath.workdps(40):
        series = mpmath.taylor(function, mpmath.mpf(x), ORDER)
        return [float(c * mpmath.factorial(k)) for k, c in enumerate(series)][1:]


def power_scan(x: Any) -> Any:
    return lax.scan(lambda c, k: (c * x, c), jnp.ones_like(x), jnp.arange(4))[0]


def stacked_scan(x: Any) -> Any:
    ys = lax.scan(lambda c, k: (c * x, c * k), x, jnp.arange(4.0), reverse=True)[1]
    return jnp.sum(ys)  # 3 x + 2 x**2 + x**3


def blocked_scan(x: Any) -> Any:
    return lax.scan(lambda c, _: (jnp.sin(c), None), x, length=5, checkpoint=1)[0]


def scan_over_series(x: Any) -> Any:
    xs = x * jnp.arange(1.0, 4.0)
    return lax.scan(lambda c, a: (c * a, None), jnp.ones_like(x), xs)[0]  # 6 x**3


def power_while(x: Any) -> Any:
    return lax.while_loop(lambda c: c[0] < 5, lambda c: (c[0] + 1, c[1] * x), (0, 1.0 * x))[1]


def growing_while(x: Any) -> Any:
    return lax.while_loop(lambda c: c < 5.0, lambda c: c * (1.5 + x), x)  # three steps at 0.7


def power_fori(x: Any) -> Any:
    return lax.fori_loop(0, 6, lambda k, c: c * x + k, x)


def mapped(x: Any) -> Any:
    return jnp.sum(lax.map(lambda k: jnp.exp(k * x), jnp.arange(3.0)))


def branch(x: Any) -> Any:
    return lax.cond(x > 0, lambda x: jnp.sin(x) * x, lambda x: x, x)


def switched(x: Any) -> Any:
    return lax.switch(1, [jnp.sin, lambda x: jnp.exp(-x * x), jnp.cos], x)


def lanes(x: Any) -> Any:
    power = lambda n: lax.while_loop(  # noqa: E731
        lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * x), (0, 1.0 * x)
    )[1]
    return jnp.sum(fnx.vmap(power)(jnp.arange(4)))  # x + x**2 + x**3 + x**4


def branched_lanes(x: Any) -> Any:
    one = lambda k: lax.cond(k > 0, jnp.sin, lambda x: x * x, x)  # noqa: E731
    return jnp.sum(fnx.vmap(one)(jnp.arange(3)))


def checkpointed(x: Any) -> Any:
    return fnx.checkpoint(lambda x: jnp.exp(jnp.sin(x)))(x)


def compiled(x: Any) -> Any:
    return fnx.jit(lambda x: jnp.exp(x) / (1 + x))(x)


@fnx.custom_jvp
def forward_rule(x: Any) -> Any:
    return jnp.exp(x * x)


forward_rule.defjvp(lambda p, t: (forward_rule(*p), 2 * p[0] * forward_rule(*p) * t[0]))


@fnx.custom_vjp
def reverse_rule(x: Any) -> Any:
    return jnp.exp(x * x)


reverse_rule.defvjp(lambda x: (reverse_rule(x), x), lambda x, ct: (2 * x * reverse_rule(x) * ct,))


def solved(x: Any) -> Any:
    def solve(matvec: Any, b: Any) -> Any:
        return b / matvec(jnp.ones_like(b))

    return lax.custom_linear_solve(lambda v: (1 + x * x) * v, jnp.sin(x), solve, solve)


def root(x: Any) -> Any:
    def newton(f: Any, guess: Any) -> Any:
        step = lambda k, y: y - f(y) / (3 * y * y)  # noqa: E731
        return lax.fori_loop(0, 60, step, guess)

    tangent = lambda g, y: y / g(jnp.ones_like(y))  # noqa: E731
    return lax.custom_root(lambda y: y**3 - x, jnp.ones_like(x), newton, tangent)


CASES: list[tuple[Any, Any]] = [
    (power_scan, lambda x: x**4),
    (stacked_scan, lambda x: 3 * x + 2 * x**2 + x**3),
    (blocked_scan, lambda x: mpmath.sin(mpmath.sin(mpmath.sin(mpmath.sin(mpmath.sin(x)))))),
    (scan_over_series, lambda x: 6 * x**3),
    (power_while, lambda x: x**6),
    (growing_while, lambda x: x * (1.5 + x) ** 3),
    (power_fori, lambda x: x**7 + x**4 + 2 * x**3 + 3 * x**2 + 4 * x + 5),
    (mapped, lambda x: 1 + mpmath.exp(x) + mpmath.exp(2 * x)),
    (branch, lambda x: mpmath.sin(x) * x),
    (switched, lambda x: mpmath.exp(-x * x)),
    (lanes, lambda x: x + x**2 + x**3 + x**4),
    (branched_lanes, lambda x: x * x + 2 * mpmath.sin(x)),
    (checkpointed, lambda x: mpmath.exp(mpmath.sin(x))),
    (compiled, lambda x: mpmath.exp(x) / (1 + x)),
    (forward_rule, lambda x: mpmath.exp(x * x)),
    (reverse_rule, lambda x: mpmath.exp(x * x)),
    (solved, lambda x: mpmath.sin(x) / (1 + x * x)),
    (root, lambda x: mpmath.cbrt(x)),
]


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])
@pytest.mark.parametrize(
    ("function", "reference"), CASES, ids=[getattr(f, "__name__", "rule") for f, _ in CASES]
)
def test_series_to_order_five(wrap: Any, function: Any, reference: Any) -> None:
    one, zero = np.float64(1), np.float64(0)

    def along(x: Any) -> Any:
        return jet(function, (x,), ([one, *[zero] * (ORDER - 1)],))

    value, found = wrap(along)(np.float64(POINT))
    with mpmath.workdps(40):
        np.testing.assert_allclose(value, float(reference(mpmath.mpf(POINT))), rtol=1e-12)
    wanted = coefficients(reference, POINT)
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-10, atol=1e-12)


def test_series_of_a_callback_are_refused() -> None:
    def called(x: Any) -> Any:
        return fnx.pure_callback(np.sin, fnx.ShapeDtypeStruct((), np.float64), x)

    with pytest.raises(NotImplementedError, match=r"jet of `pure_callback`.*custom_jvp"):
        jet(called, (np.float64(POINT),), ([np.float64(1)],))
