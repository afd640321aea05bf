"""Stores JAX's results of reductions, contractions, convolutions and windows, in tests/fnx/data.

Run where jax==0.10.2 is (the extra `peers-jax`), from the root of the repository::

    python -m tests.support.make_jax_contractions
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.support.contraction_cases import CONVOLUTIONS, DOTS, WINDOWS, values

DATA = Path(__file__).parents[1] / "fnx" / "data"

NAN = float("nan")
INF = float("inf")


def stored(value: Any) -> dict[str, Any]:
    """Shape, dtype and elements, the latter as text that keeps NaN and the sign of zero."""
    array = np.asarray(value)
    return {
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "elements": [repr(x) for x in array.ravel().tolist()],
    }


def with_gradients(function: Any, *operands: Any) -> list[Any]:
    """The result, and the gradients of its product with fixed numbers."""
    out = function(*operands)
    weights = jnp.asarray(values(out.shape, 9))
    loss = lambda *xs: (function(*xs) * weights).sum()  # noqa: E731
    gradients = jax.grad(loss, tuple(range(len(operands))))(*operands)
    return [stored(out), *[stored(g) for g in gradients]]


def contractions() -> dict[str, Any]:
    """Results and gradients of dot_general and conv_general_dilated."""
    dots = [
        with_gradients(
            lambda x, y, d=dimensions: lax.dot_general(x, y, d),
            jnp.asarray(values(left, 1)),
            jnp.asarray(values(right, 2)),
        )
        for left, right, dimensions in DOTS
    ]
    convolutions = [
        with_gradients(
            lambda x, w, p=params: lax.conv_general_dilated(x, w, **p),
            jnp.asarray(values(left, 1)),
            jnp.asarray(values(right, 2)),
        )
        for left, right, params in CONVOLUTIONS
    ]
    return {"dots": dots, "convolutions": convolutions}


def windows() -> dict[str, Any]:
    """Results of window reductions, and gradients of sums and of max where JAX has them."""
    result: dict[str, Any] = {"sum": [], "max": [], "min": []}
    starts = {"sum": 0.0, "max": -INF, "min": INF}
    functions = {"sum": lax.add, "max": lax.max, "min": lax.min}
    for shape, window, strides, padding, base, spacing in WINDOWS:
        x = jnp.asarray(values(shape, 3))
        for name, function in functions.items():

            def reduce(x: Any, name: str = name, function: Any = function, case: Any = None) -> Any:
                window, strides, padding, base, spacing = case
                return lax.reduce_window(
                    x, starts[name], function, window, strides, padding, base, spacing
                )

            case = (window, strides, padding, base, spacing)
            result[name].append(stored(reduce(x, case=case)))
    ties = jnp.asarray([[1.0, 1.0, 0.0, 2.0], [1.0, 2.0, 2.0, 0.0]])
    pooled = lambda x: lax.reduce_window(x, -INF, lax.max, (1, 2), (1, 2), "VALID")  # noqa: E731
    result["gradient with ties"] = stored(jax.grad(lambda x: pooled(x).sum())(ties))
    return result


def reductions() -> dict[str, Any]:
    """Edge cases: NaN, ties, zeros, signed zeros."""
    special = jnp.asarray([1.0, NAN, -INF, 3.0, NAN, INF])
    ties = jnp.asarray([[2.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
    zeros = jnp.asarray([[2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [1.0, 2.0, 3.0]])
    return {
        "max of NaN": stored(special.max()),
        "argmax of NaN": stored(lax.argmax(special, 0, np.int32)),
        "argmin of NaN": stored(lax.argmin(special, 0, np.int32)),
        "argmax of ties": stored(lax.argmax(ties, 1, np.int32)),
        "max gradient with ties": stored(jax.grad(lambda x: x.max(1).sum())(ties)),
        "max gradient with NaN": stored(jax.grad(lambda x: x.max())(special)),
        "prod gradient": stored(jax.grad(lambda x: x.prod(1).sum())(zeros)),
        "prod second derivative": stored(jax.hessian(lambda x: x.prod())(zeros[0])),
        "sort": stored(lax.sort(special)),
        "sort along": [
            stored(v)
            for v in lax.sort((jnp.asarray([1, 0, 1, 0]), jnp.asarray([0.0, 1.0, -1.0, NAN])),
                              num_keys=2)
        ],
        "top_k": [stored(v) for v in lax.top_k(jnp.asarray([[3.0, 1.0, 3.0, INF, -INF]]), 4)],
        "cummax Jacobian": stored(jax.jacfwd(lambda x: lax.cummax(x, 0))(jnp.ones(3))),
        "cumlogsumexp": stored(lax.cumlogsumexp(jnp.asarray([-INF, -INF, 1.0, 2.0, INF]), 0)),
        "cumprod Jacobian": stored(jax.jacfwd(lambda x: lax.cumprod(x, 0))(zeros[0])),
        "cumlogsumexp Jacobian": stored(
            jax.jacfwd(lambda x: lax.cumlogsumexp(x, 0, reverse=True))(zeros[2])
        ),
        "int8 sum": stored(lax.cumsum(jnp.asarray([100, 100, 100], jnp.int8))),
    }  # fmt: skip


def main() -> None:
    """Write the file."""
    with jax.enable_x64(True):
        results = {**contractions(), "windows": windows(), "reductions": reductions()}
    path = DATA / "jax_contractions.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
