"""The laws, as checks of one subject each; a failed one names the subject and shows the numbers.

Differences are central, of sixth order: ``f'(0) = (45 d1 - 9 d2 + d3) / 60 h`` with
``dk = f(kh) - f(-kh)``, whose error is ``h**6 f''''''' / 140`` and the rounding of f over h.
Transposition is with respect to ``Re sum(a * b)``, which holds for what is linear over the reals
only (`real`, `conj`) too.  Series are compared with nested jvps along a curve.
Read next: `tests/laws/test_every_primitive.py`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import fnx
from fnx.compiler.pipeline import compile_jaxpr, prepare
from fnx.core.array import Array, adopt
from fnx.core.lowering import Host
from fnx.core.primitive import HigherOrderPrimitive, Linear, Primitive, Zero, registry, rule
from fnx.core.staging import stage
from fnx.core.types import ShapedArray, float0, tangent_type
from fnx.primitives.arithmetic import add, mul
from fnx.primitives.cast import convert_element_type
from fnx.primitives.shaping import broadcast_in_dim
from fnx.transforms.jet import jet_flat
from fnx.transforms.jvp import instantiate, jvp_flat
from fnx.transforms.linearize import linearize_flat
from fnx.transforms.transpose import backward
from tests.support.law_strengths import assert_agree, bounds_of
from tests.support.law_subjects import LANES, Subject, avals_of, is_wide, random_tangents
from tests.support.rounding_noise import wide

__all__ = [
    "check_compiled",
    "check_differences",
    "check_layouts",
    "check_nested_vmap",
    "check_series",
    "check_transpose_slot",
    "check_transposition",
    "check_types",
    "check_vmap",
    "evaluated",
]

#: Steps of differences: a kink may lie within the first one, hardly within the last one. And what
#: they may be off by, relative to values and derivatives.
STEPS, CLOSE = (2e-3, 2e-4, 2e-5), 2e-10

#: Degree of the series that are compared with nested jvps.
DEGREE = 3


def evaluated(subject: Subject, args: Sequence[Any]) -> list[np.ndarray]:
    """The results at arguments."""
    return [r._data for r in subject.function(*args)]


def _pushed(subject: Subject, args: Sequence[Any], tangents: Sequence[Any]) -> Any:
    given = iter(tangents)
    inexact = subject.inexact
    full = [next(given) if k in inexact else Zero(tangent_type(a.aval)) for k, a in enumerate(args)]
    return jvp_flat(subject.function, args, full)


# ------------------------------------------------------------------------------- types and layouts


def check_types(subject: Subject, weak: bool = True) -> None:
    """Results have the types that `infer` says, evaluated, staged and under each transform.

    With strong operands, and, if `weak`, with all of them weak, and one at a time.
    """
    count = len(subject.args)
    choices = {(False,) * count}
    if weak:
        choices |= {(True,) * count}
        choices |= {tuple(j == k for j in range(count)) for k in range(count)}
    for chosen in sorted(choices):
        args = [adopt(a._data, w) for a, w in zip(subject.args, chosen, strict=True)]
        found = subject.primitive.infer(*avals_of(args), **subject.params)
        expected = list(found) if subject.primitive.multiple_results else [found]
        where = f"{subject.name}, weak {chosen}"
        results = subject.function(*args)
        assert avals_of(results) == expected, f"{where}: {avals_of(results)} is not {expected}"
        _check_weakness(subject, args, results)
        for result in results:
            assert type(result._data) is np.ndarray, where
        for folding in (False, True):
            jaxpr, _ = stage(subject.function, avals_of(args), folding=folding)
            assert list(jaxpr.out_avals) == expected, f"{where}, staged: {jaxpr.out_avals}"
        _check_derived_types(subject, args, expected, where)


#: Results whose weakness is their own: positions, bits, and what a parameter says.
OWN_WEAKNESS = {"argmax", "argmin", "bitcast_convert_type", "convert_element_type"}


def _check_weakness(subject: Subject, args: Sequence[Array], results: Sequence[Array]) -> None:
    """A result is weak if all operands are whose numbers it is made of (not: chosen by)."""
    primitive = subject.primitive
    if primitive.name in OWN_WEAKNESS or isinstance(primitive, HigherOrderPrimitive):
        return
    for k, result in enumerate(results):
        if result.dtype.kind not in "fc" or not subject.inexact:
            continue
        among = {"sort": [k], "select_and_gather_add": [0], "select_and_scatter_add": [0]}.get(
            primitive.name, subject.inexact
        )
        if primitive.name in ("pow", "dot_general"):  # an integer operand counts, too
            among = [0, 1]
        expected = all(args[j].weak_type for j in among)
        assert result.weak_type == expected, f"{subject.name}: weak type of result {k}"


def _check_derived_types(
    subject: Subject, args: Sequence[Array], expected: list[ShapedArray], where: str
) -> None:
    tangents = random_tangents(np.random.default_rng(0), subject, avals_of(args))
    if tangents:
        outs, out_tangents = _pushed(subject, args, tangents)
        assert avals_of(outs) == expected, f"{where}, values of jvp: {avals_of(outs)}"
        types = [t.aval for t in out_tangents]
        wanted = [tangent_type(a) for a in expected]
        assert types == wanted, f"{where}, tangents: {types} is not {wanted}"
        outs, linearized = linearize_flat(subject.function, args)
        assert avals_of(outs) == expected, f"{where}, values of vjp: {avals_of(outs)}"
        cotangents = iter(random_tangents(np.random.default_rng(1), subject, expected))
        pulled = backward(
            linearized, [next(cotangents) if t.dtype != float0 else None for t in wanted]
        )
        for arg, ct in zip(args, pulled, strict=True):
            if ct is not None:
                assert ct.aval == tangent_type(arg.aval), f"{where}, cotangent: {ct.aval}"


def check_layouts(subject: Subject) -> None:
    """Operands in another memory order, with steps and backward, give the same results."""
    wanted = evaluated(subject, subject.args)
    for arrange in (_by_columns, _stepping, _backward):
        args = [adopt(arrange(a._data), a.weak_type) for a in subject.args]
        assert_agree(
            evaluated(subject, args),
            wanted,
            bounds_of(subject, subject.args, wanted),
            f"{subject.name}, {arrange.__name__[1:]}",
        )


def _by_columns(data: np.ndarray) -> np.ndarray:
    return _closed(np.array(data, order="F"))


def _stepping(data: np.ndarray) -> np.ndarray:
    return _closed(np.repeat(data, 2, axis=-1)[..., ::2] if data.ndim else data.copy())


def _backward(data: np.ndarray) -> np.ndarray:
    return _closed(np.flip(np.flip(data).copy()) if data.ndim else data.copy())


def _closed(data: np.ndarray) -> np.ndarray:
    view = data.view()
    view.flags.writeable = False
    return view


# ------------------------------------------------------------------------------------- derivatives


def check_differences(subject: Subject) -> None:
    """The jvp is the limit of differences along a random direction, in double precision."""
    args, inexact = subject.args, subject.inexact
    assert all(is_wide(args[k].dtype) for k in inexact), subject.name
    rng = np.random.default_rng(len(subject.name))
    tangents = random_tangents(rng, subject, avals_of(args))
    outs, out_tangents = _pushed(subject, args, tangents)
    moves = dict(zip(inexact, tangents, strict=True))

    def at(t: float) -> list[np.ndarray]:
        moved = [
            adopt(np.asarray(a._data + t * moves[k]._data)) if k in moves else a
            for k, a in enumerate(args)
        ]
        return evaluated(subject, moved)

    limits = []
    for step in STEPS:
        d1, d2, d3 = (
            [wide(p) - wide(m) for p, m in zip(at(k * step), at(-k * step), strict=True)]
            for k in (1, 2, 3)
        )
        limits.append([(45 * a - 9 * b + c) / (60 * step) for a, b, c in zip(d1, d2, d3)])
    for k, (out, tangent) in enumerate(zip(outs, out_tangents, strict=True)):
        if not is_wide(out.dtype) or not out.size:
            continue
        got = instantiate(tangent)._data
        scale = np.max(np.abs(out._data)) + np.max(np.abs(got)) + 1e-3
        off = [np.abs(got - limit[k]) for limit in limits]
        assert np.all(np.minimum.reduce(off) <= CLOSE * scale), (
            f"{subject.name}, result {k}: jvp\n{got!r}\ndifferences\n{limits[0][k]!r}"
        )


def check_transposition(subject: Subject) -> None:
    """``<J v, w> = <v, J^T w>``, J^T by linearizing and transposing."""
    rng = np.random.default_rng(len(subject.name) + 1)
    tangents = random_tangents(rng, subject, avals_of(subject.args))
    outs, pushed = _pushed(subject, subject.args, tangents)
    outs_again, linearized = linearize_flat(subject.function, subject.args)
    wanted = [o._data for o in outs]
    bounds = bounds_of(subject, subject.args, wanted)
    assert_agree([o._data for o in outs_again], wanted, bounds, f"{subject.name}, values of vjp")
    types = [tangent_type(o.aval) for o in outs]
    cotangents = random_tangents(rng, subject, avals_of(outs))
    given = iter(cotangents)
    pulled = backward(linearized, [next(given) if t.dtype != float0 else None for t in types])
    left = [
        (instantiate(t), w)
        for t, w in zip([t for t in pushed if t.aval.dtype != float0], cotangents, strict=True)
    ]
    right = [
        (v, pulled[k])
        for v, k in zip(tangents, subject.inexact, strict=True)
        if pulled[k] is not None
    ]
    _assert_paired(left, right, f"{subject.name}: <J v, w> = <v, J^T w>")


def check_transpose_slot(subject: Subject) -> None:
    """The rule in the slot is the transpose of the primitive in what it is linear in."""
    finite = all(np.all(np.isfinite(wide(a._data))) for a in subject.args)
    if not finite or not all(k in subject.inexact for k in subject.linear):
        return
    primitive, params = subject.primitive, subject.params
    rng = np.random.default_rng(len(subject.name) + 2)
    operands = [Linear(a.aval) if k in subject.linear else a for k, a in enumerate(subject.args)]
    outs = subject.function(*subject.args)
    weights = [
        random_tangents(rng, subject, [o.aval])[0] if tangent_type(o.aval).dtype != float0 else None
        for o in outs
    ]
    choices = [weights]
    if len(weights) > 1:  # a result that nobody reads has no cotangent
        choices += [[w if j == k else None for j, w in enumerate(weights)] for k in (0, 1)]
    for chosen in choices:
        if all(w is None for w in chosen):
            continue
        given = [Zero(o.aval) if w is None else w for o, w in zip(outs, chosen, strict=True)]
        transpose = rule(primitive, "transpose")
        pulled = transpose(given if primitive.multiple_results else given[0], *operands, **params)
        left = [(o, w) for o, w in zip(outs, chosen, strict=True) if w is not None]
        right = []
        for k in subject.linear:
            ct = pulled[k]
            if ct is None or type(ct) is Zero:
                continue
            assert ct.aval.same_type(subject.args[k].aval), f"{subject.name}: {ct.aval}"
            right.append((subject.args[k], ct))
        _assert_paired(left, right, f"{subject.name}: the slot's transpose")


def _assert_paired(left: Sequence[Any], right: Sequence[Any], where: str) -> None:
    totals, sizes, eps = [], [], 0.0
    for pairs in (left, right):
        total = size = 0.0
        for a, b in pairs:
            eps = max(eps, float(fnx.numpy.finfo(a.dtype).eps), float(fnx.numpy.finfo(b.dtype).eps))
            product = wide(a._data) * wide(b._data)
            total += float(np.sum(product).real)
            size += float(np.sum(np.abs(product)))
        totals.append(total)
        sizes.append(size)
    assert abs(totals[0] - totals[1]) <= 64 * eps * sum(sizes), f"{where}: {totals}"


# -------------------------------------------------------------------------------------------- vmap


def _choices(args: Sequence[Array]) -> list[tuple[int | None, ...]]:
    """Every choice of mapped axes, at least one mapped."""
    places = [[None, *range(a.ndim + 1)] for a in args]
    return [c for c in itertools.product(*places) if any(d is not None for d in c)]


def check_vmap(subject: Subject, most: int | None = None) -> None:
    """vmap is the loop, for every choice of axes (or `most` of them, drawn at random).

    Axes are given from the front and from behind in turn, and so are those of the results.
    """
    choices = _choices(subject.args)
    rng = np.random.default_rng(len(subject.name) + 3)
    if most is not None and len(choices) > most:
        choices = [choices[k] for k in rng.choice(len(choices), most, replace=False)]
    loops: dict[Any, Any] = {}
    for number, dims in enumerate(choices):
        mask = tuple(d is not None for d in dims)
        if mask not in loops:
            loops[mask] = list(_loop(subject, mask))
        stacked, axes = _stacked(subject, dims, from_behind=number % 2 == 1)
        avals = [r.aval for r in loops[mask][0][0]]
        places = [int(rng.integers(-a.ndim - 1, a.ndim + 1)) for a in avals]
        mapped = fnx.vmap(
            lambda *xs: tuple(subject.function(*xs)), in_axes=axes, out_axes=tuple(places)
        )
        outs = mapped(*stacked)
        for k, (results, bounds) in enumerate(loops[mask]):
            lane = [np.take(o._data, k, axis=p) for o, p in zip(outs, places, strict=True)]
            assert_agree(
                lane,
                [r._data for r in results],
                bounds,
                f"{subject.name}, vmap over {axes} to {places}, lane {k}",
            )
        for out, aval in zip(outs, avals, strict=True):
            assert out.weak_type == aval.weak_type, f"{subject.name}, vmap: weak type"


def _loop(subject: Subject, mask: Sequence[bool]) -> Iterator[tuple[list[Any], list[np.ndarray]]]:
    for lane in subject.lanes:
        args = [x if m else first for x, m, first in zip(lane, mask, subject.args, strict=True)]
        results = subject.function(*args)
        yield results, bounds_of(subject, args, [r._data for r in results])


def _stacked(subject: Subject, dims: Sequence[int | None], from_behind: bool) -> tuple[Any, Any]:
    stacked, axes = [], []
    for k, dim in enumerate(dims):
        if dim is None:
            stacked.append(subject.args[k])
            axes.append(None)
            continue
        stacked.append(adopt(np.stack([lane[k]._data for lane in subject.lanes], dim)))
        axes.append(dim - stacked[-1].ndim if from_behind else dim)
    return stacked, tuple(axes)


def check_nested_vmap(subject: Subject) -> None:
    """vmap of vmap is two loops: each operand mapped by one, by both, or by none of them."""
    rng = np.random.default_rng(len(subject.name) + 4)
    count = len(subject.args)
    for _ in range(3):
        outer, inner = rng.random((2, count)) < 0.7
        if not outer.any() or not inner.any():
            outer[0] = inner[-1] = True
        stacked, outer_axes, inner_axes = [], [], []
        for k, arg in enumerate(subject.args):
            block = np.stack(
                [
                    np.stack([_pick(subject, k, i if outer[k] else 0, j if inner[k] else 0)
                              for j in range(LANES)])
                    for i in range(2)
                ]
            )  # fmt: skip
            inner_axis = int(rng.integers(0, arg.ndim + 1))
            block = np.moveaxis(block, 1, 1 + inner_axis) if inner[k] else block[:, 0]
            outer_axis = int(rng.integers(0, block.ndim))
            block = np.moveaxis(block, 0, outer_axis) if outer[k] else block[0]
            stacked.append(adopt(np.array(block)))
            inner_axes.append(inner_axis if inner[k] else None)
            outer_axes.append(outer_axis if outer[k] else None)
        mapped = fnx.vmap(
            fnx.vmap(lambda *xs: tuple(subject.function(*xs)), in_axes=tuple(inner_axes)),
            in_axes=tuple(outer_axes),
        )
        outs = mapped(*stacked)
        for i, j in itertools.product(range(2), range(LANES)):
            args = [
                adopt(_pick(subject, k, i if outer[k] else 0, j if inner[k] else 0))
                for k in range(count)
            ]
            wanted = evaluated(subject, args)
            assert_agree(
                [o._data[i, j] for o in outs],
                wanted,
                bounds_of(subject, args, wanted),
                f"{subject.name}, vmap over {outer_axes} of vmap over {inner_axes}, lane {i}, {j}",
            )


def _pick(subject: Subject, operand: int, i: int, j: int) -> np.ndarray:
    return subject.lanes[(i + j) % LANES][operand]._data


# ------------------------------------------------------------------------------------------ series


def check_series(subject: Subject, degree: int = DEGREE) -> None:
    """The jet's coefficients are those of nested jvps along a curve."""
    args, inexact = subject.args, subject.inexact
    rng = np.random.default_rng(len(subject.name) + 5)
    curves = [random_tangents(rng, subject, avals_of(args)) for _ in range(degree)]
    series = [
        [c[inexact.index(k)] for c in curves]
        if k in inexact
        else [Zero(tangent_type(a.aval))] * degree
        for k, a in enumerate(args)
    ]
    outs, coefficients = jet_flat(subject.function, args, series, degree)

    def along(t: Any) -> list[Any]:
        points = []
        for k, arg in enumerate(args):
            if k in inexact:
                s = broadcast_in_dim(convert_element_type(t, arg.dtype), arg.shape, ())
                rest = series[k][-1]
                for c in reversed(series[k][:-1]):
                    rest = add(mul(rest, s), c)
                arg = add(mul(rest, s), arg)
            points.append(arg)
        return subject.function(*points)

    def differentiated(f: Any) -> Any:
        def derivative(t: Any) -> list[Any]:
            results, tangents = jvp_flat(f, [t], [adopt(np.float64(1))])
            return [
                r if s.aval.dtype == float0 else instantiate(s)
                for r, s in zip(results, tangents, strict=True)
            ]

        return derivative

    wanted: list[list[Any]] = [[] for _ in outs]
    f: Any = along
    for k in range(1, degree + 1):
        f = differentiated(f)
        for terms, value in zip(wanted, f(adopt(np.float64(0))), strict=True):
            terms.append(np.asarray(value) / math.factorial(k))
    values = subject.function(*args)
    for k, (out, terms, value) in enumerate(zip(outs, coefficients, values, strict=True)):
        assert out.aval == value.aval, f"{subject.name}, jet: {out.aval}"
        np.testing.assert_allclose(wide(out._data), wide(value._data), rtol=1e-12, atol=1e-14)
        if tangent_type(out.aval).dtype == float0:
            continue
        got = np.array([wide(instantiate(c)) for c in terms])
        reference = np.array([wide(w) for w in wanted[k]])
        scale = np.max(np.abs(reference), initial=0) + np.max(np.abs(wide(out._data)), initial=0)
        assert got.shape == reference.shape, subject.name
        assert np.all(np.abs(got - reference) <= 1e-11 * scale), (
            f"{subject.name}, result {k}: jet\n{got!r}\nnested jvps\n{reference!r}"
        )


