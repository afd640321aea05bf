"""The named kernels: what a primitive's ``Kernel(name)`` refers to.

``KERNELS[name]`` is a planner: from the operands' and results' shapes, strides and dtypes and the
primitive's parameters to a `KernelPlan`.  Written here, once.  Read next: calls.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from fnx.kernels import contraction, conv, copying, gemm, scatter, sort, windows
from fnx.kernels.calls import Planner, evaluate

__all__ = ["KERNELS", "run"]

KERNELS: Mapping[str, Planner] = MappingProxyType(
    {
        "conv_general_dilated": conv.plan,
        "copy": copying.plan,
        "dot_general": contraction.plan,
        "matmul": gemm.plan,
        "scatter": scatter.planner("set"),
        "scatter_add": scatter.planner("add"),
        "scatter_max": scatter.planner("max"),
        "scatter_min": scatter.planner("min"),
        "scatter_mul": scatter.planner("mul"),
        "select_and_scatter_add": windows.plan_scatter,
        "sort": sort.plan,
    }
)


def run(
    name: str,
    operands: Sequence[np.ndarray],
    results: Sequence[tuple[tuple[int, ...], Any]],
    params: Mapping[str, Any],
) -> list[np.ndarray]:
    """Run a named kernel on ndarrays at once.

    Parameters
    ----------
    name : str
        A key of `KERNELS`.
    operands : sequence of ndarray
        The operands, contiguous unless the kernel's planner says otherwise.
    results : sequence of (shape, dtype)
        What the results are.
    params : mapping
        The parameters of the primitive, hashable.

    Examples
    --------
    >>> import numpy as np
    >>> from fnx.kernels.registry import run
    >>> x = np.ones((1, 2, 3), np.float32)
    >>> run("matmul", (x, x.transpose(0, 2, 1)), [((1, 2, 2), np.float32)], {})[0]
    array([[[3., 3.],
            [3., 3.]]], dtype=float32)
    """
    if name not in KERNELS:
        raise KeyError(f"kernels: no kernel {name!r}; there are {', '.join(sorted(KERNELS))}")
    made = [np.empty(shape, dtype) for shape, dtype in results]
    evaluate(KERNELS[name], operands, made, params)
    return made
