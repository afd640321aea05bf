"""Which elements of a result depend on which elements of an argument: sparsity patterns.

The program of the jvp says all: rules of the user's own, integers and `stop_gradient` are in it as
they are differentiated.  It is followed equation by equation with a boolean matrix for each value
that depends on the tangent (a row for each element, a column for each element of the tangent).  For
most operations the compiler's element rule (`fnx.core.lowering`) is asked which elements of its
operands it reads: run on arrays of positions in place of symbolic ones, it tells all of them at
once.  Values that don't depend on the argument are computed, for the places that they name.  What
isn't known depends on everything: a pattern may be too full, never too empty.  Read next:
`fnx.experimental.sparse_jacobian`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from fnx.control.calls import silent
from fnx.control.cond import cond_p
from fnx.control.scan import scan_p
from fnx.control.while_loop import while_p
from fnx.core.array import adopt
from fnx.core.jaxpr import Eqn, Jaxpr, Var
from fnx.core.lowering import Element
from fnx.core.primitive import HigherOrderPrimitive
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.tracing import Tracer, running
from fnx.core.types import ShapedArray
from fnx.dtypes import kind_of
from fnx.primitives.gathering import gathered, scatter_add_p
from fnx.primitives.scattering import scatter_p
from fnx.transforms.jvp import jvp_jaxpr

__all__ = ["flat_pattern", "results_of"]

#: A boolean matrix in scipy's CSR form, and a value that may be known.
Matrix = Any
Known = np.ndarray[Any, Any] | None


@dataclass(frozen=True, slots=True)
class _Node:
    """What is known of a variable: its value, or on what it depends; maybe neither."""

    value: Known = None
    on: Matrix = None


def flat_pattern(function: Callable[..., Sequence[Any]], x: Any, name: str) -> Matrix:
    """The pattern of the Jacobian of a function of one array, which gives one array.

    Parameters
    ----------
    function : callable
        Of an array; gives a list of one array.
    x : Array or tracer
        Only its type is used.
    name : str
        For errors.
    """
    from scipy import sparse

    jaxpr, consts = stage(function, [x.aval], name)
    jaxpr = silent(simplify(jaxpr))
    known = [c.concrete() if isinstance(c, Tracer) else c for c in consts]
    moving = tuple([False] * len(consts) + [True])
    program, nonzero = jvp_jaxpr(jaxpr, moving, (True,) * len(jaxpr.outs))
    identity = sparse.identity(x.aval.size, np.bool_, "csr")
    nodes = [_Node(None if c is None else np.asarray(c)) for c in known]
    out = results_of(program, [*nodes, _Node(), _Node(on=identity)])[-1]
    shape = (jaxpr.out_avals[0].size, x.aval.size)
    return sparse.csr_matrix(shape, dtype=np.bool_) if out.on is None else out.on


def results_of(jaxpr: Jaxpr, inputs: Sequence[_Node]) -> list[_Node]:
    """What is known of a program's results, from what is known of its inputs."""
    env: dict[Var, _Node] = dict(zip(jaxpr.in_vars, inputs, strict=True))

    def read(atom: Any) -> _Node:
        return env[atom] if type(atom) is Var else _Node(atom.val)

    for eqn in jaxpr.eqns:
        nodes = [read(a) for a in eqn.inputs]
        env.update(zip(eqn.outputs, _through(eqn, nodes), strict=True))
    return [read(o) for o in jaxpr.outs]


def _through(eqn: Eqn, nodes: list[_Node]) -> list[_Node]:
    primitive = eqn.primitive
    if not any(node.on is not None for node in nodes):
        return _computed(eqn, nodes)
    rule = _HIGHER.get(primitive)
    if rule is not None:
        return rule(eqn, nodes)
    if isinstance(primitive, HigherOrderPrimitive) and primitive.inline is not None:
        return results_of(silent(primitive.inline(eqn.params)), nodes)
    try:
        found = _by_reads(eqn, nodes)
    except _Unknown:
        found = [_everything(nodes, v.aval) for v in eqn.outputs]
    kinds = [kind_of(v.aval.dtype) for v in eqn.outputs]
    return [_Node(on=m if k in "fc" else None) for m, k in zip(found, kinds, strict=True)]


