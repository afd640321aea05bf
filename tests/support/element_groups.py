"""Groups of equations for the tests of the code generator: how to write, run and evaluate one.

`Group` records applications of primitives without a tracer, `run_group` runs the kernels of a
group through ctypes (in any number of pieces), `evaluate_group` computes the same by the
primitives' NumPy rules, and `scalar_kernel` makes a kernel of one operation of the loop language.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.compiler import build
from fnx.compiler.expressions import ElementBuilder
from fnx.compiler.launches import GroupKernel, Launch, launch_of
from fnx.compiler.loops import Buffer
from fnx.compiler.nests import Nest, Root
from fnx.compiler.positions import Space
from fnx.compiler.scheduling import schedule
from fnx.core.array import adopt
from fnx.core.jaxpr import Eqn, Jaxpr, Literal, Var
from fnx.core.primitive import registry
from fnx.core.types import ShapedArray


class Group:
    """Writes a Jaxpr: ``y = g("add", x, x)``."""

    def __init__(self) -> None:
        self.inputs: list[Var] = []
        self.eqns: list[Eqn] = []

    def input(self, shape: Sequence[int], dtype: Any = np.float32) -> Var:
        variable = Var(ShapedArray(tuple(shape), np.dtype(dtype)))
        self.inputs.append(variable)
        return variable

    def __call__(self, name: str, /, *args: Any, **params: Any) -> Any:
        primitive = registry[name]
        types = primitive.infer(*[a.aval for a in args], **params)
        outs = tuple(Var(t) for t in (types if primitive.multiple_results else [types]))
        self.eqns.append(Eqn(primitive, args, outs, params))
        return list(outs) if primitive.multiple_results else outs[0]

    def number(self, value: Any, dtype: Any = np.float32) -> Literal:
        return Literal(adopt(np.array(value, dtype)))

    def broadcast(self, x: Any, shape: Sequence[int], places: Sequence[int] = ()) -> Var:
        return self("broadcast_in_dim", x, shape=tuple(shape), broadcast_dimensions=tuple(places))

    def sum(self, x: Any, *axes: int) -> Var:
        return self("reduce_sum", x, axes=axes)

    def jaxpr(self, *outs: Any) -> Jaxpr:
        return Jaxpr(self.inputs, self.eqns, outs)


def call_launch(
    launch: Launch, buffers: dict[str, list[Any]], pieces: int = 1, printer: str | None = None
) -> None:
    """Run one launch on arrays, its parallel axis cut into pieces."""
    module, address = build.address(launch, printer)
    words = np.array(
        [v if kind == "word" else buffers[kind][v].ctypes.data for kind, v in launch.words],
        np.int64,
    )
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    function = kind(address)
    edges = np.linspace(0, launch.units, pieces + 1).astype(int)
    for begin, end in itertools.pairwise(edges):
        function(words.ctypes.data, int(begin), int(end))
    del module


def run_group(
    group: GroupKernel, arrays: Sequence[Any], pieces: int = 1, printer: str | None = None
) -> list[np.ndarray[Any, Any]]:
    """The outputs of a group; memory that a kernel forgets to write shows."""
    outputs = [np.empty(shape, dtype) for shape, dtype in group.outputs]
    temporaries = [np.empty(shape, dtype) for shape, dtype in group.temporaries]
    for array in (*outputs, *temporaries):
        array.reshape(-1).view(np.uint8)[...] = 0xA5
    buffers = {
        "in": [np.ascontiguousarray(a) for a in arrays],
        "out": outputs,
        "temp": temporaries,
    }
    for launch in group.launches:
        call_launch(launch, buffers, pieces, printer)
    return outputs


def evaluate_group(jaxpr: Jaxpr, arrays: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
    """The outputs of a group by the `evaluate` rules."""
    known: dict[Any, Any] = dict(zip(jaxpr.in_vars, arrays))

    def read(atom: Any) -> Any:
        return known[atom] if isinstance(atom, Var) else atom.val

    with np.errstate(all="ignore"):
        for eqn in jaxpr.eqns:
            outs = eqn.primitive.evaluate(*[read(a) for a in eqn.inputs], **eqn.params)
            outs = outs if eqn.primitive.multiple_results else [outs]
            known.update(zip(eqn.outputs, outs))
    return [np.asarray(read(atom)) for atom in jaxpr.outs]


@functools.cache
def scalar_kernel(
    rule: str | Callable[..., Any], *dtypes: Any, printer: str | None = None
) -> Callable[..., np.ndarray[Any, Any]]:
    """An operation of the loop language as a function of flat arrays.

    Parameters
    ----------
    rule : str or callable
        A method of the builder, or a function of the builder and scalars.
    *dtypes
        Of the operands.
    """
    space = Space()
    b = ElementBuilder(space)
    axis = space.loop("i0", 1000)
    place = space.of(axis)
    kinds = [np.dtype(d) for d in dtypes]
    operands = [b.load(k, place, d) for k, d in enumerate(kinds)]
    value = getattr(b, rule)(*operands) if isinstance(rule, str) else rule(b, *operands)
    buffers = tuple(Buffer("in", k, x.code) for k, x in enumerate(operands))
    root = Root(len(kinds), place, value, 1)
    launch = launch_of(
        schedule(b, Nest((axis,), (root,)), (*buffers, Buffer("out", 0, value.code)))
    )

    def run(*arrays: Any) -> np.ndarray[Any, Any]:
        inputs = [np.ascontiguousarray(a, d) for a, d in zip(arrays, kinds)]
        out = np.empty(inputs[0].shape, value.dtype)
        module, address = build.address(launch, printer)
        words = np.array(
            [
                v if kind == "word" else (inputs[v] if kind == "in" else out).ctypes.data
                for kind, v in launch.words
            ],
            np.int64,
        )
        kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
        kind(address)(words.ctypes.data, 0, out.size)
        del module
        return out

    return run


def random_group(rng: np.random.Generator, length: int) -> Jaxpr:
    """A random program of elementwise functions, rearrangements, reductions and running sums."""
    g = Group()
    shapes = [tuple(int(e) for e in rng.integers(1, 30, rng.integers(0, 3))) for _ in range(3)]
    values: list[Any] = [g.input(shape, np.float64) for shape in shapes]
    while len(g.eqns) < length:
        recent = values[-6:] if rng.random() < 0.7 else values
        x = recent[rng.integers(len(recent))]
        made = _random_application(g, rng, x, values)
        if made is not None and made.aval.size <= 20_000:
            values.append(made)
        elif made is not None:
            g.eqns.pop()
    made_values = values[3:]
    if not made_values:
        return random_group(rng, length)
    chosen = [v for v in made_values[:-1] if rng.random() < 0.25]
    return g.jaxpr(made_values[-1], *chosen)


def _random_application(g: Group, rng: np.random.Generator, x: Any, values: list[Any]) -> Any:
    """One more equation; None if the operand does not suit the choice."""
    shape = x.aval.shape
    rank = len(shape)
    axis = int(rng.integers(rank)) if rank else 0
    choice = rng.integers(11)
    if choice < 2:
        return g(("tanh", "neg", "sin", "logistic", "floor")[rng.integers(5)], x)
    if choice < 4:
        same = [v for v in values if v.aval.shape == shape]
        name = ("add", "mul", "sub", "max")[rng.integers(4)]
        return g(name, x, same[rng.integers(len(same))])
    if choice == 4 and rank < 4:
        places = [k for k in range(rank + 1) if k != axis]
        longer = (*shape[:axis], int(rng.integers(1, 20)), *shape[axis:])
        return g.broadcast(x, longer, places)
    if rank == 0:
        return None
    if choice == 5:
        return g("transpose", x, permutation=tuple(int(k) for k in rng.permutation(rank)))
    if choice == 6:
        divisors = [d for d in range(1, x.aval.size + 1) if x.aval.size % d == 0]
        first = divisors[rng.integers(len(divisors))]
        return g("reshape", x, new_sizes=(first, x.aval.size // first))
    if choice == 7:
        return g("rev", x, dimensions=(axis,))
    if choice == 8:
        axes = tuple(k for k in range(rank) if rng.random() < 0.5) or (axis,)
        return g(("reduce_sum", "reduce_max")[rng.integers(2)], x, axes=axes)
    if choice == 9:
        return g("cumsum", x, axis=axis, reverse=bool(rng.integers(2)))
    fits = [
        v
        for v in values
        if len(v.aval.shape) == rank
        and all(k == axis or a == b for k, (a, b) in enumerate(zip(v.aval.shape, shape)))
    ]
    return g("concatenate", x, fits[rng.integers(len(fits))], dimension=axis)
