"""Nested derivatives stay small and right: the contract on ``tanh(sin(x) * exp(-x*x))``.

JAX 0.10.2 has 20, 64, 176, 465, 1236, 3353, 9292 equations at the orders 1 to 7.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.primitives.arithmetic import mul, neg
from fnx.primitives.exponential import exp
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.trigonometric import sin, tanh
from fnx.transforms.grad import grad

ORDERS, LARGEST, GROWTH = 7, 2100, 2.25


def scalar(x):
    """The function of the contract."""
    return tanh(mul(sin(x), exp(neg(mul(x, x)))))


def summed(function):
    """Its sum over a vector, to differentiate again."""
    return lambda x: reduce_sum(function(x), (0,))


def derivatives(shape: tuple[int, ...]) -> list[Jaxpr]:
    """The simplified programs of the derivatives of order 1 to ORDERS."""
    function = summed(scalar) if shape else scalar
    kind, programs = ShapedArray(shape, np.dtype(np.float64)), []
    for _ in range(ORDERS):
        slope = grad(function)
        jaxpr, _ = stage(lambda x, slope=slope: [slope(x)], [kind], "derivative")
        programs.append(simplify(jaxpr))
        function = summed(slope) if shape else slope
    return programs


@pytest.fixture(scope="module", params=[(), (5,)], ids=["scalar", "vector"])
def programs(request) -> list[Jaxpr]:
    return derivatives(request.param)


def test_size(programs, record_property):
    sizes = [len(p.eqns) for p in programs]
    growth = (sizes[-1] / sizes[0]) ** (1 / (ORDERS - 1))
    record_property("equations", sizes)
    print(f"equations per order: {sizes}, mean growth {growth:.4f}")
    assert sizes[-1] <= LARGEST
    assert growth <= GROWTH


def test_values(programs):
    (variable,) = programs[0].in_vars
    x = np.array([0.3, -1.1, 0.9, 0.05, 2.0])[: variable.aval.size].reshape(variable.aval.shape)

    def exact(t):
        return mpmath.tanh(mpmath.sin(t) * mpmath.exp(-t * t))

    with mpmath.workdps(60):
        table = [mpmath.taylor(exact, mpmath.mpf(v), ORDERS) for v in x.ravel()]
        for order, program in enumerate(programs, 1):
            (got,) = eval_jaxpr(program, as_array(x))
            wanted = [float(row[order] * mpmath.factorial(order)) for row in table]
            np.testing.assert_allclose(got._data.ravel(), wanted, rtol=1e-9)
