"""Layout: transposed arrays stay as they lie in memory, and images have their channels last there.

In comes a program without calls; out comes one in which a convolution with channels elsewhere
reads and writes transposed arrays. Transpositions are not written where they arise but carried
along: an array that exists in another order of axes is a `_Stored`, and what works in any order
(element by element, windows, reductions, padding, contractions, many reshapes) works in that one.
A transposition becomes an equation only where something needs the order that the program names,
so in a chain of layers there is one at each end, and ``x @ w.T`` has none. Programs with neither
such convolutions nor such contractions are left alone. Read next: `decompose`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fnx.core.jaxpr import Atom, Eqn, Jaxpr, Var
from fnx.core.lowering import Element
from fnx.core.primitive import Primitive
from fnx.core.simplify import drop_dead
from fnx.core.types import ShapedArray
from fnx.primitives.contraction import dot_general_p
from fnx.primitives.convolution import conv_general_dilated_p
from fnx.primitives.shaping import broadcast_in_dim_p, reshape_p, transpose_p
from fnx.primitives.window_shapes import ConvDimensionNumbers

__all__ = ["layout"]

Order = tuple[int, ...]

_WINDOWS = frozenset(
    """reduce_window_sum reduce_window_max reduce_window_min select_and_gather_add
    select_and_scatter_add""".split()
)
_PER_AXIS = {
    "pad": ("padding_config",),
    "slice": ("start_indices", "limit_indices", "strides"),
}


def layout(jaxpr: Jaxpr) -> Jaxpr:
    """The program with channels last around its convolutions.

    Parameters
    ----------
    jaxpr : Jaxpr
        Without calls.
    """
    transposed = {eqn.outputs[0] for eqn in jaxpr.eqns if eqn.primitive is transpose_p}
    for eqn in jaxpr.eqns:
        if _wants_other_order(eqn) or (
            eqn.primitive is dot_general_p and any(a in transposed for a in eqn.inputs)
        ):
            return _Rewriter(jaxpr).program()
    return jaxpr


@dataclass(frozen=True, slots=True)
class _Stored:
    """An array in another order: its axis k is the axis ``order[k]`` of the one it stands for."""

    var: Var
    order: Order


class _Rewriter:
    """Records a program again.

    Attributes
    ----------
    ready : set of Var
        The variables of the program that exist in the order that it names.
    stored : dict of Var to list of _Stored
        In which other orders they exist; the first one is that in which it was computed.
    """

    def __init__(self, jaxpr: Jaxpr) -> None:
        self.jaxpr = jaxpr
        self.has_images = any(_wants_other_order(eqn) for eqn in jaxpr.eqns)
        self.eqns: list[Eqn] = []
        self.ready: set[Var] = set(jaxpr.in_vars)
        self.stored: dict[Var, list[_Stored]] = {}
        self.makers = {v: eqn for eqn in jaxpr.eqns for v in eqn.outputs}

    def program(self) -> Jaxpr:
        for eqn in self.jaxpr.eqns:
            self.visit(eqn)
        outs = [self.plain(atom, "") for atom in self.jaxpr.outs]
        return drop_dead(Jaxpr(self.jaxpr.in_vars, self.eqns, outs, self.jaxpr.name))

    def visit(self, eqn: Eqn) -> None:
        if eqn.primitive is conv_general_dilated_p:
            self.convolution(eqn)
        elif eqn.primitive is transpose_p:
            self.transposition(eqn)
        elif eqn.primitive is reshape_p:
            self.reshaping(eqn)
        elif eqn.primitive is dot_general_p:
            self.contraction(eqn)
        else:
            order = self.order_of(eqn)
            params = None if order is None else _params_in(eqn, order)
            if order is None or params is None:
                self.as_it_is(eqn)
            else:
                self.reordered(eqn, order, params)

    # --- arrays -------------------------------------------------------------------------------

    def found(self, atom: Atom) -> _Stored | None:
        """The order in which an array was computed, if it is not the one that the program names."""
        if type(atom) is Var and atom not in self.ready and atom in self.stored:
            return self.stored[atom][0]
        return None

    def plain(self, atom: Atom, source: str) -> Atom:
        """An array in the order that the program names."""
        if type(atom) is not Var or atom in self.ready:
            return atom
        stored = self.stored[atom][0]
        back = tuple(stored.order.index(k) for k in range(len(stored.order)))
        self.emit(transpose_p, (stored.var,), {"permutation": back}, source, (atom,))
        self.ready.add(atom)
        return atom

    def in_order(self, atom: Atom, order: Order, source: str) -> Atom:
        """An array with its axes in some order."""
        if order == tuple(range(len(order))) or not atom.aval.shape:
            return self.plain(atom, source)
        assert type(atom) is Var, "literals have no axes"
        for stored in self.stored.get(atom, ()):
            if stored.order == order:
                return stored.var
        spread = self.spread_in(atom, order)
        if spread is not None:
            primitive, inputs, params = spread
        else:
            held = self.found(atom) or _Stored(atom, tuple(range(len(order))))
            permutation = tuple(held.order.index(k) for k in order)
            primitive, inputs, params = transpose_p, (held.var,), {"permutation": permutation}
        (var,) = self.emit(primitive, inputs, params, source)
        self.stored.setdefault(atom, []).append(_Stored(var, order))
        return var

    def spread_in(self, atom: Var, order: Order) -> tuple[Primitive, Any, dict[str, Any]] | None:
        """How to repeat an operand along other axes than the program does."""
        eqn = self.makers.get(atom)
        if eqn is None or eqn.primitive is not broadcast_in_dim_p:
            return None
        places = tuple(order.index(axis) for axis in eqn.params["broadcast_dimensions"])
        if places != tuple(sorted(places)):
            return None
        shape = tuple(atom.aval.shape[k] for k in order)
        return (
            broadcast_in_dim_p,
            (self.plain(eqn.inputs[0], eqn.source),),
            {**eqn.params, "shape": shape, "broadcast_dimensions": places},
        )

    def is_spread(self, atom: Atom, order: Order) -> bool:
        return type(atom) is Var and self.spread_in(atom, order) is not None

    def emit(
        self,
        primitive: Primitive,
        inputs: tuple[Atom, ...],
        params: dict[str, Any],
        source: str,
        outputs: tuple[Var, ...] | None = None,
    ) -> tuple[Var, ...]:
        if outputs is None:
            types: Any = primitive.infer(*[a.aval for a in inputs], **params)
            types = types if primitive.multiple_results else [types]
            outputs = tuple([Var(t) for t in types])
        self.eqns.append(Eqn(primitive, inputs, outputs, params, frozenset(), source))
        return outputs

    # --- equations ----------------------------------------------------------------------------

    def as_it_is(self, eqn: Eqn) -> None:
        inputs = tuple([self.plain(a, eqn.source) for a in eqn.inputs])
        if inputs != eqn.inputs:
            raise AssertionError("an operand of an equation changed its name")
        self.eqns.append(eqn)
        self.ready.update(eqn.outputs)

    def transposition(self, eqn: Eqn) -> None:
        """The same memory, named in another order."""
        (atom,) = eqn.inputs
        if type(atom) is not Var:
            self.as_it_is(eqn)
            return
        stored = self.found(atom) or _Stored(atom, tuple(range(len(atom.aval.shape))))
        permutation = eqn.params["permutation"]
        order = tuple(permutation.index(axis) for axis in stored.order)
        (out,) = eqn.outputs
        if order == tuple(range(len(order))):  # back in the order of memory
            self.emit(transpose_p, (stored.var,), {"permutation": order}, eqn.source, (out,))
            self.ready.add(out)
        else:
            self.stored[out] = [_Stored(stored.var, order)]

    def convolution(self, eqn: Eqn) -> None:
        """A convolution, with its result's channels last if it gives an image."""
        numbers, source = eqn.params["dimension_numbers"], eqn.source
        lhs, rhs = eqn.inputs
        gives_image = _gives_image(eqn)
        if gives_image:
            order = _channels_last(numbers.lhs_spec)
            left: Atom = self.in_order(lhs, order, source)
            lhs_spec = tuple(order.index(axis) for axis in numbers.lhs_spec)
        else:
            left, lhs_spec = self.any_order(lhs, numbers.lhs_spec, source)
        right, rhs_spec = self.any_order(rhs, numbers.rhs_spec, source)
        out_order = _channels_last(numbers.out_spec)
        natural = tuple(range(len(out_order)))
        if not gives_image or out_order == natural:
            out_order = natural
        out_spec = tuple(out_order.index(axis) for axis in numbers.out_spec)
        params = {**eqn.params, "dimension_numbers": type(numbers)(lhs_spec, rhs_spec, out_spec)}
        self.finish(eqn, (left, right), params, out_order)

    def reshaping(self, eqn: Eqn) -> None:
        """Axes merged or taken apart where they lie in memory, if those of a group lie together."""
        atom, (out,) = eqn.inputs[0], eqn.outputs
        stored = self.found(atom)
        groups = None if stored is None else _groups(atom.aval.shape, out.aval.shape)
        if stored is None or groups is None:
            self.as_it_is(eqn)
            return
        lies = [axis for axis in stored.order if atom.aval.shape[axis] != 1]
        groups.sort(key=lambda group: lies.index(group[0][0]))
        if [axis for axes, _ in groups for axis in axes] != lies:
            self.as_it_is(eqn)
            return
        long = [axis for _, axes in groups for axis in axes]
        order = tuple(k for k, n in enumerate(out.aval.shape) if n == 1) + tuple(long)
        if long == sorted(long):
            order = tuple(range(len(order)))
        sizes = tuple(out.aval.shape[k] for k in order)
        self.finish(eqn, (stored.var,), {**eqn.params, "new_sizes": sizes}, order)

    def contraction(self, eqn: Eqn) -> None:
        """A contraction of arrays as they lie in memory, where its result keeps its order."""
        contract, batch = eqn.params["dimension_numbers"]
        inputs: list[Atom] = []
        axes: list[tuple[Order, Order]] = []
        for atom, summed, shared in zip(eqn.inputs, contract, batch, strict=True):
            stored = self.found(atom)
            if stored is not None:
                free = [k for k in stored.order if k not in summed and k not in shared]
                if free == sorted(free):
                    inputs.append(stored.var)
                    places = stored.order.index
                    axes.append((tuple(map(places, summed)), tuple(map(places, shared))))
                    continue
            inputs.append(self.plain(atom, eqn.source))
            axes.append((summed, shared))
        (left, left_batch), (right, right_batch) = axes
        numbers = ((left, right), (left_batch, right_batch))
        self.finish(
            eqn,
            tuple(inputs),
            {**eqn.params, "dimension_numbers": numbers},
            tuple(range(len(eqn.outputs[0].aval.shape))),
        )

    def any_order(self, atom: Atom, spec: Order, source: str) -> tuple[Atom, Order]:
        """An operand of a convolution as it lies in memory: the numbers of its axes follow."""
        stored = self.stored.get(atom, [None])[0] if type(atom) is Var else None
        if stored is None:
            return self.plain(atom, source), spec
        return stored.var, tuple(stored.order.index(axis) for axis in spec)

    def reordered(self, eqn: Eqn, order: Order, params: dict[str, Any]) -> None:
        """An equation that works in any order."""
        inputs = tuple([self.in_order(a, order, eqn.source) for a in eqn.inputs])
        axes = eqn.params.get("axes") if _is_reduction(eqn) else None
        kept = [k for k in order if axes is None or k not in axes]
        ranks = {axis: k for k, axis in enumerate(sorted(kept))}
        self.finish(eqn, inputs, params, tuple(ranks[k] for k in kept))

    def finish(
        self, eqn: Eqn, inputs: tuple[Atom, ...], params: dict[str, Any], order: Order
    ) -> None:
        """Write an equation whose results are in some order."""
        if order == tuple(range(len(order))):
            self.emit(eqn.primitive, inputs, params, eqn.source, eqn.outputs)
            self.ready.update(eqn.outputs)
            return
        made = self.emit(eqn.primitive, inputs, params, eqn.source)
        for out, var in zip(eqn.outputs, made, strict=True):
            self.stored[out] = [_Stored(var, order)]

    def order_of(self, eqn: Eqn) -> Order | None:
        """The order in which an equation costs the fewest transpositions; None: as it is."""
        held = [self.found(a) for a in eqn.inputs]
        counts = Counter(stored.order for stored in held if stored is not None)
        if not counts or eqn.effects or not _works_in_any_order(eqn):
            return None
        order, _ = counts.most_common(1)[0]
        to_change = [
            a
            for a, stored in zip(eqn.inputs, held, strict=True)
            if a.aval.shape
            and (stored is None or stored.order != order)
            and not any(s.order == order for s in self.stored.get(a, ()))  # type: ignore[arg-type]
            and not self.is_spread(a, order)
        ]
        most = sum(counts.values()) if self.has_images else 0
        return order if len(to_change) <= most else None


