"""`check`: a program may find out that something failed, and raise or carry that along as a value.

    check: (failed, code, payload of its message)*  ->  nothing

An `Error` is that value: a pytree which says, for each kind of failure, whether there was one, the
code of the place in the program that found it, and the values in its message.  Kinds are told apart
by what can't be chosen at run time: the category, and the types of the payload.  What is known
before the program runs (messages and places, by code) belongs to the tree's structure.  `check_p`
raises what an `Error` holds; eagerly at once, compiled as a step in Python.  The transform that
makes an `Error` a result of the program is in `fnx.experimental.checkify`.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from fnx import errors
from fnx.core.array import Array
from fnx.core.jaxpr import Jaxpr, Var
from fnx.core.lowering import Host
from fnx.core.primitive import HigherOrderPrimitive, Sample
from fnx.core.types import Effect, ShapedArray
from fnx.errors import ArgumentTypeError
from fnx.primitives.bits import bitwise_or
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import select_n
from fnx.primitives.dynamic_slicing import dynamic_index_in_dim
from fnx.primitives.reductions import argmax
from fnx.primitives.samplers import arrays
from fnx.primitives.shaping import broadcast_in_dim, full, reshape, rev, zeros
from fnx.transforms.batching import to_axis
from fnx.tree_util import (
    PyTreeDef,
    register_pytree_node_class,
    tree_flatten,
    tree_leaves,
    tree_structure,
    tree_unflatten,
)

__all__ = [
    "Error",
    "ErrorCategory",
    "Failure",
    "JaxRuntimeError",
    "Kind",
    "Site",
    "Structure",
    "apply_check",
    "check_error",
    "check_p",
    "debug_check_p",
    "error_of",
    "init_error",
]


class JaxRuntimeError(errors.JaxRuntimeError, ValueError):
    """A check failed.

    The text is that of `Error.get`, then the line of the check (see `FnxError`).
    """


class ErrorCategory(enum.Enum):
    """What failures are about; the sets that `checkify` takes hold these."""

    FAILED_CHECK = "FailedCheckError"
    NAN = "NaNError"
    DIVISION_BY_ZERO = "DivisionByZeroError"
    OUT_OF_BOUNDS = "OOBError"

    def __repr__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Kind:
    """Failures that have one representation: their category, and the types in their messages."""

    category: ErrorCategory
    types: tuple[ShapedArray, ...]

    def __repr__(self) -> str:
        return f"{self.category!r}({', '.join(map(repr, self.types))})"

    def avals(self) -> list[ShapedArray]:
        """Types of the leaves of a `Failure` of this kind."""
        return [ShapedArray((), np.dtype(bool)), ShapedArray((), np.dtype(np.int32)), *self.types]

    def absent(self) -> Failure:
        """None of this kind happened."""
        failed, code, *payload = map(zeros, self.avals())
        return Failure(failed, code, tuple(payload))


class Failure(NamedTuple):
    """Whether there was a failure of a kind, where (a code), and the values of its message."""

    failed: Any
    code: Any
    payload: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a program that may find a failure: what it says then.

    Parameters
    ----------
    message : str
        A format string.
    tree : PyTreeDef
        Structure of its arguments, ``(args, kwargs)``; the payload has the leaves.
    place : str
        The user's line.
    """

    message: str
    tree: PyTreeDef
    place: str

    def __repr__(self) -> str:
        return repr(self.message)

    def text(self, payload: Sequence[Any]) -> str:
        """The message with values in it."""
        args, kwargs = tree_unflatten(self.tree, payload)
        return self.message.format(*args, **kwargs)


#: The static part of an error.
Structure = tuple[tuple[Kind, ...], tuple[tuple[int, Site], ...]]

#: Codes are unique, and grow along a program: the least one is the first.
_next_code = itertools.count(1).__next__