def _computed(eqn: Eqn, nodes: list[_Node]) -> list[_Node]:
    """Results that don't depend on the argument, if the operands are known."""
    values = [node.value for node in nodes]
    if eqn.effects or any(value is None for value in values):
        return [_Node()] * len(eqn.outputs)
    with running(None):
        out = eqn.primitive(*[adopt(np.array(v)) for v in values], **eqn.params)
    outs = out if eqn.primitive.multiple_results else [out]
    return [_Node(np.asarray(o)) for o in outs]


def _union(parts: Sequence[Matrix]) -> Matrix:
    found = [part for part in parts if part is not None]
    return sum(found[1:], found[0]) if found else None


def _everything(nodes: Sequence[_Node], aval: ShapedArray) -> Matrix:
    """Every element depends on all that the operands depend on."""
    from scipy import sparse

    columns = np.unique(np.concatenate([n.on.indices for n in nodes if n.on is not None]))
    width = next(n.on.shape[1] for n in nodes if n.on is not None)
    places = np.tile(columns, aval.size)
    starts = np.arange(aval.size + 1) * len(columns)
    full = np.ones(len(places), np.bool_)
    return sparse.csr_matrix((full, places, starts), (aval.size, width))


# ------------------------------------------------------------------------ which elements are read


class _Unknown(Exception):
    """The elements that are read depend on values that aren't known."""


@dataclass(frozen=True, slots=True)
class _Scalar:
    """An element expression: what it reads (operand, positions, where), its value if known."""

    reads: tuple[tuple[int, Any, Any], ...] = ()
    known: Any = None
    dtype: Any = None


class _Operand:
    """An operand of an element rule: calling it is reading, at many positions at once."""

    def __init__(self, builder: _Reader, number: int, aval: ShapedArray, value: Known) -> None:
        self.builder, self.number, self.aval, self.value = builder, number, aval, value

    def __call__(self, *index: Any) -> _Scalar:
        shape = self.aval.shape
        where: Any = 0
        for axis, place in enumerate(index):
            where = where + np.clip(place, 0, max(shape[axis] - 1, 0)) * prod(shape[axis + 1 :])
        known = None
        if self.value is not None and self.value.size:
            known = np.broadcast_to(self.value, shape).reshape(-1)[where]
        return _Scalar(((self.number, where, self.builder.mask),), known, self.aval.dtype)