# --- what is known of primitives ------------------------------------------------------------------


def _wants_other_order(eqn: Eqn) -> bool:
    if eqn.primitive is not conv_general_dilated_p:
        return False
    spec = eqn.params["dimension_numbers"].lhs_spec
    return spec[1] != len(spec) - 1 and len(spec) > 2


def _channels_last(spec: Order) -> Order:
    """Batch, spatial axes, channels."""
    return (spec[0], *spec[2:], spec[1])


def _gives_image(eqn: Eqn) -> bool:
    """Whether a convolution gives an image; the gradient of weights gives weights.

    That one slides one image over another: its window is larger than its result.
    """
    numbers: ConvDimensionNumbers = eqn.params["dimension_numbers"]
    window = [eqn.inputs[1].aval.shape[k] for k in numbers.rhs_spec[2:]]
    result = [eqn.outputs[0].aval.shape[k] for k in numbers.out_spec[2:]]
    return all(n <= m for n, m in zip(window, result, strict=True))


def _is_reduction(eqn: Eqn) -> bool:
    lower = eqn.primitive.lower
    return isinstance(lower, Element) and lower.kind == "reduce" and set(eqn.params) == {"axes"}


def _is_elementwise(eqn: Eqn) -> bool:
    lower = eqn.primitive.lower
    return (
        isinstance(lower, Element)
        and lower.kind == "scalar"
        and all(_fits(a.aval, eqn.outputs[0].aval) for a in eqn.inputs)
    )