# ---------------------------------------------------------------------------------------- compiled


@contextmanager
def evaluation_refused() -> Iterator[None]:
    """Nothing is evaluated in here, but by the explicit steps on the host."""
    kept = {p: p.evaluate for p in registry.values() if not isinstance(p.lower, Host)}
    apply = Primitive.apply
    try:
        Primitive.apply = _refuse  # type: ignore[method-assign]
        for primitive in kept:
            primitive.evaluate = _refuse
        yield
    finally:
        Primitive.apply = apply  # type: ignore[method-assign]
        for primitive, evaluate in kept.items():
            primitive.evaluate = evaluate


def _refuse(*args: Any, **params: Any) -> Any:
    raise AssertionError("a compiled program evaluated a primitive")


def check_compiled(subjects: Sequence[Subject]) -> None:
    """Compiled programs give what evaluation gives, while nothing may pass by falling back.

    Constants are folded before, with `evaluate`; kernels are built, and run twice, without.
    """
    cases = []
    for subject in subjects:
        wanted = evaluated(subject, subject.args)
        jaxpr, captured = stage(subject.function, avals_of(subject.args))
        prepare(jaxpr)
        values = [c._data for c in captured] + [a._data for a in subject.args]
        cases.append((subject, jaxpr, values, wanted, bounds_of(subject, subject.args, wanted)))
    with evaluation_refused():
        for subject, jaxpr, values, wanted, bounds in cases:
            executable = compile_jaxpr(jaxpr)
            for _ in range(2):  # what the first run left in memory must not matter
                results = executable(values)
                for result in results:
                    assert type(result) is np.ndarray, subject.name
                assert_agree(results, wanted, bounds, f"{subject.name}, compiled")
