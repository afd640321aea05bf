"""What the laws are tried on: every primitive's samples as functions, and their derivatives.

A `Subject` is a function of flat arrays with several sets of arguments of one type (lanes: the
sampler run with several seeds). `forward` and `reverse` make of a subject its jvp (a function of
point and tangents) and its vjp (of point and cotangents), which are subjects again, so that every
law applies to derivatives as it does to primitives.  Read next: `law_strengths`, then `laws`.
"""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

import fnx
from fnx.core.array import Array, adopt
from fnx.core.primitive import Primitive, Zero, registry
from fnx.core.types import ShapedArray, float0, tangent_type
from fnx.transforms.jvp import instantiate, jvp_flat
from fnx.transforms.linearize import linearize_flat
from fnx.transforms.transpose import backward

__all__ = [
    "LANES",
    "NAMES",
    "SLOW",
    "Subject",
    "avals_of",
    "forward",
    "is_wide",
    "random_tangents",
    "reverse",
    "spread_over",
    "subjects_of",
    "wide_subjects",
]

for _module in pkgutil.walk_packages(fnx.__path__, "fnx."):
    importlib.import_module(_module.name)

#: Every primitive there is, by name.
NAMES = sorted(registry)

#: Those whose evaluation is a loop in Python: the short run takes few of their cases.
SLOW = frozenset({"hyp1f1", "hyp2f1", "ode", "random_gamma"})

#: Sets of arguments of a subject.
LANES = 3

Arrays = tuple[Array, ...]


@dataclass(frozen=True)
class Subject:
    """A function under law, with arguments.

    Parameters
    ----------
    name : str
        For messages.
    function : callable
        Of flat arrays or tracers; gives a list.
    lanes : tuple of tuple of Array
        Sets of arguments of equal types.
    smooth : bool
        Whether finite differences may be taken at these points.
    primitive : Primitive
        What it is, or is the derivative of.
    params : dict
        Of the primitive.
    linear : tuple of int
        Operands that the primitive is linear in, jointly.
    order : int
        How often it was differentiated; 0 is the primitive itself.
    """

    name: str
    function: Callable[..., list[Any]] = field(repr=False)
    lanes: tuple[Arrays, ...] = field(repr=False)
    smooth: bool
    primitive: Primitive
    params: dict[str, Any] = field(repr=False)
    linear: tuple[int, ...] = ()
    order: int = 0

    @property
    def args(self) -> Arrays:
        """The first set of arguments."""
        return self.lanes[0]

    @property
    def inexact(self) -> list[int]:
        """Positions of operands that have tangents."""
        return [k for k, a in enumerate(self.args) if a.dtype.kind in "fc" or _is_small(a.dtype)]


def _is_small(dtype: np.dtype[Any]) -> bool:
    return dtype.name == "bfloat16"


def is_wide(dtype: np.dtype[Any]) -> bool:
    """Whether differences can be taken in a dtype: double precision."""
    return dtype in (np.float64, np.complex128)


def avals_of(values: Sequence[Any]) -> list[ShapedArray]:
    """The types of arrays."""
    return [v.aval for v in values]


def _application(primitive: Primitive, params: dict[str, Any]) -> Callable[..., list[Any]]:
    def apply(*operands: Any) -> list[Any]:
        results = primitive(*operands, **params)
        return list(results) if primitive.multiple_results else [results]

    return apply


@cache
def subjects_of(name: str, seed: int = 0) -> tuple[Subject, ...]:
    """All samples of a primitive; lanes are the same sample from other seeds."""
    primitive = registry[name]
    assert primitive.sample is not None, f"{name} has no sampler: give its definition one"
    seeds = [[zlib.crc32(name.encode()), seed, k] for k in range(LANES)]
    runs = [list(primitive.sample(np.random.default_rng(s))) for s in seeds]
    found = []
    for k, samples in enumerate(zip(*runs, strict=True)):
        first = samples[0]
        lanes = tuple(tuple(adopt(_frozen(a)) for a in sample.args) for sample in samples)
        for lane in lanes[1:]:
            assert avals_of(lane) == avals_of(lanes[0]), f"{name}: the sampler's types vary"
        label = f"{name}[{k}]({', '.join(repr(a.aval) for a in lanes[0])}, {_words(first.params)})"
        found.append(
            Subject(
                label,
                _application(primitive, first.params),
                lanes,
                all(s.smooth for s in samples),
                primitive,
                first.params,
                first.linear,
            )
        )
    return tuple(found)


