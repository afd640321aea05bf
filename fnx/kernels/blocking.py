"""Register blocks: how much of a product a CPU's vector registers hold.

A register kernel keeps ``rows`` x ``vectors`` accumulators of ``lanes`` elements; with one
broadcast of A and ``vectors`` loads of B they must fit the registers.  Planners and kernel
sources both ask here, so that they agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from fnx.kernels import native

__all__ = ["DEPTH", "Blocking", "blocking"]

DEPTH = 256
"""How many products are summed in registers before the sum goes to memory."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """The shape of a register block."""

    rows: int
    vectors: int
    lanes: int

    @property
    def columns(self) -> int:
        """The width of a block in elements."""
        return self.vectors * self.lanes


def blocking(dtype: str) -> Blocking:
    """The register block for ``"float32"`` or ``"float64"`` on the target CPU."""
    machine = native.target()
    lanes = machine.vector_bits // {"float32": 32, "float64": 64}[dtype]
    rows = 12 if machine.vector_registers == 32 else 6
    return Blocking(rows, 2, lanes)
