"""`cost`: how many equations, operations and bytes a function takes, without running it.

The function is traced, its program counted as recorded and as simplified.  An equation of a loop
counts once as an equation, its operations as often as the loop runs; of branches the dearest counts
(`cond` runs one).  What a program can't tell, the length of a `while`, is said in ``notes``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fnx import tree_util
from fnx.compiler.passes.costs import element_of, operations
from fnx.control.staging_api import avals_of
from fnx.core.jaxpr import Eqn, Jaxpr, subjaxprs
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.transforms.trees import Flat, check_callable, function_name

__all__ = ["Cost", "Counts", "Tally", "cost", "counts"]


class Tally(NamedTuple):
    """What the equations of one primitive take.

    Attributes
    ----------
    eqns : int
        How many there are.
    flops : int
        Operations on elements; a call of an elementary function is one.
    bytes : int
        Sizes of the operands and results.
    """

    eqns: int
    flops: int
    bytes: int

    def plus(self, other: Tally, times: int = 1) -> Tally:
        """The sum, the other one run `times` times."""
        return Tally(
            self.eqns + other.eqns,
            self.flops + times * other.flops,
            self.bytes + times * other.bytes,
        )


class Counts(NamedTuple):
    """What a program takes.

    Attributes
    ----------
    eqns, flops, bytes : int
        The sums over all primitives. Bytes are those that equations read and write one by one; a
        compiled program fuses them, and moves fewer.
    by_primitive : mapping of str to Tally
        The same for each primitive, the one with most operations first.
    notes : tuple of str
        What could not be counted, with the user's line.
    """

    eqns: int
    flops: int
    bytes: int
    by_primitive: Mapping[str, Tally]
    notes: tuple[str, ...]


class Cost(NamedTuple):
    """What a function takes, before and after simplification; prints as a table.

    Attributes
    ----------
    name : str
        The function.
    before, after : Counts
        Of the program as recorded, and as simplified.
    """

    name: str
    before: Counts
    after: Counts

    @property
    def eqns(self) -> int:
        """Equations of the simplified program."""
        return self.after.eqns

    @property
    def flops(self) -> int:
        """Operations of the simplified program."""
        return self.after.flops

    @property
    def bytes(self) -> int:
        """Bytes that the equations of the simplified program read and write."""
        return self.after.bytes

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("primitive", "eqns", "flops", "bytes")]
        rows += [(n, *map(str, tally)) for n, tally in self.after.by_primitive.items()]
        for label, found in (("simplified", self.after), ("recorded", self.before)):
            rows.append((label, str(found.eqns), str(found.flops), str(found.bytes)))
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        lines = [f"cost of {self.name}"]
        for row in rows:
            cells = [row[0].ljust(widths[0])]
            cells += [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
            lines.append("  ".join(cells))
        return "\n".join([*lines, *self.after.notes])


def cost(fun: Callable[..., Any]) -> Callable[..., Cost]:
    """A function that gives what another one takes: equations, operations, bytes.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.

    Returns
    -------
    callable
        Of the arguments of `fun` (arrays, or what has shape and dtype), gives a `Cost`.

    See Also
    --------
    fnx.jit : its ``lower(...).compile().cost_analysis()`` gives the same counts.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> found = fnx.cost(lambda x, y: jnp.tanh(x @ y))(jnp.ones((2, 3)), jnp.ones((3, 4)))
    >>> found.flops  # 2 * 2 * 3 * 4, and 2 * 4 of tanh
    56
    >>> print(found)
    cost of <lambda>
    primitive    eqns  flops  bytes
    dot_general     1     48    104
    tanh            1      8     64
    simplified      2     56    168
    recorded        2     56    168
    """
    check_callable("cost", fun)
    name = function_name(fun)

    @functools.wraps(fun)
    def of_arguments(*args: Any, **kwargs: Any) -> Cost:
        leaves, tree = tree_util.tree_flatten((args, kwargs))
        flat = Flat(fun, tree, keywords=True)
        jaxpr, _ = stage(flat, avals_of(f"cost of {name}", leaves, flat), name)
        return Cost(name, counts(jaxpr), counts(simplify(jaxpr)))

    return of_arguments


def counts(jaxpr: Jaxpr) -> Counts:
    """What a program takes.

    Parameters
    ----------
    jaxpr : Jaxpr
        Any program.
    """
    found: Counts = jaxpr.derived("counts", lambda: _counts(jaxpr))
    return found


def _counts(jaxpr: Jaxpr) -> Counts:
    tallies: dict[str, Tally] = {}
    notes: list[str] = []

    def add(tally: Tally, name: str, times: int = 1) -> None:
        tallies[name] = tallies.get(name, Tally(0, 0, 0)).plus(tally, times)

    for eqn in jaxpr.eqns:
        bodies = [counts(body) for _, body in _run_by(eqn)]
        times = eqn.params.get("length", 1)
        if eqn.primitive.name == "while":
            at = f" at {eqn.source}" if eqn.source else ""
            notes.append(f"the length of the while{at} is not known: one step is counted")
        if eqn.primitive.name == "cond":
            dearest = max(bodies, key=lambda c: (c.flops, c.bytes))
            unrun = sum(c.eqns for c in bodies) - dearest.eqns
            add(Tally(1 + unrun, 0, 0), "cond")
            bodies = [dearest]
        else:
            add(Tally(1, 0, 0) if bodies else _of_eqn(eqn), eqn.primitive.name)
        for body in bodies:
            for name, tally in body.by_primitive.items():
                add(tally, name, times)
            notes += body.notes
    ordered = dict(sorted(tallies.items(), key=lambda item: (-item[1].flops, item[0])))
    total = functools.reduce(Tally.plus, ordered.values(), Tally(0, 0, 0))
    return Counts(*total, ordered, tuple(dict.fromkeys(notes)))


def _run_by(eqn: Eqn) -> list[tuple[str, Jaxpr]]:
    """The programs that an equation runs: of a rule's alternatives only the function itself."""
    programs = list(subjaxprs(eqn.params))
    inline = getattr(eqn.primitive, "inline", None)
    body = inline(eqn.params) if inline is not None else None
    return programs if body is None else [("body", body)]