class _Reader:
    """A builder (`fnx.core.lowering.Builder`) that computes positions and collects reads."""

    def __init__(self, out_avals: Sequence[ShapedArray]) -> None:
        self.out_avals = tuple(out_avals)
        self.out_aval = out_avals[0]
        self.rank = len(self.out_aval.shape)
        self.mask: Any = True
        shape = self.out_aval.shape
        self.index = tuple(
            [np.arange(n).reshape(n, *[1] * (self.rank - k - 1)) for k, n in enumerate(shape)]
        )

    def __getattr__(self, name: str) -> Callable[..., _Scalar]:
        """Arithmetic, of whatever kind, reads what its operands read."""
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **params: self._joined(args)

    @staticmethod
    def _joined(args: Sequence[Any]) -> _Scalar:
        return _Scalar(tuple([r for a in args if type(a) is _Scalar for r in a.reads]))

    def constant(self, value: Any, dtype: Any) -> _Scalar:
        return _Scalar(known=value, dtype=dtype)

    parameter = from_index = constant

    def to_index(self, value: _Scalar) -> Any:
        if value.known is None:
            raise _Unknown
        return np.asarray(value.known).astype(np.int64)

    def clamp_index(self, index: Any, low: int, high: int) -> Any:
        return np.clip(index, low, high)

    def inside(self, index: Any, size: int) -> _Scalar:
        return _Scalar(known=(np.asarray(index) >= 0) & (np.asarray(index) < size))

    def and_(self, x: _Scalar, y: _Scalar) -> _Scalar:
        both = x.known is not None and y.known is not None
        return _Scalar(x.reads + y.reads, np.logical_and(x.known, y.known) if both else None)

    @contextmanager
    def _where(self, condition: Any) -> Iterator[None]:
        before = self.mask
        self.mask = np.logical_and(before, condition)
        try:
            yield
        finally:
            self.mask = before

    def guarded(self, condition: Any, read: Callable[[], Any], otherwise: Any) -> _Scalar:
        known = condition.known if type(condition) is _Scalar else condition
        if known is None:
            raise _Unknown
        with self._where(known):
            inner = read()
        return self._joined([inner, otherwise])

    def piecewise(self, index: Any, stops: Sequence[int], reads: Sequence[Any]) -> _Scalar:
        found, start = [], 0
        for stop, read in zip(stops, reads, strict=True):
            with self._where((np.asarray(index) >= start) & (np.asarray(index) < stop)):
                found.append(read())
            start = stop
        return self._joined(found)

    @contextmanager
    def _loops(self, extents: Sequence[int]) -> Iterator[list[Any]]:
        """Positions along new axes, in front of all others."""
        before = self.rank
        try:
            places = []
            for n in extents:
                places.append(np.arange(n).reshape(n, *[1] * self.rank))
                self.rank += 1
            yield places
        finally:
            self.rank = before

    def reduce(self, operation: str, dtype: Any, extents: Sequence[int], body: Any) -> _Scalar:
        with self._loops(extents) as places:
            return self._joined([body(*places)])

    def reduce_many(self, combine: Any, inits: Any, extents: Any, body: Any) -> Any:
        with self._loops(extents) as places:
            return (self._joined(body(*places)),) * len(inits)

    def running_many(
        self, combine: Any, inits: Any, at: Any, extent: int, body: Any, reverse: bool = False
    ) -> Any:
        with (
            self._loops([extent]) as (place,),
            self._where(place >= at if reverse else place <= at),
        ):
            return (self._joined(body(place)),) * len(inits)

    def running(
        self, operation: str, dtype: Any, at: Any, extent: int, body: Any, reverse: bool = False
    ) -> Any:
        one = [None]
        return self.running_many(None, one, at, extent, lambda k: [body(k)], reverse)[0]


def _by_reads(eqn: Eqn, nodes: list[_Node]) -> list[Matrix]:
    """The union of what is read, for each element of each result."""
    avals = [v.aval for v in eqn.outputs]
    lower = eqn.primitive.lower
    rule = lower.rule if isinstance(lower, Element) else _KERNELS.get(eqn.primitive.name)
    if rule is None or any(a.shape != avals[0].shape for a in avals):
        raise _Unknown
    reader = _Reader(avals)
    operands = [
        _Operand(reader, k, a.aval, node.value)
        for k, (a, node) in enumerate(zip(eqn.inputs, nodes, strict=True))
    ]
    found = rule(reader, reader.index, *operands, **eqn.params)
    return [_matrix(s, a, nodes) for s, a in zip(_listed(found), avals, strict=True)]


def _listed(found: Any) -> Sequence[_Scalar]:
    return found if isinstance(found, tuple) else (found,)


def _matrix(scalar: _Scalar, aval: ShapedArray, nodes: Sequence[_Node]) -> Matrix:
    own = np.arange(aval.size).reshape(aval.shape)
    parts = []
    for number, where, mask in scalar.reads:
        on = nodes[number].on
        if on is not None:
            places, rows, kept = np.broadcast_arrays(where, own, mask)
            parts.append(_chosen(rows[kept], places[kept], aval.size, on))
    return _union(parts)


