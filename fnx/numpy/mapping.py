"""Functions of scalars and vectors, applied to whole arrays: vectorize, apply_along_axis, ufunc.

Read next: `ufuncs`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from fnx.control.loops import fori_loop, scan
from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError, UnsupportedError
from fnx.numpy import ufuncs
from fnx.numpy.creation import asarray, full
from fnx.numpy.joining import concatenate
from fnx.numpy.manipulation import expand_dims, moveaxis, normal_axis, ravel, squeeze
from fnx.numpy.promotion import as_arrays, broadcast_shapes, broadcast_to, known
from fnx.transforms.vmap import vmap

__all__ = ["apply_along_axis", "apply_over_axes", "frompyfunc", "ufunc", "vectorize"]

_NAME = r"\w+"
_DIMS = rf"\((?:{_NAME}(?:,{_NAME})*,?)?\)"
_SIGNATURE = re.compile(rf"^{_DIMS}(?:,{_DIMS})*->{_DIMS}(?:,{_DIMS})*$")

Dims = list[tuple[str, ...]]


def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    """A function of vectors, of each vector along an axis.

    Parameters
    ----------
    func1d : callable
        Of a vector; its result takes the place of the axis.
    axis : int
        Along which axis.
    arr : array-like
        The operand.
    *args, **kwargs
        Passed on to the function.
    """
    (x,) = as_arrays("apply_along_axis", arr)
    place = normal_axis("apply_along_axis", axis, x.ndim)

    def function(vector: Any) -> Any:
        return func1d(vector, *args, **kwargs)

    for _ in range(x.ndim - place - 1):
        function = vmap(function, in_axes=-1, out_axes=-1)
    for _ in range(place):
        function = vmap(function, in_axes=0, out_axes=0)
    return function(x)


def apply_over_axes(func: Callable[..., Any], a: Any, axes: int | Sequence[int]) -> Any:
    """A function of an array and an axis, of one axis after another; all axes are kept.

    Parameters
    ----------
    func : callable
        Such as `sum`: of an array and an axis.
    a : array-like
        The operand.
    axes : int or sequence of int
        Which axes.
    """
    (x,) = as_arrays("apply_over_axes", a)
    rank = x.ndim
    for axis in np.atleast_1d(np.asarray(axes)).tolist():
        place = normal_axis("apply_over_axes", axis, rank)
        (found,) = as_arrays("apply_over_axes", func(x, place))
        if found.ndim == rank - 1:
            found = expand_dims(found, place)
        if found.ndim != rank:
            raise ShapeError(
                f"apply_over_axes: the function made {found.aval!r} of {x.aval!r}. It must keep "
                "the axis or take it away."
            )
        x = found
    return x


# --------------------------------------------------------------------------------------- vectorize


def _parsed(signature: str) -> tuple[Dims, Dims]:
    text = re.sub(r"\s+", "", signature)
    if not _SIGNATURE.match(text):
        raise ArgumentValueError(
            f"vectorize: signature {signature!r} is not of the form '(m,n),(n)->(m)'."
        )
    sides = []
    for side in text.split("->"):
        groups = re.findall(_DIMS, side)
        sides.append([tuple([d for d in g[1:-1].split(",") if d]) for g in groups])
    return sides[0], sides[1]


def _core_sizes(args: Sequence[Any], dims: Dims, signature: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for k, (x, names) in enumerate(zip(args, dims, strict=True)):
        if x.ndim < len(names):
            raise ArgumentValueError(
                f"vectorize: argument {k} is {x.aval!r}, signature {signature!r} wants at least "
                f"{len(names)} axes."
            )
        for name, n in zip(names, x.shape[x.ndim - len(names) :], strict=True):
            wanted = int(name) if name.isdigit() else sizes.setdefault(name, n)
            if wanted != n:
                raise ArgumentValueError(
                    f"vectorize: axis {name!r} of signature {signature!r} has size {wanted}, but "
                    f"size {n} in argument {k}, {x.aval!r}."
                )
    return sizes


def vectorize(
    pyfunc: Callable[..., Any],
    *,
    excluded: Collection[int | str] = frozenset(),
    signature: str | None = None,
) -> Callable[..., Any]:
    """A function of scalars or small arrays, applied to arrays with broadcasting.

    Parameters
    ----------
    pyfunc : callable
        The function.
    excluded : set of int and str
        Arguments that are passed on as they are.
    signature : str, optional
        Which axes the function sees, such as ``"(m,n),(n)->(m)"``; none by default.

    Returns
    -------
    callable

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> vectorize(lambda a, b: a @ b, signature="(n),(n)->()")(jnp.ones((3, 2)), jnp.ones(2))
    Array([2., 2., 2.], dtype=float32)
    """
    for item in excluded:
        if not isinstance(item, (int, str)):
            raise ArgumentTypeError(
                f"vectorize: excluded holds {item!r}. Pass positions and names of arguments."
            )
    dims = None if signature is None else _parsed(signature)

    @functools.wraps(pyfunc)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        left = {k: a for k, a in enumerate(args) if k in excluded or a is None}
        fixed = {n: a for n, a in kwargs.items() if n in excluded}
        names = [n for n in kwargs if n not in excluded]
        places = [k for k in range(len(args)) if k not in left]
        values = as_arrays("vectorize", *[args[k] for k in places], *[kwargs[n] for n in names])

        def function(*vectors: Any) -> Any:
            given = dict(zip([*places, *names], vectors, strict=True)) | left
            positional = [given[k] for k in range(len(args))]
            return pyfunc(*positional, **{n: given[n] for n in names}, **fixed)

        inputs: Dims = [()] * len(values) if dims is None else dims[0]
        if len(inputs) != len(values):
            raise ArgumentTypeError(
                f"vectorize: signature {signature!r} wants {len(inputs)} arguments, got "
                f"{len(values)}."
            )
        sizes = _core_sizes(values, inputs, signature or "")
        loops = [x.shape[: x.ndim - len(n)] for x, n in zip(values, inputs, strict=True)]
        shape = broadcast_shapes(*loops) if loops else ()
        if dims is not None:
            function = _checked(function, dims[1], sizes, signature or "")
        # Innermost first; an argument that has no such axis, or one of size 1, is shared.
        for depth in range(len(shape)):
            axes = [
                0
                if len(loop) > depth and (loop[-1 - depth] != 1 or shape[-1 - depth] == 1)
                else None
                for loop in loops
            ]
            values = [
                squeeze(x, len(loop) - 1 - depth) if a is None and len(loop) > depth else x
                for x, loop, a in zip(values, loops, axes, strict=True)
            ]
            function = vmap(function, in_axes=tuple(axes), axis_size=shape[-1 - depth])
        return function(*values)

    return wrapped


def _checked(
    function: Callable[..., Any], dims: Dims, sizes: dict[str, int], signature: str
) -> Callable[..., Any]:
    """The function, whose results have the axes that the signature says."""

    def checked(*args: Any) -> Any:
        out = function(*args)
        parts = out if isinstance(out, tuple) else (out,)
        if len(parts) != len(dims):
            raise ArgumentTypeError(
                f"vectorize: signature {signature!r} promises {len(dims)} results, the function "
                f"gave {len(parts)}."
            )
        known_sizes = dict(sizes)
        for part, names in zip(as_arrays("vectorize", *parts), dims, strict=True):
            wanted = [
                int(n) if n.isdigit() else known_sizes.setdefault(n, m)
                for n, m in zip(names, part.shape, strict=False)
            ]
            if list(part.shape) != wanted or part.ndim != len(names):
                raise ArgumentValueError(
                    f"vectorize: a result is {part.aval!r}, signature {signature!r} promises axes "
                    f"({', '.join(names)})."
                )
        return out

    return checked


# ------------------------------------------------------------------------------------------- ufunc


class ufunc:
    """An elementwise function with NumPy's ways to apply it; made by `frompyfunc`.

    Parameters
    ----------
    func : callable
        Of scalars.
    nin, nout : int
        How many arguments and results it has.
    name : str, optional
        Its name.
    identity : number, optional
        The start of reductions.

    Attributes
    ----------
    nin, nout, nargs : int
        Numbers of arguments, results, and both.
    identity : number or None
        The start of reductions.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        /,
        nin: int,
        nout: int,
        *,
        name: str | None = None,
        identity: Any = None,
    ) -> None:
        self.nin = nin
        self.nout = nout
        self.nargs = nin + nout
        self.identity = identity
        self.__name__ = name or getattr(func, "__name__", "ufunc")
        self._mapped = vectorize(func)

    def __repr__(self) -> str:
        return f"<fnx.numpy.ufunc {self.__name__!r}>"

    def __call__(self, *args: Any, out: None = None, where: None = None) -> Any:
        """The function of each element, with broadcasting."""
        if out is not None or where is not None:
            raise UnsupportedError(f"{self.__name__}: arrays are immutable; leave out= and where=.")
        if len(args) != self.nin:
            raise ArgumentTypeError(
                f"{self.__name__}: takes {self.nin} arguments, got {len(args)}."
            )
        return self._mapped(*args)

    def _pairs_only(self, method: str) -> None:
        if self.nin != 2 or self.nout != 1:
            raise ArgumentValueError(
                f"{self.__name__}.{method}: needs a function of two arguments with one result, "
                f"this has {self.nin} and {self.nout}."
            )

    def reduce(
        self,
        a: Any,
        axis: int | None = 0,
        dtype: Any = None,
        out: None = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = None,
    ) -> Any:
        """The function of all elements along an axis, from the first to the last.

        Parameters
        ----------
        a : array-like
            The operand.
        axis : int or None
            Along which axis; None over all elements.
        dtype : dtype, optional
            Of the result.
        out : None
            Arrays are immutable.
        keepdims : bool
            Keep the axis, with size 1.
        initial : number, optional
            The start; the first element by default, or the identity of an empty axis.
        where : array-like of bool, optional
            Which elements count; needs a start.
        """
        self._pairs_only("reduce")
        if out is not None:
            raise UnsupportedError(f"{self.__name__}.reduce: arrays are immutable; leave out=.")
        (x,) = as_arrays(f"{self.__name__}.reduce", a)
        mask = None if where is None else broadcast_to(asarray(where, dtype=bool), x.shape)
        kept = [1] * x.ndim
        if axis is None:
            x, mask, place = ravel(x), None if mask is None else ravel(mask), 0
        else:
            place = normal_axis(f"{self.__name__}.reduce", axis, x.ndim)
            kept = [1 if k == place else n for k, n in enumerate(x.shape)]
        x = moveaxis(x if dtype is None else x.astype(dtype), place, 0)
        start = self.identity if initial is None else initial
        if initial is None and mask is None and x.shape[0]:
            carry, rest = x[0], x[1:]
        elif start is None:
            raise ArgumentValueError(
                f"{self.__name__}.reduce: there is no identity to start from. Pass initial=."
            )
        else:
            carry, rest = full(x.shape[1:], start, dtype=x.dtype), x

        def step(carry: Any, element: Any) -> Any:
            value, counts = element
            new = self(carry, value).astype(carry.dtype)
            return new if counts is None else ufuncs.where(counts, new, carry), None

        counts = None if mask is None else moveaxis(mask, place, 0)
        result, _ = scan(step, carry, (rest, counts))
        return result.reshape(kept) if keepdims else result

    def accumulate(self, a: Any, axis: int = 0, dtype: Any = None, out: None = None) -> Any:
        """The function of the elements along an axis up to each of them.

        Parameters
        ----------
        a : array-like
            The operand.
        axis : int
            Along which axis.
        dtype : dtype, optional
            Of the result.
        out : None
            Arrays are immutable.
        """
        self._pairs_only("accumulate")
        if out is not None:
            raise UnsupportedError(f"{self.__name__}.accumulate: arrays are immutable; leave out=.")
        (x,) = as_arrays(f"{self.__name__}.accumulate", a)
        place = normal_axis(f"{self.__name__}.accumulate", axis, x.ndim)
        x = moveaxis(x if dtype is None else x.astype(dtype), place, 0)
        if not x.shape[0]:
            return moveaxis(x, 0, place)

        def step(carry: Any, element: Any) -> Any:
            value = self(carry, element).astype(carry.dtype)
            return value, value

        _, rest = scan(step, x[0], x[1:])
        return moveaxis(concatenate([x[:1], rest]), 0, place)

    def outer(self, A: Any, B: Any, /) -> Any:
        """The function of each pair of elements of two arrays.

        Parameters
        ----------
        A, B : array-like
            The operands; the axes of the first come first.
        """
        self._pairs_only("outer")
        x, y = as_arrays(f"{self.__name__}.outer", A, B)
        return self(x.reshape(x.shape + (1,) * y.ndim), y)

    def at(self, a: Any, indices: Any, b: Any = None, /, *, inplace: bool = True) -> Any:
        """The array in which elements are replaced by the function of them, one after the other.

        Parameters
        ----------
        a : array-like
            The operand.
        indices : index
            Which elements; one that occurs twice is replaced twice.
        b : array-like, optional
            The second arguments, broadcast; none for functions of one argument.
        inplace : bool
            Must be false: arrays are immutable.
        """
        name = f"{self.__name__}.at"
        if inplace:
            raise UnsupportedError(
                f"{name}: arrays are immutable. Pass inplace=False and use the result."
            )
        if (b is None) != (self.nin == 1):
            raise ArgumentTypeError(f"{name}: takes {self.nin - 1} second arguments.")
        (x,) = as_arrays(name, a)
        places = np.arange(x.size, dtype=np.int32).reshape(x.shape)
        chosen = asarray(places)[indices]
        flat, where = ravel(x), ravel(chosen)
        second = None if b is None else ravel(broadcast_to(asarray(b), chosen.shape))

        def step(k: Any, flat: Any) -> Any:
            old = flat[where[k]]
            new = self(old) if second is None else self(old, second[k])
            return flat.at[where[k]].set(new.astype(flat.dtype))

        return fori_loop(0, where.shape[0], step, flat).reshape(x.shape)

    def reduceat(
        self, a: Any, indices: Any, axis: int = 0, dtype: Any = None, out: None = None
    ) -> Any:
        """Reductions of the parts of an axis that begin at given places.

        Parameters
        ----------
        a : array-like
            The operand.
        indices : array-like of int
            Where parts begin; a part ends where the next begins, and has one element if that isn't
            later. Must be known.
        axis : int
            Along which axis.
        dtype : dtype, optional
            Of the result.
        out : None
            Arrays are immutable.
        """
        self._pairs_only("reduceat")
        if out is not None:
            raise UnsupportedError(f"{self.__name__}.reduceat: arrays are immutable; leave out=.")
        places = np.asarray(indices) if isinstance(indices, (list, tuple)) else indices
        x, index = as_arrays(f"{self.__name__}.reduceat", a, places)
        place = normal_axis(f"{self.__name__}.reduceat", axis, x.ndim)
        starts = known(index)
        if starts is None or starts.ndim != 1 or starts.dtype.kind not in "iu":
            raise ArgumentTypeError(
                f"{self.__name__}.reduceat: indices must be known integers of one axis, got "
                f"{index.aval!r}."
            )
        x = moveaxis(x if dtype is None else x.astype(dtype), place, 0)
        if ((starts < 0) | (starts >= x.shape[0])).any():
            raise ArgumentValueError(
                f"{self.__name__}.reduceat: an index is out of bounds for axis {place} of size "
                f"{x.shape[0]}."
            )
        ends = [*starts[1:].tolist(), x.shape[0]]
        parts = [
            self.reduce(x[i:end]) if end > i else x[i]
            for i, end in zip(starts.tolist(), ends, strict=True)
        ]
        return moveaxis(concatenate([p[None] for p in parts]), 0, place)


def frompyfunc(func: Callable[..., Any], /, nin: int, nout: int, *, identity: Any = None) -> ufunc:
    """An elementwise function with reductions, accumulations and more, from one of scalars.

    Parameters
    ----------
    func : callable
        The function.
    nin, nout : int
        How many arguments and results it has.
    identity : number, optional
        The start of reductions.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> larger = frompyfunc(lambda a, b: jnp.where(a > b, a, b), 2, 1)
    >>> larger.reduce(jnp.array([1., 3., 2.]))
    Array(3., dtype=float32)
    """
    return ufunc(func, nin, nout, identity=identity)