def _of_eqn(eqn: Eqn) -> Tally:
    """One equation without programs in it."""
    avals = [a.aval for a in (*eqn.inputs, *eqn.outputs)]
    return Tally(1, _flops(eqn), sum(a.size * a.dtype.itemsize for a in avals))


def _flops(eqn: Eqn) -> int:
    formula = _FORMULAS.get(eqn.primitive.name)
    if formula is not None:
        return int(formula(eqn.inputs[0].aval))
    known = element_of(eqn) is not None or eqn.primitive.name in _CONTRACTIONS
    if not known and eqn.primitive.work is not None:
        return int(eqn.primitive.work(*[a.aval for a in eqn.inputs], **eqn.params))
    return int(operations(eqn))


_CONTRACTIONS = ("dot_general", "conv_general_dilated")


def _cubic(factor: float) -> Callable[[ShapedArray], float]:
    """``factor * m * n * min(m, n)`` for every matrix of a stack."""

    def flops(aval: ShapedArray) -> float:
        *batch, m, n = aval.shape
        return factor * math.prod(batch) * m * n * min(m, n)

    return flops


def _n_log_n(factor: float) -> Callable[[ShapedArray], float]:
    def flops(aval: ShapedArray) -> float:
        return factor * aval.size * max(math.log2(max(aval.shape[-1:], default=1) or 1), 1)

    return flops


#: Leading terms of the textbook algorithms (Golub and Van Loan, Matrix Computations), of the first
#: operand's shape.
_FORMULAS: Mapping[str, Callable[[ShapedArray], float]] = {
    "cholesky": _cubic(1 / 3),
    "lu": _cubic(2 / 3),
    "qr": _cubic(4 / 3),
    "eigh": _cubic(9),
    "eig": _cubic(25),
    "svd": _cubic(12),
    "triangular_solve": _cubic(1),
    "fft": _n_log_n(5),
    "sort": _n_log_n(1),
}
