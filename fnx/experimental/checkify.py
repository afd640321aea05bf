"""Errors of programs as values (as `jax.experimental.checkify`).

`checkify` follows a program equation by equation and carries an `Error` along: a `check` of the
user's joins it, and so does what is looked for at every operation, if asked.  A primitive that
holds programs is applied to programs which take and give an error, too.

=============  ====================================================================================
user_checks    a `check` that failed
nan_checks     an operation gave NaN
div_checks     a division by zero
index_checks   a place outside of an array
float_checks   ``nan_checks | div_checks``
automatic_checks  ``float_checks | index_checks``
all_checks     ``automatic_checks | user_checks``
=============  ====================================================================================

Read next: `fnx.control.checks` (the error as a value, and what raises it).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.control.calls import silent, with_inputs
from fnx.control.checkpoint import checkpoint_p
from fnx.control.checks import (
    Error,
    ErrorCategory,
    JaxRuntimeError,
    Structure,
    apply_check,
    check_error,
    check_p,
    debug_check_p,
    error_of,
    init_error,
)
from fnx.control.cond import cond_p
from fnx.control.jit_call import jit_p
from fnx.control.scan import scan_p
from fnx.control.while_loop import while_p
from fnx.core.array import Array
from fnx.core.conversion import as_value
from fnx.core.jaxpr import Eqn, Jaxpr, Var, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive
from fnx.core.staging import stage
from fnx.core.tracing import Tracer
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, user_frame
from fnx.primitives.arithmetic import div_p
from fnx.primitives.bits import bitwise_not, bitwise_or
from fnx.primitives.cast import convert_element_type, stop_gradient
from fnx.primitives.comparison import eq, gt, lt, ne
from fnx.primitives.dynamic_slicing import (
    dynamic_index_in_dim,
    dynamic_slice_p,
    dynamic_update_slice_p,
)
from fnx.primitives.gather_numbers import Layout
from fnx.primitives.gathering import gather_p, scatter_add_p
from fnx.primitives.joining import concatenate
from fnx.primitives.reductions import argmax, reduce_or
from fnx.primitives.rounding import rem
from fnx.primitives.scatter_rules import window_of
from fnx.primitives.scattering import scatter_max_p, scatter_min_p, scatter_mul_p, scatter_p
from fnx.primitives.shaping import broadcast_in_dim, full, reshape
from fnx.transforms.jvp import stage_closed
from fnx.transforms.trees import check_callable, function_name

__all__ = [
    "Error",
    "ErrorCategory",
    "JaxRuntimeError",
    "all_checks",
    "automatic_checks",
    "check",
    "check_error",
    "checkify",
    "debug_check",
    "div_checks",
    "float_checks",
    "index_checks",
    "init_error",
    "nan_checks",
    "user_checks",
]

_Enabled = frozenset[ErrorCategory]

user_checks: _Enabled = frozenset({ErrorCategory.FAILED_CHECK})
nan_checks: _Enabled = frozenset({ErrorCategory.NAN})
div_checks: _Enabled = frozenset({ErrorCategory.DIVISION_BY_ZERO})
index_checks: _Enabled = frozenset({ErrorCategory.OUT_OF_BOUNDS})
float_checks: _Enabled = nan_checks | div_checks
automatic_checks: _Enabled = float_checks | index_checks
all_checks: _Enabled = automatic_checks | user_checks


def checkify(
    f: Callable[..., Any], errors: frozenset[ErrorCategory] = user_checks
) -> Callable[..., tuple[Error, Any]]:
    """A function that gives what failed in it, as a value, with its result.

    Under every transform: ``jit(checkify(f))`` is compiled, ``vmap(checkify(f))`` tells which lanes
    failed, ``checkify(grad(f))`` looks at the derivative as well.

    Parameters
    ----------
    f : callable
        Of pytrees.
    errors : frozenset of ErrorCategory
        What is looked for: one of the sets of this module, or a union of them.  A `check` in `f` is
        left out unless `user_checks` is among them.

    Returns
    -------
    callable
        Gives ``(error, out)``.  ``error.get()`` is the message of the first failure, or None;
        ``error.throw()`` raises it.  After a failure the program runs on.

    See Also
    --------
    check : What is looked for by the user.
    fnx.config : ``debug_nans`` raises at once, but not under vmap or in a compiled program.

    Notes
    -----
    Where `f` has a rule of its own for derivatives (`custom_jvp`, `custom_vjp`), that rule stays:
    what fails in the function is found, what fails in the rule only by ``checkify(grad(f))``.
    Operations that only move, choose or round values are not said to generate NaN.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx.experimental import checkify
    >>> @fnx.jit
    ... def f(x):
    ...     return x + jnp.sin(x)
    >>> error, out = checkify.checkify(f, errors=checkify.float_checks)(jnp.inf)
    >>> error.get()
    'nan generated by primitive: sin.'
    """
    check_callable("checkify", f)
    enabled = frozenset(errors)
    if not enabled <= all_checks:
        raise ArgumentTypeError(
            f"checkify: errors must hold error categories, got {set(enabled - all_checks)}. Use "
            "checkify.user_checks, nan_checks, ... or a union of them."
        )

    @functools.wraps(f)
    def checked(*args: Any, **kwargs: Any) -> tuple[Error, Any]:
        trees: list[Any] = []

        def flat() -> list[Any]:
            leaves, tree = tree_util.tree_flatten(f(*args, **kwargs))
            trees[:] = [tree]
            return [as_value(leaf, f"checkify of {function_name(f)}") for leaf in leaves]

        jaxpr, consts = stage(flat, [], f"checkify of {function_name(f)}")
        error, outs = _follow(jaxpr, enabled, init_error, consts)
        return error, tree_util.tree_unflatten(trees[0], outs)

    return checked


def check(pred: Any, msg: str, *fmt_args: Any, debug: bool = False, **fmt_kwargs: Any) -> None:
    """Raise unless a predicate holds; under `checkify`, a failure is part of the error instead.

    Parameters
    ----------
    pred : bool array of shape ()
        What must hold.
    msg : str
        A format string.
    *fmt_args, **fmt_kwargs : pytrees of arrays
        Its arguments, which may be traced.
    debug : bool
        Whether it is left out where `checkify` doesn't follow it, see `debug_check`.

    Raises
    ------
    TypeError
        The predicate isn't a boolean scalar, or an argument isn't an array.
    JaxRuntimeError
        The predicate is false.  A compiled program raises when it comes there.

    Examples
    --------
    >>> import fnx
    >>> from fnx.experimental import checkify
    >>> def f(x):
    ...     checkify.check(x > 0, "{x} needs to be positive!", x=x)
    ...     return 1 / x
    >>> error, out = fnx.jit(checkify.checkify(f))(-3.)
    >>> error.get()
    '-3.0 needs to be positive! (`check` failed)'
    """
    name = "debug_check" if debug else "check"
    if not (isinstance(pred, bool | np.bool_) or _is_boolean(pred)):
        raise ArgumentTypeError(f"{name} takes a scalar pred as argument, got {pred}")
    for leaf in tree_util.tree_leaves((fmt_args, fmt_kwargs)):
        if not isinstance(leaf, Array | Tracer | np.ndarray):
            raise ArgumentTypeError(
                "Formatting arguments to checkify.check need to be PyTrees of arrays, but got "
                f"{leaf!r} of type {type(leaf)}. Convert it with `fnx.numpy.asarray`, or put it "
                "into the message."
            )
    args = tree_util.tree_map(as_value, (fmt_args, fmt_kwargs))
    failed = bitwise_not(as_value(pred))
    message = f"{msg} (`check` failed)"
    error = init_error.found(ErrorCategory.FAILED_CHECK, failed, message, args, user_frame())
    apply_check(debug_check_p if debug else check_p, error)


def _is_boolean(pred: Any) -> bool:
    aval = getattr(pred, "aval", None)
    return aval is not None and aval.shape == () and kind_of(aval.dtype) == "b"


def debug_check(pred: Any, msg: str, *fmt_args: Any, **fmt_kwargs: Any) -> None:
    """A `check` that is only there under `checkify`; elsewhere it does nothing.

    Parameters
    ----------
    pred : bool array of shape ()
        What must hold.
    msg : str
        A format string.
    *fmt_args, **fmt_kwargs : pytrees of arrays
        Its arguments, which may be traced.

    Examples
    --------
    >>> from fnx.experimental import checkify
    >>> def f(x):
    ...     checkify.debug_check(x != 0, "cannot be zero!")
    ...     return x
    >>> f(0)
    0
    >>> checkify.checkify(f)(0)[0].get()
    'cannot be zero! (`check` failed)'
    """
    check(pred, msg, *fmt_args, debug=True, **fmt_kwargs)


# ---------------------------------------------------------------------------- following a program

_Values = Sequence[Any]
_Found = tuple[Error, list[Any]]


def _follow(jaxpr: Jaxpr, enabled: _Enabled, error: Error, args: _Values) -> _Found:
    """Run a program under the current trace; the error that it is given, and what it finds."""
    env: dict[Var, Any] = dict(zip(jaxpr.in_vars, args, strict=True))
    for eqn in jaxpr.eqns:
        replayed = eqn.source  # noqa: F841 (read by `user_frame`)
        values = [env[a] if type(a) is Var else a.fresh() for a in eqn.inputs]  # type: ignore[union-attr]
        rule = _RULES.get(eqn.primitive)
        if rule is None:
            rule = _beside if _holds_equal_program(eqn) else _apply
        error, outs = rule(error, enabled, eqn, values)
        env.update(zip(eqn.outputs, outs, strict=True))
    return error, [env[o] if type(o) is Var else o.fresh() for o in jaxpr.outs]  # type: ignore[union-attr]


def _checked(
    jaxpr: Jaxpr, enabled: _Enabled, error: Error, predicate: Jaxpr | None = None
) -> tuple[Jaxpr, Structure]:
    """A program that takes and gives an error in front, and the structure of what it gives.

    Parameters
    ----------
    jaxpr : Jaxpr
        Any program.
    enabled : frozenset of ErrorCategory
        What is looked for.
    error : Error
        Like the one that it is given.
    predicate : Jaxpr, optional
        Of constants, which the program then takes after the error, and of the results: what fails
        in it is found, too.
    """
    kinds, sites = structure = error.structure
    types = [aval for kind in kinds for aval in kind.avals()]
    count = len(types)
    consts = predicate.in_avals[: len(predicate.in_vars) - len(jaxpr.outs)] if predicate else ()

    def make() -> tuple[Jaxpr, Structure]:
        found: list[Structure] = []

        def flat(*args: Any) -> list[Any]:
            given = error_of(args[:count], kinds, sites)
            rest = args[count:]
            after, outs = _follow(jaxpr, enabled, given, rest[len(consts) :])
            if predicate is not None:
                after, _ = _follow(predicate, enabled, after, [*rest[: len(consts)], *outs])
            found[:] = [after.structure]
            return [*after.leaves, *outs]

        program = stage_closed(flat, [*types, *consts, *jaxpr.in_avals], jaxpr.name)
        return program, found[0]

    return jaxpr.derived(("checkify", enabled, structure, predicate), make)


def _parted(results: _Values, structure: Structure) -> _Found:
    """The error and the other results of a program that gives both."""
    count = sum(len(kind.avals()) for kind in structure[0])
    return error_of(results[:count], *structure), list(results[count:])


# ------------------------------------------------------------------------- operations of arrays


def _apply(error: Error, enabled: _Enabled, eqn: Eqn, values: _Values) -> _Found:
    """The operation itself, and whether it gives NaN."""
    out = eqn.primitive(*values, **eqn.params)
    outs = out if eqn.primitive.multiple_results else [out]
    if ErrorCategory.NAN in enabled and eqn.primitive.name not in _PASSING:
        found = [_any(ne(o, o)) for o in outs if kind_of(o.dtype) in "fc"]
        if found:
            message = f"nan generated by primitive: {eqn.primitive.name}."
            failed = functools.reduce(bitwise_or, found)
            error = error.found(ErrorCategory.NAN, failed, message, ((), {}), eqn.source)
    return error, outs


#: Operations that move, choose or round values: NaN in their results was there before.
_PASSING = frozenset(
    "abs all_gather all_to_all argmax argmin bitcast_convert_type broadcast_in_dim ceil clamp "
    "complex concatenate conj convert_element_type dynamic_slice dynamic_update_slice floor gather "
    "guard imag max min name neg nextafter optimization_barrier pmax pmin ppermute real reduce_max "
    "reduce_min reduce_precision reduce_window_max reduce_window_min reshape rev round "
    "select_and_gather_add select_n sign slice sort split stop_gradient transpose".split()
)


def _any(condition: Any) -> Any:
    return reduce_or(condition, tuple(range(len(condition.shape))))


def _divide(error: Error, enabled: _Enabled, eqn: Eqn, values: _Values) -> _Found:
    if ErrorCategory.DIVISION_BY_ZERO in enabled:
        divisor = values[1]
        failed = _any(eq(divisor, full(divisor.shape, 0, divisor.dtype)))
        category = ErrorCategory.DIVISION_BY_ZERO
        error = error.found(category, failed, "division by zero", ((), {}), eqn.source)
    return _apply(error, enabled, eqn, values)


def _slice(error: Error, enabled: _Enabled, eqn: Eqn, values: _Values) -> _Found:
    """The starts of a box: the last operands, one for each axis."""
    operand = values[0]
    rank = len(operand.shape)
    sizes = eqn.params["slice_sizes"] if "slice_sizes" in eqn.params else values[1].shape
    if ErrorCategory.OUT_OF_BOUNDS in enabled and rank:
        starts = [convert_element_type(s, np.int64) for s in values[len(values) - rank :]]
        row = concatenate([reshape(s, (1,)) for s in starts], 0)
        error = _within(error, eqn, operand.shape, row, tuple(range(rank)), sizes)
    return _apply(error, enabled, eqn, values)


def _windows(error: Error, enabled: _Enabled, eqn: Eqn, values: _Values) -> _Found:
    """The rows of indices of `gather` and of scatters."""
    if ErrorCategory.OUT_OF_BOUNDS in enabled:
        operand, indices = values[:2]
        layout = Layout.of(eqn.primitive.name, eqn.params["dimension_numbers"])
        rank = len(operand.shape)
        sizes = (
            eqn.params["slice_sizes"]
            if eqn.primitive is gather_p
            else window_of(layout, rank, values[2].shape)
        )
        rows = convert_element_type(indices, np.int64)
        error = _within(error, eqn, operand.shape, rows, layout.coordinates, sizes)
    return _apply(error, enabled, eqn, values)


def _within(
    error: Error,
    eqn: Eqn,
    shape: tuple[int, ...],
    rows: Any,
    axes: tuple[int, ...],
    sizes: Sequence[int],
) -> Error:
    """Whether boxes are inside of an array; their corners are rows of coordinates, one per axis."""
    if not rows.aval.size:
        return error

    def listed(numbers: Sequence[int]) -> Any:
        return concatenate([full((1,), n, np.int64) for n in numbers], 0)

    last = listed([shape[k] - sizes[k] for k in axes])
    last = broadcast_in_dim(last, rows.shape, (len(rows.shape) - 1,))
    outside = bitwise_or(lt(rows, full(rows.shape, 0, np.int64)), gt(rows, last))
    flags = convert_element_type(reshape(outside, (rows.aval.size,)), np.int32)
    first = argmax(flags, 0)
    column = rem(first, full((), len(axes), np.int32))
    payload = [
        dynamic_index_in_dim(numbers, place, 0, keepdims=False)
        for numbers, place in (
            (reshape(rows, flags.shape), first),
            (listed(axes), column),
            (listed([shape[k] for k in axes]), column),
        )
    ]
    message = (
        f"out-of-bounds indexing for array of shape {shape}: index {{}} is out of bounds for axis "
        "{} with size {}. "
    )
    return error.found(
        ErrorCategory.OUT_OF_BOUNDS, _any(outside), message, (tuple(payload), {}), eqn.source
    )


# ------------------------------------------------------------------ primitives that hold programs


def _check(error: Error, enabled: _Enabled, eqn: Eqn, values: _Values) -> _Found:
    new = error_of(values, **eqn.params)
    wanted = {kind: f for kind, f in new.failures.items() if kind.category in enabled}
    return error.joined(Error(wanted, new.sites)), []


def _call(error: Error, enabled: _Enabled, eqn: Eqn, values: _Values) -> _Found:
    """A call of the program with the error."""
    program, structure = _checked(eqn.params["jaxpr"], enabled, error)
    outs = eqn.primitive(*error.leaves, *values, **{**eqn.params, "jaxpr": program})
    return _parted(outs, structure)


def _holds_equal_program(eqn: Eqn) -> bool:
    """Whether it stands for a program whose effects may happen once more."""
    primitive = eqn.primitive
    if not isinstance(primitive, HigherOrderPrimitive) or primitive.inline is None:
        return False
    return all(effect.repeatable for effect in primitive.inline(eqn.params).effects)


def _beside(error: Error, enabled: _Enabled, eqn: Eqn, values: _Values) -> _Found:
    """The values from the primitive, with its rules; the error from the program that it stands for.

    That runs beside it, as a constant to derivatives; compiled, both become one.
    """
    primitive: Any = eqn.primitive
    program, structure = _checked(primitive.inline(eqn.params), enabled, error)
    found = eval_jaxpr(program, *error.leaves, *map(stop_gradient, values))
    quiet = {k: silent(v) if isinstance(v, Jaxpr) else v for k, v in eqn.params.items()}
    return _parted(found, structure)[0], primitive(*values, **quiet)


def _cond(error: Error, enabled: _Enabled, eqn: Eqn, values: _Values) -> _Found:
    index, *operands = values
    branches = eqn.params["branches"]
    error = error.prepared([k for b in branches for k in _checked(b, enabled, error)[1][0]])
    programs, structures = zip(*[_checked(b, enabled, error) for b in branches], strict=True)
    outs = cond_p(index, *error.leaves, *operands, branches=tuple(programs))
    found, rest = _parted(outs, structures[0])
    sites = {code: site for _, known in structures for code, site in known}
    return Error(found.failures, sites), rest


def _scan(error: Error, enabled: _Enabled, eqn: Eqn, values: _Values) -> _Found:
    """The error is a part of the carry."""
    jaxpr, consts = eqn.params["jaxpr"], eqn.params["num_consts"]
    error = error.prepared(_checked(jaxpr, enabled, error)[1][0])
    program, structure = _checked(jaxpr, enabled, error)
    count = len(error.leaves)
    outs = scan_p(
        *values[:consts],
        *error.leaves,
        *values[consts:],
        **{
            **eqn.params,
            "jaxpr": _error_after(program, count, consts),
            "num_carry": count + eqn.params["num_carry"],
        },
    )
    return _parted(outs, structure)


def _while(error: Error, enabled: _Enabled, eqn: Eqn, values: _Values) -> _Found:
    """The error is a part of the carry; a step also looks at the predicate that comes after it."""
    predicate, body = eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]
    nc, nb = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    consts, carry = values[: nc + nb], values[nc + nb :]
    looked_at = None
    if all(effect.repeatable for effect in predicate.effects):
        looked_at, predicate = predicate, silent(predicate)
        error, _ = _follow(looked_at, enabled, error, [*consts[:nc], *carry])
    else:
        consts = consts[nc:]
    error = error.prepared(_checked(body, enabled, error, looked_at)[1][0])
    program, structure = _checked(body, enabled, error, looked_at)
    count = len(error.leaves)

    def goes_on(*args: Any) -> list[Any]:
        return eval_jaxpr(predicate, *args[:nc], *args[nc + count :])

    types = [leaf.aval for leaf in error.leaves]
    types = [*predicate.in_avals[:nc], *types, *predicate.in_avals[nc:]]
    outs = while_p(
        *values[:nc],
        *consts,
        *error.leaves,
        *carry,
        cond_jaxpr=stage_closed(goes_on, types, predicate.name),
        body_jaxpr=_error_after(program, count, len(consts)),
        cond_nconsts=nc,
        body_nconsts=len(consts),
    )
    return _parted(outs, structure)


def _error_after(program: Jaxpr, count: int, consts: int) -> Jaxpr:
    """A program with an error in front, with the constants in front of the error."""
    total = len(program.in_vars)
    middle = range(count, count + consts)
    return with_inputs(program, [*middle, *range(count), *range(count + consts, total)])


_RULES: dict[Any, Callable[[Error, _Enabled, Eqn, _Values], _Found]] = {
    check_p: _check,
    checkpoint_p: _call,
    cond_p: _cond,
    debug_check_p: _check,
    div_p: _divide,
    dynamic_slice_p: _slice,
    dynamic_update_slice_p: _slice,
    gather_p: _windows,
    jit_p: _call,
    scan_p: _scan,
    scatter_add_p: _windows,
    scatter_max_p: _windows,
    scatter_min_p: _windows,
    scatter_mul_p: _windows,
    scatter_p: _windows,
    while_p: _while,
}
