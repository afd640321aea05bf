"""A row of costly values that is needed twice is kept in the row of the result.

In comes a nest whose last loop computes the same costly value as a reduction over the row that runs
before it (the exponentials of a softmax). Out comes a nest in which the reduction stores the values
where the result will be, and the last loop loads them from there before it overwrites them: one
exponential for each element in place of two. Read next: `scheduling`.
"""

from __future__ import annotations

from dataclasses import replace

from fnx.compiler.expressions import ElementBuilder
from fnx.compiler.loops import Reduction, Value
from fnx.compiler.nests import HEAVY, Nest, Root, RowStore, reachable, rewritten
from fnx.compiler.positions import Atom

__all__ = ["with_rows_reused"]


def with_rows_reused(b: ElementBuilder, nest: Nest, codes: dict[int, str]) -> Nest:
    """The nest with costly values of rows kept in the results.

    Parameters
    ----------
    codes : dict
        The element type of each buffer.
    """
    if not nest.loops or nest.running is not None or nest.limit is not None:
        return nest
    stores: list[RowStore] = []
    roots = list(nest.roots)
    taken: set[Value] = set()
    for number, root in enumerate(roots):
        if root.depth != len(nest.loops):
            continue
        found = _shared(b, nest, root, codes[root.buffer], taken)
        if found is None:
            continue
        reduction, in_reduction, in_row = found
        taken.add(in_row)
        axis = reduction.axes[0]
        place = root.position.rebuilt({nest.loops[-1]: b.space.of(axis)}.get, _unchanged)
        stores.append(RowStore(reduction, root.buffer, place, in_reduction))
        kept = b.make("load", in_row.code, (), (root.buffer, root.position))
        new = rewritten(b, [root.value], {}, replacements={in_row: kept})
        roots[number] = Root(root.buffer, root.position, new[root.value], root.depth)
    return replace(nest, roots=tuple(roots), stores=tuple(stores)) if stores else nest


def _shared(
    b: ElementBuilder, nest: Nest, root: Root, code: str, taken: set[Value]
) -> tuple[Reduction, Value, Value] | None:
    """(reduction, its costly value, the same value in the last loop), if there is one."""
    last = nest.loops[-1]
    outer = frozenset(nest.loops[:-1])
    here = reachable([root.value], into_reductions=False)
    known = set(here)
    for value in here:
        if value.op != "reduced":
            continue
        reduction = value.attr[0]
        if not _goes_over_rows(reduction, last, outer):
            continue
        axis = reduction.axes[0]
        for body in reversed(reachable(reduction.bodies, into_reductions=False)):
            core = body.args[0] if body.op == "narrow" else body
            if core.op not in HEAVY or axis not in body.free or body.code != code:
                continue
            twin = rewritten(b, [body], {axis: b.space.of(last)})[body]
            if twin in known and twin not in taken:
                return reduction, body, twin
    return None


def _goes_over_rows(reduction: Reduction, last: Atom, outer: frozenset[Atom]) -> bool:
    return (
        len(reduction.axes) == 1
        and reduction.limit is None
        and reduction.axes[0].high == last.high
        and reduction.free <= outer
    )


def _unchanged(value: Value) -> Value:
    return value