def _chosen(rows: Any, places: Any, size: int, on: Matrix) -> Matrix:
    """Each row is the union of those rows of a matrix that stand at its places."""
    from scipy import sparse

    ones = np.ones(len(rows), np.bool_)
    return sparse.csr_matrix((ones, (rows, places)), (size, on.shape[0])) @ on


# What kernels read, in the same words.


def _contraction(b: Any, i: Any, x: Any, y: Any, *, dimension_numbers: Any, **params: Any) -> Any:
    (x_sum, y_sum), (x_batch, y_batch) = dimension_numbers
    x_free = [k for k in range(len(x.aval.shape)) if k not in (*x_sum, *x_batch)]
    y_free = [k for k in range(len(y.aval.shape)) if k not in (*y_sum, *y_batch)]
    batch, rest = i[: len(x_batch)], i[len(x_batch) :]

    def body(*j: Any) -> Any:
        at_x = dict(zip((*x_sum, *x_batch, *x_free), (*j, *batch, *rest), strict=False))
        at_y = dict(
            zip((*y_sum, *y_batch, *y_free), (*j, *batch, *rest[len(x_free) :]), strict=True)
        )
        return b.mul(x(*[at_x[k] for k in sorted(at_x)]), y(*[at_y[k] for k in sorted(at_y)]))

    return b.reduce("add", None, [x.aval.shape[k] for k in x_sum], body)


