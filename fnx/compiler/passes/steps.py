"""What the cut makes of a program: a `Block` of `Step` objects, each one piece of work.

A step computes its outputs from its inputs in one of five ways: ``loops`` (a group of equations
that becomes generated loop nests), ``kernel`` (one named kernel), ``alias`` (the same memory
under another shape), ``control`` (a loop or a branch whose bodies are blocks), ``host`` (a step
in Python). Steps use the variables of the program that they were cut from, so a block is the
program in coarser units. Read next: `fuse`, which cuts; `fnx.compiler.planning`, which places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal as OneOf

from fnx.core.jaxpr import Atom, Eqn, Jaxpr, Var

__all__ = ["Block", "Step", "StepKind", "variables"]

StepKind = OneOf["loops", "kernel", "alias", "control", "host"]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One piece of work.

    Attributes
    ----------
    kind : str
        How it is done; see the module's docstring.
    eqns : tuple of Eqn
        What it computes; one equation unless the kind is ``loops``.
    inputs : tuple of Var or Literal
        What it reads: of ``loops`` variables only, of the others the operands in order.
    outputs : tuple of Var
        What it writes.
    bodies : tuple of Block
        Of a ``control`` step: the programs that it holds, in the order of its primitive.
    """

    kind: StepKind
    eqns: tuple[Eqn, ...]
    inputs: tuple[Atom, ...]
    outputs: tuple[Var, ...]
    bodies: tuple[Block, ...] = ()

    @property
    def eqn(self) -> Eqn:
        """The equation of a step that has one."""
        return self.eqns[0]

    @property
    def changes_operand(self) -> bool:
        """Whether it is a kernel that copies its first operand and then changes the copy.

        Where nobody reads the operand afterwards, there need be no copy.
        """
        return self.kind == "kernel" and self.eqn.primitive.lower.name.startswith("scatter")

    def jaxpr(self) -> Jaxpr:
        """The step's equations as a program of its own, over the same variables."""
        return Jaxpr(tuple(variables(self.inputs)), self.eqns, self.outputs)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A program in steps.

    Attributes
    ----------
    in_vars : tuple of Var
        Inputs.
    steps : tuple of Step
        In the order in which they run.
    outs : tuple of Var or Literal
        Results.
    """

    in_vars: tuple[Var, ...]
    steps: tuple[Step, ...]
    outs: tuple[Atom, ...]

    @property
    def is_native(self) -> bool:
        """Whether nothing in it runs in Python."""
        return all(
            step.kind != "host" and all(body.is_native for body in step.bodies)
            for step in self.steps
        )


def variables(atoms: tuple[Atom, ...]) -> Iterator[Var]:
    """The variables among atoms."""
    for atom in atoms:
        if type(atom) is Var:
            yield atom
