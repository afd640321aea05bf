"""`Operation`: a pure function of arrays as one unit, evaluated and differentiated whole.

In: a function written with the functions of `fnx`, static parameters by keyword. It is staged once
for each types of operands and values of parameters; from then on a call runs a `Program`. Its
pullback (see `pullbacks`) is derived, never written. An elementwise operation on small operands is
staged on 0-d types, so that one program serves all shapes.

Names without a dtype of their own are 64 bits wide inside an operation: a facade that follows
NumPy or PyTorch has int64 indices, and the user's settings for `fnx` do not reach into it.
Read next: `pullbacks`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.config import CONTEXT, Context, settings
from fnx.core.jaxpr import ClosedJaxpr
from fnx.core.primitive import quietly
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.tracing import Tracer
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError
from fnx.extend.programs import Program

__all__ = ["Operation", "evaluate"]

NDArray = np.ndarray[Any, Any]

#: Elements of an operand from which an elementwise operation is staged for its shapes, because its
#: program may be compiled (see `programs.HEAVY`).
LARGE = 1 << 15

#: Programs that one operation keeps; the oldest go first.
CACHE_SIZE = 1024


class Operation:
    """A pure function of arrays that a facade applies as one unit.

    Parameters
    ----------
    function : callable
        ``function(*arrays, **params)`` gives an array, or a sequence of them. Written with the
        functions of `fnx`; what it captures is constant.
    name : str, optional
        For errors and printing; by default the function's.
    elementwise : bool
        Whether every element of the result depends on the elements of the operands at the same
        place only, with broadcasting.
    reuse_results : bool
        Whether the pullback reads the results where it would compute them again, as for exp.
        Then they are saved, and must not be changed before the pullback has run.
    hidden : int
        How many of the last results are there for the pullback only (an index, a statistic);
        they are always saved where it needs them.
    adjoint : bool
        Whether the pullback of a complex operation is the conjugate transpose of its derivative, as
        PyTorch has it, in place of the transpose, as JAX has it.
    compiled : bool
        Whether it runs compiled, and so do its pullbacks: for loops, whose steps would each cost
        many calls of NumPy.

    Examples
    --------
    >>> import numpy as np, fnx.numpy as jnp
    >>> hypotenuse = Operation(lambda x, y: jnp.sqrt(x * x + y * y), "hypotenuse")
    >>> hypotenuse.evaluate([np.array([3.0]), np.array([4.0])])
    [array([5.])]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str = "",
        *,
        elementwise: bool = False,
        reuse_results: bool = False,
        hidden: int = 0,
        adjoint: bool = False,
        compiled: bool = False,
    ) -> None:
        self.function = function
        self.name = name or getattr(function, "__name__", "operation")
        self.elementwise = elementwise
        self.reuse_results = reuse_results
        self.hidden = hidden
        self.adjoint = adjoint
        self.compiled = compiled
        self._jaxprs: dict[Any, ClosedJaxpr] = {}
        self._programs: dict[Any, Program] = {}

    def __repr__(self) -> str:
        return f"Operation({self.name})"

    def __call__(self, *arrays: Any, **params: Any) -> Any:
        """Apply to arrays or tracers, under the current trace, as any function.

        Parameters
        ----------
        *arrays : Array or Tracer
            The operands.
        **params
            Static parameters.
        """
        with _wide():
            return self.function(*arrays, **params)

    def jaxpr(self, avals: Sequence[ShapedArray], params: dict[str, Any]) -> ClosedJaxpr:
        """The simplified program for operands of given types; it gives the hidden results, too.

        Parameters
        ----------
        avals : sequence of ShapedArray
            Types of the operands.
        params : dict
            Static parameters: hashable, one type for each name.
        """
        avals = tuple(avals)
        key = (avals, tuple(params.items()))
        found = self._jaxprs.get(key)
        if found is None:
            found = remember(self._jaxprs, key, self._stage(avals, params))
        return found

    def program(self, operands: Sequence[NDArray], params: dict[str, Any]) -> Program:
        """The program that fits operands.

        Parameters
        ----------
        operands : sequence of ndarray
            Of small operands of an elementwise operation, shapes do not count.
        params : dict
            Static parameters.
        """
        if self.elementwise and not is_large(operands):
            key: Any = tuple([x.dtype for x in operands])
        else:
            key = tuple([(x.dtype, x.shape) for x in operands])
        if params:
            key = (key, tuple(params.items()))
        found = self._programs.get(key)
        if found is None:
            closed = self.jaxpr(self.types(operands), params)
            found = remember(
                self._programs, key, Program(closed.jaxpr, closed.consts, self.compiled)
            )
        return found

    def types(self, operands: Sequence[NDArray]) -> tuple[ShapedArray, ...]:
        """The types for which it is staged: 0-d ones where one program serves all shapes.

        Parameters
        ----------
        operands : sequence of ndarray
            What it is applied to.
        """
        if self.elementwise and not is_large(operands):
            return tuple([ShapedArray((), x.dtype) for x in operands])
        return tuple([ShapedArray(x.shape, x.dtype) for x in operands])

    def evaluate(
        self, operands: Sequence[NDArray], params: dict[str, Any] | None = None
    ) -> list[NDArray]:
        """Results on ndarrays, hidden ones included, as the caller's own buffers.

        Parameters
        ----------
        operands : sequence of ndarray
            Borrowed for the length of the call.
        params : dict, optional
            Static parameters: hashable, one type for each name.

        Raises
        ------
        ValueError
            NumPy's, where shapes of an elementwise operation do not fit.
        """
        return self.apply(operands, params or _NONE)[1]

    def apply(
        self, operands: Sequence[NDArray], params: dict[str, Any]
    ) -> tuple[Program, list[NDArray]]:
        """The program that fits operands, and its results as the caller's own buffers.

        Parameters
        ----------
        operands : sequence of ndarray
            Borrowed for the length of the call.
        params : dict
            Static parameters: hashable, one type for each name.
        """
        key: Any = None
        if self.elementwise:
            dtypes, large = [], False
            for x in operands:
                dtypes.append(x.dtype)
                large = large or x.size >= LARGE
            if not large:
                key = tuple(dtypes)
        if key is None:
            key = tuple([(x.dtype, x.shape) for x in operands])
        if params:
            key = (key, tuple(params.items()))
        program = self._programs.get(key)
        if program is None:
            program = self.program(operands, params)
        if program.fresh:  # then there is no host step either
            results = quietly(program.function, *operands)
            if type(results[0]) is not np.ndarray:  # all of them are 0-d
                results = [np.array(r) for r in results]
        else:
            results = program(operands)
        if self.elementwise and not program.whole:
            shape = np.broadcast_shapes(*[x.shape for x in operands])
            results = [r if r.shape == shape else _spread(r, shape) for r in results]
        return program, results

    def evaluate_into(
        self, target: NDArray, operands: Sequence[NDArray], params: dict[str, Any]
    ) -> None:
        """Write the only result of an elementwise operation into a buffer.

        Parameters
        ----------
        target : ndarray
            Of the result's shape; may be one of the operands.
        operands : sequence of ndarray
            Borrowed for the length of the call.
        params : dict
            Static parameters.
        """
        self.program(operands, params).run_into(target, operands)

    def _stage(self, avals: Sequence[ShapedArray], params: dict[str, Any]) -> ClosedJaxpr:
        def function(*arrays: Any) -> list[Any]:
            out = self.function(*arrays, **params)
            return list(out) if isinstance(out, (tuple, list)) else [out]

        with _wide():
            jaxpr, captured = stage(function, avals, self.name)
        for value in captured:
            if isinstance(value, Tracer):
                raise ArgumentTypeError(
                    f"{self.name}: an operation captured the traced array {value.aval!r}. Pass "
                    "arrays as operands, so that it can be differentiated with respect to them."
                )
        return ClosedJaxpr(simplify(jaxpr), captured)