def _fits(aval: ShapedArray, result: ShapedArray) -> bool:
    return aval.shape in ((), result.shape)


def _works_in_any_order(eqn: Eqn) -> bool:
    name = eqn.primitive.name
    if name in _WINDOWS or name in _PER_AXIS or name in ("rev", "concatenate"):
        return True
    return _is_elementwise(eqn) or _is_reduction(eqn)


def _params_in(eqn: Eqn, order: Order) -> dict[str, Any] | None:
    """The parameters of an equation whose operands have their axes in some order."""
    name, params = eqn.primitive.name, eqn.params

    def moved(value: Sequence[Any] | None) -> Any:
        return None if value is None else tuple(value[k] for k in order)

    if name in _WINDOWS:
        if not _keeps_order_of_windows(params["window_dimensions"], order):
            return None
        return {k: moved(v) if isinstance(v, tuple) else v for k, v in params.items()}
    if name in _PER_AXIS:
        return {k: moved(v) if k in _PER_AXIS[name] else v for k, v in params.items()}
    if name == "rev":
        return {"dimensions": tuple(sorted(order.index(d) for d in params["dimensions"]))}
    if name == "concatenate":
        return {"dimension": order.index(params["dimension"])}
    if _is_reduction(eqn):
        return {"axes": tuple(sorted(order.index(axis) for axis in params["axes"]))}
    return params


def _groups(
    before: Sequence[int], after: Sequence[int]
) -> list[tuple[list[int], list[int]]] | None:
    """Which axes of a reshape become which, those of size 1 aside; None for empty arrays."""
    if 0 in before:
        return None
    left = [k for k, n in enumerate(before) if n != 1]
    right = [k for k, n in enumerate(after) if n != 1]
    groups = []
    while left:
        ours, theirs = [left.pop(0)], [right.pop(0)]
        mine, yours = before[ours[0]], after[theirs[0]]
        while mine != yours:
            if mine < yours:
                ours.append(left.pop(0))
                mine *= before[ours[-1]]
            else:
                theirs.append(right.pop(0))
                yours *= after[theirs[-1]]
        groups.append((ours, theirs))
    return groups


def _keeps_order_of_windows(window: Sequence[int], order: Order) -> bool:
    """Whether the axes of a window keep their order: the first of equals must stay the first."""
    long = [axis for axis in order if window[axis] != 1]
    return long == sorted(long)
