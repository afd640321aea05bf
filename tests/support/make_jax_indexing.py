"""Stores what JAX answers to the cases of indexing_cases.py, in tests/fnx/data.

Run where jax==0.10.2 is (the extra `peers-jax`), from the root of the repository::

    python -m tests.support.make_jax_indexing
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.support.indexing_cases import SCATTERS, Case, cases, unique_cases

PATH = Path(__file__).parents[1] / "fnx" / "data" / "jax_indexing.json"


def listed(value: Any) -> list[Any]:
    """The elements in row-major order; JSON has no NaN."""
    return [None if e != e else e for e in np.asarray(value).ravel().tolist()]


def weights(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """What results are multiplied by before they are summed, for gradients."""
    return np.arange(1.0, 1.0 + int(np.prod(shape))).reshape(shape)


def gathered(case: Case, fill: Any = None) -> Any:
    """gather's result."""
    return lax.gather(
        jnp.asarray(case.operand),
        case.indices,
        lax.GatherDimensionNumbers(*case.numbers),
        case.sizes,
        mode=case.mode,
        fill_value=fill,
    )


def scattered(name: str, case: Case) -> dict[str, Any]:
    """A scatter's result, and gradients where JAX has them (right).

    It has none for scatter_mul with indices that may repeat, and in mode "clip" it gives infinities
    for scatter_min and scatter_max: its rule forgets the mode.
    """
    numbers = lax.ScatterDimensionNumbers(*case.numbers)

    def function(x: Any, updates: Any) -> Any:
        return getattr(lax, name)(x, case.indices, updates, numbers, mode=case.mode)

    x, updates = jnp.asarray(case.operand), jnp.asarray(case.updates)
    answer = {"out": listed(function(x, updates))}
    forgetful = name in ("scatter_min", "scatter_max") and case.mode == "clip"
    if case.operand.dtype.kind == "f" and name != "scatter_mul" and not forgetful:

        def weighted(x: Any, updates: Any) -> Any:
            return jnp.sum(function(x, updates) * weights(x.shape))

        gradients = jax.grad(weighted, (0, 1))(x, updates)
        answer["gradients"] = [listed(g) for g in gradients]
    return answer


def applied(case: Case) -> list[Any]:
    """What scatter_apply gives; JAX has no derivative of it."""
    out = lax.scatter_apply(
        jnp.asarray(case.operand),
        case.indices,
        lambda x: 3 * x + 1,
        lax.ScatterDimensionNumbers(*case.numbers),
        update_shape=case.updates.shape,
        mode=case.mode,
    )
    return listed(out)


def promised(name: str, case: Case) -> dict[str, Any]:
    """A scatter's result and gradients, with the promises that the indices keep."""
    numbers = lax.ScatterDimensionNumbers(*case.numbers)
    promises = {"mode": case.mode, "unique_indices": True, "indices_are_sorted": True}

    def function(x: Any, updates: Any) -> Any:
        return getattr(lax, name)(x, case.indices, updates, numbers, **promises)

    x, updates = jnp.asarray(case.operand), jnp.asarray(case.updates)
    answer = {"out": listed(function(x, updates))}
    if case.mode == "clip" and name in ("scatter_min", "scatter_max"):
        return answer  # forgetful, see `scattered`

    def weighted(x: Any, updates: Any) -> Any:
        return jnp.sum(function(x, updates) * weights(x.shape))

    answer["gradients"] = [listed(g) for g in jax.grad(weighted, (0, 1))(x, updates)]
    return answer


def main() -> None:
    """Write the file."""
    jax.config.update("jax_enable_x64", True)
    answers: dict[str, Any] = {}
    for dtype in ("float64", "int32"):
        answers[dtype] = [
            {
                "gather": listed(gathered(case)),
                "scatter_apply": applied(case),
                **{name: scattered(name, case) for name in SCATTERS},
            }
            for case in cases(dtype)
        ]
    answers["promises"] = [
        {name: promised(name, case) for name in (*SCATTERS, "scatter_sub")}
        for case in unique_cases("float64")
    ]
    fills = ("bool", "int8", "uint16", "int64", "float32", "complex64")
    answers["fill values"] = {}
    for dtype in fills:
        out = lax.gather(
            jnp.zeros(3, dtype),
            jnp.array([[7]]),
            lax.GatherDimensionNumbers((), (0,), (0,)),
            (1,),
            mode="fill",
        )
        answers["fill values"][dtype] = str(np.asarray(out)[0])
    PATH.write_text(json.dumps(answers, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