@register_pytree_node_class
@dataclass(frozen=True, slots=True, eq=False)
class Error:
    """What failed in a program that ran, as a value: a pytree of arrays.

    Parameters
    ----------
    failures : dict of Kind to Failure
        Every kind that the program may find; mapped by `vmap` they have more axes.
    sites : dict of int to Site
        Where, by code.
    """

    failures: dict[Kind, Failure]
    sites: dict[int, Site] = field(repr=False)

    def get(self) -> str | None:
        """The message of the first failure; None if there is none.

        Of an error with mapped axes: a line for each lane that failed.
        """
        found = self.get_exception()
        return None if found is None else found.message

    def get_exception(self) -> JaxRuntimeError | None:
        """The first failure as an exception; None if there is none."""
        known = {k: Failure(*map(_known, f)) for k, f in self.failures.items()}
        shape = next((f.failed.shape for f in known.values()), ())
        lines, places = [], []
        for lane in np.ndindex(*shape):
            happened = [f for f in known.values() if f.failed[lane]]
            if happened:
                first = min(happened, key=lambda f: int(f.code[lane]))
                site = self.sites[int(first.code[lane])]
                text = site.text([value[lane] for value in first.payload])
                where = f"at mapped index {', '.join(map(str, lane))}: " if lane else ""
                lines.append(where + text)
                places.append(site.place)
        if not lines:
            return None
        exception = JaxRuntimeError("\n".join(lines))
        exception.where = places[0] or exception.where
        return exception

    def throw(self) -> None:
        """Raise if something failed; the same as `check_error` of this.

        Raises
        ------
        JaxRuntimeError
            Something failed.
        """
        check_error(self)

    def __str__(self) -> str:
        return f"Error({self.get()})"

    def tree_flatten(self) -> tuple[tuple[Failure, ...], Structure]:
        """The failures in the order of their kinds, and the structure."""
        structure = self.structure
        return tuple([self.failures[k] for k in structure[0]]), structure

    @classmethod
    def tree_unflatten(cls, structure: Structure, failures: Sequence[Failure]) -> Error:
        """The error of a structure and failures."""
        kinds, sites = structure
        return cls(dict(zip(kinds, failures, strict=True)), dict(sites))

    def found(
        self, category: ErrorCategory, failed: Any, message: str, args: Any, place: str
    ) -> Error:
        """This error, and one more place that may have found a failure.

        Parameters
        ----------
        category : ErrorCategory
            What it is about.
        failed : bool array of shape ()
            Whether it happened.
        message : str
            A format string.
        args : tuple of (tuple, dict)
            Its arguments: trees of arrays.
        place : str
            The user's line.
        """
        leaves, tree = tree_flatten(args)
        payload = tuple([convert_element_type(x, x.dtype) for x in leaves])
        code = _next_code()
        kind = Kind(category, tuple([p.aval.strengthen() for p in payload]))
        failure = Failure(failed, full((), code, np.int32), payload)
        return self.joined(Error({kind: failure}, {code: Site(message, tree, place)}))

    def joined(self, later: Error) -> Error:
        """This error and what was found later; of each kind the first one is kept."""
        failures = dict(self.failures)
        for kind, new in later.failures.items():
            old = failures.get(kind)
            failures[kind] = new if old is None else _first(old, new)
        return Error(failures, {**self.sites, **later.sites})

    def prepared(self, kinds: Iterable[Kind]) -> Error:
        """This error with room for more kinds."""
        more = [kind for kind in dict.fromkeys(kinds) if kind not in self.failures]
        return Error({**self.failures, **{kind: kind.absent() for kind in more}}, self.sites)

    @property
    def structure(self) -> Structure:
        """What is known of it before the program runs: its kinds in order, its sites by code."""
        return tuple(sorted(self.failures, key=repr)), tuple(sorted(self.sites.items()))

    @property
    def leaves(self) -> list[Any]:
        """Its arrays."""
        return tree_leaves(self)


def _known(value: Any) -> Any:
    return tuple(map(np.asarray, value)) if isinstance(value, tuple) else np.asarray(value)


def _first(old: Failure, new: Failure) -> Failure:
    def chosen(before: Any, after: Any) -> Any:
        return select_n(broadcast_in_dim(old.failed, before.shape), after, before)

    payload = [chosen(a, b) for a, b in zip(old.payload, new.payload, strict=True)]
    return Failure(bitwise_or(old.failed, new.failed), chosen(old.code, new.code), tuple(payload))


#: The error of a program that finds nothing.
init_error = Error({}, {})


