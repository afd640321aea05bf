"""From a launch to an address: machine code through the store, by either printer.

What goes in: a `Launch`. What comes out: a `NativeModule` and the address of its kernel. With
the setting ``kernel_printer`` at ``"ir"`` the kernel is printed as LLVM IR; at ``"text"`` as
Numba text, which Numba compiles. If the store has the code already, nothing is printed. `source`
shows the text. Read next: `fnx.kernels.native` (how code is compiled, stored and loaded).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fnx.compiler.emit_ir import module_text
from fnx.compiler.emit_text import kernel_text
from fnx.compiler.launches import GroupKernel, Launch
from fnx.compiler.loops import LoopKernel
from fnx.config import settings
from fnx.kernels import native

__all__ = ["KernelMissing", "address", "load", "source"]


class KernelMissing(LookupError):
    """The store lost the code of a launch that was read from JSON; lower its group again."""


def load(launch: Launch, printer: str | None = None) -> native.NativeModule:
    """The loaded code of a launch's kernel.

    Parameters
    ----------
    launch : Launch
        What to run.
    printer : {"ir", "text"}, optional
        Which printer's code; by default what the settings say.

    Raises
    ------
    KernelMissing
        The code is not in the store, and the launch carries nothing to generate it from.
    """
    if (printer or settings().kernel_printer) == "text":
        key = f"text {launch.key} {native.source_key(*_TEXT_NEEDS)}"
        return native.load_numba(key, lambda: _numba_entries(launch), (launch.symbol,))
    return native.load_ir(
        launch.key, lambda: _module(launch), (launch.symbol,), codegen=0 if launch.small else 1
    )


def address(launch: Launch, printer: str | None = None) -> tuple[native.NativeModule, int]:
    """The address of a launch's kernel, valid as long as the module lives."""
    module = load(launch, printer)
    return module, module.address(launch.symbol)


def source(group: GroupKernel) -> str:
    """The kernels of a group as readable Numba text.

    Raises
    ------
    KernelMissing
        The group was read from JSON.
    """
    parts = []
    for number, launch in enumerate(group.launches):
        kernel = _kernel(launch)
        comments = (
            f"kernel {number + 1} of {len(group.launches)}: {launch.units} parallel units",
            *launch.origin,
        )
        parts.append(kernel_text(kernel, launch.form, comments))
    return "\n\n".join(parts)


#: What the code of the text printer is made of, besides the text.
_TEXT_NEEDS = (
    "fnx.kernels.vector_math",
    *(
        f"fnx.kernels.vector_math_{part}"
        for part in """operations numba elementary trigonometric special integer
        coefficients""".split()
    ),
)


def _kernel(launch: Launch) -> LoopKernel:
    if launch.kernel is None:
        raise KernelMissing(
            f"kernel {launch.key}: its code is no longer in the store. Lower the group again "
            "with `compile_group`, and load the new launch."
        )
    return launch.kernel


def _module(launch: Launch) -> str:
    return module_text(_kernel(launch), launch.symbol, launch.form, launch.small)


def _numba_entries(launch: Launch) -> list[tuple[Callable[..., None], str, str]]:
    """The entry function of the text, for `native.load_numba`."""
    text = kernel_text(_kernel(launch), launch.form)
    namespace: dict[str, Any] = {"__name__": launch.symbol}
    exec(compile(text, f"<kernel {launch.key[:16]}>", "exec"), namespace)
    return [(namespace["entry"], "void(intp, intp, intp)", launch.symbol)]