def evaluate(function: Any, *operands: NDArray, **params: Any) -> Any:
    """Apply an operation to ndarrays; results are fresh, writeable ndarrays.

    Parameters
    ----------
    function : Operation or callable
        Of arrays. A plain function is staged at every call; make it an `Operation` to keep it.
    *operands : ndarray
        Borrowed for the length of the call.
    **params
        Static parameters.

    Returns
    -------
    ndarray or list of ndarray

    Examples
    --------
    >>> import numpy as np, fnx.numpy as jnp
    >>> evaluate(jnp.sin, np.zeros(2))
    array([0., 0.])
    """
    operation = function if isinstance(function, Operation) else Operation(function)
    results = operation.evaluate(operands, params)
    return results[0] if len(results) == 1 else results


def is_large(operands: Sequence[Any]) -> bool:
    """Whether an elementwise operation is staged for the shapes of its operands, not for all.

    Parameters
    ----------
    operands : sequence
        ndarrays or types.
    """
    return any([x.size >= LARGE for x in operands])


def remember(cache: dict[Any, Any], key: Any, value: Any) -> Any:
    """Keep a value in a bounded cache; the oldest entry goes when it is full."""
    if len(cache) >= CACHE_SIZE:
        cache.pop(next(iter(cache)), None)
    cache[key] = value
    return value


class _wide:
    """Context manager: what has no dtype of its own is 64 bits wide."""

    __slots__ = ("token",)

    def __enter__(self) -> None:
        now = CONTEXT.get()
        chosen = dataclasses.replace(settings(), enable_x64=True)
        self.token = CONTEXT.set(Context(now.trace, now.axis_env, chosen, now.scope))

    def __exit__(self, *exception: object) -> None:
        CONTEXT.reset(self.token)


def _spread(data: NDArray, shape: tuple[int, ...]) -> NDArray:
    return np.broadcast_to(data, shape).copy()


_NONE: dict[str, Any] = {}
