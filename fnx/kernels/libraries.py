"""The named kernels' code: which functions there are, and their addresses once loaded.

A kernel's name is ``"library:variant/symbol"``, for instance ``"gemm:float32/multiply"``.  The
library is a module of fnx.kernels.source (Numba functions on raw addresses), the variant is what
its ``entries(variant)`` is called with.  A function is compiled when it is first wanted and the
store does not have it; otherwise neither the module nor Numba is imported.
Read next: native.py, source/.
"""

from __future__ import annotations

import functools
import importlib

from fnx.kernels import native

__all__ = ["address", "code_addresses"]

# What a library exports, and the modules beside its own whose text decides its code.
_SYMBOLS: dict[str, tuple[str, ...]] = {
    "copying": ("copy", "transpose"),
    "gemm": ("pack", "multiply", "multiply_rows", "multiply_dots"),
    "generic_gemm": ("multiply",),
    "conv_gemm": ("forward", "forward_few", "gradient", "finish_gradient"),
    "conv_direct": ("generic", "depthwise", "depthwise_gradient"),
    "scatter": ("scatter",),
    "sort": ("sort",),
    "windows": ("scatter",),
    "winograd": (
        "transform_weights",
        "fused",
        "transform_tiles",
        "multiply",
        "accumulate",
        "transform_pairs",
        "multiply_pairs",
        "finish_gradient",
    ),
}
_SHARED = ("intrinsics", "vectors", "linear_transform", "conv_gemm")
_BELOW = ("blocking", "pool_code", "sort", "windows", "winograd_points")


def address(name: str) -> int:
    """The address of a kernel function by its name, ``"library:variant/symbol"``."""
    return _function(name).address(name.partition("/")[2])


def code_addresses(names: set[str] | frozenset[str]) -> dict[str, int]:
    """The addresses of several functions: what `PlanTemplate.bind` takes."""
    return {name: address(name) for name in names}


@functools.cache
def _function(name: str) -> native.NativeModule:
    """The loaded code of one function; it stays loaded."""
    path, _, symbol = name.partition("/")
    library, _, variant = path.partition(":")
    if symbol not in _SYMBOLS.get(library, ()):
        raise KeyError(f"libraries: no kernel function {name!r}")
    source = native.source_key(
        *(f"fnx.kernels.source.{module}" for module in (library, *_SHARED)),
        *(f"fnx.kernels.{module}" for module in _BELOW),
    )

    def make() -> list[native.NumbaEntry]:
        module = importlib.import_module(f"fnx.kernels.source.{library}")
        return [entry for entry in module.entries(variant) if entry[2] == symbol]

    return native.load_numba(f"{name} {source}", make, (symbol,))
