"""`ElementBuilder`: what the element rules of primitives are given to speak with.

What goes in: calls of the methods that `fnx.core.lowering.Builder` describes. What comes out:
values of the loop language. Here is what has structure: reading memory, guards, reductions
and running reductions; arithmetic is in `scalar_expressions`. Read next: `lower`, which runs the
rules.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fnx.compiler import complex_expressions as of_complex
from fnx.compiler.complex_expressions import Complex
from fnx.compiler.loops import DTYPES, Reduction, Value
from fnx.compiler.positions import Atom, Position, Space
from fnx.compiler.scalar_expressions import LOW_PRECISION, ScalarBuilder, code_of

__all__ = ["Complex", "ElementBuilder", "code_of"]


class ElementBuilder(ScalarBuilder):
    """Builds the values of one kernel.

    Parameters
    ----------
    space : Space
        Where positions live.
    """

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        self.out_avals: tuple[Any, ...] = ()
        self._guard: Value | None = None
        self._depth = 0

    @property
    def out_aval(self) -> Any:
        """The type of the result of the primitive whose rule runs."""
        return self.out_avals[0]

    # Memory and positions.

    def load(self, buffer: int, position: Position, dtype: np.dtype[Any]) -> Any:
        """The element of a buffer, read only where the surrounding guards hold."""
        guard = () if self._guard is None else (self._guard,)
        if dtype.kind == "c":
            code = f"f{dtype.itemsize * 4}"
            real = self.make("load", code, guard, (buffer, position * 2))
            return Complex(real, self.make("load", code, guard, (buffer, position * 2 + 1)))
        return self.make("load", code_of(dtype), guard, (buffer, position))

    def from_index(self, index: Any, dtype: Any) -> Any:
        """A position as a number of some type."""
        dtype = np.dtype(dtype)
        position = index if isinstance(index, Position) else self.space.number(int(index))
        if dtype.kind in "iu":
            return self.make("position", code_of(dtype), (), position)
        return self.convert(self.make("position", "i64", (), position), dtype)

    def to_index(self, value: Any) -> Position:
        """A position that is computed from data."""
        wide = self.convert(value, np.int64)
        if wide.op == "position":
            return wide.attr
        return self.space.datum(wide, None, None)

    def clamp_index(self, index: Any, low: int, high: int) -> Position:
        """``min(max(index, low), high)``."""
        if not isinstance(index, Position):
            index = self.space.number(int(index))
        bounded = index.low is not None and index.high is not None
        if bounded and low <= index.low and index.high <= high:
            return index
        value = self.make("position", "i64", (), index)
        bounds = [self.make("position", "i64", (), self.space.number(n)) for n in (low, high)]
        value = self.min(self.max(value, bounds[0]), bounds[1])
        return self.space.datum(value, low, high)

    # Structure.

    def guarded(self, condition: Any, read: Callable[[], Any], otherwise: Any) -> Any:
        """``read()`` where the condition holds; there is no read of memory elsewhere."""
        if condition is True:
            return read()
        if condition is False:
            return otherwise
        with self._guarding(condition):
            value = read()
        return self.select(condition, value, otherwise)

    @contextlib.contextmanager
    def _guarding(self, condition: Value) -> Iterator[None]:
        before = self._guard
        self._guard = condition if before is None else self.and_(before, condition)
        try:
            yield
        finally:
            self._guard = before

    @property
    def guard(self) -> Value | None:
        """What must hold for a read of memory here."""
        return self._guard

    def inside(self, index: Any, size: int) -> Any:
        """Whether ``0 <= index < size``; True or False when that is known."""
        if not isinstance(index, Position):
            return 0 <= index < size
        conditions = []
        if index.low is None or index.low < 0:
            conditions.append(self.ge(index, 0))
        if index.high is None or index.high >= size:
            conditions.append(self.lt(index, self.space.number(size)))
        if index.low is not None and index.low >= size:
            return False
        if index.high is not None and index.high < 0:
            return False
        if not conditions:
            return True
        return conditions[0] if len(conditions) == 1 else self.and_(*conditions)

    def piecewise(
        self, index: Any, stops: Sequence[int], reads: Sequence[Callable[[], Any]]
    ) -> Any:
        """``reads[k]()`` for the first k with ``index < stops[k]``."""
        if len(reads) == 1:
            return reads[0]()
        if not isinstance(index, Position):
            return next(read() for stop, read in zip(stops, reads) if index < stop)
        middle = len(reads) // 2
        if stops[middle - 1] <= 0 or (index.low is not None and index.low >= stops[middle - 1]):
            return self.piecewise(index, stops[middle:], reads[middle:])
        if index.high is not None and index.high < stops[middle - 1]:
            return self.piecewise(index, stops[:middle], reads[:middle])
        first = self.lt(index, self.space.number(stops[middle - 1]))
        with self._guarding(first):
            left = self.piecewise(index, stops[:middle], reads[:middle])
        with self._guarding(self.not_(first)):
            right = self.piecewise(index, stops[middle:], reads[middle:])
        return self.select(first, left, right)

    def reduce(
        self, operation: str, dtype: Any, extents: Sequence[int], body: Callable[..., Any]
    ) -> Any:
        """Combine ``body(*index)`` over all indices."""
        dtype = np.dtype(dtype)
        if dtype.kind == "c":
            return of_complex.reduce(self, operation, dtype, extents, body)
        code = code_of(dtype)
        work = "f32" if code in LOW_PRECISION and operation in ("add", "mul") else code
        init = self.constant(_identity(operation, DTYPES[work]), DTYPES[work])

        def combine(b: ElementBuilder, left: Any, right: Any) -> tuple[Any, ...]:
            return (b.combined(operation, left[0], right[0]),)

        def one(*index: Any) -> tuple[Any, ...]:
            return (self.convert(body(*index), DTYPES[work]),)

        return self.convert(self.reduce_many(combine, (init,), extents, one)[0], dtype)

    def combined(self, operation: str, x: Any, y: Any) -> Any:
        """One of the named combinations of two values."""
        name = operation + "_" if operation in ("and", "or") else operation
        return getattr(self, name)(x, y)

    def reduce_many(
        self,
        combine: Callable[..., tuple[Any, ...]],
        inits: Sequence[Any],
        extents: Sequence[int],
        body: Callable[..., tuple[Any, ...]],
    ) -> tuple[Any, ...]:
        """Combine tuples over all indices."""
        if any(e == 0 for e in extents):
            return tuple(inits)
        first = self._depth
        axes = tuple(self.space.loop(f"r{first + k}", e) for k, e in enumerate(extents) if e != 1)
        self._depth += len(axes)
        remaining = iter(axes)
        index = [0 if e == 1 else self.space.of(next(remaining)) for e in extents]
        try:
            bodies = body(*index)
        finally:
            self._depth = first
        if not axes:
            return tuple(combine(self, tuple(inits), bodies))
        return self._reduction(combine, inits, axes, bodies, False, False)

    def running(
        self,
        operation: str,
        dtype: Any,
        at: Any,
        extent: int,
        body: Callable[[Any], Any],
        reverse: bool = False,
    ) -> Any:
        """The running reduction at a position."""
        dtype = np.dtype(dtype)
        if dtype.kind == "c":
            return of_complex.running(self, operation, dtype, at, extent, body, reverse)
        code = code_of(dtype)
        work = "f32" if code in LOW_PRECISION and operation in ("add", "mul") else code
        # A running sum starts with its first element, which -0 leaves alone and 0 doesn't.
        first = -0.0 if operation == "add" and DTYPES[work].kind == "f" else None
        identity = _identity(operation, DTYPES[work]) if first is None else first
        init = self.constant(identity, DTYPES[work])

        def combine(b: ElementBuilder, left: Any, right: Any) -> tuple[Any, ...]:
            return (b.combined(operation, left[0], right[0]),)

        def one(index: Any) -> tuple[Any, ...]:
            return (self.convert(body(index), DTYPES[work]),)

        return self.convert(self.running_many(combine, (init,), at, extent, one, reverse)[0], dtype)

    def running_many(
        self,
        combine: Callable[..., tuple[Any, ...]],
        inits: Sequence[Any],
        at: Any,
        extent: int,
        body: Callable[[Any], tuple[Any, ...]],
        reverse: bool = False,
    ) -> tuple[Any, ...]:
        """The running reduction of tuples at a position."""
        bodies = body(at)
        if extent == 1 or not isinstance(at, Position):
            return tuple(combine(self, tuple(inits), bodies))
        if len(at.terms) != 1 or at.constant or at.terms[0][0].kind != "loop":
            raise ValueError("running: `at` must be the index of an axis of the output itself")
        return self._reduction(combine, inits, (at.terms[0][0],), bodies, True, reverse)

    def _reduction(
        self,
        combine: Callable[..., tuple[Any, ...]],
        inits: Sequence[Any],
        axes: tuple[Atom, ...],
        bodies: tuple[Any, ...],
        running: bool,
        reverse: bool,
    ) -> tuple[Any, ...]:
        flat, shape = of_complex.flattened(bodies)
        starts, _ = of_complex.flattened(inits)
        left = [self.make("left", v.code, (), k) for k, v in enumerate(flat)]
        right = [self.make("right", v.code, (), k) for k, v in enumerate(flat)]
        results, _ = of_complex.flattened(
            combine(self, of_complex.nested(left, shape), of_complex.nested(right, shape))
        )
        reduction = Reduction(axes, tuple(starts), tuple(results), tuple(flat), running, reverse)
        outs = [self.make("reduced", v.code, (), (reduction, k)) for k, v in enumerate(flat)]
        return of_complex.nested(outs, shape)


def _identity(operation: str, dtype: np.dtype[Any]) -> Any:
    if operation in ("min", "max"):
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            return limits.max if operation == "min" else limits.min
        if dtype.kind == "b":
            return operation == "min"
        return np.inf if operation == "min" else -np.inf
    if operation == "and":
        return True if dtype.kind == "b" else ~np.zeros((), dtype)
    identities = {"add": 0, "or": 0, "xor": 0, "mul": 1}
    if operation not in identities:
        raise ValueError(
            f"reduce: no operation {operation!r}; there are add mul min max and or xor"
        )
    return identities[operation]
