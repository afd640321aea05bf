"""The named kernels: what a primitive's ``Kernel(name)`` refers to.

``KERNELS[name]`` is a planner: from the operands' and results' shapes, strides and dtypes and the
primitive's parameters to a `KernelPlan`.  Written here, once.  Read next: calls.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fnx.kernels import contraction, conv, copying, gemm, scatter, sort, windows
from fnx.kernels.calls import Planner

__all__ = ["KERNELS"]

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
