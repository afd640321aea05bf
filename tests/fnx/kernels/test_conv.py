"""conv_general_dilated against its definition: every parameter, every layout, every kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fnx.kernels import conv, threads
from fnx.kernels.calls import Operand
from fnx.kernels.registry import run
from tests.fnx.kernels.references import convolution

NHWC = ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
NCHW = ((0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3))
SAME = {"padding": ((1, 1), (1, 1))}
UNEVEN = {"padding": ((2, 0), (-1, 3))}
ACCURATE = {"precision": ("highest", "highest")}
TOLERANCE = {
    "float32": 3e-6, "float64": 1e-14, "float16": 1e-3, "bfloat16": 8e-3, "complex64": 3e-6,
}  # fmt: skip


def parameters(rank: int = 2, **changes: Any) -> dict[str, Any]:
    params: dict[str, Any] = {
        "window_strides": (1,) * rank,
        "padding": ((0, 0),) * rank,
        "lhs_dilation": (1,) * rank,
        "rhs_dilation": (1,) * rank,
        "dimension_numbers": NHWC,
        "feature_group_count": 1,
        "batch_group_count": 1,
        "precision": None,
        "preferred_element_type": None,
    }
    return {**params, **changes}


def check(x: np.ndarray, w: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    expected = convolution(x, w, params)
    out = run("conv_general_dilated", (x, w), [(expected.shape, x.dtype)], params)[0]
    if x.dtype.kind in "bi":
        expected = expected > 0 if x.dtype == bool else expected.astype(x.dtype)
        np.testing.assert_array_equal(out, expected)
    elif out.size:
        error = abs(out.astype(expected.dtype) - expected).max()
        assert error <= TOLERANCE[x.dtype.name] * max(1, abs(expected).max())
    return out


def random_case(rng: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...], dict]:
    """Shapes of x and w and parameters, anything that conv_general_dilated may be asked."""
    rank = int(rng.integers(1, 4))
    groups = int(rng.choice([1, 1, 2, 3]))
    features, batches = (groups, 1) if rng.random() < 0.5 else (1, groups)
    channels, kernels = int(rng.choice([1, 2, 8, 17])), int(rng.choice([1, 2, 16, 33]))
    batch = int(rng.integers(1, 4))
    window, size = rng.integers(1, 5, rank), rng.integers(1, 12, rank)
    if rng.random() < 0.3:  # the window of a weight gradient
        window, size = rng.integers(3, 9, rank), rng.integers(5, 11, rank)
    orders = [tuple(int(k) for k in rng.permutation(rank + 2)) for _ in range(3)]
    params = parameters(
        rank,
        window_strides=tuple(int(k) for k in rng.integers(1, 4, rank)),
        lhs_dilation=tuple(int(k) for k in rng.integers(1, 4, rank)),
        rhs_dilation=tuple(int(k) for k in rng.integers(1, 4, rank)),
        padding=tuple((int(a), int(b)) for a, b in rng.integers(-1, 4, (rank, 2))),
        dimension_numbers=tuple(orders),
        feature_group_count=features,
        batch_group_count=batches,
    )
    x_shape, w_shape = [0] * (rank + 2), [0] * (rank + 2)
    for axis, n in zip(orders[0], (batch * batches, channels * features, *size), strict=True):
        x_shape[axis] = int(n)
    for axis, n in zip(orders[1], (kernels * groups, channels, *window), strict=True):
        w_shape[axis] = int(n)
    return tuple(x_shape), tuple(w_shape), params


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_parameters(rng: np.random.Generator, dtype: str) -> None:
    for _ in range(150):
        x_shape, w_shape, params = random_case(rng)
        check(
            rng.standard_normal(x_shape).astype(dtype),
            rng.standard_normal(w_shape).astype(dtype),
            params,
        )


@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64", "float16", "bfloat16"])
def test_other_dtypes(rng: np.random.Generator, dtype: str) -> None:
    for _ in range(15):
        x_shape, w_shape, params = random_case(rng)
        x, w = 2 * rng.standard_normal(x_shape), 2 * rng.standard_normal(w_shape)
        if dtype == "complex64":
            x, w = x + 1j * rng.standard_normal(x_shape), w * (1 - 1j)
        check(x.astype(np.dtype(dtype)), w.astype(np.dtype(dtype)), params)


@pytest.mark.parametrize(
    "name, x_shape, w_shape, changes, kernel",
    [
        ("winograd", (2, 13, 18, 20), (3, 3, 20, 40), SAME, "winograd"),
        ("no padding", (1, 20, 17, 35), (3, 3, 35, 70), {}, "winograd"),
        ("uneven padding", (1, 11, 9, 16), (3, 3, 16, 16), UNEVEN, "winograd"),
        ("many channels", (1, 8, 8, 272), (3, 3, 272, 48), SAME, "winograd"),
        ("an image", (1, 9, 9, 3), (3, 3, 3, 32), SAME, "winograd"),
        ("many tiles", (3, 70, 50, 16), (3, 3, 16, 32), SAME, "winograd"),
        ("accurate", (1, 9, 9, 16), (3, 3, 16, 16), ACCURATE, "patches"),
        ("strided", (2, 15, 15, 16), (3, 3, 16, 32), {"window_strides": (2, 2)}, "patches"),
        ("large window", (1, 40, 40, 3), (7, 7, 3, 64), {"window_strides": (2, 2)}, "patches"),
        ("pointwise", (2, 9, 9, 24), (1, 1, 24, 40), {}, "product"),
        ("depthwise", (2, 12, 12, 20), (3, 3, 1, 20), {"feature_group_count": 20}, "depthwise"),
        ("groups", (2, 9, 9, 24), (3, 3, 8, 33), {"feature_group_count": 3}, "patches"),
        ("one output", (2, 9, 9, 4), (3, 3, 4, 1), {}, "generic"),
        ("few outputs", (2, 9, 9, 17), (3, 3, 17, 3), SAME, "few"),
        ("few outputs, groups", (1, 9, 9, 34), (3, 3, 17, 10), {"feature_group_count": 2}, "few"),
    ],
)  # fmt: skip
def test_the_kernel_that_is_chosen_and_its_result(
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    changes: dict[str, Any],
    kernel: str,
) -> None:
    chosen, choose = [], conv.choose

    def recorded(*arguments: Any, **options: Any) -> str:
        chosen.append(choose(*arguments, **options))
        return chosen[-1]

    monkeypatch.setattr(conv, "choose", recorded)
    x = rng.standard_normal(x_shape).astype(np.float32)
    w = rng.standard_normal(w_shape).astype(np.float32)
    first = check(x, w, parameters(**changes))
    assert chosen == [kernel]
    before = threads.threads()
    try:
        for count in (1, 3):
            threads.set_threads(count)
            np.testing.assert_array_equal(check(x, w, parameters(**changes)), first)
    finally:
        threads.set_threads(before)


@pytest.mark.parametrize("size, stride, window", [(20, 1, 3), (21, 2, 3), (23, 2, 7), (17, 3, 4)])
@pytest.mark.parametrize("layout", [NHWC, NCHW])
def test_both_gradients_as_lax_writes_them(
    rng: np.random.Generator, size: int, stride: int, window: int, layout: Any
) -> None:
    x = rng.standard_normal((2, size, size, 16)).astype(np.float32)
    w = rng.standard_normal((window, window, 16, 32)).astype(np.float32)
    if layout is NCHW:
        x, w = (np.ascontiguousarray(a) for a in (x.transpose(0, 3, 1, 2), w.transpose(3, 2, 0, 1)))
    low = window // 2
    params = parameters(
        window_strides=(stride, stride),
        padding=((low, low), (low, low)),
        dimension_numbers=layout,
    )
    y = check(x, w, params)
    out = y.shape[1] if layout is NHWC else y.shape[2]
    lhs, rhs, result = layout
    first = window - 1 - low
    last = size + window - 1 - ((out - 1) * stride + 1) - first
    spatial = rhs[2:]
    check(
        y,
        np.ascontiguousarray(np.flip(w, spatial)),
        parameters(
            padding=((first, last),) * 2,
            lhs_dilation=(stride, stride),
            dimension_numbers=(result, (rhs[1], rhs[0], *spatial), lhs),
        ),
    )
    after = (window - 1) + (out - 1) * stride + 1 - size - low
    check(
        x,
        y,
        parameters(
            padding=((low, after),) * 2,
            rhs_dilation=(stride, stride),
            dimension_numbers=(
                (lhs[1], lhs[0], *lhs[2:]),
                (result[1], result[0], *result[2:]),
                (rhs[1], rhs[0], *rhs[2:]),
            ),
        ),
    )


def test_the_gradient_of_depthwise_weights(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 11, 9, 20)).astype(np.float32)
    ct = rng.standard_normal((2, 6, 5, 20)).astype(np.float32)
    params = parameters(
        padding=((1, 1), (1, 1)),
        rhs_dilation=(2, 2),
        dimension_numbers=((3, 0, 1, 2), (3, 0, 1, 2), (2, 3, 0, 1)),
        batch_group_count=20,
    )
    out = check(x, ct, params)
    assert out.shape == (3, 3, 1, 20)


@pytest.mark.parametrize("shape", [(0, 5, 5, 3), (2, 5, 5, 0), (1, 1, 5, 3), (2, 0, 5, 3)])
def test_empty_things(shape: tuple[int, ...]) -> None:
    x, w = np.ones(shape, np.float32), np.ones((2, 2, shape[3], 4), np.float32)
    check(x, w, parameters())
    check(x, w, parameters(padding=((2, 1), (1, 1)), lhs_dilation=(2, 1)))


def test_four_spatial_axes_are_refused() -> None:
    params = parameters(4, dimension_numbers=((0, 1, 2, 3, 4, 5),) * 3)
    x = Operand.contiguous((1, 1, 2, 2, 2, 2), np.float32)
    with pytest.raises(NotImplementedError, match="4 spatial axes"):
        conv.plan((x, x), (x,), params)