def _frozen(value: Any) -> np.ndarray:
    """A read-only array of the same layout: who writes to an operand is found out."""
    data = np.asarray(value)
    data.flags.writeable = False
    return data


def _words(params: dict[str, Any]) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in params.items() if len(repr(v)) < 60)


def wide_subjects(name: str, seed: int = 0) -> list[Subject]:
    """The smooth samples in double precision that have tangents."""
    return [
        s
        for s in subjects_of(name, seed)
        if s.smooth and s.inexact and all(is_wide(s.args[k].dtype) for k in s.inexact)
    ]


def spread_over(subjects: Sequence[Subject], most: int) -> list[Subject]:
    """At most `most` of them, spread evenly."""
    if len(subjects) <= most:
        return list(subjects)
    return [subjects[int(k)] for k in np.linspace(0, len(subjects) - 1, most).round()]


# ------------------------------------------------------------------------------------- derivatives


def _random_like(rng: np.random.Generator, aval: ShapedArray) -> Array:
    data = rng.uniform(-1, 1, aval.shape)
    if aval.dtype.kind == "c":
        data = data + 1j * rng.uniform(-1, 1, aval.shape)
    return adopt(np.asarray(data).astype(aval.dtype))


def random_tangents(
    rng: np.random.Generator, subject: Subject, avals: Sequence[ShapedArray]
) -> list[Array]:
    """One for each type that has tangents."""
    types = [tangent_type(a) for a in avals]
    return [_random_like(rng, t) for t in types if t.dtype != float0]


def forward(subject: Subject) -> Subject:
    """The subject's jvp: of point and tangents, to results and their tangents."""
    inexact, count = subject.inexact, len(subject.args)

    def both(*args: Any) -> list[Any]:
        primals, given = args[:count], iter(args[count:])
        tangents = [
            next(given) if k in inexact else Zero(tangent_type(p.aval))
            for k, p in enumerate(primals)
        ]
        outs, out_tangents = jvp_flat(subject.function, primals, tangents)
        return [*outs, *[instantiate(t) for t in out_tangents if t.aval.dtype != float0]]

    return _with_more(subject, "jvp", both, avals_of(subject.args))


def reverse(subject: Subject) -> Subject:
    """The subject's vjp: of point and cotangents, to results and cotangents of the operands."""
    count = len(subject.args)
    inexact = subject.inexact
    types = [tangent_type(o.aval) for o in subject.function(*subject.args)]

    def both(*args: Any) -> list[Any]:
        primals, given = args[:count], iter(args[count:])
        outs, linearized = linearize_flat(subject.function, primals)
        pulled = backward(linearized, [next(given) if t.dtype != float0 else None for t in types])
        return [
            *outs,
            *[
                instantiate(Zero(tangent_type(primals[k].aval)) if pulled[k] is None else pulled[k])
                for k in inexact
            ],
        ]

    return _with_more(subject, "vjp", both, types)


def _with_more(
    subject: Subject, kind: str, function: Callable[..., list[Any]], avals: Sequence[ShapedArray]
) -> Subject:
    rng = np.random.default_rng(len(subject.name))
    lanes = tuple((*lane, *random_tangents(rng, subject, avals)) for lane in subject.lanes)
    return Subject(
        f"{kind} of {subject.name}",
        function,
        lanes,
        subject.smooth,
        subject.primitive,
        subject.params,
        order=subject.order + 1,
    )
