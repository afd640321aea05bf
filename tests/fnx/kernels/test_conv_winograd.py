"""Winograd's algorithm: its matrices, its accuracy, its two schemes and its gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from fnx.kernels import conv_winograd
from fnx.kernels.calls import KernelPlan, Operand, Workspace, evaluate
from fnx.kernels.conv_winograd import Filter, Image, forward_calls, gradient_calls
from fnx.kernels.plan_runner import buffer
from fnx.kernels.winograd_points import POINTS, transforms, transposed


def plan_forward(
    operands: Sequence[Operand], results: Sequence[Operand], params: Mapping[str, Any]
) -> KernelPlan:
    space = Workspace()
    x, w, y = *operands, results[0]
    calls = forward_calls(
        Image(buffer(0), *x.shape), Filter(buffer(1), *w.strides), Image(buffer(2), *y.shape),
        params["pads"], params["tile"], space,
    )  # fmt: skip
    return KernelPlan(tuple(calls), space.size)


def plan_gradient(
    operands: Sequence[Operand], results: Sequence[Operand], params: Mapping[str, Any]
) -> KernelPlan:
    space = Workspace()
    x, y, w = *operands, results[0]
    calls = gradient_calls(
        Image(buffer(0), *x.shape), Image(buffer(1), *y.shape), Filter(buffer(2), *w.strides),
        params["pads"], params["tile"], space,
    )  # fmt: skip
    return KernelPlan(tuple(calls), space.size)


def padded(x: np.ndarray, pads: tuple[int, int], extents: tuple[int, int]) -> np.ndarray:
    """What the windows of an output of these extents see."""
    out = np.zeros((x.shape[0], extents[0] + 2, extents[1] + 2, x.shape[3]))
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            if 0 <= i - pads[0] < x.shape[1] and 0 <= j - pads[1] < x.shape[2]:
                out[:, i, j] = x[:, i - pads[0], j - pads[1]]
    return out


@pytest.mark.parametrize("size", POINTS)
def test_the_matrices_compute_a_correlation(rng: np.random.Generator, size: int) -> None:
    output, filters, inputs = (np.array(m) for m in transforms(size))
    g, d = rng.standard_normal(3), rng.standard_normal(size + 2)
    y = output @ ((filters @ g) * (inputs @ d))
    np.testing.assert_allclose(y, np.correlate(d, g, "valid"), rtol=1e-12, atol=1e-12)
    assert transposed(transposed([[1.0, 2.0]])) == [[1.0, 2.0]]


CASES = [  # batch, height, width, channels, kernels, pads, extents
    (1, 8, 8, 16, 32, (1, 1), (8, 8)),
    (2, 13, 9, 5, 7, (1, 1), (13, 9)),
    (1, 20, 17, 35, 70, (0, 0), (18, 15)),
    (1, 7, 7, 64, 48, (2, 1), (9, 7)),
    (2, 66, 68, 3, 20, (1, 1), (66, 68)),
    (1, 9, 9, 272, 272, (1, 1), (9, 9)),
]


@pytest.mark.parametrize("tile", [4, 2])
@pytest.mark.parametrize("few", [0, 10**9])
@pytest.mark.parametrize("case", CASES)
def test_forward_in_both_schemes(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, tile: int, few: int, case: tuple
) -> None:
    batch, height, width, channels, kernels, pads, extents = case
    monkeypatch.setattr(conv_winograd, "_FEW_TILES", few)
    x = rng.standard_normal((batch, height, width, channels)).astype(np.float32)
    w = rng.standard_normal((3, 3, channels, kernels)).astype(np.float32)
    seen = padded(x, pads, extents)
    expected = sum(
        seen[:, i : i + extents[0], j : j + extents[1]] @ w[i, j].astype(np.float64)
        for i in range(3)
        for j in range(3)
    )
    turned = np.ascontiguousarray(w.transpose(3, 2, 0, 1)).transpose(2, 3, 1, 0)
    bound = {4: 5e-6, 2: 1.5e-6}[tile] * abs(expected).max()
    for weights in (w, turned):
        y = np.full((batch, *extents, kernels), np.nan, np.float32)
        # The scheme is no parameter: two names for the same planner keep their plans apart.
        evaluate(lambda *a: plan_forward(*a), (x, weights), (y,), {"pads": pads, "tile": tile})
        assert abs(y - expected).max() <= bound


@pytest.mark.parametrize("tile", [4, 2])
@pytest.mark.parametrize("room", [0, 10**9])
@pytest.mark.parametrize("case", CASES)
def test_gradient_in_both_schemes(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, tile: int, room: int, case: tuple
) -> None:
    batch, height, width, channels, kernels, pads, extents = case
    monkeypatch.setattr(conv_winograd, "_ACCUMULATOR_FLOATS", room)
    x = rng.standard_normal((batch, height, width, channels)).astype(np.float32)
    y = rng.standard_normal((batch, *extents, kernels)).astype(np.float32)
    seen = padded(x, pads, extents)
    expected = np.zeros((3, 3, channels, kernels))
    for i in range(3):
        for j in range(3):
            part = seen[:, i : i + extents[0], j : j + extents[1]]
            expected[i, j] = np.tensordot(part, y.astype(np.float64), ([0, 1, 2], [0, 1, 2]))
    for shape, order in (((3, 3, channels, kernels), (0, 1, 2, 3)),
                         ((kernels, channels, 3, 3), (2, 3, 1, 0))):  # fmt: skip
        w = np.full(shape, np.nan, np.float32).transpose(order)
        evaluate(lambda *a: plan_gradient(*a), (x, y), (w,), {"pads": pads, "tile": tile})
        assert abs(w - expected).max() <= 5e-6 * abs(expected).max()


def test_small_images_have_small_tiles() -> None:
    assert conv_winograd.best_tile(Image(0, 1, 14, 14, 512)) == 2
    assert conv_winograd.best_tile(Image(0, 8, 28, 28, 512)) == 4