def _convolution(b: Any, i: Any, x: Any, y: Any, *, dimension_numbers: Any, **params: Any) -> Any:
    if params["feature_group_count"] != 1 or params["batch_group_count"] != 1:
        raise _Unknown
    of_x, of_y, of_out = (
        dimension_numbers.lhs_spec,
        dimension_numbers.rhs_spec,
        dimension_numbers.out_spec,
    )
    lane, feature, *out = [i[k] for k in of_out]
    extents = [y.aval.shape[k] for k in of_y[1:]]

    def body(channel: Any, *taps: Any) -> Any:
        inside, places = b.inside(0, 1), []
        for k, (place, tap) in enumerate(zip(out, taps, strict=True)):
            low, step = params["padding"][k][0], params["lhs_dilation"][k]
            at = place * params["window_strides"][k] + tap * params["rhs_dilation"][k] - low
            inside = b.and_(inside, b.inside(at, (x.aval.shape[of_x[2 + k]] - 1) * step + 1))
            inside = b.and_(inside, b.inside(at % step, 1))
            places.append(at // step)
        at_x = dict(zip(of_x, (lane, channel, *places), strict=True))
        at_y = dict(zip(of_y, (feature, channel, *taps), strict=True))

        def read() -> Any:
            return b.mul(x(*[at_x[k] for k in sorted(at_x)]), y(*[at_y[k] for k in sorted(at_y)]))

        return b.guarded(inside, read, b.constant(0, x.aval.dtype))

    return b.reduce("add", None, extents, body)


_KERNELS = {"conv_general_dilated": _convolution, "dot_general": _contraction}


# ----------------------------------------------------------------- scatters, loops and branches


def _scatter(eqn: Eqn, nodes: list[_Node]) -> list[_Node]:
    """Elements of the updates are added to the elements that they meet, or stand in their place."""
    x, indices, updates = nodes
    shape = eqn.inputs[0].aval.shape
    size = prod(shape)
    if indices.value is None:
        return [_Node(on=_everything(nodes, eqn.outputs[0].aval))]
    numbers = adopt(np.arange(1, size + 1).reshape(shape))
    with running(None):
        places = adopt(np.array(indices.value))
        met = np.asarray(gathered(numbers, places, eqn.inputs[2].aval.shape, eqn.params))
    met = met.reshape(-1)  # which element each update meets, from 1; 0 where it is dropped
    kept = np.flatnonzero(met)
    parts = [x.on]
    if eqn.primitive is scatter_p and x.on is not None:
        stay = np.setdiff1d(np.arange(size), met[kept] - 1)
        parts = [_chosen(stay, stay, size, x.on)]
    if updates.on is not None:
        parts.append(_chosen(met[kept] - 1, kept, size, updates.on))
    return [_Node(on=_union(parts))]


def _joined(*nodes: _Node) -> _Node:
    """One of these, whichever."""
    return _Node(on=_union([node.on for node in nodes]))


def _cond(eqn: Eqn, nodes: list[_Node]) -> list[_Node]:
    index, *rest = nodes
    branches = eqn.params["branches"]
    if index.value is not None:
        return results_of(branches[min(max(int(index.value), 0), len(branches) - 1)], rest)
    found = [results_of(branch, rest) for branch in branches]
    return [_joined(*column) for column in zip(*found, strict=True)]


def _scan(eqn: Eqn, nodes: list[_Node]) -> list[_Node]:
    """Step by step, so that each sees its own slice, and counters are known."""
    from scipy import sparse

    jaxpr, length = eqn.params["jaxpr"], eqn.params["length"]
    nc, nk = eqn.params["num_consts"], eqn.params["num_carry"]
    consts, carry, xs = nodes[:nc], nodes[nc : nc + nk], nodes[nc + nk :]
    rows: list[list[_Node]] = [[] for _ in jaxpr.outs[nk:]]
    steps = range(length)
    for step in reversed(steps) if eqn.params["reverse"] else steps:
        slices = [
            _slice(x, step, a.size) for x, a in zip(xs, jaxpr.in_avals[nc + nk :], strict=True)
        ]
        outs = results_of(jaxpr, [*consts, *carry, *slices])
        carry = outs[:nk]
        for row, out in zip(rows, outs[nk:], strict=True):
            row.append(out)
    width = next(n.on.shape[1] for n in nodes if n.on is not None)
    stacked = []
    for row, aval in zip(rows, jaxpr.out_avals[nk:], strict=True):
        row = row[::-1] if eqn.params["reverse"] else row
        if any(out.on is not None for out in row):
            none = sparse.csr_matrix((aval.size, width), dtype=np.bool_)
            parts = [none if out.on is None else out.on for out in row]
            stacked.append(_Node(on=sparse.vstack(parts, "csr")))
        elif row and all(out.value is not None for out in row):
            stacked.append(_Node(np.stack([np.asarray(out.value) for out in row])))
        else:
            stacked.append(_Node())
    return [*carry, *stacked]


def _slice(node: _Node, step: int, size: int) -> _Node:
    value = None if node.value is None else node.value[step]
    return _Node(value, None if node.on is None else node.on[step * size : (step + 1) * size])


def _while(eqn: Eqn, nodes: list[_Node]) -> list[_Node]:
    """Step by step as long as the predicate is known; from there on, until nothing is added."""
    predicate, body = eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]
    nc, nb = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    consts, carry = nodes[nc : nc + nb], nodes[nc + nb :]
    while True:
        goes_on = results_of(predicate, [*nodes[:nc], *carry])[0].value
        if goes_on is None:
            break
        if not goes_on:
            return carry
        carry = results_of(body, [*consts, *carry])
    carry = [_joined(node) for node in carry]
    while True:
        after = results_of(body, [*consts, *carry])
        joined = [_joined(old, new) for old, new in zip(carry, after, strict=True)]
        if [_count(node) for node in joined] == [_count(node) for node in carry]:
            return carry
        carry = joined


def _count(node: _Node) -> int:
    return -1 if node.on is None else node.on.nnz


_HIGHER: dict[Any, Callable[[Eqn, list[_Node]], list[_Node]]] = {
    cond_p: _cond,
    scan_p: _scan,
    scatter_add_p: _scatter,
    scatter_p: _scatter,
    while_p: _while,
}