def check_error(error: Error) -> None:
    """Raise if something failed; `checkify` turns this into a part of its own error.

    It is the opposite of `checkify`: from an error as a value to one that is raised.  Of an error
    with mapped axes, the last lane that failed is told.

    Parameters
    ----------
    error : Error
        From a function under `checkify`.

    Raises
    ------
    TypeError
        It isn't an `Error`.
    JaxRuntimeError
        Something failed.

    Examples
    --------
    >>> import fnx
    >>> from fnx.experimental import checkify
    >>> def f(x):
    ...     checkify.check(x > 0, "must be positive!")
    ...     return x
    >>> def g(x):
    ...     error, out = fnx.jit(checkify.checkify(f))(x)
    ...     checkify.check_error(error)
    ...     return out
    >>> checkify.checkify(g)(-1)[0].get()
    'must be positive! (`check` failed)'
    """
    if not isinstance(error, Error):
        raise ArgumentTypeError(
            f"check_error takes an Error as argument, got type {type(error)} instead."
        )
    apply_check(check_p, error)


def apply_check(primitive: HigherOrderPrimitive, error: Error) -> None:
    """Apply `check_p` or `debug_check_p` to an error, which may have mapped axes."""
    reduced = Error({kind: _of_any_lane(f) for kind, f in error.failures.items()}, error.sites)
    kinds, sites = reduced.structure
    if kinds:
        primitive(*reduced.leaves, kinds=kinds, sites=sites)


def _of_any_lane(failure: Failure) -> Failure:
    """Of the last lane that failed, as JAX has it."""
    failed, code, payload = failure
    if not failed.shape:
        return failure
    count, rank = failed.aval.size, len(failed.shape)
    last: Any = None

    def one(x: Any) -> Any:
        inner = x.shape[rank:]
        if not count:
            return zeros(x.aval.update(shape=inner))
        lanes = rev(reshape(x, (count, *inner)), (0,))
        return dynamic_index_in_dim(lanes, last, 0, keepdims=False)

    if count:
        last = argmax(rev(reshape(convert_element_type(failed, np.int32), (count,)), (0,)), 0)
    return Failure(one(failed), one(code), tuple(map(one, payload)))


# ----------------------------------------------------------------------------------- the primitives


class CheckEffect(Effect):
    """Something may raise; where a value is computed again, it was checked before."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("Check", ordered=False, repeatable=True)


_CHECK = frozenset({CheckEffect()})


def error_of(values: Sequence[Any], kinds: Any, sites: Any) -> Error:
    """The error that is the operand of a check."""
    it = iter(values)
    failures = [Failure(next(it), next(it), tuple([next(it) for _ in k.types])) for k in kinds]
    return Error.tree_unflatten((kinds, sites), failures)


def _raise(*args: Array, kinds: Any, sites: Any) -> list[Array]:
    exception = error_of(args, kinds, sites).get_exception()
    if exception is not None:
        raise exception
    return []


def _check_primitive(name: str, evaluate: Any, **slots: Any) -> HigherOrderPrimitive:
    def jvp(primals: Sequence[Any], moves: Sequence[Any], **params: Any) -> Any:
        primitive(*primals, **params)
        return [], []

    def vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
        lanes = [to_axis(a, d, size, 0) for a, d in zip(args, dims, strict=True)]
        apply_check(primitive, error_of(lanes, **params))
        return [], []

    primitive = HigherOrderPrimitive(
        name,
        multiple_results=True,
        infer=lambda *avals, **params: [],
        evaluate=evaluate,
        jvp=jvp,
        transpose=lambda cts, *operands, **params: [None] * len(operands),
        vmap=vmap,
        jet=jvp,
        sample=_samples,
        effects=lambda params: _CHECK,
        **slots,
    )
    return primitive


def _samples(rng: np.random.Generator) -> Iterator[Sample]:
    tree = tree_structure(((0,), {}))
    for dtype, shape in ((np.float64, (2,)), (np.float32, ()), (np.int32, (0, 3))):
        x = arrays(rng, shape, dtype)
        kind = Kind(ErrorCategory.FAILED_CHECK, (ShapedArray(x.shape, x.dtype),))
        params = {"kinds": (kind,), "sites": ((1, Site("sampled: {}", tree, "")),)}
        yield Sample((np.array(False), np.array(1, np.int32), x), params)


def _nothing(params: dict[str, Any]) -> Jaxpr:
    return Jaxpr([Var(aval) for kind in params["kinds"] for aval in kind.avals()], [], [])


check_p = _check_primitive("check", _raise, lower=Host("a check that may raise"))

#: It is there for `checkify` only: elsewhere it does nothing, and no compiled program has it.
debug_check_p = _check_primitive(
    "debug_check", lambda *args, **params: [], lower="call", inline=_nothing, inline_at="compile"
)
