"""Reductions, contractions, convolutions and windows against results that JAX computed.

tests/support/make_jax_contractions.py made the stored results from the cases in
contraction_cases.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives.arithmetic import mul
from fnx.primitives.contraction import dot_general
from fnx.primitives.convolution import conv_general_dilated
from fnx.primitives.cumulative import cumlogsumexp, cummax, cumprod, cumsum
from fnx.primitives.nonlinear_reductions import reduce_max, reduce_prod
from fnx.primitives.reductions import argmax, argmin, reduce_sum
from fnx.primitives.sorting import sort, top_k
from fnx.primitives.windows import reduce_window_max, reduce_window_min, reduce_window_sum
from fnx.transforms.grad import grad
from fnx.transforms.jacobian import hessian, jacfwd
from tests.support.contraction_cases import CONVOLUTIONS, DOTS, WINDOWS, values

PATH = Path(__file__).parents[1] / "data" / "jax_contractions.json"
STORED = json.loads(PATH.read_text(encoding="utf-8"))
REDUCED = STORED["reductions"]
NAN, INF = float("nan"), float("inf")


def expected(entry):
    words = {"nan": NAN, "inf": INF, "-inf": -INF, "True": True, "False": False}
    elements = [words.get(t) if t in words else float(t) for t in entry["elements"]]
    return np.array(elements, entry["dtype"]).reshape(entry["shape"])


def agree(out, entry, rtol=1e-12):
    out = np.asarray(out)
    assert out.dtype.name == entry["dtype"]
    np.testing.assert_allclose(out, expected(entry), rtol=rtol, atol=1e-14)


def total(x):
    return reduce_sum(x, tuple(range(x.ndim)))


def agree_with_gradients(function, operands, entries):
    out = function(*operands)
    agree(out, entries[0])
    weights = as_array(values(out.shape, 9))
    gradients = grad(lambda *xs: total(mul(function(*xs), weights)), (0, 1))(*operands)
    for gradient, entry in zip(gradients, entries[1:], strict=True):
        agree(gradient, entry)


@pytest.mark.parametrize("k", range(len(DOTS)))
def test_dot_general(k):
    left, right, dimensions = DOTS[k]
    operands = as_array(values(left, 1)), as_array(values(right, 2))
    agree_with_gradients(lambda x, y: dot_general(x, y, dimensions), operands, STORED["dots"][k])


@pytest.mark.parametrize("k", range(len(CONVOLUTIONS)))
def test_conv_general_dilated(k):
    left, right, params = CONVOLUTIONS[k]
    operands = as_array(values(left, 1)), as_array(values(right, 2))
    agree_with_gradients(
        lambda x, w: conv_general_dilated(x, w, **params), operands, STORED["convolutions"][k]
    )


@pytest.mark.parametrize("name", ["sum", "max", "min"])
@pytest.mark.parametrize("k", range(len(WINDOWS)))
def test_reduce_window(name, k):
    functions = {"sum": reduce_window_sum, "max": reduce_window_max, "min": reduce_window_min}
    shape, *params = WINDOWS[k]
    agree(functions[name](as_array(values(shape, 3)), *params), STORED["windows"][name][k])


def test_gradient_of_window_max_takes_the_first_of_equals():
    ties = as_array(np.array([[1.0, 1.0, 0.0, 2.0], [1.0, 2.0, 2.0, 0.0]]))
    out = grad(lambda x: total(reduce_window_max(x, (1, 2), (1, 2))))(ties)
    agree(out, STORED["windows"]["gradient with ties"])


def test_reductions():
    special = as_array(np.array([1.0, NAN, -INF, 3.0, NAN, INF]))
    ties = as_array(np.array([[2.0, 1.0, 2.0], [0.0, 0.0, 0.0]]))
    zeros = as_array(np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [1.0, 2.0, 3.0]]))
    first = as_array(np.asarray(zeros)[0])
    agree(reduce_max(special, (0,)), REDUCED["max of NaN"])
    agree(argmax(special, 0), REDUCED["argmax of NaN"])
    agree(argmin(special, 0), REDUCED["argmin of NaN"])
    agree(argmax(ties, 1), REDUCED["argmax of ties"])
    agree(grad(lambda x: total(reduce_max(x, (1,))))(ties), REDUCED["max gradient with ties"])
    agree(grad(lambda x: reduce_max(x, (0,)))(special), REDUCED["max gradient with NaN"])
    agree(grad(lambda x: total(reduce_prod(x, (1,))))(zeros), REDUCED["prod gradient"])
    agree(hessian(lambda x: reduce_prod(x, (0,)))(first), REDUCED["prod second derivative"])


def test_sorting():
    special = as_array(np.array([1.0, NAN, -INF, 3.0, NAN, INF]))
    agree(sort(special), REDUCED["sort"])
    keys = as_array(np.array([1, 0, 1, 0]))
    along = sort((keys, as_array(np.array([0.0, 1.0, -1.0, NAN]))), num_keys=2)
    for out, entry in zip(along, REDUCED["sort along"], strict=True):
        agree(out, entry)
    found = top_k(as_array(np.array([[3.0, 1.0, 3.0, INF, -INF]])), 4)
    for out, entry in zip(found, REDUCED["top_k"], strict=True):
        agree(out, entry)


def test_running_reductions():
    agree(jacfwd(cummax)(as_array(np.ones(3))), REDUCED["cummax Jacobian"])
    infinite = as_array(np.array([-INF, -INF, 1.0, 2.0, INF]))
    agree(cumlogsumexp(infinite), REDUCED["cumlogsumexp"])
    agree(jacfwd(cumprod)(as_array(np.array([2.0, 0.0, 3.0]))), REDUCED["cumprod Jacobian"])
    x = as_array(np.array([1.0, 2.0, 3.0]))
    backward = jacfwd(lambda x: cumlogsumexp(x, 0, True))(x)
    agree(backward, REDUCED["cumlogsumexp Jacobian"])
    agree(cumsum(as_array(np.full(3, 100, np.int8))), REDUCED["int8 sum"])
